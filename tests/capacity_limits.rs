//! Limits, and one step past them: what fits is read back through the kernel byte for byte, and
//! what does not is an error that names the path. What is expected is written down here, not
//! taken from the tree.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use erofs_tarfs::io::{NamedFile, index_file};
use erofs_tarfs::layout::{self, Artifact, BodyForm, DiskOrder};
use erofs_tarfs::limits::Limits;
use erofs_tarfs::tree::{
    Attributes, Builder, EntryError, Error, InodeId, LayerBuilder, LayerOptions, MergeOptions,
    Node, Rule, Tree, What, XattrSet, merge,
};
use erofs_tarfs::{image, units::BlockSize};
use testkit::dump::dump;
use testkit::mount::{Erofs, Mounted};
use testkit::tarball::TarBuilder;
use testkit::{artifact, ours};

const BLOCKS: [BlockSize; 4] =
    [BlockSize::B512, BlockSize::B1024, BlockSize::B2048, BlockSize::B4096];

/// Every artifact of one kind of block and body, mounted over blobs.
fn each_artifact(
    tree: &Tree,
    block: BlockSize,
    bodies: BodyForm,
    blobs: &[&[u8]],
    see: &mut dyn FnMut(&Path, &str),
) {
    let artifacts = [
        Artifact::Bootstrap,
        Artifact::Disk(DiskOrder::MetadataFirst { align: 4096 }),
        Artifact::Disk(DiskOrder::MetadataFirst { align: 524_288 }),
        Artifact::Disk(DiskOrder::DataFirst),
    ];
    for artifact in artifacts {
        let dir = tempfile::tempdir().unwrap();
        let mut options = artifact::options(artifact);
        (options.block_size, options.bodies) = (block, bodies);
        let layout = layout::plan(tree, &options).unwrap();
        for device in layout.devices() {
            let at = device.uniaddr * u64::from(block.bytes());
            let in_disk = (artifact != Artifact::Bootstrap).then_some(at);
            assert_eq!(device.disk_offset, in_disk, "{artifact:?}");
            let align = match artifact {
                Artifact::Disk(DiskOrder::MetadataFirst { align }) => align,
                Artifact::Bootstrap => u64::from(block.bytes()),
                _ => 4096,
            };
            assert_eq!(at % align, 0, "{artifact:?}");
        }
        let mount: Mounted = if artifact == Artifact::Bootstrap {
            let image = artifact::file(dir.path(), "image", &image::bootstrap(&layout)).unwrap();
            let devices = blobs.iter().enumerate().map(|(at, blob)| {
                let mut blob = blob.to_vec();
                blob.resize(blob.len().next_multiple_of(block.bytes() as usize), 0xee);
                artifact::file(dir.path(), &format!("device{at}"), &blob).unwrap()
            });
            Erofs::new(image).devices(devices).mount_by_fd().unwrap()
        } else {
            let disk = artifact::assemble(&layout, &image::disk(&layout), blobs);
            Erofs::new(artifact::file(dir.path(), "disk", &disk).unwrap()).mount().unwrap()
        };
        see(mount.path(), &format!("{artifact:?} {block} {bodies:?}"));
    }
}

/// What a layer's tar is refused for.
fn refusal(tar: &[u8]) -> EntryError {
    match LayerBuilder::new(LayerOptions::default()).push(tar).unwrap_err() {
        Error::Entry(error) => *error,
        other => panic!("{other}"),
    }
}

/// Adds a file whose body starts on a multiple of 4096, behind a pax comment as long as it takes.
fn aligned(mut tar: TarBuilder, path: &str, body: &[u8]) -> TarBuilder {
    let at = tar.position();
    // The comment's header and the file's, and the comment, which is never empty.
    let comment = (at + 1024 + 512).next_multiple_of(4096) - (at + 1024);
    let tar = tar.extended(&[(b"comment", &vec![b'-'; comment as usize - 20])]);
    tar.file(path, body)
}

