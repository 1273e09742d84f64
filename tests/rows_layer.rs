//! One test for each row of the rules for tar input that the tree owns.

mod rows_kit;

use erofs_tarfs::limits::Limits;
use erofs_tarfs::tree::{Error, InodeId, LayerOptions, NodeKind, Rule};
use rows_kit::{at, holds, layer, mode, refused, try_layer};
use testkit::ours;
use testkit::tarball::{Format, SparseForm, TarBuilder};

fn tar() -> TarBuilder {
    TarBuilder::new()
}

/// "hard link to any earlier entry of the layer that is not a directory: one inode, nlink counted;
/// attributes of the inode are the target's"
#[test]
fn hard_links_to_file_symlink_and_device_share_the_inode() {
    let tree = layer(
        tar()
            .file("f", b"x")
            .mode(0o600)
            .hardlink("f2", "./f")
            .mode(0o777)
            .uid(7)
            .hardlink("f3", "/f2")
            .symlink("s", "nowhere")
            .hardlink("s2", "s")
            .chr("n", 1, 3)
            .hardlink("n2", "n")
            .fifo("p")
            .hardlink("p2", "p"),
    );
    let want = ["f", "f2=f", "f3=f", "n@1:3", "n2@1:3=n", "p|", "p2|=p", "s->nowhere"];
    holds(&tree, &[&want[..], &["s2->nowhere=s"]].concat());
    assert_eq!((tree.nlink(at(&tree, "f")), tree.nlink(at(&tree, "s"))), (3, 2));
    let attributes = tree.attributes(at(&tree, "f3"));
    assert_eq!((attributes.mode, attributes.uid), (0o600, 0));
}

/// "hard link to a later entry, to a missing entry, to a directory, a chain that loops: error
/// naming both paths"
#[test]
fn hard_links_to_later_missing_directory_and_self_are_refused() {
    let none = |target: &str| Rule::NoTarget(target.into());
    refused(tar().hardlink("a", "b").file("b", b""), 0, "a", &none("b"));
    refused(tar().file("b", b"").hardlink("a", "d/x"), 512, "a", &none("d/x"));
    refused(tar().hardlink("a", "a"), 0, "a", &none("a"));
    refused(tar().hardlink("a", "b").hardlink("b", "a"), 0, "a", &none("b"));
    refused(tar().file("f", b"").hardlink("a", "f/x"), 512, "a", &none("f/x"));
    let directory = Rule::TargetIsDirectory(b"d".to_vec());
    refused(tar().dir("d", 0o755).hardlink("a", "d"), 512, "a", &directory);
    refused(tar().hardlink("a", "./"), 0, "a", &Rule::TargetIsDirectory(b"./".to_vec()));
    let error = try_layer(&tar().hardlink("a", "b").finish(), LayerOptions::default());
    let text = error.unwrap_err().to_string();
    assert!(text.contains("\"a\"") && text.contains("\"b\""), "{text}");
}

/// Entries have a limit where one is set: of the first that is over it the error speaks.
#[test]
fn more_entries_than_are_wanted_are_refused() {
    let bytes = tar().file("a", b"").file("b", b"").file("c", b"").finish();
    let limited =
        |max| try_layer(&bytes, LayerOptions::new().limits(Limits::new().max_entries(max)));
    assert!(limited(3).is_ok());
    let text = limited(2).unwrap_err().to_string();
    assert_eq!(text, "entry \"c\" at byte 1024: 3 entries are over the limit max_entries of 2");
}

/// A link to oneself that exists already changes nothing.
#[test]
fn a_hard_link_of_a_name_to_itself_keeps_the_file() {
    let tree = layer(tar().file("a", b"x").hardlink("a", "a"));
    holds(&tree, &["a"]);
    assert_eq!(tree.nlink(at(&tree, "a")), 1);
}

/// "a link whose target is only in a lower layer is resolved at merge if kept pending"
#[test]
fn a_missing_target_may_be_kept_pending() {
    let tar = tar().hardlink("a", "./x//y").hardlink("b", "a").finish();
    let tree = try_layer(&tar, LayerOptions::new().keep_pending(true)).unwrap().tree;
    holds(&tree, &["a=>x/y", "b=>x/y=a"]);
    assert_eq!(tree.kind(at(&tree, "a")), NodeKind::PendingLink);
}

