//! `include/tarfs.h` and `symbols.txt` are checked in; here they are compared with the source.
//!
//! `TARFS_BLESS=1 cargo test -p erofs-tarfs-ffi --test header` rewrites both.
#![allow(clippy::std_instead_of_alloc, reason = "a test has std")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// The header that the source asks for.
fn generated() -> String {
    let bindings = cbindgen::generate(CRATE).expect("cbindgen reads the source");
    let mut header = Vec::new();
    bindings.write(&mut header);
    String::from_utf8(header).expect("a header in UTF-8")
}

/// Fails unless `file` holds `expected`; rewrites it if that is asked for.
fn compare(file: &Path, expected: &str) {
    if env::var_os("TARFS_BLESS").is_some() {
        fs::write(file, expected).unwrap();
        return;
    }
    let actual = fs::read_to_string(file).unwrap_or_default();
    let differs = actual
        .lines()
        .chain(["(end)"])
        .zip(expected.lines().chain(["(end)"]))
        .position(|(actual, expected)| actual != expected);
    let line = differs.map_or(0, |line| line + 1);
    assert!(
        actual == expected,
        "{} differs from the source at line {line}; if the change is meant, TARFS_BLESS=1 rewrites it",
        file.display()
    );
}

/// `header` without its comments.
fn code(header: &str) -> String {
    let mut code = String::new();
    let mut rest = header;
    while let Some((before, comment)) = rest.split_once("/*") {
        code += before;
        rest = comment.split_once("*/").expect("a comment that ends").1;
    }
    code + rest
}

/// The functions that `header` declares: names that a parenthesis follows.
fn functions(header: &str) -> BTreeSet<String> {
    let code = code(header);
    let calls = code.match_indices('(').map(|(at, _)| &code[..at]);
    calls
        .filter_map(|before| before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next())
        .filter(|name| name.starts_with("tarfs_"))
        .map(String::from)
        .collect()
}

#[test]
fn header_is_what_the_source_says() {
    compare(&PathBuf::from(CRATE).join("include/tarfs.h"), &generated());
}

/// `erofs-tarfs-ffi/check` compares the same list with what the shared library exports.
#[test]
fn symbols_are_what_the_header_declares() {
    let symbols: String = functions(&generated()).iter().map(|name| format!("{name}\n")).collect();
    compare(&PathBuf::from(CRATE).join("symbols.txt"), &symbols);
}

#[test]
fn declarations_are_found() {
    let header = "/* tarfs_no(1) */ int tarfs_a(void (*tarfs_callback)(void *ctx),\n x tarfs_b);\n";
    assert_eq!(functions(header).into_iter().collect::<Vec<_>>(), ["tarfs_a"]);
}
