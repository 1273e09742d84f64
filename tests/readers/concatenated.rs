//! The files of a bootstrap one behind the other: Kata and nerdbox make such a disk, and mount it.

use testkit::artifact;
use testkit::dump::{Ignore, diff, dump};
use testkit::mount::Erofs;
use testkit::stacks::Stack;

use crate::forms::{Form, Image};

/// The device addresses of a bootstrap are where its files lie when they are put one behind the
/// other, each filled up to a block.
#[test]
fn the_files_of_a_bootstrap_one_behind_the_other_are_a_disk() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..200 {
        let image = Image::merged(&Stack::random(seed));
        let files = image.write(dir.path(), "image", Form::Bootstrap);
        let mut disk = Vec::new();
        for part in std::iter::once(&files.image).chain(&files.devices) {
            disk.extend(std::fs::read(part).unwrap());
            disk.resize(disk.len().next_multiple_of(512), 0);
        }
        let whole = artifact::file(dir.path(), "whole", &disk).unwrap();
        let whole = dump(Erofs::new(whole).mount().unwrap().path()).unwrap();
        // As Linux shows it with the files as devices, and as it is.
        let devices = Erofs::new(files.image).devices(files.devices).mount_by_fd().unwrap();
        for (other, what) in [(dump(devices.path()).unwrap(), "device="), (image.dump(), "tree")] {
            let lines = diff(&whole, &other, &Ignore::nothing());
            assert!(lines.is_empty(), "seed {seed}, {what}:\n{}", lines.join("\n"));
        }
    }
}
