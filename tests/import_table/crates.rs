//! Which crates the repository has, and which files are in each.
//!
//! Cargo says what the root files are, so that no crate is forgotten: libraries, programs, build scripts,
//! each test and each benchmark. From a root file on, `mod` declarations lead to the others.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::modules::{Module, Part};
use super::source::tokens;
use super::{File, files, none};

/// All Rust sources of the repository.
pub fn all_sources() -> Vec<File> {
    let mut sources = files("");
    sources.retain(|file| file.path.ends_with(".rs"));
    sources
}

/// The root files of all crates, those of workspaces within the repository too.
pub fn root_files() -> BTreeSet<String> {
    let mut manifests = files("");
    manifests.retain(|file| file.path.ends_with("Cargo.toml") && file.text.contains("[workspace]"));
    manifests.iter().flat_map(|manifest| targets(&manifest.path)).collect()
}

/// The root files of a workspace's targets.
fn targets(manifest: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version=1", "--manifest-path"]);
    let said = cargo.arg(root.join(manifest)).output().unwrap();
    assert!(said.status.success(), "{manifest}: {}", String::from_utf8_lossy(&said.stderr));
    let metadata: Value = serde_json::from_slice(&said.stdout).unwrap();
    let list = |of: &Value, key| of[key].as_array().unwrap().clone();
    let targets = list(&metadata, "packages").into_iter().flat_map(|one| list(&one, "targets"));
    targets
        .map(|target| {
            let path = Path::new(target["src_path"].as_str().unwrap());
            plain(path).strip_prefix(root).unwrap().to_str().unwrap().to_owned()
        })
        .collect()
}

/// Each crate of the repository: its files. A crate of which a module is in one of several files, for
/// one processor each, is there once with each of them.
pub fn all_crates(sources: &[File]) -> Vec<Vec<Part<'_>>> {
    let mut crates = Vec::new();
    for root in root_files() {
        let mut choice = 0;
        loop {
            let (parts, choices) = parts(&root, sources, choice);
            crates.push(parts);
            choice += 1;
            if choice >= choices {
                break;
            }
        }
    }
    crates
}

/// The files of the crate with this root file: those that are declared, from it on. Where the
/// attributes of a module name several files, `choice` says which; also how many they are at most.
fn parts<'a>(root: &str, sources: &'a [File], choice: usize) -> (Vec<Part<'a>>, usize) {
    let by_path: BTreeMap<&Path, &File> =
        sources.iter().map(|file| (Path::new(&*file.path), file)).collect();
    let (mut parts, mut choices) = (Vec::new(), 0);
    // Of each file its module, and the folder of those that it declares.
    let mut todo = vec![(PathBuf::from(root), Module::new(), folder(Path::new(root)))];
    while let Some((path, module, below)) = todo.pop() {
        let file = by_path.get(&*path).unwrap_or_else(|| panic!("{path:?} is declared, not there"));
        for Declared { names, paths } in declarations(&tokens(&file.text)) {
            choices = choices.max(paths.len());
            let module = [&module[..], &names].concat();
            let place = names.iter().fold(below.clone(), |folder, name| folder.join(name));
            let beside = place.with_extension("rs");
            let (path, below) =
                if let Some(given) = paths.get(choice.min(paths.len().saturating_sub(1))) {
                    let path = plain(&folder(&path).join(given));
                    let below = folder(&path);
                    (path, below)
                } else if by_path.contains_key(&*beside) {
                    (beside, place)
                } else {
                    (place.join("mod.rs"), place)
                };
            todo.push((path, module, below));
        }
        parts.push(Part { path: &file.path, text: &file.text, module });
    }
    (parts, choices)
}

/// The same of a crate that has all files of a folder: each is the module that its path says.
pub fn parts_of_folder<'a>(folder: &str, sources: &'a [File]) -> Vec<Part<'a>> {
    let in_folder = sources.iter().filter_map(|file| {
        let below = file.path.strip_prefix(folder)?.trim_matches('/');
        let mut module: Module<'a> = below.trim_end_matches(".rs").split('/').collect();
        module.pop_if(|last| ["mod", "lib", "main"].contains(last));
        Some(Part { path: &file.path, text: &file.text, module })
    });
    in_folder.collect()
}

