//! Tars as seeds: those of random stacks, which have all kinds of entries in all formats.

use testkit::rng::Rng;
use testkit::stacks::Stack;

/// How many stacks there are seeds of.
const STACKS: u64 = 24;

/// Small tars.
pub fn small() -> Vec<Vec<u8>> {
    let stacks = (0..STACKS).flat_map(|seed| Stack::wild(seed).layers);
    let tars = stacks.map(|layer| layer.tar);
    tars.filter(|tar| (1024..12 << 10).contains(&tar.len())).collect()
}

/// A byte that says how the tar is cut into pieces, then a tar.
pub fn each_cut_somehow() -> Vec<Vec<u8>> {
    let cut = |(number, tar)| [vec![number as u8], tar].concat();
    small().into_iter().enumerate().map(cut).collect()
}

/// A byte of options, then two tars of about the same length.
pub fn pairs() -> Vec<Vec<u8>> {
    let mut tars = small();
    tars.sort_by_key(Vec::len);
    let pair = |(number, pair): (usize, &[Vec<u8>])| [&[number as u8], &pair.concat()[..]].concat();
    tars.chunks_exact(2).enumerate().map(pair).collect()
}

/// An even byte and choices of the generator of stacks, or an odd byte and a tar.
pub fn choices_and_tars() -> Vec<Vec<u8>> {
    let choices = (0..32).map(|seed| [vec![0], Rng::new(seed).bytes(400)].concat());
    choices.chain(small().into_iter().map(|tar| [vec![1], tar].concat())).collect()
}
