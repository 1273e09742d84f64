//! A real image (Debian, nginx, small files, removals), as nydus-snapshotter pulls, mounts and exports it.

use std::fs;

use testkit::dump::dump;
use testkit::fixtures::real_image;
use testkit::mount::Erofs;

use crate::expected::{expect_image, extracted, same};
use crate::snapshotter::{Snapshotter, verify};

#[test]
fn a_real_image_is_as_umoci_extracts_it() {
    let Some(image) = real_image() else { return };
    let snapshotter = Snapshotter::new();
    let tars: Vec<Vec<u8>> = image.layers.iter().map(|tar| fs::read(tar).unwrap()).collect();
    let boots = snapshotter.pull_all(tars.iter().map(Vec::as_slice));
    let ids: Vec<String> = tars.iter().map(|tar| Snapshotter::id(tar)).collect();
    let boot = snapshotter.merge(&boots);
    expect_image(&snapshotter.mount(&boot, &ids), &image, "mounted");
    let (disk, printed) = snapshotter.export(&boot, true);
    verify(&disk, &printed.unwrap());
    expect_image(&Erofs::new(&disk).mount_by_loop().unwrap(), &image, "image.disk");
}

#[test]
fn layers_of_a_real_image_are_as_gnu_tar_extracts_them() {
    let Some(image) = real_image() else { return };
    let snapshotter = Snapshotter::new();
    for (number, tar) in image.layers.iter().enumerate() {
        let Some(expected) = extracted(tar) else { return };
        let boots = snapshotter.pull_all([&*fs::read(tar).unwrap()]);
        let (disk, _) = snapshotter.export(&snapshotter.place.path(&boots[0]), false);
        let shown = dump(Erofs::new(&disk).mount_by_loop().unwrap().path()).unwrap();
        same(&shown, &expected.tree, &expected.ignore, &format!("layer {number}"));
    }
}
