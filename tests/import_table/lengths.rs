//! How long files are: a long one does more than one thing, and short ones are found by their names.

use super::crates::all_sources;
use super::{File, none};

/// A source file longer than this does more than one thing.
const MAX_LINES: usize = 400;

/// Half of the source files have no more lines than this.
const MEDIAN: usize = 130;

fn lines(file: &File) -> usize {
    file.text.lines().count()
}

fn long_files(files: &[File]) -> Vec<String> {
    files
        .iter()
        .map(|file| (file, lines(file)))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(file, lines)| format!("{}: {lines} lines, limit {MAX_LINES}", file.path))
        .collect()
}

/// The length of the file in the middle, by length.
fn median(files: &[File]) -> usize {
    let mut lengths: Vec<usize> = files.iter().map(lines).collect();
    lengths.sort_unstable();
    lengths[lengths.len() / 2]
}

#[test]
fn files_are_short() {
    none(long_files(&all_sources()));
}

#[test]
fn most_files_are_shorter() {
    let median = median(&all_sources());
    assert!(median <= MEDIAN, "half of the files have {median} lines or more, limit {MEDIAN}");
}

// The rules can fail.

#[test]
fn long_files_are_seen() {
    let file = |lines: usize| File { path: "a.rs".to_owned(), text: "\n".repeat(lines) };
    assert_eq!(long_files(&[file(MAX_LINES + 1)]).len(), 1);
    assert_eq!(long_files(&[file(MAX_LINES)]).len(), 0);
    assert_eq!(median(&[file(1), file(7), file(900)]), 7);
}
