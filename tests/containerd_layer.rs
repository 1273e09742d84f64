//! A layer as containerd makes it, `[index][tar]` in one file, is an input of merge; the file is a
//! device of the image, its tar at an offset.

use std::process::Command;

use erofs_tarfs::layout::DiskOrder;
use erofs_tarfs::tree::{MergeOptions, merge};
use testkit::dump::{Ignore, diff, dump};
use testkit::mount::Erofs;
use testkit::tarball::TarBuilder;
use testkit::{artifact, oracle, ours};

#[test]
fn an_index_and_its_tar_in_one_file_are_a_layer() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let dir = tempfile::tempdir().unwrap();
    let lower = TarBuilder::new()
        .dir("./", 0o755)
        .dir("d", 0o755)
        .file("d/a", b"first\n")
        .file("d/b", vec![3; 5000])
        .file("gone", b"gone")
        .finish();
    let upper =
        TarBuilder::new().dir("d", 0o711).file("d/a", b"second\n").whiteout("gone").finish();
    let tar = artifact::file(dir.path(), "lower.tar", &lower).unwrap();
    let index = dir.path().join("index");
    let args = ["--tar=i", "--aufs", "-T0", "--quiet"];
    let made = Command::new(mkfs).args(args).args([&index, &tar]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut combined = std::fs::read(index).unwrap();
    combined.extend_from_slice(&lower);

    let tree = artifact::read_disk(&combined);
    assert_ne!(tree.devices()[0].base_offset, 0);
    let upper_tree = ours::layer(&upper);
    let merged = merge(&[&tree, &upper_tree], &MergeOptions::default()).unwrap();
    let blobs: [&[u8]; 2] = [&combined, &upper];
    let expected = merge(&[&ours::layer(&lower), &upper_tree], &MergeOptions::default()).unwrap();
    let expected = ours::dump(&expected, &[&lower, &upper]);

    // With the file as it stands for a device, and on a disk that takes the tar alone out of it.
    let image = artifact::bootstrap(&merged);
    let mount = artifact::mount(dir.path(), &image, &blobs).unwrap();
    let lines = diff(&dump(mount.path()).unwrap(), &expected, &Ignore::nothing());
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    for placement in [DiskOrder::default(), DiskOrder::DataFirst] {
        let disk = artifact::disk(&merged, placement, &blobs);
        let mount = Erofs::new(artifact::file(dir.path(), "disk", &disk).unwrap()).mount().unwrap();
        let lines = diff(&dump(mount.path()).unwrap(), &expected, &Ignore::nothing());
        assert!(lines.is_empty(), "{placement:?}: {}", lines.join("\n"));
    }
}

/// Our own disks of either placement are layers as they stand, too.
#[test]
fn our_disks_are_devices_as_they_stand() {
    let dir = tempfile::tempdir().unwrap();
    let lower = TarBuilder::new().file("a", b"first\n").file("b", vec![3; 5000]).finish();
    let upper = TarBuilder::new().file("a", b"second\n").finish();
    let (lower_tree, upper_tree) = (ours::layer(&lower), ours::layer(&upper));
    let expected = merge(&[&lower_tree, &upper_tree], &MergeOptions::default()).unwrap();
    let expected = ours::dump(&expected, &[&lower, &upper]);
    let disks = [
        artifact::disk(&lower_tree, DiskOrder::DataFirst, &[&lower]),
        artifact::disk(&upper_tree, DiskOrder::default(), &[&upper]),
    ];
    let layers = disks.each_ref().map(|disk| artifact::read_disk(disk));
    let merged = merge(&layers.each_ref(), &MergeOptions::default()).unwrap();
    let image = artifact::bootstrap(&merged);
    let mount = artifact::mount(dir.path(), &image, &[&disks[0], &disks[1]]).unwrap();
    let lines = diff(&dump(mount.path()).unwrap(), &expected, &Ignore::nothing());
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// "inputs with different block sizes: addresses converted"; an image that holds its data itself is
/// a device too.
#[test]
fn an_image_of_4096_byte_blocks_merges_with_a_tar() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let dir = tempfile::tempdir().unwrap();
    let tars = [
        TarBuilder::new()
            .dir("./", 0o755)
            .file("a", vec![1; 9000])
            .file("b", vec![2; 4096])
            .finish(),
        TarBuilder::new().file("b", b"new").file("c", vec![3; 513]).finish(),
    ];
    let tar = artifact::file(dir.path(), "lower.tar", &tars[0]).unwrap();
    let image = dir.path().join("lower.erofs");
    let args = ["--tar=f", "--aufs", "-T0", "--quiet", "-b4096", "-Enoinline_data"];
    let made = Command::new(mkfs).args(args).args([&image, &tar]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let lower = std::fs::read(image).unwrap();
    let (lower_tree, upper_tree) = (artifact::read_disk(&lower), ours::layer(&tars[1]));
    let merged = merge(&[&lower_tree, &upper_tree], &MergeOptions::default()).unwrap();
    let bootstrap = artifact::bootstrap(&merged);
    let mount = artifact::mount(dir.path(), &bootstrap, &[&lower, &tars[1]]).unwrap();
    let expected = [ours::layer(&tars[0]), upper_tree];
    let expected = merge(&expected.each_ref(), &MergeOptions::default()).unwrap();
    let expected = ours::dump(&expected, &[&tars[0], &tars[1]]);
    let lines = diff(&dump(mount.path()).unwrap(), &expected, &Ignore::nothing());
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}
