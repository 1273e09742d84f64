//! Disks whose bytes are shared with the tars, copied by the kernel, or by us: on filesystems with
//! and without reflinks, and from one to another. Never a byte less.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use erofs_tarfs::image;
use erofs_tarfs::io::{Copied, Error, NamedFile, copy_range, write_disk};
use erofs_tarfs::layout::{self, Artifact, DiskOrder};
use testkit::mount::{DiskFs, Mounted, scratch_disk, small_tmpfs, tmpfs};
use testkit::oracle::{self, Verdict};
use testkit::tarball::TarBuilder;
use testkit::{artifact, ours};

/// Bytes that are nowhere the same.
fn bytes(len: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut word = || {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        (state >> 32) as u32
    };
    let words = (0..len.div_ceil(4)).flat_map(|_| word().to_le_bytes());
    words.take(len).collect()
}

/// A filesystem for a test, or none where its tools are missing.
fn disk(fs: DiskFs) -> Option<Mounted> {
    scratch_disk(fs, 400 << 20).unwrap()
}

fn create(path: PathBuf) -> NamedFile {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
    NamedFile::new(path, file)
}

fn source(dir: &Path, bytes: &[u8]) -> NamedFile {
    let path = artifact::file(dir, "source", bytes).unwrap();
    NamedFile::open(path).unwrap()
}

/// Two layers whose tars are written to `tars`, and their disk to `out`: its bytes are right.
/// Answers how they came there.
fn exported(tars: &Path, out: &Path, align: u64) -> (Copied, PathBuf) {
    let blobs = [
        TarBuilder::new().file("a", bytes(3_000_001)).finish(),
        TarBuilder::new().file("b", bytes(1 << 20)).file("c", bytes(70_000)).finish(),
    ];
    let trees: Vec<_> = blobs.iter().map(|tar| ours::layer(tar)).collect();
    let trees: Vec<_> = trees.iter().collect();
    let tree = erofs_tarfs::tree::merge(&trees, &Default::default()).unwrap();
    let mut copied = Copied::default();
    let mut last = PathBuf::new();
    for (name, placement) in
        [("meta", DiskOrder::MetadataFirst { align }), ("data", DiskOrder::DataFirst)]
    {
        let layout = layout::plan(&tree, &artifact::options(Artifact::Disk(placement))).unwrap();
        let plan = image::disk(&layout);
        let sources: Vec<_> = (blobs.iter().enumerate())
            .map(|(index, tar)| artifact::file(tars, &format!("{index}.tar"), tar).unwrap())
            .map(|path| NamedFile::open(path).unwrap())
            .collect();
        let (mut told, file) = (0, create(out.join(name)));
        copied += write_disk(&plan, &layout, &sources, &file, &mut |n| told += n).unwrap();
        assert_eq!(told, plan.bytes, "the observer hears of all");
        last = out.join(name);
        let blobs: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
        assert!(fs::read(&last).unwrap() == artifact::assemble(&layout, &plan, &blobs));
    }
    let all: usize = blobs.iter().map(Vec::len).sum();
    assert_eq!(copied.bytes(), 2 * all as u64, "{copied:?}");
    (copied, last)
}

/// Bytes of a file that filefrag says are shared.
fn shared(path: &Path) -> Option<u64> {
    let filefrag = oracle::tool("filefrag", "apt-get install e2fsprogs")?;
    File::open(path).unwrap().sync_all().unwrap();
    let verdict = Verdict::of(Command::new(filefrag).args(["-v", "-b1"]).arg(path));
    verdict.expect_ok("filefrag");
    let lines = verdict.output.lines().filter(|line| line.contains("shared"));
    let length = |line: &str| -> u64 {
        // "ext: logical_offset: physical_offset: length: expected: flags:"
        line.split(':').nth(3).unwrap().trim().parse().unwrap()
    };
    Some(lines.map(length).sum())
}

#[test]
fn reflinks_where_the_filesystem_has_them() {
    for fs in [DiskFs::Xfs, DiskFs::Btrfs] {
        let Some(mounted) = disk(fs) else { continue };
        let (copied, last) = exported(mounted.path(), mounted.path(), 4096);
        // All but the last block of each tar, of which there are four.
        assert_eq!(copied.by_hand, 0, "{fs:?} {copied:?}");
        assert!(copied.in_kernel < 4 * 4096, "{fs:?} {copied:?}");
        if let Some(shared) = shared(&last) {
            assert!(shared >= copied.cloned / 2, "{fs:?}: {shared} of {copied:?}");
        }
    }
}

