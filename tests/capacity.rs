//! The kernel mounts what is large, and what is at a limit.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::Instant;

use erofs_tarfs::io::{NamedFile, index_file};
use erofs_tarfs::layout::{self, Artifact, DiskOrder};
use erofs_tarfs::tree::{
    Attributes, Builder, Device, InodeId, LayerOptions, MergeOptions, Node, Place, Tree, What,
    XattrSet, merge,
};
use erofs_tarfs::verity::{self, Geometry, Params};
use erofs_tarfs::{image, units::BlockSize};
use testkit::dump::{Ignore, diff, dump};
use testkit::mount::{Erofs, Mounted};
use testkit::tarball::TarBuilder;
use testkit::{artifact, ours};

/// A tar's bootstrap over the tar, mounted, and seen to be what the tree says.
fn mounted(tar: &[u8]) -> (tempfile::TempDir, Mounted, Tree) {
    let tree = ours::layer(tar);
    let dir = tempfile::tempdir().unwrap();
    let blobs: &[&[u8]] = if tree.devices().is_empty() { &[] } else { &[tar] };
    let mount = artifact::mount(dir.path(), &artifact::bootstrap(&tree), blobs).unwrap();
    let lines = diff(&dump(mount.path()).unwrap(), &ours::dump(&tree, blobs), &Ignore::nothing());
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    (dir, mount, tree)
}

#[test]
fn one_two_and_300_layers_in_one_disk() {
    for count in [1usize, 2, 300] {
        let tars: Vec<Vec<u8>> = (0..count)
            .map(|n| {
                let content = vec![n as u8; n * 7 + 1];
                TarBuilder::new()
                    .file(format!("d{}/f{n}", n % 7), &content)
                    .file("top", &content)
                    .finish()
            })
            .collect();
        let layers: Vec<Tree> = tars.iter().map(|tar| ours::layer(tar)).collect();
        let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
        assert_eq!(tree.devices().len(), count);
        let blobs: Vec<&[u8]> = tars.iter().map(Vec::as_slice).collect();
        let dir = tempfile::tempdir().unwrap();
        let expected = ours::dump(&tree, &blobs);
        for placement in [DiskOrder::default(), DiskOrder::DataFirst] {
            let disk = artifact::disk(&tree, placement, &blobs);
            let mount =
                Erofs::new(artifact::file(dir.path(), "disk", &disk).unwrap()).mount().unwrap();
            let lines = diff(&dump(mount.path()).unwrap(), &expected, &Ignore::nothing());
            assert!(lines.is_empty(), "{count} {placement:?}: {}", lines.join("\n"));
        }
        let mount = artifact::mount(dir.path(), &artifact::bootstrap(&tree), &blobs).unwrap();
        let lines = diff(&dump(mount.path()).unwrap(), &expected, &Ignore::nothing());
        assert!(lines.is_empty(), "{count} devices: {}", lines.join("\n"));
    }
}

#[test]
fn directories_of_0_1_20000_and_300000_names() {
    for count in [0u32, 1, 20_000, 300_000] {
        let name = |n: u32| format!("d/{:08x}", n.wrapping_mul(0x9E37_79B1));
        let tar =
            (0..count).fold(TarBuilder::new().dir("d", 0o755), |tar, n| tar.file(name(n), b""));
        let tar = tar.finish();
        let start = Instant::now();
        let tree = ours::layer_in_pieces(&tar, LayerOptions::default(), 1 << 20).tree;
        let image = artifact::bootstrap(&tree);
        println!("{count} names indexed in {:?}", start.elapsed());
        let dir = tempfile::tempdir().unwrap();
        let mount = artifact::mount(dir.path(), &image, &[]).unwrap();
        let mut listed: Vec<String> = fs::read_dir(mount.path().join("d"))
            .unwrap()
            .map(|entry| format!("d/{}", entry.unwrap().file_name().display()))
            .collect();
        let mut names: Vec<String> = (0..count).map(name).collect();
        listed.sort_unstable();
        names.sort_unstable();
        assert!(listed == names, "{count}: {} names listed", listed.len());
        // The first, the last, and some between, with a neighbour of each that is not there.
        for name in names.iter().step_by(97).chain(names.last()) {
            assert!(fs::symlink_metadata(mount.path().join(name)).unwrap().is_file());
            assert!(fs::symlink_metadata(mount.path().join(format!("{name}!"))).is_err());
        }
        assert!(fs::symlink_metadata(mount.path().join("d/!")).is_err());
        assert!(fs::symlink_metadata(mount.path().join("d/zzz")).is_err());
    }
}

