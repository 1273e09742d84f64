//! What the crate erofs-rs reads of our images is what is in them: stacks of layers, merged, in all forms of
//! bootstraps and disks. The first byte chooses the form, the others are the choices of the stack's generator.
//!
//! Nothing may differ: of merged stacks in these forms no difference is known, so there is no list.
#![no_main]

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, Artifact, BodyForm, DiskOrder, LayoutOptions};
use erofs_tarfs::tree::pack;
use erofs_tarfs::units::BlockSize;
use libfuzzer_sys::fuzz_target;
use testkit::dump::{Ignore, diff};
use testkit::stacks::Stack;
use testkit::{artifact, erofs_rs, ours};

fuzz_target!(|input: &[u8]| {
    let Some((form, choices)) = input.split_first() else { return };
    let stack = Stack::chosen(choices);
    let tars: Vec<&[u8]> = stack.layers.iter().map(|layer| &layer.tar[..]).collect();
    let Ok((tree, blobs)) = ours::merged_tree(&tars, form & 0x80 != 0) else { return };
    let options = options(*form);
    let grid = pack(&tree, options.block_size).expect("a tree that is not large");
    let Ok(layout) = layout::plan(&grid, &options) else { return };
    let theirs = match options.artifact {
        Artifact::Bootstrap => {
            // Linux reads whole sectors, and a tar may end within one.
            let whole = |tar: &&[u8]| {
                let mut tar = tar.to_vec();
                tar.resize(tar.len().next_multiple_of(512), 0);
                tar
            };
            let devices: Vec<Vec<u8>> = blobs.iter().map(whole).collect();
            let devices: Vec<&[u8]> = devices.iter().map(Vec::as_slice).collect();
            erofs_rs::dump(&image::bootstrap(&layout), &devices)
        }
        _ => erofs_rs::dump(&artifact::assemble(&layout, &image::disk(&layout), &blobs), &[]),
    };
    let theirs = theirs.unwrap_or_else(|why| panic!("is refused: {why}\n{}", stack.describe()));
    let lines = diff(&theirs, &ours::dump(&tree, &blobs), &Ignore::nothing());
    assert!(lines.is_empty(), "{}\n{}", lines.join("\n"), stack.describe());
});

/// The forms that `tests/readers` says erofs-rs reads right.
fn options(form: u8) -> LayoutOptions {
    let artifact = match form & 3 {
        0 | 1 => Artifact::Bootstrap,
        2 => Artifact::Disk(DiskOrder::default()),
        _ => Artifact::Disk(DiskOrder::DataFirst),
    };
    let options = LayoutOptions::new().artifact(artifact).compact(form & 4 != 0);
    match (artifact, form >> 3 & 3) {
        (Artifact::Bootstrap, 1) => options.bodies(BodyForm::Plain),
        (Artifact::Bootstrap, 2) => options.bodies(BodyForm::Chunks),
        (Artifact::Disk(_), 1) => options.block_size(BlockSize::B4096),
        (Artifact::Disk(_), 2) => options.block_size(BlockSize::B1024),
        _ => options,
    }
}
