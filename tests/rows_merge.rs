//! The rows of "layers and merge", one test each.

mod rows_kit;

use erofs_tarfs::tree::{
    Attributes, Builder, Device, Error, InodeId, LayerOptions, MergeOptions, Node, Place, Tree,
    What, XattrSet, merge,
};
use rows_kit::{at, holds, layer, merged, mode, try_layer};
use testkit::tarball::TarBuilder;

fn tar() -> TarBuilder {
    TarBuilder::new()
}

fn stack(tars: impl IntoIterator<Item = TarBuilder>) -> Tree {
    let layers: Vec<Tree> = tars.into_iter().map(layer).collect();
    merged(&layers.iter().collect::<Vec<_>>())
}

/// ".wh.NAME removes NAME of lower layers; a NAME that the same layer adds stays, in either order"
#[test]
fn a_whiteout_removes_lower_names_and_not_its_own_layers() {
    let lower = || tar().file("a", b"old").file("b", b"").dir("d", 0o755).file("d/x", b"");
    holds(&stack([lower(), tar().whiteout("a").whiteout("d")]), &["b"]);
    holds(&stack([lower(), tar().whiteout("a").file("a", b"").whiteout("d")]), &["a", "b"]);
    holds(&stack([lower(), tar().file("a", b"").whiteout("a").whiteout("d")]), &["a", "b"]);
}

/// ".wh..wh..opq hides all lower children of the directory; the layer's own stay, in either order"
#[test]
fn an_opaque_marker_hides_lower_children_only() {
    let lower = || tar().dir("d", 0o700).file("d/x", b"").file("z/y", b"");
    holds(&stack([lower(), tar().file("d/n", b"").opaque("d")]), &["d/", "d/n", "z/", "z/y"]);
    let tree = stack([lower(), tar().opaque("d").file("d/n", b"")]);
    holds(&tree, &["d/", "d/n", "z/", "z/y"]);
    assert_eq!(mode(&tree, "d"), 0o700, "an implied directory keeps the lower attributes");
}

/// "a NAME and .wh.NAME in one layer: where NAME is a directory it hides lower children"
#[test]
fn a_directory_beside_its_whiteout_is_opaque() {
    let lower = || tar().dir("d", 0o700).file("d/x", b"");
    for upper in [tar().whiteout("d").dir("d", 0o711), tar().dir("d", 0o711).whiteout("d")] {
        let tree = stack([lower(), upper]);
        holds(&tree, &["d/"]);
        assert_eq!(mode(&tree, "d"), 0o711);
    }
    let tree = stack([lower(), tar().whiteout("d").file("d/n", b"")]);
    holds(&tree, &["d/", "d/n"]);
    assert_eq!(mode(&tree, "d"), 0o755, "a new directory, implied");
}

/// "`.wh..wh.*` others (aufs files): dropped"
#[test]
fn files_of_aufs_are_dropped() {
    let aufs =
        tar().dir(".wh..wh.plnk", 0o700).file(".wh..wh.plnk/1", b"").file(".wh..wh.aufs", b"");
    holds(&stack([aufs.file("f", b"")]), &["f"]);
}

/// "`.wh.`, `.wh..`, `.wh...`: error"
#[test]
fn whiteouts_of_no_name_are_refused() {
    for name in [".wh.", ".wh..", ".wh...", "d/.wh."] {
        let error = try_layer(&tar().file(name, b"").finish(), LayerOptions::default());
        assert!(matches!(error, Err(Error::Entry(_))), "{name}: {error:?}");
        if !name.contains('/') {
            let tree = by_hand(&[(name.as_bytes(), What::Regular { size: 0, place: NOWHERE })]);
            let error = merge(&[&tree], &MergeOptions::default());
            assert!(matches!(error, Err(Error::BadWhiteout { .. })), "{name}: {error:?}");
        }
    }
}

const NOWHERE: Place = Place::Device { device: 0, offset: 0 };

