//! No circle of files: what a file imports can be read and understood without it.
//!
//! A file imports another if it names something that is written there, by `use` or by a path. That a
//! `mod.rs` declares a file, or passes on a name of one below it, is no import: but that it uses such a
//! name itself is one.

use std::collections::{BTreeMap, BTreeSet};

use super::crates::{all_crates, all_sources, parts_of_folder};
use super::modules::{Crate, Part, Source, Written};
use super::{File, none};

/// Files, and those that each imports.
type Imports<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// What each file of a crate imports of it.
pub fn imports(parts: Vec<Part<'_>>) -> Imports<'_> {
    let whole = Crate::new(parts);
    let mut imports = Imports::new();
    for source in &whole.sources {
        let found = source.written.iter().flat_map(|written| imported(&whole, source, written));
        let found = found.map(|file| whole.sources[file].path);
        imports.insert(source.path, found.filter(|path| *path != source.path).collect());
    }
    imports
}

/// The files that are imported by a path in a source: one, or none, or by a glob several.
fn imported(whole: &Crate<'_>, source: &Source<'_>, written: &Written<'_>) -> Vec<usize> {
    let Some((file, is_module)) = whole.file(written) else { return Vec::new() };
    let target = &whole.sources[file].module;
    match written.gives {
        // A module alone says where something is public: `pub(in super::super)`.
        None if is_module => Vec::new(),
        None => vec![file],
        // Of all names those that the source has words for.
        Some("*") => {
            let words = source.words.iter().map(|(word, _)| *word);
            words
                .filter(|word| whole.has(target, word))
                .filter_map(|word| whole.named(target, word))
                .collect()
        }
        // Paths that begin with this name say which file below the module is meant.
        Some(_) if is_module && whole.has_below(target) => Vec::new(),
        Some(name) => {
            let is_below = target.len() > source.module.len() && target.starts_with(&source.module);
            let passes_on = written.is_public && is_below;
            if passes_on && !source.uses(name) { Vec::new() } else { vec![file] }
        }
    }
}

/// All that a file imports, and what that imports, and so on.
fn reached<'a>(imports: &Imports<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut todo = vec![from];
    while let Some(file) = todo.pop() {
        for next in imports.get(file).into_iter().flatten() {
            if reached.insert(*next) {
                todo.push(next);
            }
        }
    }
    reached
}

/// The circles among files: each has all files that import each other by some way.
fn circles<'a>(imports: &Imports<'a>) -> Vec<Vec<&'a str>> {
    let all: BTreeMap<_, _> = imports.keys().map(|file| (*file, reached(imports, file))).collect();
    let mut circles = BTreeSet::new();
    for (file, of_file) in &all {
        if of_file.contains(file) {
            let back = of_file.iter().filter(|other| all[*other].contains(file));
            circles.insert(back.copied().collect::<Vec<_>>());
        }
    }
    circles.into_iter().collect()
}

