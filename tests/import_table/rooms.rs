//! The rooms of the tool, and which of them a room may import.

use super::circles::imports;
use super::crates::parts_of_folder;
use super::{File, files, none};

/// The folder of the tool.
const TOOL: &str = "examples/tarfs";

/// The rooms, the lowest first, each with those that it may import. See ARCHITECTURE.md.
const ROOMS: &[(&str, &[&str])] = &[
    ("cli", &[]),
    ("files", &["cli"]),
    ("hash_tree", &["files", "cli"]),
    ("registry", &["files", "cli"]),
    ("layers", &["registry", "files", "cli"]),
    ("restore", &["layers", "files", "cli"]),
    ("show", &["restore", "layers", "files", "cli"]),
    ("mount", &["show", "layers", "hash_tree", "files", "cli"]),
    ("make", &["show", "layers", "hash_tree", "files", "cli"]),
    ("check", &["show", "layers", "hash_tree", "files", "cli"]),
    (
        "command",
        &[
            "check",
            "make",
            "mount",
            "restore",
            "show",
            "layers",
            "registry",
            "hash_tree",
            "files",
            "cli",
        ],
    ),
];

/// The room whose files are a command each: none imports another.
const COMMANDS: &str = "command";

/// The room that a file is in, and its name there, without `.rs` or what is below a folder. Nothing of
/// the root, which imports all.
fn room(path: &str) -> Option<(&str, &str)> {
    let (room, name) = path.strip_prefix(TOOL)?.trim_start_matches('/').split_once('/')?;
    Some((room, name.split(['/', '.']).next().unwrap_or_default()))
}

/// The imports of the tool's `files` that the table does not allow.
fn forbidden(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for (file, imported) in imports(parts_of_folder(TOOL, files)) {
        let Some((here, name)) = room(file) else { continue };
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == here) else {
            broken.push(format!("{file}: the room `{here}` is not in the table"));
            continue;
        };
        for other in imported {
            match room(other) {
                None => broken.push(format!("{file}: imports `{other}`, the root")),
                Some((there, of)) if there == here => {
                    if here == COMMANDS && of != name {
                        broken.push(format!("{file}: imports `{other}`, another command"));
                    }
                }
                Some((there, _)) if !allowed.contains(&there) => {
                    broken.push(format!("{file}: imports `{other}`, of a room that it may not"));
                }
                Some(_) => {}
            }
        }
    }
    broken
}

#[test]
fn rooms_import_what_the_table_allows() {
    let mut sources = files(TOOL);
    sources.retain(|file| file.path.ends_with(".rs"));
    none(forbidden(&sources));
}

#[test]
fn imports_never_climb() {
    let mut below: Vec<&str> = Vec::new();
    for (room, allowed) in ROOMS {
        assert!(
            allowed.iter().all(|other| below.contains(other)),
            "{room} may import a room that is not below it"
        );
        below.push(room);
    }
}

// The rule can fail.

#[test]
fn every_forbidden_import_is_seen() {
    for (file, text, what) in [
        ("cli/a.rs", "use crate::layers::spool::Spool;", "layers/spool.rs"),
        ("cli/a.rs", "fn f() { crate::command::cat::run() }", "command/cat.rs"),
        ("show/a.rs", "use crate::make; fn f() { make::image::plan() }", "make/image.rs"),
        ("show/a.rs", "use super::super::check::verdict::Verdict;", "check/verdict.rs"),
        ("command/ls.rs", "use crate::command::cat::run;", "command/cat.rs"),
        ("command/ls/lines.rs", "use crate::command::cat::run;", "command/cat.rs"),
        ("files/a.rs", "use crate::told;", "main.rs"),
        ("extra/a.rs", "", "`extra` is not in the table"),
    ] {
        let broken = forbidden(&tool(file, text));
        assert!(broken.len() == 1 && broken[0].contains(what), "{file}: {text}: {broken:?}");
    }
    for (file, text) in [
        ("make/a.rs", "use crate::{layers::spool::Spool, cli::fail};"),
        ("layers/a.rs", "use crate::layers::spool::Spool; use super::spool;"),
        ("command/ls.rs", "use crate::check::verdict::Verdict; use crate::make::image;"),
        ("command/cat/lines.rs", "use super::arguments::Cat;"),
        ("command/ls.rs", "#[cfg(test)] mod tests { use crate::command::cat::run; }"),
    ] {
        assert_eq!(forbidden(&tool(file, text)), [""; 0], "{file}: {text}");
    }
}

/// A tool with a file in most rooms, and this file.
fn tool(file: &str, text: &str) -> Vec<File> {
    let all = [
        ("main.rs", "fn told() {}"),
        ("cli/mod.rs", "mod fail;"),
        ("cli/fail.rs", ""),
        ("layers/mod.rs", "mod spool;"),
        ("layers/spool.rs", "pub struct Spool;"),
        ("make/mod.rs", "mod image;"),
        ("make/image.rs", "pub fn plan() {}"),
        ("check/mod.rs", "mod verdict;"),
        ("check/verdict.rs", "pub struct Verdict;"),
        ("command/mod.rs", "mod cat;"),
        ("command/cat.rs", "pub fn run() {}"),
        ("command/cat/arguments.rs", "pub struct Cat;"),
    ];
    let of =
        |(path, text): (&str, &str)| File { path: format!("{TOOL}/{path}"), text: text.to_owned() };
    all.into_iter().chain([(file, text)]).map(of).collect()
}
