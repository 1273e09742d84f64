//! Whiteout markers in corners where readers of layers differ; where they do, what holds is what
//! the OCI image specification and containerd, moby and umoci together say.

mod rows_kit;

use erofs_tarfs::tree::{Error, MergeOptions, Note, Rule, Tree, merge, merge_noting};
use rows_kit::{at, holds, layer, merged, mode, refused};
use testkit::tarball::TarBuilder;

fn tar() -> TarBuilder {
    TarBuilder::new()
}

fn base() -> Tree {
    layer(tar().dir("d", 0o700).file("d/a", b"A").file("d/s/x", b"X").dir("keep", 0o755))
}

/// Markers alone make no directory that a whiteout could not take away.
#[test]
fn a_directory_that_only_markers_made_is_whited_out() {
    let base = base();
    for upper in [
        tar().whiteout("d").whiteout("d/a").whiteout("d/s/x"),
        tar().whiteout("d/a").whiteout("d/s/x").whiteout("d"),
        tar().opaque("d").whiteout("d"),
        tar().whiteout("d").opaque("d/s"),
        tar().whiteout("d/s/x").whiteout("d/s").whiteout("d"),
    ] {
        let upper = layer(upper);
        holds(&upper, &["d!"]);
        holds(&merged(&[&base, &upper]), &["keep/"]);
    }
    // One below another, the upper of which stays.
    for upper in [
        tar().whiteout("d/s/x").whiteout("d/s"),
        tar().whiteout("d/s").whiteout("d/s/x").whiteout("d/s/y/z"),
    ] {
        holds(&merged(&[&base, &layer(upper)]), &["d/", "d/a", "keep/"]);
    }
    // One that is listed stays, and what markers alone have made in it goes.
    let upper = layer(tar().dir("d", 0o711).whiteout("d/m/x").whiteout("d"));
    holds(&merged(&[&base, &upper]), &["d/", "keep/"]);
    // Without a lower layer too: the whiteout is all that is left of it.
    holds(&merged(&[&layer(tar().whiteout("d/x").whiteout("d"))]), &[]);
}

/// An entry makes its directories, whatever markers say: they are the layer's own.
#[test]
fn a_directory_with_an_entry_stays_and_hides_the_lower_one() {
    let base = base();
    for upper in [
        tar().whiteout("d").whiteout("d/a").file("d/n", b""),
        tar().file("d/n", b"").whiteout("d/s/x").whiteout("d"),
    ] {
        let tree = merged(&[&base, &layer(upper)]);
        holds(&tree, &["d/", "d/n", "keep/"]);
        assert_eq!(mode(&tree, "d"), 0o755);
    }
    // A real device 0:0 is an entry; and so is a directory that is listed.
    for upper in [tar().chr("d/c", 0, 0).whiteout("d"), tar().whiteout("d").dir("d", 0o711)] {
        holds(&merged(&[&base, &layer(upper)]), &["d/", "keep/"]);
    }
}

/// An opaque marker above takes marker-made directories away likewise, in either order.
#[test]
fn an_opaque_marker_takes_marker_made_directories_away() {
    let base = base();
    for upper in [
        tar().opaque("d").whiteout("d/s/x").file("d/n", b""),
        tar().whiteout("d/s/x").file("d/n", b"").opaque("d"),
        tar().whiteout("d/s/t/u/x").opaque("d").file("d/n", b""),
    ] {
        holds(&merged(&[&base, &layer(upper)]), &["d/", "d/n", "keep/"]);
    }
    let all = layer(tar().opaque("./").whiteout("d/x").file("n", b""));
    holds(&merged(&[&base, &all]), &["n"]);
}

/// As containerd and moby leave it (umoci and the specification do not).
#[test]
fn a_marker_leaves_its_directory_behind_where_no_layer_has_it() {
    let tree = merged(&[&base(), &layer(tar().whiteout("new/x"))]);
    holds(&tree, &["d/", "d/a", "d/s/", "d/s/x", "keep/", "new/"]);
    assert_eq!((mode(&tree, "new"), tree.is_implied(at(&tree, "new"))), (0o755, true));
}

