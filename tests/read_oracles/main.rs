//! Images of mkfs.erofs: what the `read` stage says of them is what the kernel shows.
//!
//! Mounts need root; mkfs.erofs 1.9 is found as `testkit::oracle` says.

mod pieces;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use erofs_tarfs::format::{Incompat, seal};
use erofs_tarfs::read::{DevicesAt, Error, Image, Rule, TreeOptions};
use erofs_tarfs::tree::{Body, Content, InodeId, NodeKind, Place, Tree};
use pieces::same_in_pieces;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::dump::{self, Ignore, Kind, diff, dump};
use testkit::mount::{self, Erofs};
use testkit::oracle::{Verdict, erofs_tool, gnu_tar};
use testkit::tarball::TarBuilder;

/// A tree of the library as the kit has trees; `files` are those that hold the devices.
fn shown(tree: &Tree, files: &[&[u8]]) -> dump::Tree {
    let mut all = dump::Tree::default();
    let mut first: BTreeMap<InodeId, Vec<u8>> = BTreeMap::new();
    let mut todo = vec![(Vec::new(), InodeId::ROOT)];
    let mut paths = BTreeMap::new();
    while let Some((path, id)) = todo.pop() {
        for (name, child) in tree.children(id) {
            let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
            todo.push(([&path, slash, name].concat(), child));
        }
        let smallest = first.entry(id).or_insert_with(|| path.clone());
        if path < *smallest {
            smallest.clone_from(&path);
        }
        paths.insert(path, id);
    }
    for (path, id) in paths {
        all.0.insert(path, node(tree, id, files, first[&id].clone()));
    }
    all
}

fn node(tree: &Tree, id: InodeId, files: &[&[u8]], link: Vec<u8>) -> dump::Node {
    let attributes = tree.attributes(id);
    let mut node = dump::Node {
        kind: match tree.kind(id) {
            NodeKind::Regular => Kind::File,
            NodeKind::Directory => Kind::Dir,
            NodeKind::Symlink => Kind::Symlink,
            NodeKind::CharDevice | NodeKind::Whiteout => Kind::Char,
            NodeKind::BlockDevice => Kind::Block,
            NodeKind::Fifo => Kind::Fifo,
            NodeKind::Socket => Kind::Socket,
            NodeKind::PendingLink => unreachable!("images have no pending links"),
        },
        mode: attributes.mode,
        uid: attributes.uid,
        gid: attributes.gid,
        mtime: (attributes.mtime.secs, attributes.mtime.nanos),
        size: 0,
        rdev: (0, 0),
        target: None,
        xattrs: tree.xattrs(id).map(|(k, v)| (k.to_vec(), v.to_vec())).collect(),
        sha256: None,
        link,
        nlink: tree.nlink(id).into(),
    };
    match tree.content(id) {
        Content::Regular { size, body } => {
            let bytes = bytes(tree, size, body, files);
            node.size = size;
            node.sha256 = Some(Sha256::digest(bytes).into());
        }
        Content::Target(target) => {
            node.size = target.len() as u64;
            node.target = Some(target.to_vec());
        }
        Content::Device(number) => node.rdev = (number.major, number.minor),
        Content::Directory | Content::Nothing => {}
    }
    node
}

fn bytes(tree: &Tree, size: u64, body: Body<'_>, files: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0; size as usize];
    let at = |place, len| match place {
        Place::Device { device, offset } => {
            let base = tree.devices()[usize::from(device)].base_offset;
            &files[usize::from(device)][(base + offset) as usize..][..len as usize]
        }
        Place::Carried(offset) => tree.carried(offset, len),
    };
    match body {
        Body::Contiguous(_) if size == 0 => {}
        Body::Contiguous(place) => bytes.copy_from_slice(at(place, size)),
        Body::Extents(extents) => {
            for extent in extents {
                bytes[extent.logical as usize..][..extent.len as usize]
                    .copy_from_slice(at(extent.place, extent.len));
            }
        }
    }
    bytes
}

fn as_listed(devices: DevicesAt) -> TreeOptions {
    TreeOptions::new().devices(devices).keep_layer_marks(false)
}

fn in_file() -> DevicesAt {
    DevicesAt::InFile { tag: b"disk".to_vec() }
}

