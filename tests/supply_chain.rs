//! SUPPLY_CHAIN.md names what is shipped, no more and no less, in the versions that Cargo.lock has.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

type Crates = BTreeSet<(String, String)>;

/// Crates that the shipped ones are built of, on the machines that deny.toml names.
fn shipped(edges: &str) -> Crates {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tree", "--locked", "--offline"]);
    command.args(["--package", "erofs-tarfs", "--package", "erofs-tarfs-ffi", "--prefix", "none"]);
    for target in ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"] {
        command.args(["--target", target]);
    }
    let output = command.args(["--format", "{p}", "--edges", edges]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let crates = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        (!name.starts_with("erofs-tarfs")).then(|| (name.to_owned(), version.to_owned()))
    });
    crates.collect()
}

/// The crates of the tables of a section: the first two cells of rows whose second is a version.
fn noted(text: &str, section: &str) -> Crates {
    let (_, text) = text.split_once(&format!("\n## {section}\n")).unwrap();
    let text = text.split("\n## ").next().unwrap();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (name, version) = (cells.next()?, cells.next()?);
        version
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| (name.to_owned(), version.to_owned()))
    });
    rows.collect()
}

#[test]
fn every_dependency_of_what_is_shipped_was_looked_at() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("SUPPLY_CHAIN.md"));
    let text = text.unwrap();
    let linked = shipped("normal,no-proc-macro");
    assert!(linked.iter().any(|(name, _)| name == "rustix"), "{linked:?}");
    assert_eq!(noted(&text, "Linked into the library"), linked);
    let all = shipped("normal,build");
    let built = all.difference(&linked).cloned().collect();
    assert_eq!(noted(&text, "While the library is built"), built);
}

#[test]
fn a_table_is_read() {
    let text = "\n## One\n\n| crate | version |\n|---|---|\n| a-b | 1.2.3 | – |\n\n## Two\n| c | 4.0.0 |\n";
    let one = noted(text, "One");
    assert_eq!(one, BTreeSet::from([("a-b".to_owned(), "1.2.3".to_owned())]));
    assert_eq!(noted(text, "Two").len(), 1);
}
