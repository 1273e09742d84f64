//! The forms that metadata can have, by the kernel: none of them shows in what is mounted.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use erofs_tarfs::format::Incompat;
use erofs_tarfs::image;
use erofs_tarfs::layout::{self, Artifact, BodyForm, DiskOrder, LayoutOptions};
use erofs_tarfs::read::Image;
use erofs_tarfs::tree::{
    Attributes, Builder, Device, InodeId, MergeOptions, Node, Place, Tree, What, XattrSet, merge,
};
use erofs_tarfs::units::{BlockSize, Timestamp};
use testkit::dump::{self, Ignore, diff, dump};
use testkit::mount::{Erofs, Mounted};
use testkit::stacks::Stack;
use testkit::tarball::TarBuilder;
use testkit::{artifact, oracle, ours};

const ARTIFACTS: [Artifact; 3] = [
    Artifact::Bootstrap,
    Artifact::Disk(DiskOrder::MetadataFirst { align: 4096 }),
    Artifact::Disk(DiskOrder::DataFirst),
];

/// Every form of an artifact.
fn forms(artifact: Artifact) -> Vec<LayoutOptions> {
    let mut forms = Vec::new();
    for bodies in [BodyForm::Plain, BodyForm::Chunks] {
        for compact in [false, true] {
            let mut options = artifact::options(artifact);
            (options.bodies, options.compact) = (bodies, compact);
            forms.push(options);
        }
    }
    forms
}

/// What a tree and its options make.
struct Made {
    bytes: Vec<u8>,
    mount: Mounted,
}

fn make(dir: &Path, tree: &Tree, options: &LayoutOptions, blobs: &[&[u8]]) -> Made {
    let layout = layout::plan(tree, options).unwrap();
    if options.artifact == Artifact::Bootstrap {
        let bytes = image::bootstrap(&layout);
        let mount = artifact::mount(dir, &bytes, blobs).unwrap();
        return Made { bytes, mount };
    }
    let bytes = artifact::assemble(&layout, &image::disk(&layout), blobs);
    let mount = Erofs::new(artifact::file(dir, "disk", &bytes).unwrap()).mount().unwrap();
    Made { bytes, mount }
}

#[track_caller]
fn same(shown: &dump::Tree, expected: &dump::Tree, what: &str) {
    let lines = diff(shown, expected, &Ignore::nothing());
    assert!(lines.is_empty(), "{what}:\n{}", lines.join("\n"));
}

#[test]
fn all_forms_of_an_image_mount_and_read_back_alike() {
    let dir = tempfile::tempdir().unwrap();
    let has_fsck = oracle::erofs_tool("fsck.erofs").is_some();
    for seed in 0..40 {
        let stack = Stack::random(seed);
        let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
        let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
        let tar = |tag: &[u8]| {
            let layer = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == tag);
            layer.unwrap().tar.as_slice()
        };
        let blobs: Vec<&[u8]> = tree.devices().iter().map(|device| tar(&device.tag)).collect();
        let tars: Vec<_> = (blobs.iter().enumerate())
            .map(|(at, tar)| artifact::file(dir.path(), &format!("tar{at}"), tar).unwrap())
            .collect();
        let expected = ours::dump(&tree, &blobs);
        for artifact in ARTIFACTS {
            for options in forms(artifact) {
                let what = format!("seed {seed} {options:?}");
                let made = make(dir.path(), &tree, &options, &blobs);
                same(&dump(made.mount.path()).unwrap(), &expected, &what);
                if artifact == Artifact::Bootstrap {
                    same(&ours::dump(&artifact::read(&made.bytes), &blobs), &expected, &what);
                } else {
                    let back = artifact::read_disk(&made.bytes);
                    let within = vec![made.bytes.as_slice(); back.devices().len()];
                    same(&ours::dump(&back, &within), &expected, &what);
                }
                drop(made.mount);
                let path = artifact::file(dir.path(), "checked", &made.bytes).unwrap();
                // A disk is one device.
                let devices = if artifact == Artifact::Bootstrap { &tars[..] } else { &[] };
                if has_fsck && let Some(verdict) = oracle::fsck(path, devices) {
                    verdict.expect_ok(&what);
                }
            }
        }
    }
}

