//! Every command of our pages is run as it stands, or it is said why not.
//!
//! `./check pages` runs it. The rows of a page ([`table`]) are its story: one shell runs its blocks in their order, in
//! this checkout, in a mount namespace in which nothing of the machine changes ([`machine`]), over tars and images
//! that are made for it ([`given`]). A block that no row has fails the test, and so does a row that no block has.

mod given;
mod machine;
mod row;
mod script;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use row::{How, Page};
use testkit::page::{Block, blocks, blocks_of};

/// What a shell is to run. `console` is run by `tests/migrating.rs`, with what it prints.
const SHELLS: [&str; 4] = ["sh", "bash", "shell", "zsh"];

fn is_of_shell(block: &Block) -> bool {
    SHELLS.contains(&block.language.as_str())
}

/// What is wrong between a page's rows and its blocks.
fn unclaimed(page: &Page, blocks: &[Block]) -> Vec<String> {
    let mut wrong = Vec::new();
    for block in blocks.iter().filter(|block| is_of_shell(block)) {
        let rows = page.rows.iter().filter(|row| block.text.starts_with(row.start)).count();
        if rows != 1 {
            let Block { page, line, text, .. } = block;
            wrong.push(format!("{page}:{line} has {rows} rows in tests/pages/table.rs:\n{text}"));
        }
    }
    for row in page.rows {
        if blocks.iter().filter(|block| block.text.starts_with(row.start)).count() != 1 {
            wrong
                .push(format!("{}: no block, or more than one, starts {:?}", page.path, row.start));
        }
    }
    wrong
}

/// Each page of the repository that has commands for a shell.
fn pages_with_commands() -> BTreeSet<String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let (path, name) = (entry.path(), entry.file_name());
            if entry.file_type().unwrap().is_dir() && name != ".git" && name != "target" {
                walk(root, &path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let page = path.strip_prefix(root).unwrap().to_str().unwrap();
                if blocks_of(page).iter().any(is_of_shell) {
                    found.insert(page.to_owned());
                }
            }
        }
    }
    let (root, mut found) = (Path::new(env!("CARGO_MANIFEST_DIR")), BTreeSet::new());
    walk(root, root, &mut found);
    found
}

#[test]
fn every_block_has_its_row() {
    let known: BTreeSet<String> = table::PAGES.iter().map(|page| page.path.to_owned()).collect();
    assert_eq!(pages_with_commands(), known, "pages with commands, and those of the table");
    let wrong: Vec<String> =
        table::PAGES.iter().flat_map(|page| unclaimed(page, &blocks_of(page.path))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Who runs a block instead says so: it asks for that block by its first words.
#[test]
fn who_else_runs_a_block_names_it() {
    for page in table::PAGES {
        for row in page.rows {
            let How::By(file) = row.how else { continue };
            let text =
                fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
            assert!(
                text.contains(&format!("{:?}", row.start)),
                "{file} does not name {:?}",
                row.start
            );
        }
    }
}

/// A block that nobody thought of is found, and a row that has lost its block.
#[test]
fn a_new_block_needs_a_row() {
    let page = &table::PAGES[0];
    let mut blocks = blocks_of(page.path);
    assert_eq!(unclaimed(page, &blocks), [""; 0]);
    blocks.extend(self::blocks(page.path, "  ```sh\n  rm -rf /\n  ```\n"));
    assert!(unclaimed(page, &blocks)[0].contains("has 0 rows"));
    blocks.retain(|block| !block.text.starts_with(page.rows[0].start));
    assert!(unclaimed(page, &blocks)[1].contains("no block"));
}

#[test]
fn every_page_runs() {
    let Some(machine) = machine::Machine::find() else { return };
    let Some(given) = given::Given::new() else { return };
    let part = std::env::var("TARFS_PAGES").unwrap_or_default();
    let pages: Vec<&Page> =
        table::PAGES.iter().filter(|page| page.runs() && page.path.contains(&part)).collect();
    assert!(!pages.is_empty(), "no page is called {part:?}");
    for page in pages {
        let script = script::of(page, &blocks_of(page.path));
        machine.run(page.path, &script, &given);
    }
}

/// A command that fails is not passed over, wherever in a block it stands.
#[test]
fn a_page_can_fail() {
    let Some(machine) = machine::Machine::find() else { return };
    let Some(given) = given::Given::new() else { return };
    for (text, ends_well) in [
        ("true\n", true),
        ("false\ntrue\n", false),
        ("false | true\n", false),
        ("false && true\ntrue\n", false),
        ("true \\\n  && false\ntrue\n", false),
        ("echo $unset\n", false),
        ("x=$(false)\necho $x\n", false),
    ] {
        let text = format!("```sh\n{text}```\n");
        const ANY: &[row::Row] = &[row::run("", "", "")];
        let script = script::of(&Page { path: "made up", rows: ANY }, &blocks("made up", &text));
        let ended = machine.ends_well("made up", &script, &given);
        assert_eq!(ended.is_ok(), ends_well, "{text}{ended:?}");
    }
}