#[test]
fn btrfs_itself_says_that_the_bytes_are_there_once() {
    let Some(mounted) = disk(DiskFs::Btrfs) else { return };
    let Some(btrfs) = oracle::tool("btrfs", "apt-get install btrfs-progs") else { return };
    let (_, last) = exported(mounted.path(), mounted.path(), 4096);
    Verdict::of(Command::new("sync").arg("-f").arg(&last)).expect_ok("sync");
    let verdict = Verdict::of(Command::new(btrfs).args(["filesystem", "du", "--raw"]).arg(&last));
    verdict.expect_ok("btrfs filesystem du");
    // Total, exclusive, set shared, name.
    let line = verdict.output.lines().last().unwrap();
    let exclusive: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(exclusive < 64 << 10, "{}", verdict.output);
}

#[test]
fn the_kernel_copies_where_there_are_no_reflinks() {
    let Some(mounted) = disk(DiskFs::Ext4) else { return };
    let (copied, last) = exported(mounted.path(), mounted.path(), 4096);
    assert_eq!((copied.cloned, copied.by_hand), (0, 0), "{copied:?}");
    assert_eq!(shared(&last).unwrap_or(0), 0);
}

#[test]
fn we_copy_from_one_filesystem_to_another() {
    let from = tmpfs().unwrap();
    for fs in [DiskFs::Xfs, DiskFs::Btrfs, DiskFs::Ext4] {
        let Some(mounted) = disk(fs) else { continue };
        let (copied, _) = exported(from.path(), mounted.path(), 4096);
        assert_eq!(copied.cloned, 0, "{fs:?}");
        assert_eq!(copied.by_hand, copied.bytes(), "{fs:?} {copied:?}");
    }
}

#[test]
fn zeros_are_holes() {
    for fs in [DiskFs::Xfs, DiskFs::Ext4] {
        let Some(mounted) = disk(fs) else { continue };
        let (_, _) = exported(mounted.path(), mounted.path(), 16 << 20);
        let file = mounted.path().join("meta");
        File::open(&file).unwrap().sync_all().unwrap();
        let found = fs::metadata(&file).unwrap();
        let (length, taken) = (found.len(), found.blocks() * 512);
        assert!(length > 32 << 20 && taken < 5 << 20, "{fs:?}: {taken} of {length}");
    }
}

#[test]
fn every_offset_is_copied_right() {
    for fs in [DiskFs::Xfs, DiskFs::Btrfs, DiskFs::Ext4] {
        let Some(mounted) = disk(fs) else { continue };
        let content = bytes(100_000);
        let source = source(mounted.path(), &content);
        let end = content.len() as u64;
        let mut cloned = 0;
        for (number, (from, to, len)) in [
            (0, 0, end),                   // all, to the end of both
            (0, 8192, end),                // whole blocks apart
            (512, 4096 + 512, 50_000),     // as far into a block
            (4095, 4096 + 4095, 1 + 8192), // one byte, and two blocks
            (512, 0, 50_000),              // not as far
            (1, 4096, 4096),
            (100, 100, 10),    // within a block
            (4000, 8096, 200), // over the edge of one, with none whole
            (4096, 0, 4096),
            (end - 1, 77, 1),
            (end, 5, 0),
        ]
        .into_iter()
        .enumerate()
        {
            let out = create(mounted.path().join(format!("out{number}")));
            // What is behind the range stays: a partial block must not be cloned over it.
            let mut expected = vec![7; 200_000];
            out.write_all_at(&expected, 0).unwrap();
            let copied = copy_range((&source, from), (&out, to), len, &mut |_| {}).unwrap();
            assert_eq!(copied.bytes(), len, "{fs:?} {from} {to} {len}");
            let part = &content[from as usize..(from + len) as usize];
            expected[to as usize..(to + len) as usize].copy_from_slice(part);
            assert!(fs::read(out.path()).unwrap() == expected, "{fs:?} {from} {to} {len}");
            cloned += copied.cloned;
        }
        let whole = [24 * 4096, 24 * 4096, 11 * 4096, 2 * 4096, 4096].iter().sum::<u64>();
        assert_eq!(cloned, if fs == DiskFs::Ext4 { 0 } else { whole }, "{fs:?}");
    }
}

#[test]
fn a_file_copied_within_itself() {
    let Some(mounted) = disk(DiskFs::Xfs) else { return };
    let content = bytes(64 << 10);
    let file = create(mounted.path().join("file"));
    file.write_all_at(&content, 0).unwrap();
    let again = NamedFile::new("again", file.file().try_clone().unwrap());
    // The kernel refuses ranges that overlap, both ways: what it refuses, we do.
    let copied = copy_range((&file, 8192), (&again, 0), 32 << 10, &mut |_| {}).unwrap();
    assert_eq!(copied.by_hand, 32 << 10, "{copied:?}");
    assert!(fs::read(file.path()).unwrap()[..32 << 10] == content[8192..][..32 << 10]);
}