/// Sizes around blocks and chunks, in two layers, in both forms of bodies and all sizes of blocks.
#[test]
fn both_body_forms_and_all_block_sizes_show_the_same_files() {
    let sizes = [0usize, 1, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097, 12_288, 70_001];
    let body = |layer: usize, size: usize| -> Vec<u8> {
        (0..size).map(|at| (at / 512 * 31 + at * 7 + layer * 101) as u8).collect()
    };
    let tars = [0, 1].map(|layer| {
        let tar = sizes.iter().fold(TarBuilder::new(), |tar, &size| {
            aligned(tar, &format!("l{layer}/f{size}"), &body(layer, size))
        });
        aligned(tar, "both", &body(layer, 5000)).finish()
    });
    let layers = [ours::layer(&tars[0]), ours::layer(&tars[1])];
    let tree = merge(&[&layers[0], &layers[1]], &MergeOptions::default()).unwrap();
    let mut seen = 0;
    for block in BLOCKS {
        for bodies in [BodyForm::Chunks, BodyForm::Plain] {
            each_artifact(&tree, block, bodies, &[&tars[0], &tars[1]], &mut |root, what| {
                for layer in 0..2 {
                    for size in sizes {
                        let path = format!("l{layer}/f{size}");
                        let read = fs::read(root.join(&path)).unwrap();
                        assert!(read == body(layer, size), "{what}: {path}");
                    }
                }
                assert!(fs::read(root.join("both")).unwrap() == body(1, 5000), "{what}: both");
                seen += 1;
            });
        }
    }
    assert_eq!(seen, 32);
}

/// Behind each count of empty files stands a body: where its offset is no block, it is named.
#[test]
fn a_body_off_the_grid_is_named() {
    for before in 0..8u64 {
        let tar = (0..before).fold(TarBuilder::new(), |tar, n| tar.file(format!("{n}"), b""));
        let tree = ours::layer(&tar.file("d/odd", b"x").finish());
        let offset = 512 * (before + 1);
        for block in BLOCKS {
            let options = layout::LayoutOptions::new().block_size(block);
            let planned = layout::plan(&tree, &options).map(|_| ());
            let error = layout::Error::NotAligned {
                path: b"/d/odd".to_vec(),
                offset,
                block: block.bytes(),
            };
            let fits = offset % u64::from(block.bytes()) == 0;
            assert_eq!(planned, if fits { Ok(()) } else { Err(error) }, "{before} {block}");
        }
    }
}

#[test]
fn symbolic_links_of_all_lengths_read_back_and_4096_is_too_long() {
    let target =
        |len: usize| -> Vec<u8> { (0..len).map(|at| b'a' + (at * len % 26) as u8).collect() };
    let tar = (1..=4095usize)
        .fold(TarBuilder::new(), |tar, len| tar.symlink(format!("l{len}"), target(len)));
    let tree = ours::layer(&tar.finish());
    for block in [BlockSize::B512, BlockSize::B4096] {
        each_artifact(&tree, block, BodyForm::Chunks, &[], &mut |root, what| {
            for len in 1..=4095 {
                let link = root.join(format!("l{len}"));
                let read = fs::read_link(&link).unwrap();
                assert!(read.as_os_str().as_bytes() == target(len), "{what}: {len}");
                assert_eq!(fs::symlink_metadata(&link).unwrap().len(), len as u64, "{what}");
            }
        });
    }
    let error = refusal(&TarBuilder::new().symlink("far", target(4096)).finish());
    assert_eq!((&error.path[..], error.rule), (&b"far"[..], Rule::SymlinkLength(4096)));
    let mut builder = Builder::new();
    let what = What::Symlink(&[b'x'; 4096]);
    let node = Node { attributes: Attributes::default(), xattrs: XattrSet::NONE, what };
    let id = builder.add(node).unwrap();
    builder.link(InodeId::ROOT, b"far", id).unwrap();
    let tree = builder.finish().unwrap();
    let error = layout::plan(&tree, &layout::LayoutOptions::default()).unwrap_err();
    let path = b"/far".to_vec();
    assert_eq!(error, layout::Error::TargetTooLong { path, bytes: 4096, limit: 4095 });
}