/// A circle in words: of each file what it imports of the others.
fn said(imports: &Imports<'_>, circle: &[&str]) -> String {
    let others = |file: &str| -> Vec<&str> {
        imports[file].iter().copied().filter(|other| circle.contains(other)).collect()
    };
    let lines = circle.iter().map(|file| format!("    {file} imports {}", others(file).join(", ")));
    format!("a circle of files:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn no_files_import_each_other() {
    let sources = all_sources();
    // Crates share files: what two have in a circle is said once.
    let mut broken = BTreeSet::new();
    for parts in all_crates(&sources) {
        let imports = imports(parts);
        broken.extend(circles(&imports).iter().map(|circle| said(&imports, circle)));
    }
    none(broken.into_iter().collect());
}

// The rule can fail.

/// What `file` imports, of files in a crate with the root file `lib.rs`.
fn of_file(file: &str, all: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<File> = all
        .iter()
        .map(|(path, text)| File { path: format!("src/{path}"), text: (*text).to_owned() })
        .collect();
    let imports = imports(parts_of_folder("src", &files));
    let imported = &imports[&*format!("src/{file}")];
    imported.iter().map(|path| path["src/".len()..].to_owned()).collect()
}

/// A crate with `a.rs`, and `b/mod.rs` over `b/c.rs` and `b/d.rs`.
fn of_a(text: &str) -> Vec<String> {
    of_file(
        "a.rs",
        &[
            ("lib.rs", "pub mod a; mod b; pub use b::D; pub use crate::b::c::C as Other;"),
            ("a.rs", text),
            (
                "b/mod.rs",
                "pub mod c; mod d; pub use self::c::C; pub use d::{D, d as e}; pub fn f() {}",
            ),
            ("b/c.rs", "pub struct C; pub fn c() {} pub mod inner { pub fn g() {} }"),
            ("b/d.rs", "pub enum D { E } pub fn d() {} #[cfg(test)] use crate::a;"),
        ],
    )
}

#[test]
fn every_import_is_seen() {
    for (text, imported) in [
        ("use crate::b::c::C;", "b/c.rs"),
        ("use crate::b::C;", "b/c.rs"),
        ("use super::b::{C};", "b/c.rs"),
        ("use crate::b::{self, c};", "b/c.rs"),
        ("use crate::{b::{c::{C as X}}};", "b/c.rs"),
        ("use crate::Other;", "b/c.rs"),
        ("use crate::b; fn g() { b::C }", "b/c.rs"),
        ("use crate::b as x; fn g() -> x::D { x::D::E }", "b/d.rs"),
        ("use crate::b::*; fn g(c: C) {}", "b/c.rs"),
        ("use crate::b::*; fn g() { C::new() }", "b/c.rs"),
        ("use crate::b::c::inner; fn h() { inner::g() }", "b/c.rs"),
        ("use crate::b::c::inner::g;", "b/c.rs"),
        ("fn g(d: crate::D) {}", "b/d.rs"),
        ("fn g() { super::b::e() }", "b/d.rs"),
        ("mod inner { use super::super::b::D; }", "b/d.rs"),
        ("fn g() { use crate::b::f; f() }", "b/mod.rs"),
        ("fn g() { crate::b::f() }", "b/mod.rs"),
        ("use crate::b; fn g() { b::f() }", "b/mod.rs"),
        ("impl crate::b::C {}", "b/c.rs"),
        ("pub use crate::b::C;", "b/c.rs"),
    ] {
        assert_eq!(of_a(text), [imported], "{text}");
    }
}

#[test]
fn what_is_no_import_is_none() {
    for text in [
        "use std::fmt; use b::c; use core::{fmt, mem}; fn g(f: fmt::Result) {}",
        "// use crate::b::C;\nconst S: &str = \"crate::b::C\";",
        "#[cfg(test)] mod tests { use crate::b::C; }",
        "use crate::a::X; use self::X as Y; struct X; fn f() { X::new() }",
        "fn g(b: u8, c: u8) -> impl Sized + use<> { b.c() }",
        "pub(in crate::b) fn g() {}",
    ] {
        assert_eq!(of_a(text), [""; 0], "{text}");
    }
}

/// What `b/mod.rs` and `b/c.rs` import of each other.
fn of_parent_and_child(parent: &str, child: &str) -> [bool; 2] {
    let all = [("lib.rs", "mod b;"), ("b/mod.rs", parent), ("b/c.rs", child)];
    [of_file("b/mod.rs", &all) == ["b/c.rs"], of_file("b/c.rs", &all) == ["b/mod.rs"]]
}

#[test]
fn parents_and_children() {
    for (parent, child, imports) in [
        (
            "mod c; pub use c::C; pub(crate) use self::c::{C as D, f};",
            "pub struct C;",
            [false, false],
        ),
        ("mod c; pub use c::C; fn f(c: C) {}", "pub struct C;", [true, false]),
        ("mod c; pub use c::f; fn g() { f(1) }", "pub fn f() {}", [true, false]),
        ("mod c; use c::C;", "pub struct C;", [true, false]),
        ("mod c; fn f() { c::f() }", "pub fn f() {}", [true, false]),
        ("mod c; pub struct P;", "use super::P;", [false, true]),
        ("mod c; use std::fmt;", "use super::fmt;", [false, false]),
        ("mod c; pub struct P; fn f(c: c::C) {}", "use super::*; pub struct C(P);", [true, true]),
    ] {
        assert_eq!(of_parent_and_child(parent, child), imports, "{parent} | {child}");
    }
}

#[test]
fn circles_are_seen() {
    let of = |a: &str, b: &str, c: &str| {
        let text = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [
            text("src/lib.rs", "mod a; mod b; mod c;"),
            text("src/a.rs", a),
            text("src/b.rs", b),
            text("src/c.rs", c),
        ];
        let imports = imports(parts_of_folder("src", &files));
        circles(&imports).iter().map(|circle| circle.join(" ")).collect::<Vec<_>>()
    };
    let a = "use crate::a::A; pub struct B;";
    let b = "use crate::b::B; pub struct A;";
    let c = "use crate::c::C; pub struct B;";
    assert_eq!(of(b, a, ""), ["src/a.rs src/b.rs"]);
    assert_eq!(of(b, c, "use super::a::A;"), ["src/a.rs src/b.rs src/c.rs"]);
    assert_eq!(of(b, c, "use super::b::B;"), ["src/b.rs src/c.rs"]);
    assert_eq!(of(b, c, ""), [""; 0]);
    assert_eq!(of(&[b, c].concat(), c, ""), [""; 0]);
}