#[test]
fn a_source_too_short_is_an_error_before_anything_is_written() {
    let dir = tmpfs().unwrap();
    let tar = TarBuilder::new().file("a", bytes(100_000)).finish();
    let tree = ours::layer(&tar);
    let options = artifact::options(Artifact::Disk(DiskOrder::default()));
    let layout = layout::plan(&tree, &options).unwrap();
    let short = source(dir.path(), &tar[..tar.len() - 1]);
    let out = create(dir.path().join("out"));
    let plan = image::disk(&layout);
    let error = write_disk(&plan, &layout, &[short], &out, &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Short { .. }), "{error}");
    assert_eq!(out.bytes().unwrap(), 0);
    let source = NamedFile::open(dir.path().join("source")).unwrap();
    for (from, len) in [(tar.len() as u64, 1), (0, u64::MAX), (u64::MAX, 1), (u64::MAX, 0)] {
        let error = copy_range((&source, from), (&out, 0), len, &mut |_| {}).unwrap_err();
        assert!(matches!(error, Error::Short { .. }), "{error}");
    }
    assert_eq!(out.bytes().unwrap(), 0);
    let error = copy_range((&source, 0), (&out, u64::MAX), 1, &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Write { offset: u64::MAX, .. }), "{error}");
}

/// Copies a source that is cut when the first bytes are done.
#[track_caller]
fn cut_meanwhile(dir: &Path, out: &Path) {
    let source = create(dir.join("source"));
    // More than is asked of the kernel at a time.
    source.set_bytes(600 << 20).unwrap();
    let out = create(out.join("out"));
    let mut done = 0;
    let observer = &mut |bytes| {
        done += bytes;
        source.set_bytes(1000).unwrap();
    };
    let error = copy_range((&source, 0), (&out, 0), 600 << 20, observer).unwrap_err();
    let Error::Short { file, bytes: 1000, needed } = &error else { panic!("{error}") };
    assert_eq!((file.as_path(), *needed), (source.path(), 600 << 20));
    assert!(done < 600 << 20);
}

#[test]
fn a_source_cut_meanwhile_is_an_error() {
    let from = tmpfs().unwrap();
    for fs in [DiskFs::Xfs, DiskFs::Btrfs, DiskFs::Ext4] {
        let Some(mounted) = disk(fs) else { continue };
        if fs != DiskFs::Ext4 {
            // Shared, then refused, then nothing to copy, then nothing to read. Without reflinks
            // the holes would be written.
            cut_meanwhile(mounted.path(), mounted.path());
            fs::remove_file(mounted.path().join("source")).unwrap();
            fs::remove_file(mounted.path().join("out")).unwrap();
        }
        cut_meanwhile(from.path(), mounted.path());
        fs::remove_file(from.path().join("source")).unwrap();
    }
    // Copied by the kernel: no reflinks, and a source with holes.
    cut_meanwhile(from.path(), from.path());
}

#[test]
fn a_full_disk_and_a_closed_file_are_errors_with_names() {
    let from = tmpfs().unwrap();
    let source = source(from.path(), &bytes(1 << 20));
    let small = small_tmpfs(64 << 10).unwrap();
    let out = create(small.path().join("out"));
    let error = copy_range((&source, 0), (&out, 0), 1 << 20, &mut |_| {}).unwrap_err();
    assert!(matches!(&error, Error::Write { file, .. } if file == out.path()), "{error}");
    // On one filesystem, where the kernel cannot tell which of the two it was.
    let small = small_tmpfs(96 << 10).unwrap();
    let source = self::source(small.path(), &bytes(64 << 10));
    let out = create(small.path().join("out"));
    let error = copy_range((&source, 0), (&out, 0), 64 << 10, &mut |_| {}).unwrap_err();
    assert!(matches!(&error, Error::Write { file, .. } if file == out.path()), "{error}");

    let read_only = NamedFile::open(out.path()).unwrap();
    let error = copy_range((&source, 0), (&read_only, 0), 9, &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Write { offset: 0, .. }), "{error}");
    let write_only = OpenOptions::new().write(true).open(source.path()).unwrap();
    let write_only = NamedFile::new("source", write_only);
    let error = copy_range((&write_only, 0), (&out, 0), 9, &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Read { offset: 0, .. }), "{error}");
}
