//! The rooms of the C crate, one above the other: which may import which. See ARCHITECTURE.md.

use std::collections::BTreeSet;

use crate::source::{roots, tokens, without_tests};
use crate::{File, file, files, none};

const CRATE: &str = "erofs-tarfs-ffi/src/";

/// The rooms, the lowest first. A room imports itself and those before it.
const FLOORS: &[&str] = &["abi", "streams", "verity", "trees", "images", "outputs", "exports"];

/// What a `mod.rs` of a room, or the crate's root, may hold: attributes and declarations of modules.
fn only_declares(tokens: &[&str]) -> bool {
    let mut rest = tokens;
    loop {
        rest = match rest {
            [] => return true,
            ["#", "!", "[", ..] => {
                let Some(end) = rest.iter().position(|&token| token == "]") else { return false };
                &rest[end + 1..]
            }
            ["extern", "crate", _, ";", rest @ ..]
            | ["mod", _, ";", rest @ ..]
            | ["pub", "mod", _, ";", rest @ ..]
            | ["pub", "(", "crate", ")", "mod", _, ";", rest @ ..] => rest,
            _ => return false,
        };
    }
}

/// What breaks the rules in `files`, those of the C crate.
fn broken(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files {
        let path = &file.path;
        let below = path.trim_start_matches(CRATE);
        let (tokens, _) = without_tests(&tokens(&file.text));
        let module: Vec<&str> = below.trim_end_matches(".rs").split('/').collect();
        if (below == "lib.rs" || module.ends_with(&["mod"])) && !only_declares(&tokens) {
            broken.push(format!("{path}: does more than declare modules"));
        }
        if below == "lib.rs" {
            continue;
        }
        let [room, .., _] = module[..] else {
            broken.push(format!("{path}: stands in no room"));
            continue;
        };
        let Some(floor) = FLOORS.iter().position(|&name| name == room) else {
            broken.push(format!("{path}: `{room}` is not in the table of floors"));
            continue;
        };
        let imported: BTreeSet<&str> = roots(&tokens, &module).into_iter().collect();
        for other in imported {
            if !FLOORS[..=floor].contains(&other) {
                broken.push(format!("{path}: imports `{other}`, which is not below `{room}`"));
            }
        }
    }
    broken
}

#[test]
fn a_room_imports_those_below_it() {
    let mut files = files(CRATE);
    files.retain(|file| file.path.ends_with(".rs"));
    // Each room is there: a table of names that nobody has would hold nothing.
    for room in FLOORS {
        let path = format!("{CRATE}{room}/mod.rs");
        assert!(files.iter().any(|file| file.path == path), "{path}: there is none");
    }
    none(broken(&files));
}

// The rule can fail.

/// What is wrong with a file of the C crate.
fn wrong(path: &str, text: &str) -> Vec<String> {
    broken(&[file(&format!("{CRATE}{path}"), text)])
}

#[test]
fn what_stands_above_is_seen() {
    for (path, text, above) in [
        ("abi/pointer.rs", "use crate::trees::tree::Tree;", "trees"),
        ("abi/error.rs", "use crate::{abi::status::Status, streams::sink::Sink};", "streams"),
        ("streams/sink.rs", "use super::super::verity::sealed::Sealed;", "verity"),
        ("verity/seal.rs", "fn f(layout: &crate::images::layout::Layout) {}", "images"),
        ("trees/layer.rs", "use crate::outputs::gpt::Gpt;", "outputs"),
        ("images/disk.rs", "use super::super::{outputs::ranges::Ranges};", "outputs"),
        ("images/disk.rs", "use crate::tree::Tree;", "tree"),
    ] {
        let found = wrong(path, text);
        assert!(found.len() == 1 && found[0].contains(&format!("`{above}`")), "{path}: {found:?}");
    }
}

#[test]
fn what_stands_outside_is_seen() {
    assert_eq!(wrong("gpt.rs", "").len(), 1);
    assert_eq!(wrong("misc/gpt.rs", "").len(), 1);
    for more in ["pub fn f() {}", "pub mod gpt { }", "pub use gpt::Gpt;", "const A: u8 = 1;"] {
        assert_eq!(wrong("outputs/mod.rs", more).len(), 1, "{more}");
        assert_eq!(wrong("lib.rs", more).len(), 1, "{more}");
    }
}

#[test]
fn what_is_allowed_passes() {
    for (path, text) in [
        ("lib.rs", "#![allow(clippy::x, reason = \"y\")] extern crate alloc; pub mod abi;"),
        ("outputs/mod.rs", "//! Disks.\n\npub(crate) mod a;\npub mod gpt;\nmod ranges;"),
        ("outputs/gpt.rs", "use crate::abi::error::Error; use super::ranges::Ranges;"),
        ("trees/layer.rs", "use crate::verity::leaves::Leaves; use erofs_tarfs::tree::Tree;"),
        ("abi/panic.rs", "#[cfg(test)] mod tests { use crate::trees::tree::Tree; }"),
    ] {
        assert_eq!(wrong(path, text), [""; 0], "{path}");
    }
}