/// All that one inode holds (262,148 bytes: `i_xattr_icount` has 16 bits), all that `listxattr`
/// tells (65,536 bytes), and a byte more of each.
#[test]
fn xattrs_fill_an_inode_to_the_last_byte() {
    const LARGE: [&str; 3] = ["user.a", "user.b", "user.c"];
    // The header, three of 4 + 1 + 65,535 in multiples of 4, and 4 + 1 + the value.
    let rest = 262_148 - 12 - 3 * 65_540 - 5;
    let value = |len: usize| -> Vec<u8> { (0..len).map(|at| (at / 3 + len) as u8).collect() };
    let full = |last: usize| {
        LARGE
            .iter()
            .fold(TarBuilder::new().file("full", b"x"), |tar, key| tar.xattr(key, value(65_535)))
            .xattr("user.d", value(last))
    };
    let name = |n: usize| format!("user.{n:0250}");
    let tar = (0..256)
        .fold(full(rest).dir("list", 0o755), |tar, n| tar.xattr(name(n), value(n)))
        .file("name", b"")
        .xattr(format!("user.{}", "n".repeat(255 - 5)), b"v")
        .file("after", b"here")
        .finish();
    let tree = ours::layer(&tar);
    for bodies in [BodyForm::Chunks, BodyForm::Plain] {
        each_artifact(&tree, BlockSize::B512, bodies, &[&tar], &mut |root, what| {
            let shown = dump(root).unwrap();
            let full = &shown.get("full").unwrap().xattrs;
            assert_eq!(full.len(), 4, "{what}");
            for key in LARGE {
                assert!(full[key.as_bytes()] == value(65_535), "{what}: {key}");
            }
            assert!(full[&b"user.d"[..]] == value(rest), "{what}");
            let list = &shown.get("list").unwrap().xattrs;
            assert_eq!(list.len(), 256, "{what}");
            for n in 0..256 {
                assert!(list[name(n).as_bytes()] == value(n), "{what}: {n}");
            }
            assert_eq!(shown.get("name").unwrap().xattrs.len(), 1, "{what}");
            assert_eq!(fs::read(root.join("after")).unwrap(), b"here", "{what}");
        });
    }
    let error = refusal(&full(rest + 1).finish());
    assert!(matches!(error.rule, Rule::XattrTotal(262_152)), "{error:?}");
    assert_eq!(error.path, b"full");
    // A tree that no tar made.
    let mut builder = Builder::new();
    let (large, last) = (value(65_535), value(rest + 1));
    let mut list: Vec<(&[u8], &[u8])> =
        LARGE.iter().map(|key| (key.as_bytes(), &large[..])).collect();
    list.push((b"user.d", &last));
    let xattrs = builder.xattrs(&mut list).unwrap();
    let node = Node { attributes: Attributes::default(), xattrs, what: What::Fifo };
    let id = builder.add(node).unwrap();
    builder.link(InodeId::ROOT, b"full", id).unwrap();
    let tree = builder.finish().unwrap();
    let error = layout::plan(&tree, &layout::LayoutOptions::default()).unwrap_err();
    let (path, name) = (b"/full".to_vec(), b"user.d".to_vec());
    let expected = layout::Error::XattrTooLarge { path, name, bytes: 262_152, limit: 262_148 };
    assert_eq!(error, expected);
    let tar = TarBuilder::new().file("large", b"").xattr("user.v", value(65_536)).finish();
    let error = refusal(&tar);
    assert!(matches!(error.rule, Rule::XattrValue(_, 65_536)), "{error:?}");
    assert_eq!(error.path, b"large");
}

