//! Rows' corners that rows_layer and rows_merge leave out.

mod rows_kit;

use erofs_tarfs::tree::{Error, LayerOptions, Rule};
use rows_kit::{at, holds, layer, merged, mode, refused, try_layer};
use testkit::tarball::TarBuilder;

fn tar() -> TarBuilder {
    TarBuilder::new()
}

/// An entry below a whiteout is refused; below a file of aufs it is dropped.
#[test]
fn nothing_lies_below_a_whiteout() {
    refused(tar().file("z", b"").file(".wh.a/f", b""), 512, ".wh.a/f", &Rule::BelowWhiteout);
    refused(tar().file("z", b"").file(".wh.", b""), 512, ".wh.", &Rule::BadWhiteout);
}

/// A marker below a file hides nothing.
#[test]
fn markers_below_files_do_nothing() {
    let lower = layer(tar().file("l/x", b"").file("t/x", b"").file("t/y", b""));
    for marker in [tar().file("l", b"").whiteout("l/x"), tar().file("l", b"").opaque("l")] {
        holds(&merged(&[&lower, &layer(marker)]), &["l", "t/", "t/x", "t/y"]);
    }
}

/// The limits themselves fit, and one past them does not.
#[test]
fn xattr_limits_to_the_byte() {
    let one = layer(tar().file("f", b"").xattr("user.k", vec![b'v'; 65535]));
    assert_eq!(one.xattrs(at(&one, "f")).next().unwrap().1.len(), 65535);
    // 12 for the header and four of these: 262,148 in all; then one step of 4 more.
    let total = |sizes: [usize; 4], more: bool| {
        let tar =
            sizes.iter().zip("abcd".chars()).fold(tar().file("f", b""), |tar, (size, name)| {
                tar.xattr(format!("user.{name}"), vec![0; size - 5])
            });
        let tar = if more { tar.xattr("user.e", b"") } else { tar };
        try_layer(&tar.finish(), LayerOptions::default())
    };
    let full = [65536, 65536, 65536, 65528];
    assert_eq!(12 + full.iter().sum::<usize>(), 262_148);
    assert!(total(full, false).is_ok());
    let Err(Error::Entry(error)) = total([65536; 4], false) else { panic!() };
    assert_eq!(error.rule, Rule::XattrTotal(262_156));
    let Err(Error::Entry(error)) = total(full, true) else { panic!() };
    assert_eq!(error.rule, Rule::XattrTotal(262_156));
}

/// A new root that is opaque and implied keeps the lower root's attributes; a directory to a file
/// to an implied directory takes the implied ones.
#[test]
fn implied_directories_over_what_was_replaced() {
    let lower = layer(tar().dir("./", 0o700).dir("a", 0o711).file("a/x", b""));
    let tree = merged(&[&lower, &layer(tar().opaque("").file("b", b""))]);
    holds(&tree, &["b"]);
    assert_eq!(mode(&tree, ""), 0o700);
    let tree = merged(&[&lower, &layer(tar().file("a", b"")), &layer(tar().file("a/n", b""))]);
    holds(&tree, &["a/", "a/n"]);
    assert_eq!(mode(&tree, "a"), 0o755);
}

/// No layers, and a merge of a merge.
#[test]
fn no_layers_and_a_merge_of_a_merge() {
    holds(&merged(&[]), &[]);
    let (a, b) = (layer(tar().file("a", b"1")), layer(tar().whiteout("a").file("b", b"2")));
    let both = merged(&[&a, &b]);
    holds(&merged(&[&both]), &["b"]);
    assert_eq!(both.devices().len(), 1);
}
