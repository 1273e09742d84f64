//! No input panics; how a tar is cut into pieces changes nothing, neither the layer nor
//! the error; bodies may be skipped.
#![no_main]

use erofs_tarfs::tree::{LayerBuilder, LayerOptions};
use erofs_tarfs_fuzz::{sums, tars};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|input: &[u8]| {
    let Some((cut, tar)) = input.split_first() else { return };
    let mut tar = tar.to_vec();
    sums::tar_headers(&mut tar);
    let whole = run(&tar, tar.len().max(1), false);
    assert_eq!(run(&tar, usize::from(*cut) + 1, false), whole);
    assert_eq!(run(&tar, tar.len().max(1), true), whole);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
    tars::mutate_behind(1, data, size, max, seed, fuzzer_mutate)
});

/// The layer or the error, as text.
fn run(tar: &[u8], piece: usize, skip: bool) -> String {
    let mut builder = LayerBuilder::new(LayerOptions::default());
    let mut at = 0;
    while at < tar.len() {
        let left = (tar.len() - at) as u64;
        let far = if skip { builder.skippable().min(left) } else { 0 };
        let done = if far > 0 {
            at += far as usize;
            builder.skip(far)
        } else {
            // While skipping, a block at a time: else there would be nothing left to skip.
            let end = tar.len().min(at + if skip { 512 } else { piece });
            let done = builder.push(&tar[at..end]);
            at = end;
            done
        };
        if let Err(error) = done {
            return error.to_string();
        }
    }
    match builder.finish() {
        Ok(layer) => format!("{:?} {:?}", layer.end, layer.tree),
        Err(error) => error.to_string(),
    }
}