/// By paths as the kernel takes them, in a small thread: nothing follows the depth by recursion.
#[test]
fn a_chain_of_1000_directories_and_one_of_20000() {
    let work = || {
        let path = |levels: usize| vec!["d"; levels].join("/");
        let tar = TarBuilder::new().file(format!("{}/end", path(1000)), b"deep").finish();
        let layer = ours::layer(&tar);
        let tree = merge(&[&layer, &layer], &MergeOptions::default()).unwrap();
        each_artifact(&tree, BlockSize::B512, BodyForm::Chunks, &[&tar], &mut |root, what| {
            for levels in [1, 2, 500, 999, 1000] {
                let metadata = fs::metadata(root.join(path(levels))).unwrap();
                assert_eq!(metadata.nlink(), if levels == 1000 { 2 } else { 3 }, "{what}");
            }
            let end = format!("{}/end", path(1000));
            assert_eq!(fs::read(root.join(end)).unwrap(), b"deep", "{what}");
        });
        let mut builder = Builder::new();
        let mut at = InodeId::ROOT;
        for _ in 0..20_000 {
            let what = What::Directory;
            let node = Node { attributes: Attributes::default(), xattrs: XattrSet::NONE, what };
            let id = builder.add(node).unwrap();
            builder.link(at, b"d", id).unwrap();
            at = id;
        }
        let chain = builder.finish().unwrap();
        // Deeper than layers of strangers may be.
        let options = MergeOptions::new().limits(Limits::new().max_depth(u64::MAX));
        let image = artifact::bootstrap(&merge(&[&chain], &options).unwrap());
        let back = artifact::read(&image);
        assert_eq!(back.inode_count(), 20_001);
        let dir = tempfile::tempdir().unwrap();
        let mount = artifact::mount(dir.path(), &image, &[]).unwrap();
        let half = "d/".repeat(2000);
        assert!(fs::metadata(mount.path().join(half)).unwrap().is_dir());
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap();
}

/// 70 names of each length, of all bytes that a name may have: the last name of a block ends
/// with it, before it, and everywhere between.
#[test]
fn names_of_every_length_fill_blocks_every_way() {
    let bytes: Vec<u8> = (1..=255).filter(|byte| !b"/.".contains(byte)).collect();
    let name = |len: usize, n: usize| -> Vec<u8> {
        let mut name = vec![bytes[len % bytes.len()]; len];
        // Told apart at the end, so that a search compares whole names.
        name[len - 1] = bytes[n * 37 % bytes.len()];
        name
    };
    let mut builder = Builder::new();
    let file = Node { attributes: Attributes::default(), xattrs: XattrSet::NONE, what: What::Fifo };
    for len in 1..=255 {
        let dir = builder.add(Node { what: What::Directory, ..file }).unwrap();
        builder.link(InodeId::ROOT, format!("{len}").as_bytes(), dir).unwrap();
        for n in 0..70 {
            let id = builder.add(file).unwrap();
            builder.link(dir, &name(len, n), id).unwrap();
        }
    }
    let tree = builder.finish().unwrap();
    for block in BLOCKS {
        each_artifact(&tree, block, BodyForm::Chunks, &[], &mut |root, what| {
            for len in 1..=255 {
                let dir = root.join(format!("{len}"));
                let listed = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name());
                let listed: BTreeSet<Vec<u8>> = listed.map(OsString::into_vec).collect();
                let names: BTreeSet<Vec<u8>> = (0..70).map(|n| name(len, n)).collect();
                assert!(listed == names && names.len() == 70, "{what}: names of {len}");
                for name in names {
                    let path = dir.join(OsString::from_vec(name));
                    assert!(fs::symlink_metadata(&path).is_ok(), "{what}: {path:?}");
                }
            }
        });
    }
}

/// Block addresses have 32 bits: of 512 bytes each they reach 2 TiB, beyond the largest chunk.
#[test]
fn a_file_of_almost_2_tib_and_one_past_it() {
    const TIB: u64 = 1 << 40;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("huge.tar");
    let layer = |size: u64| {
        let tar = TarBuilder::create(&path).unwrap().hole("huge", size);
        let mut tar = tar.file("after", b"here");
        let end = tar.position();
        let length = tar.finish_file().unwrap();
        assert_eq!(length, end + 1024);
        let file = fs::File::options().read(true).write(true).open(&path).unwrap();
        // Behind the body: `after`'s header and its block.
        let start = end - 1024 - size.next_multiple_of(512);
        let marks = [0, TIB - 1, TIB, TIB + 4096, size - 1];
        for (at, mark) in marks.into_iter().zip(1..) {
            file.write_all_at(&[mark], start + at).unwrap();
        }
        let tar = NamedFile::new(&path, file);
        (index_file(&tar, LayerOptions::default(), &mut |_| {}).unwrap().tree, marks)
    };
    // The metadata and the tar's headers are in the same 2 TiB.
    let size = 2 * TIB - 16_381;
    let (tree, marks) = layer(size);
    for bodies in [BodyForm::Chunks, BodyForm::Plain] {
        let options = layout::LayoutOptions::new().bodies(bodies);
        let layout = layout::plan(&tree, &options).unwrap();
        let image = artifact::file(dir.path(), "image", &image::bootstrap(&layout)).unwrap();
        let mount = Erofs::new(image).devices([&path]).mount().unwrap();
        let huge = fs::File::open(mount.path().join("huge")).unwrap();
        assert_eq!(huge.metadata().unwrap().len(), size);
        for (at, mark) in marks.into_iter().zip(1..) {
            let mut read = [99];
            huge.read_exact_at(&mut read, at).unwrap();
            assert_eq!(read, [mark], "{bodies:?} at {at}");
        }
        assert_eq!(fs::read(mount.path().join("after")).unwrap(), b"here", "{bodies:?}");
    }
    let (tree, _) = layer(2 * TIB);
    let error = layout::plan(&tree, &layout::LayoutOptions::default()).unwrap_err();
    assert!(matches!(error, layout::Error::TooLarge { limit: 0xffff_fffe, .. }), "{error}");
}
