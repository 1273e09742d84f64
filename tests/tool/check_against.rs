//! `check --against` merges random stacks by code of its own, and finds what the library made of them.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::stacks::Stack;

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