/// A time or an owner that a short inode can't hold takes a long one, whatever else is in the
/// tree: the kernel shows all of them to the nanosecond.
#[test]
fn what_a_short_inode_cannot_hold_takes_a_long_one() {
    const EARLIEST: i64 = -1_000;
    const LAST: i64 = EARLIEST + u32::MAX as i64;
    // Name, seconds, nanoseconds, owner, group; short by default, short with `compact`.
    let rows: &[(&str, i64, u32, u32, u32, bool, bool)] = &[
        ("epoch", EARLIEST, 7, 0, 0, false, true),
        ("a second later", EARLIEST + 1, 7, 0, 0, false, true),
        ("around 1970", -1, 7, 0, 0, false, true),
        ("today", 1_764_000_000, 7, 0, 0, false, true),
        ("most common", 1_764_000_001, 7, 0, 0, true, true),
        ("as common", 1_764_000_001, 7, 65_535, 65_535, true, true),
        ("owner", 1_764_000_001, 7, 65_536, 0, false, false),
        ("group", 1_764_000_001, 7, 0, 65_536, false, false),
        ("last", LAST, 7, 0, 0, false, true),
        ("past the last", LAST + 1, 7, 0, 0, false, false),
        ("before the epoch", EARLIEST - 1, 0, 0, 0, false, false),
        ("a nanosecond", 1_764_000_001, 8, 0, 0, false, false),
        ("no nanoseconds", 1_764_000_001, 0, 0, 0, false, false),
        ("long ago", -1 << 40, 7, 0, 0, false, false),
        ("far ahead", 1 << 40, 7, 0, 0, false, false),
        ("as far", 1 << 40, 999_999_999, 0, 0, false, false),
    ];
    let mut builder = Builder::new();
    for (name, secs, nanos, uid, gid, ..) in rows {
        let mtime = Timestamp { secs: *secs, nanos: *nanos };
        let attributes = Attributes { mode: 0o640, uid: *uid, gid: *gid, mtime };
        let node = Node { attributes, xattrs: XattrSet::NONE, what: What::Fifo };
        let id = builder.add(node).unwrap();
        builder.link(InodeId::ROOT, name.as_bytes(), id).unwrap();
    }
    let tree = builder.finish().unwrap();
    let expected = ours::dump(&tree, &[]);
    let dir = tempfile::tempdir().unwrap();
    for artifact in ARTIFACTS {
        for options in forms(artifact) {
            let made = make(dir.path(), &tree, &options, &[]);
            let what = format!("{options:?}");
            same(&dump(made.mount.path()).unwrap(), &expected, &what);
            same(&ours::dump(&artifact::read(&made.bytes), &[]), &expected, &what);
            let image = Image::new(&made.bytes).unwrap();
            let bits = image.superblock().incompat();
            assert_eq!(bits.contains(Incompat::BIT48), options.compact, "{what}");
            for (name, .., short, short_compact) in rows {
                let nid = image.lookup(name.as_bytes()).unwrap().unwrap();
                let short = if options.compact { *short_compact } else { *short };
                assert_eq!(image.inode(nid).unwrap().is_extended(), !short, "{what}: {name}");
            }
        }
    }
}

/// 65,535 links are the most that a short inode counts.
#[test]
fn links_beyond_16_bits_take_a_long_inode() {
    let mut builder = Builder::new();
    for links in [65_535, 65_536] {
        let attributes = Attributes { mode: 0o644, ..Attributes::default() };
        let node = Node { attributes, xattrs: XattrSet::NONE, what: What::Fifo };
        let id = builder.add(node).unwrap();
        for n in 0..links {
            builder.link(InodeId::ROOT, format!("{links}-{n}").as_bytes(), id).unwrap();
        }
    }
    let tree = builder.finish().unwrap();
    let dir = tempfile::tempdir().unwrap();
    for options in forms(Artifact::Bootstrap) {
        let made = make(dir.path(), &tree, &options, &[]);
        for links in [65_535, 65_536] {
            let shown = fs::metadata(made.mount.path().join(format!("{links}-9"))).unwrap();
            assert_eq!(shown.nlink(), links, "{options:?}");
        }
    }
}

/// Seconds of their own make the inodes of an ordinary layer short; fractions keep them long.
#[test]
fn compact_halves_the_inodes_of_a_layer_with_whole_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let files = 2000;
    for (nanos, saved) in [(false, 32 * (files - 1)), (true, 0)] {
        let tar = (0..files).fold(TarBuilder::new(), |tar, n| {
            let tar = tar.file(format!("f{n}"), format!("{n}").into_bytes());
            tar.mtime(1_600_000_000 + n as i64 * 977, if nanos { n as u32 + 1 } else { 0 })
        });
        let tar = tar.finish();
        let tree = ours::layer(&tar);
        let expected = ours::dump(&tree, &[&tar]);
        let mut sizes = Vec::new();
        for options in forms(Artifact::Bootstrap) {
            let made = make(dir.path(), &tree, &options, &[&tar]);
            same(&dump(made.mount.path()).unwrap(), &expected, &format!("{options:?}"));
            sizes.push(made.bytes.len());
        }
        let [plain, compact, chunks, compact_chunks] = sizes[..] else { panic!("{sizes:?}") };
        // A bootstrap is a whole number of pages.
        let near = |more: usize, less: usize, by: usize| {
            assert!((more - less).abs_diff(by) < 4096, "{sizes:?}: {by}");
        };
        near(plain, compact, saved);
        near(chunks, compact_chunks, saved);
        near(chunks, plain, 32 * files);
    }
}