#[test]
fn names_of_255_bytes_and_deep_paths() {
    let deep = (0..400).map(|n| format!("{n}")).collect::<Vec<_>>().join("/");
    let name = "n".repeat(255);
    mounted(
        &TarBuilder::new()
            .file(&name, b"x")
            .file(format!("{name}2/x").replace("n2", "2"), b"")
            .file(deep, b"deep")
            .finish(),
    );
}

#[test]
fn symbolic_links_of_every_length() {
    let lengths =
        (1..=700).chain([1000, 1023, 1024, 1025, 2047, 2048, 2049, 3583, 3584, 3585, 4094, 4095]);
    let tar = lengths.fold(TarBuilder::new(), |tar, len| {
        tar.symlink(
            format!("l{len}"),
            (0..len).map(|at| (b'a' + (at % 23) as u8) as char).collect::<String>(),
        )
    });
    mounted(&tar.finish());
}

#[test]
fn files_of_each_size_and_many_links() {
    let tar = [0usize, 1, 511, 512, 513, 4096, 70_000]
        .into_iter()
        .fold(TarBuilder::new(), |tar, size| tar.file(format!("f{size}"), vec![7; size]));
    let tar = (0..70_000).fold(tar, |tar, n| tar.hardlink(format!("links/{n}"), "f513"));
    let (_dir, mount, _) = mounted(&tar.finish());
    assert_eq!(fs::metadata(mount.path().join("links/69999")).unwrap().nlink(), 70_001);
}

#[test]
fn a_file_of_5_gib_in_a_tar_with_holes() {
    let size = (5u64 << 30) + 3;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("big.tar");
    let tar = TarBuilder::create(&path).unwrap().hole("big", size).file("after", b"here");
    let length = tar.finish_file().unwrap();
    // Bytes to tell one place from another; the body starts behind the header.
    let marks = [0, (4 << 30) - 1, 4 << 30, (4 << 30) + 512, size - 1];
    let file = fs::File::options().read(true).write(true).open(&path).unwrap();
    for (at, mark) in marks.into_iter().zip(1..) {
        file.write_all_at(&[mark], 512 + at).unwrap();
    }
    let mut told = 0;
    let layer = index_file(&NamedFile::new(&path, file), LayerOptions::default(), &mut |bytes| {
        told += bytes;
    });
    let layer = layer.unwrap();
    assert_eq!((told, layer.end.bytes), (length, length));
    let image = artifact::file(dir.path(), "image", &artifact::bootstrap(&layer.tree)).unwrap();
    let mount = Erofs::new(image).devices([&path]).mount().unwrap();
    let big = fs::File::open(mount.path().join("big")).unwrap();
    assert_eq!(big.metadata().unwrap().len(), size);
    for (at, mark) in marks.into_iter().zip(1..) {
        let mut read = [99];
        big.read_exact_at(&mut read, at).unwrap();
        assert_eq!(read, [mark], "at {at}");
    }
    assert_eq!(big.read_at(&mut [0; 8], size - 1).unwrap(), 1);
    assert_eq!(fs::read(mount.path().join("after")).unwrap(), b"here");
}

#[test]
fn xattrs_up_to_the_limits() {
    let long = format!("user.{}", "k".repeat(250));
    let tar = TarBuilder::new()
        .file("large", b"x")
        .xattr("user.v", vec![b'v'; 65535])
        .file("name", b"x")
        .xattr(&long, b"v")
        .dir("dir", 0o755)
        .xattr("trusted.t", b"\0\n")
        .xattr("security.s", b"")
        .xattr("user.u", vec![1; 600]);
    let many =
        (0..500).fold(tar.file("many", b""), |tar, n| tar.xattr(format!("user.{n}"), [n as u8; 9]));
    mounted(&many.finish());
}

