//! Bootstraps of Nydus's program: every command reads them, alone and among ours, so that an upgrade
//! needs no second pull.

use std::fs;

use testkit::dump::{Ignore, Tree, dump};
use testkit::mount::Erofs;
use testkit::naive::naive_merge;
use testkit::oci::small_image;
use testkit::stacks::Layer;
use testkit::tarball::TarBuilder;

use crate::expected::same;
use crate::rafs::{self, Node};
use crate::run::{fails, ok};
use crate::snapshotter::{Snapshotter, verify};

fn ignore() -> Ignore {
    Ignore::nothing().dir_nlink()
}

/// A layer with long directories, long links and files of more than one chunk.
fn large() -> Vec<u8> {
    let mut tar = TarBuilder::new()
        .dir("./", 0o755)
        .mtime(1_700_000_000, 0)
        .dir("many", 0o711)
        .uid(70_000)
        .gid(80_000)
        .dir("odd", 0o1777)
        .symlink("odd/link", vec![b'x'; 300])
        .symlink("odd/longer", vec![b'y'; 1024])
        .file("odd/big", (0..3_500_000_u32).map(|n| (n >> 8) as u8).collect::<Vec<_>>())
        .file("odd/chunk", vec![9; 1 << 20])
        .file("odd/empty", b"")
        .file("odd/attributes", b"x")
        .xattr("user.note", "a value")
        .xattr("security.other", vec![7; 300])
        .hardlink("odd/same", "odd/big")
        .chr("odd/null", 1, 3)
        .blk("odd/disk", 259, 70_000)
        .fifo("odd/pipe");
    for number in 0..300 {
        tar = tar.file(format!("many/file-{number}"), format!("{number}\n"));
    }
    tar.finish()
}

/// What GNU tar makes of a tar whose directories are all listed, whiteouts as files.
fn extracted(tar: &[u8]) -> Option<Tree> {
    let gnu_tar = testkit::oracle::gnu_tar()?;
    let dir = testkit::mount::tmpfs().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), tar).unwrap();
    let mut command = std::process::Command::new(gnu_tar);
    command.args(["-x", "-p", "--same-owner", "--numeric-owner", "--delay-directory-restore"]);
    command.args(["--xattrs", "--xattrs-include=*", "-C"]).arg(dir.path());
    command.arg("-f").arg(file.path());
    testkit::oracle::Verdict::of(&mut command).expect_ok("GNU tar");
    Some(dump(dir.path()).unwrap())
}

/// Puts the bootstraps that Nydus's program would have made in the place of ours.
fn put(snapshotter: &Snapshotter, boots: &[String], layers: &[&[u8]], which: fn(usize) -> bool) {
    for (number, tar) in layers.iter().enumerate().filter(|(number, _)| which(*number)) {
        snapshotter.place.put(&boots[number], &rafs::layer(tar, &Snapshotter::id(tar)));
    }
}

/// The writer's own test: Linux mounts what it makes, and finds what GNU tar finds.
#[test]
fn linux_reads_what_is_written_here() {
    let snapshotter = Snapshotter::new();
    for tar in [large(), TarBuilder::new().dir("./", 0o755).mtime(5, 0).finish()] {
        let boots = snapshotter.pull_all([&tar[..]]);
        put(&snapshotter, &boots, &[&tar], |_| true);
        let Some(expected) = extracted(&tar) else { return };
        let mount = snapshotter.mount(&snapshotter.place.path(&boots[0]), &[Snapshotter::id(&tar)]);
        same(&dump(mount.path()).unwrap(), &expected, &ignore(), "mounted");
    }
}

#[test]
fn the_disk_of_their_layer() {
    let (snapshotter, tar) = (Snapshotter::new(), large());
    let boots = snapshotter.pull_all([&tar[..]]);
    put(&snapshotter, &boots, &[&tar], |_| true);
    let Some(expected) = extracted(&tar) else { return };
    let (disk, printed) = snapshotter.export(&snapshotter.place.path(&boots[0]), true);
    verify(&disk, &printed.unwrap());
    let mount = Erofs::new(&disk).mount_by_loop().unwrap();
    same(&dump(mount.path()).unwrap(), &expected, &ignore(), "layer.disk");
}

