//! The files of a bootstrap one behind the other: Kata and nerdbox make such a disk, and mount it.
//!
//! The device addresses of a bootstrap are where its files lie then, each filled up to a block. So it
//! shows what Linux shows with the files as devices, and what is in them.

use std::path::Path;

use erofs_tarfs::tree::{LayerOptions, MergeOptions, Tree, merge};
use testkit::dump::{Ignore, diff, dump};
use testkit::fixtures::real_image;
use testkit::mount::Erofs;
use testkit::stacks::Stack;
use testkit::{artifact, ours};

use crate::forms::{Form, Image};

#[track_caller]
fn hold(image: &Image, dir: &Path, what: &str) {
    let files = image.write(dir, "image", Form::Bootstrap);
    let mut disk = Vec::new();
    for part in std::iter::once(&files.image).chain(&files.devices) {
        disk.extend(std::fs::read(part).unwrap());
        disk.resize(disk.len().next_multiple_of(512), 0);
    }
    let whole = artifact::file(dir, "whole", &disk).unwrap();
    let whole = dump(Erofs::new(whole).mount().unwrap().path()).unwrap();
    let devices = Erofs::new(files.image).devices(files.devices).mount_by_fd().unwrap();
    for (other, of) in [(dump(devices.path()).unwrap(), "device="), (image.dump(), "tree")] {
        let lines = diff(&whole, &other, &Ignore::nothing());
        assert!(lines.is_empty(), "{what}, {of}:\n{}", lines.join("\n"));
    }
}

#[test]
fn random_stacks() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..200 {
        hold(&Image::merged(&Stack::random(seed)), dir.path(), &format!("seed {seed}"));
    }
}

#[test]
fn the_real_image() {
    let Some(image) = real_image() else { return };
    let tars: Vec<_> = image.layers.iter().map(|tar| std::fs::read(tar).unwrap()).collect();
    let layer = |tar: &Vec<u8>| {
        let options = LayerOptions::new().keep_pending(true);
        ours::tagged(tar, options).unwrap()
    };
    let layers: Vec<Tree> = tars.iter().map(layer).collect();
    let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
    let tars = tree.origins().iter().map(|origin| tars[origin.layer].clone()).collect();
    let dir = tempfile::tempdir().unwrap();
    hold(&Image { tree, tars }, dir.path(), "the real image");
}