fn by_hand(names: &[(&[u8], What<'_>)]) -> Tree {
    let mut builder = Builder::new();
    for (name, what) in names {
        let attributes = Attributes { mode: 0o644, ..Attributes::default() };
        let id = builder.add(Node { attributes, xattrs: XattrSet::NONE, what: *what }).unwrap();
        builder.link(InodeId::ROOT, name, id).unwrap();
    }
    builder.finish().unwrap()
}

/// "`.wh.x` or the opaque marker with data, or as a hard link: a whiteout all the same"
#[test]
fn markers_with_data_or_as_links_are_markers() {
    let lower = || tar().file("x", b"").file("d/y", b"");
    let upper = tar().file(".wh.x", b"data").file("d/.wh..wh..opq", [1; 600]).file("z", b"");
    holds(&stack([lower(), upper]), &["d/", "z"]);
    holds(&stack([lower(), tar().file("z", b"").hardlink(".wh.x", "z")]), &["d/", "d/y", "z"]);
}

/// "opaque marker in the root: works"
#[test]
fn the_root_can_be_opaque() {
    holds(&stack([tar().file("a", b"").dir("d", 0o700), tar().opaque("").file("b", b"")]), &["b"]);
}

/// "`trusted.overlay.opaque` with a value other than `y`: not opaque (as overlayfs)"
#[test]
fn only_the_value_y_makes_a_directory_opaque() {
    let lower = || tar().file("d/x", b"");
    for key in ["trusted.overlay.opaque", "user.overlay.opaque"] {
        for (value, kept) in [(&b"y"[..], false), (b"x", true), (b"n", true), (b"", true)] {
            let tree = stack([lower(), tar().dir("d", 0o755).xattr(key, value)]);
            assert_eq!(tree.lookup(b"d/x").is_some(), kept, "{key} {value:?}");
            let left = tree.xattrs(at(&tree, "d")).count();
            assert_eq!(left, usize::from(kept), "the mark goes, another value stays: {value:?}");
        }
    }
}

/// "three layers: directory, file of the same name, directory: the lowest's children stay hidden"
#[test]
fn a_file_between_directories_hides_the_lowest() {
    let layers = [tar().file("a/old", b""), tar().file("a", b""), tar().file("a/new", b"")];
    holds(&stack(layers), &["a/", "a/new"]);
}

/// "hard-linked symlinks, devices, FIFOs across a merge: stay linked"
#[test]
fn links_to_anything_stay_links() {
    let layer = tar().symlink("a", "t").hardlink("b", "a").chr("c", 1, 3).hardlink("d", "c");
    let tree = stack([layer.fifo("e").hardlink("f", "e"), tar().file("z", b"")]);
    holds(&tree, &["a->t", "b->t=a", "c@1:3", "d@1:3=c", "e|", "f|=e", "z"]);
    assert_eq!(tree.nlink(at(&tree, "d")), 2);
}

/// "root attributes and xattrs: the topmost layer that lists the root"
#[test]
fn the_topmost_listed_root_counts() {
    let listed = || tar().dir("./", 0o711).xattr("user.k", b"v");
    let tree = stack([tar().dir("./", 0o700), listed(), tar().file("f", b"")]);
    assert_eq!(tree.attributes(InodeId::ROOT).mode, 0o711);
    assert_eq!(tree.xattrs(InodeId::ROOT).next(), Some((&b"user.k"[..], &b"v"[..])));
}

/// "inputs whose data starts at an offset in their device: base offset applied"
#[test]
fn devices_keep_their_base_offsets() {
    let mut builder = Builder::new();
    let device = Device { tag: b"t".to_vec(), bytes: 512, base_offset: 8192, ..Device::default() };
    builder.add_device(device.clone()).unwrap();
    let what = What::Regular { size: 5, place: NOWHERE };
    let attributes = Attributes::default();
    let id = builder.add(Node { attributes, xattrs: XattrSet::NONE, what }).unwrap();
    builder.link(InodeId::ROOT, b"f", id).unwrap();
    let tree = merged(&[&builder.finish().unwrap()]);
    assert_eq!(tree.devices(), [device]);
}

/// "whiteout with a non-UTF-8 name: works"
#[test]
fn odd_names_are_whited_out() {
    let lower = tar().file(b"\xff\xfe", b"").file("f", b"");
    holds(&stack([lower, tar().whiteout(b"\xff\xfe")]), &["f"]);
}

/// "whiteout in the lowest layer: removes nothing, and is not visible"; "of something absent: no
/// effect"
#[test]
fn whiteouts_of_nothing_do_nothing() {
    holds(&stack([tar().whiteout("a").file("f", b"")]), &["f"]);
    holds(&stack([tar().file("f", b""), tar().whiteout("a").whiteout("b/c")]), &["b/", "f"]);
}

/// "directory over directory: children merge; attributes and xattrs of the upper"; "implied
/// directory over directory: lower attributes stay"
#[test]
fn directories_merge() {
    let lower = || tar().dir("d", 0o700).xattr("user.l", b"1").file("d/x", b"");
    let tree = stack([lower(), tar().dir("d", 0o711).file("d/y", b"")]);
    holds(&tree, &["d/", "d/x", "d/y"]);
    assert_eq!((mode(&tree, "d"), tree.xattrs(at(&tree, "d")).count()), (0o711, 0));
    let tree = stack([lower(), tar().file("d/y", b"")]);
    assert_eq!((mode(&tree, "d"), tree.xattrs(at(&tree, "d")).count()), (0o700, 1));
}

/// "file over directory, directory over file: upper replaces, subtree dropped"; "implied directory
/// over a lower file or symlink: replaces it"
#[test]
fn types_replace_one_another() {
    holds(&stack([tar().file("a/b/c", b""), tar().file("a", b"")]), &["a"]);
    holds(&stack([tar().file("a", b""), tar().dir("a", 0o700)]), &["a/"]);
    holds(&stack([tar().file("a", b""), tar().file("a/b", b"")]), &["a/", "a/b"]);
    holds(
        &stack([tar().symlink("a", "t").dir("t", 0o700), tar().file("a/b", b"")]),
        &["a/", "a/b", "t/"],
    );
}

/// "overlayfs-form whiteouts in an input layer (char 0:0 …) understood; a char 0:0 that a tar really
/// contains is a whiteout too"
#[test]
fn devices_zero_are_whiteouts_and_so_are_links_to_them() {
    let lower = || tar().file("a", b"").file("b", b"").file("c", b"");
    let upper = tar().chr("a", 0, 0).hardlink("b", "a");
    holds(&stack([lower(), upper]), &["c"]);
    let x = tar().dir("", 0o755).xattr("user.overlay.opaque", b"x");
    holds(&stack([lower(), x.file("a", b"").xattr("user.overlay.whiteout", b"")]), &["b", "c"]);
    let aufs = by_hand(&[(b".wh.a", What::Regular { size: 0, place: NOWHERE })]);
    holds(&merged(&[&layer(lower()), &aufs]), &["b", "c"]);
    let opaque = by_hand(&[(b".wh..wh..opq", What::Fifo), (b"n", What::Fifo)]);
    holds(&merged(&[&layer(lower()), &opaque]), &["n|"]);
}

/// "hard links across names of one layer: stay one inode while two names remain; nlink recounted"
#[test]
fn links_are_recounted() {
    let lower = || tar().file("a", b"1").hardlink("b", "a").hardlink("c", "a");
    let tree = stack([lower(), tar().whiteout("a")]);
    holds(&tree, &["b", "c=b"]);
    assert_eq!(tree.nlink(at(&tree, "b")), 2);
}

/// "a link whose target is only in a lower layer is resolved at merge if kept pending"
#[test]
fn pending_links_find_lower_files() {
    let options = LayerOptions::new().keep_pending(true);
    let pending = |tar: TarBuilder| try_layer(&tar.finish(), options.clone()).unwrap().tree;
    let lower = layer(tar().file("a", b"1").dir("d", 0o700));
    let tree = merged(&[&lower, &pending(tar().hardlink("b", "./a").whiteout("a"))]);
    holds(&tree, &["b", "d/"]);
    let missing = merge(&[&lower, &pending(tar().hardlink("b", "x"))], &MergeOptions::default());
    assert!(
        matches!(missing, Err(Error::MissingTarget { path, target }) if path == b"/b" && target == b"x")
    );
    let dir = merge(&[&lower, &pending(tar().hardlink("b", "d"))], &MergeOptions::default());
    assert!(matches!(dir, Err(Error::LinkToDirectory { .. })));
}

/// "the same layer twice, empty layers: device once, or none"
#[test]
fn devices_come_once_in_layer_order() {
    let (a, b) = (layer(tar().file("a", b"1")), layer(tar().file("b", b"22")));
    let empty = layer(tar().dir("e", 0o755));
    assert!(empty.devices().is_empty());
    let tree = merged(&[&a, &empty, &b, &a]);
    let tags: Vec<_> = tree.devices().iter().map(|device| device.tag.clone()).collect();
    // The lowest `a` is hidden by the topmost, which is the same blob.
    assert_eq!(tags, [a.devices()[0].tag.clone(), b.devices()[0].tag.clone()]);
}

/// "254 layers and more: works"; "a directory of 20,000 or 100,000 entries: linear"
#[test]
fn many_layers_and_wide_directories() {
    let layers: Vec<Tree> = (0..400)
        .map(|n| layer(tar().file(format!("f{n:03}"), format!("{n}").as_bytes())))
        .collect();
    let tree = merged(&layers.iter().collect::<Vec<_>>());
    assert_eq!((tree.devices().len(), tree.name_count()), (400, 400));

    let wide = |count: u32, shift: u32| {
        let names = (0..count).map(|n| format!("d/{:08x}", (n + shift).wrapping_mul(0x9E37_79B1)));
        layer(names.fold(tar(), |tar, name| tar.file(name, b"")))
    };
    let start = std::time::Instant::now();
    let tree = merged(&[&wide(100_000, 0), &wide(100_000, 50_000)]);
    println!("two layers of 100,000 names in {:?}", start.elapsed());
    assert_eq!(tree.name_count(), 150_001);
}

/// Merging a directory of 20,000 names is no slower than making it; the peers are quadratic here.
#[test]
fn merging_a_wide_directory_is_no_slower_than_building_it() {
    let names = (0..20_000u32).map(|n| format!("d/{:08x}", n.wrapping_mul(0x9E37_79B1)));
    let tar = names.fold(tar(), |tar, name| tar.file(name, b"")).finish();
    let best = |work: &dyn Fn()| {
        let time = || {
            let start = std::time::Instant::now();
            work();
            start.elapsed()
        };
        (0..9).map(|_| time()).min().unwrap()
    };
    let layer = testkit::ours::layer(&tar);
    let build = best(&|| drop(try_layer(&tar, LayerOptions::default()).unwrap()));
    let merge = best(&|| drop(merged(&[&layer])));
    println!("20,000 names: built in {build:?}, merged in {merge:?}");
    // Half as much again for the noise of a shared machine.
    assert!(merge < build * 3 / 2, "built in {build:?}, merged in {merge:?}");
}