/// Markers go through symbolic links of their layer, as other entries do.
#[test]
fn markers_follow_the_links_of_their_layer() {
    let lower = layer(tar().file("usr/lib/a.so", b"").file("usr/lib/b.so", b"").file("lib", b""));
    let seen = ["lib->usr/lib", "usr/", "usr/lib/", "usr/lib/b.so"];
    let tree = merged(&[&lower, &layer(tar().symlink("lib", "usr/lib").whiteout("lib/a.so"))]);
    holds(&tree, &seen);
    let tree = merged(&[&lower, &layer(tar().symlink("lib", "usr/lib").opaque("lib"))]);
    holds(&tree, &["lib->usr/lib", "usr/", "usr/lib/"]);
    // A link that comes later does not matter to a marker before it.
    let lower = layer(tar().file("a/a", b"1").file("b/a", b"2"));
    let tree = merged(&[&lower, &layer(tar().whiteout("a/a").symlink("a", "b"))]);
    holds(&tree, &["a->b", "b/", "b/a"]);
    // Out of the root there is no way, and a loop ends.
    let lower = layer(tar().file("x", b"").file("y", b""));
    holds(
        &merged(&[&lower, &layer(tar().symlink("l", "../..").whiteout("l/x"))]),
        &["l->../..", "y"],
    );
    refused(tar().symlink("l", "l").whiteout("l/x"), 512, "l/.wh.x", &Rule::TooManySymlinks);
}

fn notes(layers: &[&Tree], follow: bool) -> (Result<Tree, Error>, Vec<Note>) {
    let options = MergeOptions::new().follow_lower_links(follow);
    let mut notes = Vec::new();
    let tree = merge_noting(layers, &options, &mut |note| notes.push(note));
    (tree, notes)
}

/// A lower layer's link: overlayfs shows a directory in its place, extractors follow it.
#[test]
fn links_of_lower_layers_are_replaced_or_followed() {
    let lower = layer(
        tar().file("usr/lib/a.so", b"a").file("usr/lib/c.so", b"c").symlink("lib", "usr/lib"),
    );
    for (upper, replaced, followed) in [
        (
            tar().file("lib/b.so", b"b"),
            &["lib/", "lib/b.so", "usr/", "usr/lib/", "usr/lib/a.so", "usr/lib/c.so"][..],
            &["lib->usr/lib", "usr/", "usr/lib/", "usr/lib/a.so", "usr/lib/b.so", "usr/lib/c.so"][..],
        ),
        (
            tar().whiteout("lib/a.so"),
            &["lib/", "usr/", "usr/lib/", "usr/lib/a.so", "usr/lib/c.so"],
            &["lib->usr/lib", "usr/", "usr/lib/", "usr/lib/c.so"],
        ),
        (
            tar().opaque("lib"),
            &["lib/", "usr/", "usr/lib/", "usr/lib/a.so", "usr/lib/c.so"],
            &["lib->usr/lib", "usr/", "usr/lib/"],
        ),
    ] {
        let upper = layer(upper);
        let (tree, found) = notes(&[&lower, &upper], false);
        holds(&tree.unwrap(), replaced);
        let note =
            Note::LinkReplaced { layer: 1, path: b"lib".to_vec(), target: b"usr/lib".to_vec() };
        assert_eq!(found, [note]);
        let (tree, found) = notes(&[&lower, &upper], true);
        holds(&tree.unwrap(), followed);
        assert_eq!(found, []);
    }
    // Listed, the directory is the layer's own in both.
    let upper = layer(tar().dir("lib", 0o711).file("lib/b.so", b"b"));
    let own = ["lib/", "lib/b.so", "usr/", "usr/lib/", "usr/lib/a.so", "usr/lib/c.so"];
    for follow in [false, true] {
        let (tree, found) = notes(&[&lower, &upper], follow);
        holds(&tree.unwrap(), &own);
        assert_eq!(found, []);
    }
}

/// A layer whose hard links may have their targets in lower layers.
fn pending(upper: TarBuilder) -> Tree {
    let options = erofs_tarfs::tree::LayerOptions::new().keep_pending(true);
    rows_kit::try_layer(&upper.finish(), options).unwrap().tree
}