/// "duplicate path: last wins; directory over directory keeps children and takes the new
/// attributes; another type over a directory drops its subtree"
#[test]
fn of_duplicate_paths_the_last_wins() {
    let bytes = tar().file("f", b"one").file("f", b"three").mode(0o600).finish();
    let tree = ours::layer(&bytes);
    let want = ours::dump(&layer(tar().file("f", b"three").mode(0o600)), &[&bytes[1024..]]);
    assert_eq!(ours::dump(&tree, &[&bytes]).get("f"), want.get("f"));
    let again = tar().dir("d", 0o700).file("d/f", b"").dir("./d", 0o711);
    let tree = layer(again);
    holds(&tree, &["d/", "d/f"]);
    assert_eq!(mode(&tree, "d"), 0o711);
    holds(&layer(tar().dir("d", 0o700).file("d/e/f", b"").symlink("d", "x")), &["d->x"]);
    let back = tar().file("d/f", b"").file("d", b"").file("g", b"").dir("d", 0o700);
    let tree = layer(back);
    holds(&tree, &["d/", "g"]);
    assert!(tree.is_opaque(at(&tree, "d")), "the file hid what lower layers have");
    let linked = tar().file("a", b"x").hardlink("b", "a").file("a", b"y");
    let tree = layer(linked);
    holds(&tree, &["a", "b"]);
    assert_eq!(tree.nlink(at(&tree, "b")), 1);
}

/// "`./`, leading `/`, `//`, trailing `/`: normalised to one path below the root"
#[test]
fn paths_are_normalised() {
    for path in ["a/b", "./a/b", "/a/b", "a//b", "././/a/./b"] {
        holds(&layer(tar().file(path, b"")), &["a/", "a/b"]);
        holds(&layer(tar().dir(path, 0o700)), &["a/", "a/b/"]);
    }
}

/// "`..` component: error by default; an option resolves it inside the root"
#[test]
fn dot_dot_is_refused_or_resolved_inside_the_root() {
    for path in ["..", "../f", "a/../f", "a/..", "/../../f"] {
        refused(tar().file("x", b"").file(path, b""), 512, path, &Rule::DotDot);
    }
    refused(tar().file("f", b"").hardlink("g", "../f"), 512, "g", &Rule::DotDot);
    let bytes = tar().file("../../f", b"").file("a/../b/g", b"").hardlink("h", "x/../f").finish();
    let tree = try_layer(&bytes, LayerOptions::new().resolve_dot_dot(true)).unwrap().tree;
    holds(&tree, &["b/", "b/g", "f", "h=f"]);
}

/// "a component over 255 bytes: error"; "empty name, NUL inside a pax path" come from the parser.
#[test]
fn names_over_255_bytes_are_refused_and_bad_paths_too() {
    let (fits, long) = ("n".repeat(255), "n".repeat(256));
    holds(&layer(tar().file(&fits, b"")), &[&fits]);
    refused(tar().format(Format::Gnu).file(&long, b""), 1024, &long, &Rule::NameTooLong(256));
    let inner = format!("{long}/f");
    refused(tar().file(&inner, b"").format(Format::Gnu), 1024, &inner, &Rule::NameTooLong(256));
    // Or in what a symbolic link on the way leads to.
    let below = tar().format(Format::Gnu).symlink("l", &inner).file("l/g", b"");
    refused(below, 1536, "l/g", &Rule::NameTooLong(256));
    for bytes in [tar().file("", b"").finish(), tar().file("f", b"").pax("path", b"a\0b").finish()]
    {
        let error = try_layer(&bytes, LayerOptions::default()).unwrap_err();
        assert!(matches!(error, Error::Tar(_)), "{error:?}");
    }
}

/// "an entry below a symlink or a file of the same layer: containerd resolves the symlink inside
/// the root"
#[test]
fn an_entry_below_a_symlink_goes_where_it_leads() {
    let tree = layer(tar().symlink("bin", "usr/bin").dir("usr/bin", 0o700).file("bin/sh", b""));
    holds(&tree, &["bin->usr/bin", "usr/", "usr/bin/", "usr/bin/sh"]);
    let tree = layer(tar().symlink("a/up", "../../../x").file("a/up/f", b""));
    holds(&tree, &["a/", "a/up->../../../x", "x/", "x/f"]);
    holds(&layer(tar().symlink("l", "/t").file("l/f", b"")), &["l->/t", "t/", "t/f"]);
    let looped = tar().symlink("l", "m").symlink("m", "l").file("l/f", b"");
    refused(looped, 1024, "l/f", &Rule::TooManySymlinks);
    refused(tar().file("f", b"").file("f/g", b""), 512, "f/g", &Rule::BelowNonDirectory);
    refused(tar().fifo("f").dir("f/g", 0), 512, "f/g/", &Rule::BelowNonDirectory);
}

