//! `check --against` merges random stacks by code of its own, and finds what the library made of them.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::stacks::Stack;
use testkit::tarball::TarBuilder;

use crate::check::words;
use crate::run::{ok, run};

#[test]
fn against_is_merged_by_other_code() {
    for seed in 0..25 {
        let stack = Stack::random(seed);
        let dir = tempfile::tempdir().unwrap();
        let mut tars = Vec::new();
        for (index, layer) in stack.layers.iter().enumerate() {
            tars.push(dir.path().join(format!("{index}.tar")));
            // No byte at all is no tar for the tool.
            let tar = if layer.tar.is_empty() { &[0; 1024][..] } else { &layer.tar };
            fs::write(&tars[index], tar).unwrap();
        }
        let tars: Vec<&Path> = tars.iter().map(PathBuf::as_path).collect();
        let (out, fewer) = (dir.path().join("out"), dir.path().join("fewer"));
        let merge = |out: &Path, tars: &[&Path]| {
            ok(words(&["merge", "--disk", "-o"], &[&[out], tars].concat()));
        };
        let against =
            |tars: &[&Path]| run(words(&["check", "--against"], &[tars, &[&out]].concat()));
        merge(&out, &tars);
        let ran = against(&tars);
        assert_eq!(ran.code, 0, "seed {seed}: {}", ran.stderr);
        // Without the topmost layer it is another image, unless that one says nothing.
        let (_, rest) = tars.split_last().unwrap();
        merge(&fewer, rest);
        let same = fs::read(&fewer).unwrap() == fs::read(&out).unwrap();
        let ran = against(rest);
        assert_eq!(ran.code == 0, same, "seed {seed}: {}", ran.stderr);
    }
}

/// A difference says what there is, and what should be.
#[test]
fn differences_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let tar = |name: &str, tar: TarBuilder| {
        let path = dir.path().join(name);
        fs::write(&path, tar.finish()).unwrap();
        path
    };
    let common = |tar: TarBuilder| tar.file("same", "1");
    let is = common(TarBuilder::new())
        .file("mode", "")
        .mode(0o4755)
        .file("owner", "")
        .uid(7)
        .file("mtime", "")
        .mtime(86400, 5)
        .file("size", "12345")
        .file("bytes", [&[0; 100_000][..], b"a"].concat())
        .symlink("target", "to\nit")
        .chr("device", 1, 2)
        .dir("kind", 0o755)
        .file("xattrs", "")
        .xattr("user.a", "b")
        .hardlink("more", "xattrs");
    let meant = common(TarBuilder::new())
        .file("mode", "")
        .mode(0o755)
        .file("owner", "")
        .uid(8)
        .file("mtime", "")
        .mtime(86401, 0)
        .file("size", "123")
        .file("bytes", [&[0; 100_000][..], b"b"].concat())
        .symlink("target", "it")
        .chr("device", 1, 3)
        .fifo("kind")
        .file("xattrs", "")
        .file("less", "");
    let (is, meant, disk) = (tar("is", is), tar("meant", meant), dir.path().join("disk"));
    ok(words(&["layer", "--disk", "-o"], &[&disk, &is]));
    let ran = run(words(&["check", "--against"], &[&meant, &disk]));
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let prefix = format!("{}: ", disk.display());
    let mut said: Vec<&str> =
        ran.stdout.lines().filter_map(|line| line.strip_prefix(&prefix)).collect();
    said.sort_unstable();
    let want = [
        "/: has 3 links, not 2",
        "/bytes: has other bytes from 100000 on",
        "/device: is device 1,2, not 1,3",
        "/kind: is a directory, not a FIFO",
        "/less: is in the layers, but not in the image",
        "/mode: has mode 4755, not 0755",
        "/more: is in the image, but not in the layers",
        "/mtime: has mtime 1970-01-02 00:00:00.000000005, not 1970-01-02 00:00:01.000000000",
        "/owner: has owner 7:0, not 8:0",
        "/size: has 5 bytes, not 3",
        r"/target: leads to 'to'$'\n''it', not it",
        "/xattrs: has 2 links, not 1",
        "/xattrs: has other extended attributes",
    ];
    assert_eq!(said, want, "{}{}", ran.stdout, ran.stderr);
}
