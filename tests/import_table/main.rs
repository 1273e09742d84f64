//! Rules about the source itself that no compiler holds: which stage may import which, and which room
//! of the tool; that no files import each other, in any crate; where unsafe code may stand, how long a
//! file may be, and that nothing depends on where packages come from.

mod c_rooms;
mod crates;
mod source;

// Rules in files of their own.
mod circles;
mod lengths;
mod modules;
mod paths;
mod rooms;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use source::{roots, tokens, without_tests};

/// Each stage, and the stages it may import. See ARCHITECTURE.md.
const STAGES: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("limits", &[]),
    ("format", &["units"]),
    ("tar", &["limits", "units"]),
    ("tree", &["tar", "limits", "units"]),
    ("layout", &["tree", "format", "limits", "units"]),
    ("image", &["layout", "tree", "format", "units"]),
    ("verity", &["units"]),
    ("read", &["format", "tree", "limits", "units"]),
    ("ingest", &["tree", "verity"]),
    ("disk", &["image", "layout", "verity"]),
    ("outputs", &["image", "layout", "verity"]),
    ("export", &["disk", "image", "layout", "outputs", "tree", "verity"]),
];

/// Modules that may import every other, and that no stage may import: the pumps, and the union of
/// the stages' errors.
const ABOVE_STAGES: &[&str] = &["io", "error"];

/// Where `unsafe` may stand, by the start of the path.
const UNSAFE: &[&str] = &[
    "erofs-tarfs-ffi/src/",                          // pointers of C
    "erofs-tarfs/src/io/clone.rs",                   // FICLONERANGE
    "erofs-tarfs/src/io/compressed/deflate_isal.rs", // calls of ISA-L
    "erofs-tarfs/src/io/map.rs",                     // mmap
    "erofs-tarfs/src/tar/prefetch.rs",               // a hint to the cache
    "erofs-tarfs/src/verity/lanes.",                 // SIMD
    "erofs-tarfs/src/verity/lanes/",
    "examples/tarfs/mount/loop_device.rs", // LOOP_CONFIGURE
    "fuzz/fuzz_targets/c_calls/",          // calls as C makes them
];