/// "missing parents: implied directories: 0755, 0:0, mtime 0, marked implied"
#[test]
fn missing_parents_are_implied() {
    let tree = layer(tar().file("a/b/f", b"").uid(5).mtime(9, 0).dir("a", 0o700));
    holds(&tree, &["a/", "a/b/", "a/b/f"]);
    let implied = at(&tree, "a/b");
    let got = tree.attributes(implied);
    assert_eq!((got.mode, got.uid, got.gid, got.mtime.secs), (0o755, 0, 0, 0));
    assert!(tree.is_implied(implied) && !tree.is_implied(at(&tree, "a")));
    assert!(tree.is_implied(InodeId::ROOT));
}

/// "root entry `./` with attributes: kept"
#[test]
fn the_root_entry_gives_the_root_its_attributes() {
    for path in ["./", ".", "/"] {
        let root = tar().entry(b'5', path, 0o1711).uid(3).mtime(4, 5).xattr("user.k", "v");
        let tree = layer(root);
        let got = tree.attributes(InodeId::ROOT);
        assert_eq!((got.mode, got.uid, got.mtime.secs, got.mtime.nanos), (0o1711, 3, 4, 5));
        assert_eq!(tree.xattrs(InodeId::ROOT).count(), 1);
        assert!(!tree.is_implied(InodeId::ROOT));
    }
}

/// "root entry that is not a directory: error"
#[test]
fn a_root_that_is_no_directory_is_refused() {
    refused(tar().file("a", b"").symlink("./", "a"), 512, "./", &Rule::RootNotDirectory);
    refused(tar().file(".", b""), 0, ".", &Rule::RootNotDirectory);
    refused(tar().file("a", b"").hardlink(".", "a"), 512, ".", &Rule::RootNotDirectory);
}

/// "xattr with an empty value: kept"
#[test]
fn an_empty_xattr_value_is_kept() {
    let tree = layer(tar().file("f", b"").xattr("user.e", "").xattr("user.a", "1"));
    let all: Vec<_> = tree.xattrs(at(&tree, "f")).collect();
    assert_eq!(all, [(&b"user.a"[..], &b"1"[..]), (b"user.e", b"")]);
}

/// "xattr value over 65535 bytes, name over 255 after its prefix, ibody over 262,148, an xattr
/// namespace that EROFS has no index for: error that names the key; an option drops unknown
/// namespaces and counts them"
#[test]
fn xattrs_that_erofs_cannot_hold_are_refused() {
    let file = |key: &str, len: usize| tar().file("f", b"").xattr(key, vec![b'v'; len]);
    let header = |len: usize| 512 + (len.next_multiple_of(512)) as u64;
    let full = layer(file("user.k", 65535));
    assert_eq!(
        full.xattrs(at(&full, "f")).map(|(_, value)| value.len()).collect::<Vec<_>>(),
        [65535]
    );
    let rule = Rule::XattrValue(b"user.k".to_vec(), 65536);
    refused(file("user.k", 65536), header(65536 + 27), "f", &rule);
    for prefix in ["user.", "trusted.", "security."] {
        let _ = layer(file(&format!("{prefix}{}", "n".repeat(255)), 1));
        let key = format!("{prefix}{}", "n".repeat(256));
        refused(file(&key, 1), header(300), "f", &Rule::XattrName(key.into_bytes()));
    }
    refused(file("user.", 1), 1024, "f", &Rule::XattrNoName(b"user.".to_vec()));
    for key in ["system.nfs4_acl", "unknown", "system.posix_acl_access2"] {
        refused(file(key, 1), 1024, "f", &Rule::XattrNamespace(key.into()));
    }
    let bytes = file("system.nfs4_acl", 1).xattr("user.k", "v").finish();
    let dropped = try_layer(&bytes, LayerOptions::new().drop_unknown_xattrs(true)).unwrap();
    assert_eq!(dropped.notes.dropped_xattrs, 1);
    assert_eq!(dropped.tree.xattrs(at(&dropped.tree, "f")).count(), 1);
    let acl = layer(file("system.posix_acl_access", 4).xattr("system.posix_acl_default", "x"));
    assert_eq!(acl.xattrs(at(&acl, "f")).count(), 2);

    // Four of 65,528 bytes each with entry and name, and 12 for the header; the limit is 262,148.
    let many = |last: usize| {
        let sizes = [65528, 65528, 65528, last];
        let tar = tar().file("f", b"");
        sizes
            .iter()
            .zip("abcd".chars())
            .fold(tar, |tar, (size, name)| tar.xattr(format!("user.{name}"), vec![0; size - 5]))
    };
    let _ = layer(many(65552 - 5 * 4).xattr("user.e", "fill"));
    let error = try_layer(&many(65540).xattr("user.e", vec![0; 99]).finish(), LayerOptions::new());
    let Err(Error::Entry(error)) = error else { panic!("{error:?}") };
    assert!(matches!(error.rule, Rule::XattrTotal(262_149..)), "{error:?}");
}