/// Whiteouts are plain files in their layers, and do what ours do.
#[test]
fn their_layers_are_merged_with_ours() {
    let which: [fn(usize) -> bool; 3] =
        [|_| true, |number| number % 2 == 0, |number| number % 2 == 1];
    let mut image = small_image();
    image.push(image[1].clone());
    image.push(Layer::plain(vec![testkit::layer::Op::new("only", testkit::layer::What::Dir)]));
    let tars: Vec<&[u8]> = image.iter().map(|layer| &layer.tar[..]).collect();
    let ids: Vec<String> = tars.iter().map(|tar| Snapshotter::id(tar)).collect();
    let expected = naive_merge(image.iter().map(|layer| &layer.ops[..]), false).unwrap();
    for which in which {
        let snapshotter = Snapshotter::new();
        let boots = snapshotter.pull_all(tars.iter().copied());
        put(&snapshotter, &boots, &tars, which);
        let boot = snapshotter.merge(&boots);
        let mount = snapshotter.mount(&boot, &ids);
        same(&dump(mount.path()).unwrap(), &expected, &ignore(), "mounted");
        drop(mount);
        let (disk, printed) = snapshotter.export(&boot, true);
        verify(&disk, &printed.unwrap());
        let mount = Erofs::new(&disk).mount_by_loop().unwrap();
        same(&dump(mount.path()).unwrap(), &expected, &ignore(), "image.disk");
    }
}

/// The bootstrap of an image that Nydus's program merged: its blobs may be in any order.
fn image(tars: [&[u8]; 2]) -> Vec<u8> {
    let [below, above] = tars;
    let mut nodes = rafs::nodes(below, 1);
    nodes.extend(rafs::nodes(above, 0));
    nodes.insert(b"both".to_vec(), Node::dir());
    let ids = tars.map(Snapshotter::id);
    rafs::write(&nodes, &[(&ids[1], above.len() as u64), (&ids[0], below.len() as u64)])
}

#[test]
fn the_bootstrap_of_their_image() {
    let snapshotter = Snapshotter::new();
    let below = TarBuilder::new().file("below", vec![1; 3000]).finish();
    let above = TarBuilder::new().file("above", vec![2; 5000]).finish();
    let tars = [&below[..], &above[..]];
    snapshotter.pull_all(tars);
    let boot = snapshotter.place.put("image.boot", &image(tars));
    let word = boot.to_str().unwrap();
    let ids = tars.map(Snapshotter::id);
    let told = ok(["inspect", "-R blobs", word]);
    assert!(told.find(&ids[1]).unwrap() < told.find(&ids[0]).unwrap(), "as in the device table");
    assert_eq!(ok(["inspect", "-R", "stats", word]), "{\"inodes_count\":4}\n");
    let checked = ok(["check", "-D", &snapshotter.place.word("cache"), word]);
    assert!(ids.iter().all(|id| checked.contains(id.as_str())), "{checked}");
    let (disk, printed) = snapshotter.export(&boot, true);
    verify(&disk, &printed.unwrap());
    let mount = Erofs::new(&disk).mount_by_loop().unwrap();
    let read = |name: &str| fs::read(mount.path().join(name)).unwrap();
    assert!(read("below") == [1; 3000] && read("above") == [2; 5000]);
    assert!(mount.path().join("both").is_dir());
}

#[test]
fn what_is_no_tarfs_of_theirs_is_refused() {
    let (snapshotter, tar) = (Snapshotter::new(), small_image()[0].tar.clone());
    let boots = snapshotter.pull_all([&tar[..]]);
    let place = &snapshotter.place;
    let mut blobs = rafs::layer(&tar, &Snapshotter::id(&tar));
    blobs[1153] &= !2; // the flag of a tarfs
    let bad = place.put("bad", &blobs);
    let said = &["bad: is a bootstrap of RAFS over blobs", "nydus-image of Nydus reads it"];
    let (ours, bad) = (place.word(&boots[0]), bad.to_str().unwrap());
    fails(2, said, ["merge", "-B", &place.word("out"), &ours, bad]);
    fails(2, said, ["export", "--block", "-D", &place.word("cache"), "-B", bad]);
    fails(2, said, ["check", bad]);
    // A blob ID that would lead out of the directory of the tars.
    let mut escape = rafs::layer(&tar, &Snapshotter::id(&tar));
    escape[1408..1472].fill(0);
    escape[1408..][..9].copy_from_slice(b"../../../");
    fs::write(bad, escape).unwrap();
    let said = &["bad: has a device whose blob ID", "names no file"];
    fails(1, said, ["export", "--block", "-D", &place.word("cache"), "-B", bad]);
    assert!(!place.path("out").exists());
}