#[track_caller]
fn same(tree: &Tree, files: &[&[u8]], mounted: &mount::Mounted, what: &str) {
    let kernel = dump(mounted.path()).unwrap();
    let found = diff(&shown(tree, files), &kernel, &Ignore::nothing());
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// The same inode by inode, as the tool lists them.
#[track_caller]
fn same_views(image: &Image<'_>, tree: &Tree) {
    let mut todo = vec![(image.root(), InodeId::ROOT, Vec::new())];
    while let Some((nid, id, path)) = todo.pop() {
        assert_eq!(image.lookup(&path).unwrap(), Some(nid), "{path:?}");
        let inode = image.inode(nid).unwrap();
        assert_eq!(inode.kind(), tree.kind(id), "{path:?}");
        assert_eq!(inode.attributes(), tree.attributes(id), "{path:?}");
        assert_eq!(inode.nlink(), tree.nlink(id), "{path:?}");
        let xattrs = image.xattrs(nid).unwrap();
        assert!(xattrs.iter().map(|x| (&x.name[..], &x.value[..])).eq(tree.xattrs(id)), "{path:?}");
        match tree.content(id) {
            Content::Regular { size, body } => {
                assert_eq!(inode.size(), size);
                let runs = image.extents(nid).unwrap();
                let covered: u64 = runs.iter().map(|run| run.len).sum();
                match body {
                    Body::Contiguous(_) => assert_eq!(covered, size),
                    Body::Extents(extents) => assert_eq!(runs.len(), extents.len()),
                }
            }
            Content::Target(target) => assert_eq!(image.read_link(nid).unwrap(), target),
            Content::Device(number) => assert_eq!(inode.device(), Some(number)),
            Content::Directory | Content::Nothing => {}
        }
        if inode.kind() == NodeKind::Directory {
            let entries = image.entries(nid).unwrap();
            assert_eq!(entries.len(), tree.children(id).len());
            for (entry, (name, child)) in entries.iter().zip(tree.children(id)) {
                assert_eq!(entry.name, name);
                todo.push((entry.nid, child, [&path, &b"/"[..], name].concat()));
            }
        }
    }
}

fn sample() -> Vec<u8> {
    let mut tar = TarBuilder::new()
        .dir("d", 0o1755)
        .mtime(7, 8)
        .xattr("user.dir", b"1")
        .file("d/f", b"hello")
        .mtime(-5, 999_999_999)
        .uid(70_000)
        .gid(4_000_000_000)
        .xattr("user.k", b"v\0\n=")
        .xattr("security.x", [7; 300])
        .hardlink("d/h", "d/f")
        .symlink("d/s", b"x".repeat(300))
        .symlink("l", "d/f")
        .chr("c", 12, 300_000)
        .blk("b", 8, 1)
        .fifo("p")
        .file("empty", b"")
        .file("big", b"0123456789abcdef".repeat(9_000))
        .file("block", [b'b'; 4096])
        .file("tail", [b't'; 5000])
        .hole("zeros", 70_000)
        .file("-before-dot", b"1")
        .file(".-between", b"2")
        .file("\u{e4}", b"3")
        .dir("many", 0o700);
    for n in 0..600 {
        let name = format!("many/{n}-{}", "n".repeat(n % 200));
        tar = tar.file(&name, &b"many"[..n % 5]).xattr("user.same", b"shared by all").mtime(9, 0);
    }
    tar.finish()
}

struct Made {
    dir: TempDir,
    image: PathBuf,
}

/// Runs mkfs.erofs; `None` where there is none.
fn mkfs(options: &[&str], source: &Path) -> Option<Made> {
    let dir = TempDir::new().unwrap();
    let image = dir.path().join("image");
    let mut command = Command::new(erofs_tool("mkfs.erofs")?);
    command.args(options).arg("--quiet").arg(&image).arg(source);
    Verdict::of(&mut command).expect_ok("mkfs.erofs");
    Some(Made { dir, image })
}

fn tar_file(dir: &Path, tar: &[u8]) -> PathBuf {
    let path = dir.join("layer.tar");
    fs::write(&path, tar).unwrap();
    path
}

#[test]
fn an_index_over_a_tar() {
    let dir = TempDir::new().unwrap();
    let tar = sample();
    let source = tar_file(dir.path(), &tar);
    for options in [&["--tar=i"][..], &["--tar=i", "-E48bit"]] {
        let Some(made) = mkfs(options, &source) else { return };
        let bytes = fs::read(&made.image).unwrap();
        let image = Image::new(&bytes).unwrap();
        assert_eq!(image.devices().len(), 1);
        assert_eq!(image.checksum(), Some(true));
        let tree = image.tree(&as_listed(DevicesAt::Separate)).unwrap();
        let mounted = Erofs::new(&made.image).devices([&source]).mount().unwrap();
        same(&tree, &[&tar], &mounted, "separate");
        same_in_pieces(&made.image, &[&source], &mounted);
        same_views(&image, &tree);

        // The same as one file.
        let flat = [&bytes[..], &tar].concat();
        let path = made.dir.path().join("flat");
        fs::write(&path, &flat).unwrap();
        same_in_pieces(&path, &[], &Erofs::new(&path).mount().unwrap());
        for seen in [&flat[..], &bytes] {
            let tree = Image::new(seen).unwrap().tree(&as_listed(in_file())).unwrap();
            assert_eq!(tree.devices()[0].base_offset, bytes.len() as u64);
            assert_eq!(tree.devices()[0].tag, b"disk");
            same(&tree, &[&flat], &Erofs::new(&path).mount().unwrap(), "flat");
        }
    }
}

#[test]
fn an_image_of_a_tar() {
    let dir = TempDir::new().unwrap();
    let source = tar_file(dir.path(), &sample());
    for options in [
        &["--tar=f"][..],
        &["--tar=f", "-b512"],
        &["--tar=f", "-b1024", "-Enoinline_data"],
        &["--tar=f", "-b512", "--chunksize=512"],
        &["--tar=f", "--chunksize=65536"],
        &["--tar=f", "-E48bit,dot-omitted"],
    ] {
        let Some(made) = mkfs(options, &source) else { return };
        check_whole(&made, options);
    }
}

#[test]
fn an_image_of_a_directory() {
    let Some(tar) = gnu_tar() else { return };
    let dir = TempDir::new().unwrap();
    let source = tar_file(dir.path(), &sample());
    let root = mount::tmpfs().unwrap();
    let mut command = Command::new(tar);
    command.args(["-x", "-p", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-f"]);
    command.arg(source).arg("-C").arg(root.path());
    Verdict::of(&mut command).expect_ok("tar -x");
    for options in [
        &["-b512"][..],
        &["-b4096"],
        &["-b4096", "-x1"],
        &["-b512", "-x1", "-Eforce-inode-compact", "-T5", "--all-root"],
        &["-b512", "-x1", "-Eforce-inode-extended"],
        &["-b512", "--xattr-prefix=user.sa"],
        &["-b4096", "-x-1", "-Eforce-chunk-indexes", "--chunksize=4096"],
        &["-b512", "--chunksize=1024"],
        &["-b4096", "-E48bit,dot-omitted", "-x1"],
    ] {
        let Some(made) = mkfs(options, root.path()) else { return };
        check_whole(&made, options);
    }
}

/// An image that has all in itself.
#[track_caller]
fn check_whole(made: &Made, options: &[&str]) {
    let what = options.join(" ");
    let bytes = fs::read(&made.image).unwrap();
    let image = Image::new(&bytes).unwrap();
    // That mkfs has made what the options are about.
    let sb = image.superblock();
    let asked = |text| what.contains(text);
    assert!(!asked("-b512 -x1") || sb.xattr_blkaddr.get() != 0, "{what}");
    assert_eq!(asked("prefix"), sb.xattr_prefix_count != 0, "{what}");
    assert_eq!(asked("48bit"), sb.incompat().contains(Incompat::BIT48), "{what}");
    assert_eq!(asked("--chunksize"), sb.incompat().contains(Incompat::CHUNKED_FILE), "{what}");
    let tree = image.tree(&as_listed(in_file())).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(tree.devices().len(), 1, "{what}");
    let mounted = Erofs::new(&made.image).mount().unwrap();
    same(&tree, &[&bytes], &mounted, &what);
    same_in_pieces(&made.image, &[], &mounted);
    same_views(&image, &tree);
}

#[test]
fn a_blob_device() {
    let dir = TempDir::new().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    for (name, byte) in [("a", b'a'), ("b", b'b')] {
        fs::write(root.join(name), [byte; 20_000]).unwrap();
    }
    let blob = dir.path().join("blob");
    let option = format!("--blobdev={}", blob.display());
    let Some(made) = mkfs(&[&option, "--chunksize=4096"], &root) else { return };
    let bytes = fs::read(&made.image).unwrap();
    let tree = Image::new(&bytes).unwrap().tree(&as_listed(DevicesAt::Separate)).unwrap();
    let mounted = Erofs::new(&made.image).devices([&blob]).mount().unwrap();
    same(&tree, &[&fs::read(&blob).unwrap()], &mounted, "blob");
    same_in_pieces(&made.image, &[&blob], &mounted);
}

#[test]
fn marks_of_a_layer() {
    let dir = TempDir::new().unwrap();
    let tar = TarBuilder::new()
        .dir("o", 0o755)
        .opaque("o")
        .file("o/new", b"new")
        .dir("w", 0o755)
        .whiteout("w/gone")
        .finish();
    let source = tar_file(dir.path(), &tar);
    let Some(made) = mkfs(&["--tar=i", "--aufs"], &source) else { return };
    let bytes = fs::read(&made.image).unwrap();
    let image = Image::new(&bytes).unwrap();
    let tree = image.tree(&TreeOptions::default()).unwrap();
    let id = |path: &str| tree.lookup(path.as_bytes()).unwrap();
    assert!(tree.is_opaque(id("o")) && !tree.is_opaque(id("w")));
    assert_eq!(tree.kind(id("w/gone")), NodeKind::Whiteout);
    for path in ["o", "w", ""] {
        assert_eq!(tree.xattrs(id(path)).count(), 0, "{path}");
    }

    let listed = image.tree(&as_listed(DevicesAt::Separate)).unwrap();
    let id = |path: &str| listed.lookup(path.as_bytes()).unwrap();
    assert!(!listed.is_opaque(id("o")));
    assert_eq!(listed.kind(id("w/gone")), NodeKind::CharDevice);
    let names = |path| listed.xattrs(id(path)).map(|(name, _)| name.to_vec()).collect::<Vec<_>>();
    assert_eq!(names("o"), [b"trusted.overlay.opaque"]);
    assert_eq!(names("w"), [b"trusted.overlay.origin"]);
}

#[test]
fn what_is_not_supported_is_refused() {
    let dir = TempDir::new().unwrap();
    let source = tar_file(dir.path(), &sample());
    let compressed = (&["--tar=f", "-zlz4"][..], Rule::Uncompressed);
    let metabox = (&["--tar=f", "-zlz4", "-m4096"][..], Rule::Metabox);
    for (options, rule) in [compressed, metabox] {
        let Some(made) = mkfs(options, &source) else { return };
        let bytes = fs::read(&made.image).unwrap();
        let image = Image::new(&bytes).unwrap();
        match image.tree(&TreeOptions::default()) {
            Err(Error::Inode { rule: found, .. }) => assert_eq!(found, rule, "{options:?}"),
            other => panic!("{options:?}: {other:?}"),
        }
    }
}

#[test]
fn damaged_images_are_read_without_panic() {
    let dir = TempDir::new().unwrap();
    let source = tar_file(dir.path(), &sample());
    for options in [["--tar=i", "-b512"], ["--tar=f", "-b4096"], ["--tar=i", "-E48bit"]] {
        let Some(made) = mkfs(&options, &source) else { return };
        let bytes = fs::read(&made.image).unwrap();
        for at in (1024..bytes.len()).step_by(bytes.len() / 2000) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            seal(&mut damaged);
            if let Ok(image) = Image::new(&damaged) {
                let _ = image.tree(&TreeOptions::default());
            }
        }
        for len in (0..bytes.len()).step_by(997) {
            if let Ok(image) = Image::new(&bytes[..len]) {
                let _ = image.tree(&as_listed(in_file()));
            }
        }
    }
}