/// "uid, gid of 2^32 or more; device major over 4095, minor over 1048575: error", and all that
/// the parser refuses surfaces with its offset.
#[test]
fn numbers_out_of_range_are_refused_as_errors_of_the_tar() {
    let first = || tar().file("a", b"").format(Format::Gnu);
    let (big, none) = (1 << 32, LayerOptions::default);
    for (bytes, what) in [
        (first().file("f", b"").uid(big).finish(), "uid 4294967296"),
        (first().file("f", b"").gid(big).finish(), "gid 4294967296"),
        (first().chr("f", 4096, 0).finish(), "device major 4096"),
        (first().blk("f", 0, 1 << 20).finish(), "device minor 1048576"),
    ] {
        let error = try_layer(&bytes, none()).unwrap_err();
        assert!(matches!(error, Error::Tar(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.starts_with("entry \"f\" at byte 512: ") && text.contains(what), "{text}");
    }
    let tree = layer(tar().chr("c", 4095, 1_048_575).blk("b", 0, 0).chr("w", 0, 0));
    holds(&tree, &["b@0:0", "c@4095:1048575", "w!"]);
}

/// "GNU sparse `S`, pax sparse 0.0, 0.1, 1.0: data stays in the tar where its segments are
/// block-aligned, else is carried in the image"
#[test]
fn sparse_content_is_right_on_the_grid_and_off_it() {
    let (a, b) = ([b'a'; 512], [b'b'; 300]);
    for form in SparseForm::ALL {
        for (at, in_place) in [(1024, true), (1030, false), (1000, false)] {
            let extents = [(0, &a[..]), (at, &b[..])];
            let size = at + 300;
            let bytes = tar().sparse(form, "s", size, &extents).file("z", b"after").finish();
            let tree = ours::layer(&bytes);
            let mut plain = vec![0; size as usize];
            plain[..512].copy_from_slice(&a);
            plain[at as usize..].copy_from_slice(&b);
            let same = tar().file("s", &plain).file("z", b"after").finish();
            let (got, want) = (ours::dump(&tree, &[&bytes]), ours::layer(&same));
            let want = ours::dump(&want, &[&same]);
            assert_eq!(got.get("s"), want.get("s"), "{form:?} {at}");
            assert_eq!(got.get("z"), want.get("z"), "{form:?} {at}");
            let no_room = LayerOptions::new().limits(Limits::new().max_carried(100));
            let stays = try_layer(&bytes, no_room).is_ok();
            assert_eq!(stays, in_place, "{form:?} {at}");
        }
    }
}

/// "typeflag NUL (old regular file): a regular file"; "type `'\0'` with a trailing slash: a
/// directory (v7)"; "type `7` contiguous: a regular file"
#[test]
fn old_and_contiguous_types_are_files_and_directories() {
    let tree = layer(tar().format(Format::V7).file("f", b"x").flag(0).dir("d", 0o700).flag(0));
    holds(&tree, &["d/", "f"]);
    holds(&layer(tar().file("c", b"xy").flag(b'7').dir("e", 0)), &["c", "e/"]);
}

/// "Symlink targets: PATH_MAX (4095) is the limit; longer is an error."
#[test]
fn symlink_targets_have_up_to_4095_bytes() {
    let tree = layer(tar().symlink("l", "t".repeat(4095)));
    assert_eq!(tree.kind(at(&tree, "l")), NodeKind::Symlink);
    let long = tar().format(Format::Gnu).symlink("l", "t".repeat(4096));
    refused(long, 512 + 4608, "l", &Rule::SymlinkLength(4096));
}

/// The memory that a tree carries has a limit.
#[test]
fn carried_bytes_are_limited() {
    let bytes = tar().symlink("a", "t".repeat(90)).symlink("b", "t".repeat(90)).finish();
    let error =
        try_layer(&bytes, LayerOptions::new().limits(Limits::new().max_carried(100))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "entry \"b\" at byte 512: 180 bytes of attributes, link targets, and sparse pieces off the 512-byte grid are \
         over the limit max_carried of 100"
    );
}