/// Followed far: links to links, to what is not there, out of a moved directory, and both ways.
#[test]
fn links_of_lower_layers_are_followed_to_their_end() {
    let follow =
        |lower: TarBuilder, upper: TarBuilder| notes(&[&layer(lower), &layer(upper)], true);
    let lower = || tar().symlink("a", "b").symlink("b", "/c/d").dir("c", 0o755);
    let (tree, _) = follow(lower(), tar().file("a/x/y", b""));
    holds(&tree.unwrap(), &["a->b", "b->/c/d", "c/", "c/d/", "c/d/x/", "c/d/x/y"]);
    // What is moved lies below another link.
    let (tree, _) = follow(
        tar().symlink("lib", "usr/lib").symlink("usr/lib/m", "../n").dir("usr/n", 0o700),
        tar().file("lib/m/f", b"").file("usr/n/g", b""),
    );
    let tree = tree.unwrap();
    holds(
        &tree,
        &["lib->usr/lib", "usr/", "usr/lib/", "usr/lib/m->../n", "usr/n/", "usr/n/f", "usr/n/g"],
    );
    assert_eq!(mode(&tree, "usr/n"), 0o700);
    // By both ways: directories join, a whiteout gives way to an entry, two entries are an error.
    let usr = || tar().symlink("lib", "usr/lib").file("usr/lib/d/old", b"");
    let (tree, found) = follow(usr(), tar().dir("lib/d", 0o711).file("usr/lib/d/new", b""));
    let tree = tree.unwrap();
    holds(
        &tree,
        &["lib->usr/lib", "usr/", "usr/lib/", "usr/lib/d/", "usr/lib/d/new", "usr/lib/d/old"],
    );
    assert_eq!((mode(&tree, "usr/lib/d"), found), (0o711, vec![]));
    let (tree, _) = follow(usr(), tar().whiteout("lib/d").file("usr/lib/d/new", b""));
    holds(&tree.unwrap(), &["lib->usr/lib", "usr/", "usr/lib/", "usr/lib/d/", "usr/lib/d/new"]);
    let (tree, found) = follow(usr(), tar().dir("lib/d", 0o711).dir("usr/lib/d", 0o700));
    assert_eq!(mode(&tree.unwrap(), "usr/lib/d"), 0o700);
    assert_eq!(found, [Note::ListedTwice { layer: 1, path: b"usr/lib/d".to_vec() }]);
    // A directory that is its own by a whiteout, and that no entry is about but by the other way.
    for (listed, hidden) in [("lib/d", "usr/lib/d"), ("usr/lib/d", "lib/d")] {
        let upper = tar().file(format!("{hidden}/new"), b"").whiteout(hidden).dir(listed, 0o711);
        let (tree, found) = follow(usr(), upper);
        let tree = tree.unwrap();
        let names = ["lib->usr/lib", "usr/", "usr/lib/", "usr/lib/d/", "usr/lib/d/new"];
        holds(&tree, &names);
        assert_eq!((mode(&tree, "usr/lib/d"), found), (0o711, vec![]), "{listed}");
    }
    let (tree, _) = follow(usr(), tar().file("lib/x", b"1").file("usr/lib/x", b"2"));
    assert_eq!(tree.unwrap_err(), Error::TwoPaths { layer: 1, path: b"usr/lib/x".to_vec() });
    // Two hard links to one file are not two entries: the later one changes nothing.
    let upper = tar().file("f", b"").hardlink("lib/x", "f").hardlink("usr/lib/x", "f");
    let tree = follow(usr(), upper).0.unwrap();
    assert_eq!(at(&tree, "usr/lib/x"), at(&tree, "f"));
    // So it is where the file is in a lower layer.
    let upper = tar().hardlink("lib/x", "usr/lib/d/old").hardlink("usr/lib/x", "usr/lib/d/old");
    let tree = notes(&[&layer(usr()), &pending(upper)], true).0.unwrap();
    assert_eq!(at(&tree, "usr/lib/x"), at(&tree, "usr/lib/d/old"));
    let upper = tar().hardlink("lib/x", "usr/lib/d/old").hardlink("usr/lib/x", "usr/lib/d/other");
    let lower = usr().file("usr/lib/d/other", b"");
    let (tree, _) = notes(&[&layer(lower), &pending(upper)], true);
    assert_eq!(tree.unwrap_err(), Error::TwoPaths { layer: 1, path: b"usr/lib/x".to_vec() });
    // A link of a lower layer that the layer itself hides by another path is not followed.
    let lower = tar().symlink("x", "e").symlink("e/m", "n").dir("e/n", 0o755);
    let upper = tar().file("e", b"").dir("e", 0o711).file("x/m/f", b"");
    holds(&follow(lower, upper).0.unwrap(), &["e/", "e/m/", "e/m/f", "x->e"]);
    // Where extractors fail, so does this.
    let (tree, _) = follow(tar().symlink("l", "f").file("f", b""), tar().file("l/x", b""));
    assert_eq!(tree.unwrap_err(), Error::LinkNotFollowed { layer: 1, path: b"l".to_vec() });
    let (tree, _) = follow(tar().symlink("l", "l"), tar().file("l/x", b""));
    assert_eq!(tree.unwrap_err(), Error::LinkNotFollowed { layer: 1, path: b"l".to_vec() });
}

