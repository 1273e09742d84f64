//! What stands in the fences of our pages, for the tests that run it.

use std::fs;
use std::path::Path;

/// A fenced block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The page's path in the repository.
    pub page: String,
    /// The line behind the fence that opens it, from 1.
    pub line: usize,
    /// What stands behind that fence: `sh`, `rust,no_run`, or nothing.
    pub language: String,
    /// Its lines, each with its end.
    pub text: String,
}

/// The blocks of a page, in their order. Fences may be indented, as those in lists are.
#[must_use]
pub fn blocks(page: &str, text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(language), None) => {
                let (page, language) = (page.to_owned(), language.trim().to_owned());
                open = Some(Block { page, line: number + 2, language, text: String::new() });
            }
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    // A fence that nobody closes goes on to the end, as Markdown has it.
    found.extend(open);
    found
}

/// The blocks of a page of the repository.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn blocks_of(page: &str) -> Vec<Block> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"));
    blocks(page, &text)
}

/// The only block of a page that starts so.
///
/// # Panics
/// When there is none, or more than one.
#[must_use]
#[track_caller]
pub fn block(page: &str, start: &str) -> Block {
    let mut found = blocks_of(page);
    found.retain(|block| block.text.starts_with(start));
    assert_eq!(found.len(), 1, "blocks of {page} that start with {start:?}");
    found.remove(0)
}
