//! Where containerd 2.4.2, moby's go-archive 0.3.3 and we differ, one row each: ARCHITECTURE.md has
//! the same list, with reasons. A row that does not hold any more fails.

use testkit::dump::{Node, Tree};
use testkit::mount;
use testkit::tarball::{SparseForm, TarBuilder};

use super::apply::Oracle;
use super::merged_tars;

/// What is at a path: `refused`, `missing`, or its type and attributes.
fn shown(tree: Result<Tree, String>, path: &str) -> String {
    let Ok(tree) = tree else { return "refused".into() };
    let Some(node) = tree.get(path) else { return "missing".into() };
    let Node { kind, mode, uid, gid, mtime, xattrs, .. } = node;
    let mut line = format!("{kind:?} {mode:o} {uid}:{gid}");
    // A time of today is nobody's.
    if mtime.0 < 1_600_000_000 {
        line += &format!(" @{}", mtime.0);
    }
    for key in xattrs.keys() {
        line += &format!(" {}", key.escape_ascii());
    }
    line
}

/// Name, tars, path, and what containerd, moby and we show there.
type Row = (&'static str, Vec<TarBuilder>, &'static str, [&'static str; 3]);

fn tar() -> TarBuilder {
    TarBuilder::new()
}

fn rows() -> Vec<Row> {
    let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let lower = || tar().dir("d", 0o755).file("d/x", b"x").file("f", b"f");
    vec![
        (
            "a contiguous file",
            vec![tar().file("f", b"f").flag(b'7')],
            "f",
            ["refused", "refused", "File 644 0:0 @0"],
        ),
        (
            "a sparse file of old GNU tar",
            vec![tar().sparse(SparseForm::OldGnu, "f", 1024, &[(512, b"f")])],
            "f",
            ["refused", "refused", "File 644 0:0 @0"],
        ),
        (
            "a value of a global header",
            vec![tar().global(&[(b"uid", b"7")]).file("f", b"f")],
            "f",
            ["File 644 0:0 @0", "File 644 0:0 @0", "File 644 7:0 @0"],
        ),
        (
            "a global header's name has a directory",
            vec![tar().entry(b'g', "t/GlobalHead.1", 0o644).body(b"12 uid=0007\n").file("f", b"f")],
            "t",
            ["Dir 755 0:0", "Dir 755 0:0", "missing"],
        ),
        (
            "a global header has a file's name",
            vec![tar().file("pax_global_header", b"f"), tar().global(&[(b"comment", b"c")])],
            "pax_global_header",
            ["missing", "missing", "File 644 0:0 @0"],
        ),
        (
            "xattrs of libarchive",
            vec![tar().file("f", b"f").xattr_libarchive("user.a", b"a")],
            "f",
            ["File 644 0:0 @0", "File 644 0:0 @0", "File 644 0:0 @0 user.a"],
        ),
        (
            "trusted xattrs",
            vec![tar().file("f", b"f").xattr("trusted.a", b"a")],
            "f",
            ["File 644 0:0 @0", "File 644 0:0 @0 trusted.a", "File 644 0:0 @0 trusted.a"],
        ),
        (
            "xattrs of a foreign namespace",
            vec![tar().file("f", b"f").xattr("com.apple.a", b"a")],
            "f",
            ["File 644 0:0 @0", "refused", "File 644 0:0 @0"],
        ),
        (
            "xattrs of a symbolic link",
            vec![tar().file("f", b"f").symlink("s", "f").xattr("security.a", b"a")],
            "f",
            ["File 644 0:0 @0", "File 644 0:0 @0 security.a", "File 644 0:0 @0"],
        ),
        (
            "xattrs of a directory that is listed again",
            vec![
                tar().dir("d", 0o755).xattr("user.a", b"a"),
                tar().dir("d", 0o755).xattr("user.b", b"b"),
            ],
            "d",
            [
                "Dir 755 0:0 @0 user.a user.b",
                "Dir 755 0:0 @0 user.a user.b",
                "Dir 755 0:0 @0 user.b",
            ],
        ),
        (
            "a time before 1970",
            vec![tar().file("f", b"f").mtime(-1, 0)],
            "f",
            ["File 644 0:0 @0", "File 644 0:0 @0", "File 644 0:0 @-1"],
        ),
        (
            "the root is listed",
            vec![tar().dir("./", 0o700).uid(7)],
            "",
            ["Dir 755 0:0", "Dir 755 0:0", "Dir 700 7:0 @0"],
        ),
        (
            "a hard link with a mode and an owner of its own",
            vec![
                tar().file("f", b"f").mtime(5, 0).hardlink("l", "f").mode(0o600).uid(7).mtime(9, 0),
            ],
            "f",
            ["File 600 7:0 @9", "File 600 7:0 @9", "File 644 0:0 @5"],
        ),
        (
            "a hard link to a file with a capability",
            vec![
                tar()
                    .file("f", b"f")
                    .xattr("security.capability", capability)
                    .hardlink("l", "f")
                    .mode(0o644),
            ],
            "f",
            ["File 644 0:0 @0", "File 644 0:0 @0", "File 644 0:0 @0 security.capability"],
        ),
        (
            "an implied directory below one with the set-group bit",
            vec![tar().dir("d", 0o2755).gid(7).file("d/e/f", b"f")],
            "d/e",
            ["Dir 755 0:7", "Dir 755 0:7", "Dir 755 0:0 @0"],
        ),
        (
            "owner -1 on a directory that is there",
            vec![tar().dir("d", 0o755).uid(7), tar().dir("d", 0o755).uid(0xffff_ffff)],
            "d",
            ["Dir 755 7:0 @0", "Dir 755 7:0 @0", "Dir 755 0:0 @0"],
        ),
        (
            "a directory, then a file of its name",
            vec![tar().dir("d", 0o755).mtime(5, 0).file("d", b"d").mtime(9, 0)],
            "d",
            ["File 644 0:0 @5", "File 644 0:0 @5", "File 644 0:0 @9"],
        ),
        (
            "a device 0:0",
            vec![lower(), tar().chr("f", 0, 0)],
            "f",
            ["Char 644 0:0 @0", "Char 644 0:0 @0", "missing"],
        ),
        (
            "a file, then its whiteout",
            vec![lower(), tar().file("f", b"2").whiteout("f")],
            "f",
            ["missing", "missing", "File 644 0:0 @0"],
        ),
        (
            "a directory, then its whiteout",
            vec![lower(), tar().dir("d", 0o755).whiteout("d")],
            "d",
            ["refused", "refused", "Dir 755 0:0 @0"],
        ),
        (
            "an opaque marker behind what an unlisted directory holds",
            vec![lower(), tar().file("d/e/f", b"f").opaque("d")],
            "d/e/f",
            ["missing", "missing", "File 644 0:0 @0"],
        ),
        (
            "a whiteout, then a marker in the directory",
            vec![lower(), tar().whiteout("d").whiteout("d/x")],
            "d",
            ["Dir 755 0:0", "Dir 755 0:0", "missing"],
        ),
        (
            "a whiteout below a file",
            vec![lower(), tar().file("d", b"d").whiteout("d/x")],
            "d",
            ["refused", "refused", "File 644 0:0 @0"],
        ),
        (
            "an opaque marker below a file",
            vec![lower(), tar().file("d", b"d").opaque("d")],
            "d",
            ["refused", "File 644 0:0 @0", "File 644 0:0 @0"],
        ),
        (
            "a file below a lower layer's file",
            vec![lower(), tar().file("f/g", b"g")],
            "f/g",
            ["refused", "refused", "File 644 0:0 @0"],
        ),
        (
            "a hard link whose target was whited out before it",
            vec![lower(), tar().whiteout("f").hardlink("l", "f")],
            "l",
            ["refused", "refused", "File 644 0:0 @0"],
        ),
        (
            "a hard link to a hidden file of aufs",
            vec![
                tar().file(".wh..wh.plnk/1.2", b"f").mode(0o600).hardlink("l", ".wh..wh.plnk/1.2"),
            ],
            "l",
            ["File 644 0:0 @0", "File 600 0:0 @0", "File 600 0:0 @0"],
        ),
        (
            "a hidden file of aufs",
            vec![tar().file(".wh..wh.plnk/1.2", b"f")],
            ".wh..wh.plnk/1.2",
            ["File 644 0:0 @0", "missing", "missing"],
        ),
        (
            "other metadata of aufs",
            vec![
                tar()
                    .file(".wh..wh.aufs", b"")
                    .dir(".wh..wh.orph", 0o755)
                    .file(".wh..wh.orph/f", b"f"),
            ],
            ".wh..wh.orph/f",
            ["File 644 0:0 @0", "missing", "missing"],
        ),
        (
            "an entry in a directory with a marker's name",
            vec![tar().file(".wh.d/f", b"f")],
            ".wh.d/f",
            ["File 644 0:0 @0", "File 644 0:0 @0", "refused"],
        ),
        (
            "a path with ..",
            vec![tar().file("d/../f", b"f")],
            "f",
            ["File 644 0:0 @0", "File 644 0:0 @0", "refused"],
        ),
        (
            "a link that leads out of the root",
            vec![tar().symlink("l", "../../d").file("l/f", b"f")],
            "d/f",
            ["File 644 0:0 @0", "refused", "File 644 0:0 @0"],
        ),
        (
            "a file at the root",
            vec![tar().fifo("./")],
            "",
            ["Dir 755 0:0", "Dir 755 0:0", "refused"],
        ),
    ]
}

#[test]
fn where_they_differ() {
    let [Some(mut containerd), Some(mut moby)] = ["containerd", "moby"].map(Oracle::new) else {
        return;
    };
    let scratch = mount::tmpfs().unwrap();
    let mut wrong = Vec::new();
    for (name, tars, path, expected) in rows() {
        let tars: Vec<Vec<u8>> = tars.into_iter().map(TarBuilder::finish).collect();
        let tars: Vec<&[u8]> = tars.iter().map(Vec::as_slice).collect();
        let found = [
            shown(containerd.extracted_tars(&tars, scratch.path()), path),
            shown(moby.extracted_tars(&tars, scratch.path()), path),
            shown(merged_tars(&tars, true), path),
        ];
        if found != expected {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
