//! What ARCHITECTURE.md says lies somewhere, lies there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Folders from which paths are said, each where its section says so.
const FROM: [&str; 11] = [
    "",
    "erofs-tarfs/src",
    "erofs-tarfs/src/verity",
    "erofs-tarfs-ffi",
    "erofs-tarfs-ffi/src",
    "erofs-tarfs-ffi/tests/c",
    "examples/tarfs",
    "examples/go/tarfs",
    "examples/go/cmd/tarfs-snapshotter",
    "examples/go/cmd/tarfs-snapshotter/internal",
    "tests",
];

/// The names of all files in a folder and below it.
fn names(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => self::names(&entry.path(), names),
            false => {
                names.insert(entry.file_name().into_string().unwrap());
            }
        }
    }
}

/// Words in backquotes that are paths of files or folders: with a slash in them, or the ending of a source file.
fn paths(text: &str) -> Vec<&str> {
    let mut paths = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with("    ")) {
        for word in line.split('`').skip(1).step_by(2) {
            let is_source =
                [".rs", ".go", ".h", ".c", ".md", ".toml"].iter().any(|end| word.ends_with(end));
            let is_name = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
            let is_folder = word.ends_with('/') && word.len() > 1;
            let is_placeholder = word.contains("NOUN");
            if (is_source || is_folder)
                && !is_placeholder
                && word.chars().all(is_name)
                && !word.starts_with(['.', '/'])
            {
                paths.push(word);
            }
        }
    }
    paths
}

#[test]
fn every_path_in_the_architecture_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = include_str!("../../ARCHITECTURE.md");
    let paths = paths(text);
    assert!(paths.len() > 200, "{}", paths.len());
    let mut all = BTreeSet::new();
    for folder in ["benches", "erofs-tarfs", "erofs-tarfs-ffi", "examples", "fuzz", "tests"] {
        names(&root.join(folder), &mut all);
    }
    // One without a folder lies beside another that was named before.
    let is_there = |path: &str| {
        FROM.iter().any(|from| root.join(from).join(path).exists())
            || !path.contains('/') && all.contains(path)
    };
    let gone: Vec<&str> = paths.into_iter().filter(|path| !is_there(path)).collect();
    assert!(gone.is_empty(), "ARCHITECTURE.md names what is not there: {gone:#?}");
}

#[test]
fn paths_are_told_from_other_words() {
    let text = "`a/b.rs`, `c.go` and `d/`; `fn x()`, `a/b`, `TAG.disk`, `/`, `.rs`, `oci:DIR/`\n    `code.rs`";
    assert_eq!(paths(text), ["a/b.rs", "c.go", "d/"]);
}