/// `mod NAME;`
#[derive(Debug, PartialEq)]
struct Declared<'a> {
    /// Its name, behind those of the modules in the same file that it is declared in.
    names: Module<'a>,
    /// The files that `#[path = "…"]` names: one, or one for each processor.
    paths: Vec<&'a str>,
}

/// The modules that a file declares, and that have a file of their own.
fn declarations<'a>(tokens: &[&'a str]) -> Vec<Declared<'a>> {
    let mut declared = Vec::new();
    let (mut depth, mut inline, mut here, mut paths) = (0, vec![], Module::new(), vec![]);
    for at in 0..tokens.len() {
        match tokens[at..] {
            ["path", "=", path, ..] if path.starts_with('"') => paths.push(path.trim_matches('"')),
            ["mod", name, "{", ..] => {
                inline.push(depth);
                here.push(name);
            }
            ["mod", name, ";", ..] => {
                let names = [&here[..], &[name]].concat();
                declared.push(Declared { names, paths: mem::take(&mut paths) });
            }
            // The end of a statement that is about a variable `path`.
            [";", ..] => paths.clear(),
            ["{", ..] => depth += 1,
            ["}", ..] => {
                depth -= 1;
                if inline.last() == Some(&depth) {
                    inline.pop();
                    here.pop();
                }
            }
            _ => {}
        }
    }
    declared
}

fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap().to_owned()
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = plain.pop(),
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn every_source_is_in_a_crate() {
    let sources = all_sources();
    let mut left: BTreeSet<&str> = sources.iter().map(|file| &*file.path).collect();
    for part in all_crates(&sources).iter().flatten() {
        left.remove(part.path);
    }
    none(left.iter().map(|path| format!("{path}: no crate has it")).collect());
}

// The search can fail.

#[test]
fn all_kinds_of_crates_are_found() {
    let roots = root_files();
    for root in [
        "erofs-tarfs/src/lib.rs",
        "erofs-tarfs-ffi/build.rs",
        "erofs-tarfs/benches/stages.rs",
        "erofs-tarfs/examples/seal_image.rs",
        "examples/tarfs/main.rs",
        "fuzz/fuzz_targets/tar.rs",
        "tests/golden.rs",
        "tests/import_table/main.rs",
        "tests/kit/lib.rs",
        "tests/no_std/src/lib.rs",
    ] {
        assert!(roots.contains(root), "{root}: not found");
    }
}

#[test]
fn declarations_lead_to_files() {
    let sources = [
        ("t/a.rs", "pub mod b; #[cfg(test)] mod tests; #[path = \"../u/run.rs\"] mod runs;"),
        ("t/b/mod.rs", "mod c; mod inner { mod d; } mod e {}"),
        ("t/b/c.rs", "// mod x;\npub(crate) mod f;"),
        ("t/b/c/f.rs", "const S: &str = \"mod x;\";"),
        ("t/b/inner/d.rs", ""),
        ("t/tests.rs", ""),
        ("t/unknown.rs", ""),
        ("u/run.rs", "mod g;"),
        ("u/g.rs", ""),
        ("v.rs", "#[cfg_attr(x, path = \"u/g.rs\")] #[cfg_attr(y, path = \"t/tests.rs\")] mod m;"),
    ];
    let sources = sources.map(|(path, text)| File { path: path.into(), text: text.into() });
    let found = |root, choice| {
        let (parts, choices) = parts(root, &sources, choice);
        let one = |part: &Part<'_>| format!("{} {}", part.module.join("::"), part.path);
        let mut found: Vec<_> = parts.iter().map(one).collect();
        found.sort();
        (found, choices)
    };
    assert_eq!(
        found("t/a.rs", 0).0,
        [
            " t/a.rs",
            "b t/b/mod.rs",
            "b::c t/b/c.rs",
            "b::c::f t/b/c/f.rs",
            "b::inner::d t/b/inner/d.rs",
            "runs u/run.rs",
            "runs::g u/g.rs",
            "tests t/tests.rs",
        ]
    );
    let for_each = |at| (vec![" v.rs".to_owned(), format!("m {at}")], 2);
    assert_eq!(found("v.rs", 0), for_each("u/g.rs"));
    assert_eq!(found("v.rs", 1), for_each("t/tests.rs"));
}
