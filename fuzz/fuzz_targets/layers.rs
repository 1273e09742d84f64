//! Two tars become layers, merge, are laid out and written without a panic; what was written is as images
//! have to be, reads back as it was, and comes out of that with the same bytes.
#![no_main]

use erofs_tarfs::layout::{BodyForm, LayoutOptions, WhiteoutForm};
use erofs_tarfs::units::BlockSize;
use erofs_tarfs_fuzz::layers::{layer, merged, there_and_back};
use erofs_tarfs_fuzz::{sums, tars};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|input: &[u8]| {
    let Some((how, tars)) = input.split_first() else { return };
    let mut tars = tars.to_vec();
    sums::tar_headers(&mut tars);
    let (lower, upper) = tars.split_at(tars.len() / 1024 * 512);
    let bodies = if how & 2 == 0 { BodyForm::Auto } else { BodyForm::Chunks };
    let block = if how & 24 == 24 { BlockSize::B4096 } else { BlockSize::B512 };
    let options = LayoutOptions::new().compact(how & 1 != 0).bodies(bodies).block_size(block);
    let layers = [lower, upper].map(layer);
    for tree in layers.iter().flatten() {
        there_and_back(tree, &options);
    }
    if let [Some(lower), Some(upper)] = &layers
        && let Some(tree) = merged(&[lower, upper])
    {
        let whiteouts = if how & 4 == 0 { WhiteoutForm::Overlayfs } else { WhiteoutForm::Aufs };
        there_and_back(&tree, &options.whiteouts(whiteouts));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
    tars::mutate_behind(1, data, size, max, seed, fuzzer_mutate)
});