#[test]
fn plain_bodies_and_other_block_sizes_mount_too() {
    let mut builder = Builder::new();
    let blob: Vec<u8> = (0..40_000u32).map(|at| (at / 97) as u8).collect();
    let device = Device {
        tag: b"blob".to_vec(),
        bytes: blob.len() as u64,
        base_offset: 0,
        ..Device::default()
    };
    builder.add_device(device).unwrap();
    for (name, size, offset) in
        [("a", 4096, 0), ("b", 5000, 8192), ("c", 1, 4096), ("d", 9000, 28_672)]
    {
        let what = What::Regular { size, place: Place::Device { device: 0, offset } };
        let attributes = Attributes { mode: 0o644, ..Attributes::default() };
        let id = builder.add(Node { attributes, xattrs: XattrSet::NONE, what }).unwrap();
        builder.link(InodeId::ROOT, name.as_bytes(), id).unwrap();
    }
    let tree = builder.finish().unwrap();
    let expected = ours::dump(&tree, &[&blob]);
    let dir = tempfile::tempdir().unwrap();
    for block in [BlockSize::B512, BlockSize::B1024, BlockSize::B2048, BlockSize::B4096] {
        for bodies in [layout::BodyForm::Chunks, layout::BodyForm::Plain] {
            for placement in [DiskOrder::default(), DiskOrder::DataFirst] {
                let mut options = artifact::options(Artifact::Disk(placement));
                (options.block_size, options.bodies) = (block, bodies);
                let layout = layout::plan(&tree, &options).unwrap();
                let disk = artifact::assemble(&layout, &image::disk(&layout), &[&blob]);
                let path = artifact::file(dir.path(), "disk", &disk).unwrap();
                let mount = Erofs::new(path).mount().unwrap();
                let lines = diff(&dump(mount.path()).unwrap(), &expected, &Ignore::nothing());
                assert!(lines.is_empty(), "{block} {bodies:?} {placement:?}: {}", lines.join("\n"));
                let back = artifact::read_disk(&disk);
                let lines = diff(&ours::dump(&back, &[&disk]), &expected, &Ignore::nothing());
                assert!(lines.is_empty(), "read: {}", lines.join("\n"));
            }
        }
    }
    let odd = ours::layer(&TarBuilder::new().file("odd", b"x").finish());
    let options = layout::LayoutOptions::new().block_size(BlockSize::B4096);
    let error = layout::plan(&odd, &options).unwrap_err();
    assert!(error.to_string().contains("/odd"), "{error}");
}

/// The published nginx example: lengths of the tars, of the disk, of the disk with its tree.
#[test]
fn the_nginx_arithmetic_comes_out_to_the_byte() {
    let tars = [77_814_784u64, 112_968_704, 3584, 4608, 2560, 5120, 7168];
    let mut builder = Builder::new();
    for (at, bytes) in tars.into_iter().enumerate() {
        let device = builder
            .add_device(Device {
                tag: vec![b'a' + at as u8],
                bytes,
                base_offset: 0,
                ..Device::default()
            })
            .unwrap();
        let what = What::Regular { size: 512, place: Place::Device { device, offset: 512 } };
        let attributes = Attributes::default();
        let id = builder.add(Node { attributes, xattrs: XattrSet::NONE, what }).unwrap();
        // So many names that the metadata takes between half a MiB and one.
        for n in 0..4000 {
            builder.link(InodeId::ROOT, format!("{at}-{n:010}").as_bytes(), id).unwrap();
        }
    }
    let tree = builder.finish().unwrap();
    let options = artifact::options(Artifact::Disk(DiskOrder::MetadataFirst { align: 524_288 }));
    let layout = layout::plan(&tree, &options).unwrap();
    assert!(
        (524_289..=1_048_576).contains(&layout.metadata_bytes()),
        "{}",
        layout.metadata_bytes()
    );
    let plan = image::disk(&layout);
    assert_eq!(plan.bytes, 194_518_016);
    let geometry =
        Geometry::new(&Params::nydus(), plan.bytes, verity::HashPlacement::BehindData).unwrap();
    assert_eq!(
        (geometry.data_blocks(), geometry.hash_offset(), geometry.end()),
        (379_918, 194_519_040, 206_782_464)
    );
}