/// What a layer carries of a file lies behind its inode, at every length that a block allows.
#[test]
fn carried_bodies_of_every_length_around_a_block() {
    let dir = tempfile::tempdir().unwrap();
    let body = |len: usize| -> Vec<u8> { (0..len).map(|at| (at * 7 + len) as u8).collect() };
    let lengths: Vec<usize> = (1..=1025).collect();
    let source = dir.path().join("source");
    fs::create_dir(&source).unwrap();
    for len in &lengths {
        fs::write(source.join(format!("f{len}")), body(*len)).unwrap();
    }
    // An image whose files have inline tails: reading it, the tree carries them.
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let made = dir.path().join("made");
    let done = Command::new(mkfs).args(["-b4096", "--quiet"]).args([&made, &source]).output();
    assert!(done.unwrap().status.success());
    let tree = artifact::read(&fs::read(&made).unwrap());
    assert!(tree.devices().is_empty(), "all is carried");
    let mut sizes = Vec::new();
    for bodies in [BodyForm::Plain, BodyForm::Chunks] {
        let options = LayoutOptions::new().bodies(bodies);
        let made = make(dir.path(), &tree, &options, &[]);
        for len in &lengths {
            let read = fs::read(made.mount.path().join(format!("f{len}"))).unwrap();
            assert!(read == body(*len), "{bodies:?}: {len}");
        }
        sizes.push(made.bytes.len());
        // Once more, from what was made: the bytes are the same, and nothing grows.
        let back = artifact::read(&made.bytes);
        let mut whole = made.bytes.clone();
        whole.resize(whole.len().next_multiple_of(4096), 0);
        let blobs = vec![whole.as_slice(); back.devices().len()];
        let again = make(dir.path(), &back, &options, &blobs);
        for len in &lengths {
            let read = fs::read(again.mount.path().join(format!("f{len}"))).unwrap();
            assert!(read == body(*len), "{bodies:?}, again: {len}");
        }
    }
    assert!(sizes[0] < sizes[1], "{sizes:?}");
}

/// Blocks larger than a page, which no kernel here mounts: by our own reader, in every artifact.
#[test]
fn blocks_larger_than_a_page_read_back() {
    let blob: Vec<u8> = (0..400_000u32).map(|at| (at / 97) as u8).collect();
    let mut builder = Builder::new();
    let device = Device {
        tag: b"blob".to_vec(),
        bytes: blob.len() as u64,
        base_offset: 65_536,
        ..Device::default()
    };
    let mut file = vec![0; 65_536];
    file.extend_from_slice(&blob);
    builder.add_device(device).unwrap();
    builder.carry(&blob[..1000]);
    let at = |offset| Place::Device { device: 0, offset };
    for (name, size, place) in [
        ("a", 4096, at(0)),
        ("b", 70_000, at(65_536)),
        ("c", 65_536, at(131_072)),
        ("carried", 1000, Place::Carried(0)),
    ] {
        let what = What::Regular { size, place };
        let attributes = Attributes { mode: 0o644, ..Attributes::default() };
        let id = builder.add(Node { attributes, xattrs: XattrSet::NONE, what }).unwrap();
        builder.link(InodeId::ROOT, name.as_bytes(), id).unwrap();
    }
    let tree = builder.finish().unwrap();
    let expected = ours::dump(&tree, &[&file]);
    for block in [8192, 16_384, 32_768, 65_536] {
        for artifact in ARTIFACTS {
            for options in forms(artifact) {
                let options = options.block_size(BlockSize::new(block).unwrap());
                let what = format!("{options:?}");
                let layout = layout::plan(&tree, &options).unwrap();
                if artifact == Artifact::Bootstrap {
                    let image = image::bootstrap(&layout);
                    let back = artifact::read(&image);
                    let blobs = [file.as_slice(), &image];
                    same(&ours::dump(&back, &blobs[..back.devices().len()]), &expected, &what);
                } else {
                    let disk = artifact::assemble(&layout, &image::disk(&layout), &[&file]);
                    let back = artifact::read_disk(&disk);
                    let within = vec![disk.as_slice(); back.devices().len()];
                    same(&ours::dump(&back, &within), &expected, &what);
                }
            }
        }
    }
}

/// `mkfs.erofs` merges layers of ours that have chunk indexes.
#[test]
fn mkfs_merges_layers_with_chunk_indexes() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let dir = tempfile::tempdir().unwrap();
    let tars = [
        TarBuilder::new().file("a", b"one\n").file("b", vec![3; 5000]).finish(),
        TarBuilder::new().file("a", b"second\n").file("c", vec![4; 512]).finish(),
    ];
    let mut layers = Vec::new();
    for (at, tar) in tars.iter().enumerate() {
        let options = LayoutOptions::new().bodies(BodyForm::Chunks);
        let tree = ours::layer(tar);
        let layout = layout::plan(&tree, &options).unwrap();
        let bytes = image::bootstrap(&layout);
        layers.push(artifact::file(dir.path(), &format!("layer{at}"), &bytes).unwrap());
    }
    let out = dir.path().join("merged");
    let done = Command::new(mkfs).args(["-b512", "--quiet"]).arg(&out).args(&layers).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{done:?}");
    let merged = fs::read(&out).unwrap();
    let mount = artifact::mount(dir.path(), &merged, &[&tars[0], &tars[1]]).unwrap();
    for (name, body) in [("a", b"second\n".to_vec()), ("b", vec![3; 5000]), ("c", vec![4; 512])] {
        assert!(fs::read(mount.path().join(name)).unwrap() == body, "{name}");
    }
}