/// A hard link's target in a lower layer is found through links of the layer and of lower ones.
#[test]
fn hard_links_into_lower_layers_go_through_links() {
    let lower = layer(tar().file("usr/lib/a.so", b"a").symlink("lib", "usr/lib").symlink("s", "x"));
    for upper in [
        tar().symlink("m", "usr/lib").hardlink("n", "m/a.so"),
        tar().hardlink("n", "lib/a.so"),
        tar().symlink("m", "lib").hardlink("n", "m/a.so").whiteout("usr/lib/a.so"),
        tar().symlink("m", "/lib/../lib").hardlink("n", "./m/a.so"),
        // The link's own directory is replaced afterwards: what was found stays found.
        tar().symlink("m", "usr/lib").hardlink("n", "m/a.so").file("m", b""),
    ] {
        let tree = merge(&[&lower, &pending(upper)], &MergeOptions::default()).unwrap();
        let (link, target) = (at(&tree, "n"), tree.lookup(b"usr/lib/a.so"));
        assert!(target.is_none_or(|target| target == link));
        assert!(matches!(tree.content(link), erofs_tarfs::tree::Content::Regular { size: 1, .. }));
    }
    // A link at the end is the target itself.
    let tree = merged(&[&lower, &pending(tar().hardlink("n", "s"))]);
    assert_eq!(at(&tree, "n"), at(&tree, "s"));
    let error = merge(&[&lower, &pending(tar().hardlink("n", "lib"))], &MergeOptions::default());
    assert!(error.is_ok(), "a link to a link, not to what it leads to");
    let error =
        merge(&[&lower, &pending(tar().hardlink("n", "usr/lib"))], &MergeOptions::default());
    assert!(matches!(error.unwrap_err(), Error::LinkToDirectory { .. }));
}

/// `..` in a link behind a name that is not there leads back, as containerd and moby have it; the
/// name is not made.
#[test]
fn links_lead_back_from_what_is_not_there() {
    let base = || tar().file("d/f", b"").symlink("l", "m/../d");
    let tree = layer(base().hardlink("h", "l/f").file("l/x", b""));
    holds(&tree, &["d/", "d/f", "d/x", "h=d/f", "l->m/../d"]);
    let lower = layer(base());
    let options = erofs_tarfs::tree::LayerOptions::new().keep_pending(true);
    let upper = rows_kit::try_layer(&tar().hardlink("h", "l/f").finish(), options).unwrap().tree;
    holds(&merged(&[&lower, &upper]), &["d/", "d/f", "h=d/f", "l->m/../d"]);
}

/// Files that aufs hides (images of before 2015): not seen, but hard links to them are made.
#[test]
fn hard_links_to_hidden_files_of_aufs_are_made() {
    let tree = layer(
        tar()
            .dir(".wh..wh.plnk", 0o700)
            .file(".wh..wh.plnk/1.2", b"x")
            .hardlink("a", ".wh..wh.plnk/1.2")
            .hardlink("d/b", "./.wh..wh.plnk/1.2")
            .file(".wh..wh.plnk/3.4", b"never linked")
            .file(".wh..wh.orph/5", b""),
    );
    holds(&tree, &["a", "d/", "d/b=a"]);
    assert_eq!(tree.nlink(at(&tree, "a")), 2);
    refused(
        tar().hardlink("a", ".wh..wh.plnk/9"),
        0,
        "a",
        &Rule::NoTarget(b".wh..wh.plnk/9".to_vec()),
    );
}
