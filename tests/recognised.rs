//! Our images are recognised for what they are: by `blkid` of three versions of util-linux, which
//! `mount` without `-t`, udev, `lsblk` and systemd ask, and by `mount` itself.
//!
//! libblkid 2.41 and 2.42 take the length that the superblock's checksum covers for the block size
//! less 1024 bytes, and do not see blocks of 512 and 1024 bytes with one. 2.38 to 2.42 also take an
//! EROFS with a checksum and certain counts of inodes for a minix file system.

use std::path::{Path, PathBuf};
use std::process::Command;

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, Artifact, DiskOrder, LayoutOptions};
use erofs_tarfs::tree::Tree;
use erofs_tarfs::units::BlockSize;
use testkit::oracle::{self, Verdict};
use testkit::tarball::TarBuilder;
use testkit::{artifact, ours};

/// Where `blkid`s of other versions are, with colons between: `.ci/debian-beside` brings them.
const OTHERS: &str = "TARFS_UTIL_LINUX";

fn blkids() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        oracle::tool("blkid", "apt-get install util-linux").into_iter().collect();
    found.extend(oracle::other_versions("blkid", OTHERS));
    found
}

fn image(tree: &Tree, tar: &[u8], options: &LayoutOptions) -> Vec<u8> {
    let layout = layout::plan(tree, options).unwrap();
    match options.artifact {
        Artifact::Bootstrap => image::bootstrap(&layout),
        _ => artifact::assemble(&layout, &image::disk(&layout), &[tar]),
    }
}

fn probe(blkid: &Path, file: &Path) -> String {
    Verdict::of(Command::new(blkid).args(["-p", "-o", "export"]).arg(file)).output
}

#[test]
fn every_default_output_is_recognised() {
    let dir = tempfile::tempdir().unwrap();
    let tar = TarBuilder::new().file("f", [7; 5000]).dir("d", 0o755).finish();
    let tree = ours::layer(&tar);
    let blkids = blkids();
    for block in [512, 1024, 2048, 4096] {
        for artifact in [
            Artifact::Bootstrap,
            Artifact::Disk(DiskOrder::default()),
            Artifact::Disk(DiskOrder::DataFirst),
        ] {
            let options = artifact::options(artifact).block_size(BlockSize::new(block).unwrap());
            // A body lies on 512 bytes in a tar.
            let tree =
                if block == 512 { tree.clone() } else { ours::layer(&TarBuilder::new().finish()) };
            let file = artifact::file(dir.path(), "image", &image(&tree, &tar, &options)).unwrap();
            for blkid in &blkids {
                let said = probe(blkid, &file);
                let what =
                    format!("{} on {artifact:?}, blocks of {block}: {said}", blkid.display());
                assert!(
                    said.contains("\nTYPE=erofs\n") || said.starts_with("TYPE=erofs\n"),
                    "{what}"
                );
                assert!(said.contains("UUID="), "{what}");
            }
        }
    }
}

/// The counts of inodes whose low half, where minix has its magic, is that of minix.
#[test]
fn no_count_of_inodes_makes_it_a_minix() {
    let dir = tempfile::tempdir().unwrap();
    let blkids = blkids();
    for inodes in [4991, 5007] {
        // The root and as many links.
        let tar = (1..inodes).fold(TarBuilder::new(), |tar, n| tar.symlink(format!("{n}"), "x"));
        let tar = tar.finish();
        let tree = ours::layer(&tar);
        assert_eq!(tree.inode_count(), inodes);
        let options = artifact::options(Artifact::Disk(DiskOrder::default()));
        let file = artifact::file(dir.path(), "image", &image(&tree, &tar, &options)).unwrap();
        for blkid in &blkids {
            let said = probe(blkid, &file);
            assert!(said.contains("TYPE=erofs"), "{}, {inodes} inodes: {said}", blkid.display());
        }
    }
}

#[test]
fn mount_needs_no_type() {
    let Some(mount) = oracle::tool("mount", "apt-get install mount") else { return };
    let dir = tempfile::tempdir().unwrap();
    let tar = TarBuilder::new().file("f", [7; 5000]).finish();
    let tree = ours::layer(&tar);
    let options = artifact::options(Artifact::Disk(DiskOrder::default()));
    let file = artifact::file(dir.path(), "image", &image(&tree, &tar, &options)).unwrap();
    let at = dir.path().join("at");
    std::fs::create_dir(&at).unwrap();
    Verdict::of(Command::new(&mount).args(["-o", "ro,loop"]).arg(&file).arg(&at))
        .expect_ok("mount");
    let seen = std::fs::read(at.join("f"));
    Verdict::of(Command::new("umount").arg(&at)).expect_ok("umount");
    assert_eq!(seen.unwrap(), [7; 5000]);
}