/// Package registries, cut in two so that this file does not name them either.
const REGISTRIES: &[(&str, &str)] = &[
    ("crates", ".io"),
    ("deb.debian", ".org"),
    ("proxy.golang", ".org"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("registry.npmjs", ".org"),
    ("repo.maven.apache", ".org"),
    ("static.rust-lang", ".org"),
];

/// Lock files, which their tools write.
const LOCK_FILES: &[&str] = &["Cargo.lock", "go.sum"];

struct File {
    path: String,
    text: String,
}

/// Every text file of the repository whose path starts with `below`, by path.
fn files(below: &str) -> Vec<File> {
    fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && entry.file_name() != ".git" && entry.file_name() != "target" {
                walk(root, &path, files);
            } else if kind.is_file() {
                // What is not UTF-8 is no source.
                if let Ok(text) = fs::read_to_string(&path) {
                    let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    files.push(File { path, text });
                }
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(root, &root.join(below), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!files.is_empty(), "no files below {below}");
    files
}

fn rust_sources() -> Vec<File> {
    let mut sources = files("erofs-tarfs/src");
    sources.extend(files("erofs-tarfs-ffi/src"));
    sources.retain(|file| file.path.ends_with(".rs"));
    sources
}

#[track_caller]
fn none(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n  {}\n", broken.join("\n  "));
}

/// The module that a file of the core is: `tar/entry.rs` is `["tar", "entry"]`, `lib.rs` is `[]`.
fn module(path: &str) -> Vec<&str> {
    let path = path.trim_start_matches("erofs-tarfs/src/").trim_end_matches(".rs");
    let mut module: Vec<&str> = path.split('/').collect();
    module.pop_if(|last| ["mod", "lib"].contains(last));
    module
}

/// The imports of the core's `files` that the table does not allow.
fn forbidden_imports(files: &[File]) -> Vec<String> {
    let mut parsed = Vec::new();
    let mut test_modules = Vec::new();
    for file in files {
        let module = module(&file.path);
        let (tokens, names) = without_tests(&tokens(&file.text));
        test_modules.extend(names.into_iter().map(|name| [&module[..], &[name]].concat()));
        parsed.push((file, module, tokens));
    }
    let mut broken = Vec::new();
    for (file, module, tokens) in &parsed {
        // The root declares and re-exports everything.
        let Some(&stage) = module.first() else { continue };
        if ABOVE_STAGES.contains(&stage) || test_modules.iter().any(|test| module.starts_with(test))
        {
            continue;
        }
        let Some((_, allowed)) = STAGES.iter().find(|(name, _)| *name == stage) else {
            broken.push(format!("{}: `{stage}` is not in the table of stages", file.path));
            continue;
        };
        let imported: BTreeSet<&str> = roots(tokens, module).into_iter().collect();
        for other in imported {
            if other != stage && !allowed.contains(&other) {
                let may = if allowed.is_empty() { "nothing".into() } else { allowed.join(", ") };
                broken
                    .push(format!("{}: imports `{other}`; `{stage}` may import {may}", file.path));
            }
        }
    }
    broken
}

fn forbidden_unsafe(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| !UNSAFE.iter().any(|allowed| file.path.starts_with(allowed)))
        .filter(|file| tokens(&file.text).contains(&"unsafe"))
        .map(|file| format!("{}: unsafe code outside of the files that may have it", file.path))
        .collect()
}

fn named_registries(files: &[File]) -> Vec<String> {
    let hosts: Vec<String> = REGISTRIES.iter().map(|(name, tld)| [*name, *tld].concat()).collect();
    let mut broken = Vec::new();
    for file in files {
        if LOCK_FILES.iter().any(|lock| file.path.ends_with(lock)) {
            continue;
        }
        let named = hosts.iter().filter(|host| file.text.contains(host.as_str()));
        broken.extend(named.map(|host| format!("{}: names {host}", file.path)));
    }
    broken
}

#[test]
fn stages_import_what_the_table_allows() {
    none(forbidden_imports(&files("erofs-tarfs/src")));
}

#[test]
fn unsafe_code_has_an_address() {
    none(forbidden_unsafe(&rust_sources()));
}

/// Lines that a merge leaves where it could not decide.
fn conflicts(files: &[File]) -> Vec<String> {
    let marks = ["<<<<<<< ", ">>>>>>> "];
    let left = |line: &&str| marks.iter().any(|mark| line.starts_with(mark));
    let found = files.iter().filter(|file| file.text.lines().any(|line| left(&line)));
    found.map(|file| format!("{}: a merge is half done", file.path)).collect()
}

#[test]
fn every_merge_is_done() {
    none(conflicts(&files("")));
    let mark = ["<<<", "<<<< HEAD\nours\n"].concat();
    assert_eq!(conflicts(&[file("CHANGELOG.md", &mark)]).len(), 1);
}

#[test]
fn no_registry_is_named() {
    none(named_registries(&files("")));
}

// The rules can fail.

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

/// What a file of the core may not import.
fn refused(path: &str, text: &str) -> Vec<String> {
    let broken = forbidden_imports(&[file(path, text)]);
    let name = |line: &String| line.split('`').nth(1).unwrap_or_default().to_owned();
    broken.iter().map(name).collect()
}

#[test]
fn every_way_to_import_is_seen() {
    let tar = "erofs-tarfs/src/tar/entry.rs";
    for bad in [
        "use crate::tree::Node;",
        "use crate::{units::BlockSize, tree::{self, Node}};",
        "use crate::r#tree::Node; fn f(r#super: u8) {}",
        "use {core::fmt, crate::tree};",
        "use super::super::tree::Node;",
        "use super::{super::tree::Node, other};",
        "pub use super::super::{tree as t};",
        "fn f(n: &crate::tree::Node) {}",
        "fn f() { super::super::tree::f() }",
        "mod inner { use super::super::super::tree::Node; }",
        "#[cfg(test)] mod tests { use crate::io::x; } use crate::tree::Node;",
        "#[cfg(test)] use crate::{io::x}; use crate::tree::Node;",
        "#[cfg(not(test))] use crate::tree::Node;",
        "const S: &str = \"\\\"\"; const C: char = '\"'; use crate::tree::Node;",
        "const S: &str = r#\"\"\"#; fn f<'a>(a: &'a str) { crate::tree::f(a, '\\'') }",
    ] {
        assert_eq!(refused(tar, bad), ["tree"], "{bad}");
    }
    assert_eq!(refused(tar, "use crate::*;"), ["*"]);
    assert_eq!(refused("erofs-tarfs/src/units.rs", "use crate::{tar, io};"), ["io", "tar"]);
    assert_eq!(refused("erofs-tarfs/src/format/mod.rs", "use super::layout;"), ["layout"]);
    assert_eq!(refused("erofs-tarfs/src/extra.rs", ""), ["extra"]);
}

#[test]
fn what_is_allowed_passes() {
    let tar = "erofs-tarfs/src/tar/entry.rs";
    for good in [
        "use crate::units::{BlockSize, Timestamp}; use crate::tar::parser; use super::parser;",
        "// use crate::tree::Node;\n/* use crate::tree; /* crate::io::x */ */",
        "/// See [`crate::tree::Node`].\nstruct A;",
        "const S: &str = \"crate::tree::Node\"; const R: &str = r#\"crate::tree::\"#;",
        "#[cfg(test)] #[allow(x)] mod tests { use crate::tree::Node; fn f() {} }",
        "#[cfg(all(test, feature = \"std\"))] use crate::{io::x, tree};",
        "#[cfg(test)] const X: [u8; 2] = { crate::tree::X };",
        "#![cfg(test)] use crate::tree::Node;",
        "mod inner { use super::super::parser::f; use super::tree; }",
        "pub(crate) fn f() {} pub(in crate::tar) fn g() {}",
    ] {
        assert_eq!(refused(tar, good), [""; 0], "{good}");
    }
    assert_eq!(refused("erofs-tarfs/src/lib.rs", "pub use crate::tree::Node;"), [""; 0]);
    assert_eq!(refused("erofs-tarfs/src/io/pump.rs", "use crate::tree::Node;"), [""; 0]);
    let own_file = [
        file("erofs-tarfs/src/tar/mod.rs", "#[cfg(test)]\nmod tests;"),
        file("erofs-tarfs/src/tar/tests.rs", "use crate::tree::Node;"),
    ];
    assert_eq!(forbidden_imports(&own_file), [""; 0]);
}

#[test]
fn unsafe_code_is_seen() {
    let bad = "fn f() { unsafe { g() } }";
    let good = "// unsafe\n#![forbid(unsafe_code)] const S: &str = \"unsafe\";";
    assert_eq!(forbidden_unsafe(&[file("erofs-tarfs/src/tar/mod.rs", bad)]).len(), 1);
    assert_eq!(forbidden_unsafe(&[file("erofs-tarfs/src/tar/mod.rs", good)]).len(), 0);
    assert_eq!(forbidden_unsafe(&[file("erofs-tarfs/src/verity/lanes/avx2.rs", bad)]).len(), 0);
}

#[test]
fn registries_are_seen() {
    let named = format!("see https://{}{}/x", REGISTRIES[0].0, REGISTRIES[0].1);
    assert_eq!(named_registries(&[file("README.md", &named)]).len(), 1);
    assert_eq!(named_registries(&[file("Cargo.lock", &named)]).len(), 0);
}
