//! What is known of a page's blocks.

/// A page, and its blocks that are run or have a reason why not.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its path in the repository.
    pub(crate) path: &'static str,
    /// In the order of the blocks.
    pub(crate) rows: &'static [Row],
}

impl Page {
    /// Whether there is anything to run here.
    pub(crate) fn runs(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.how, How::Run { .. } | How::Program { .. }))
    }
}

/// A block.
#[derive(Debug)]
pub(crate) struct Row {
    /// With what it starts, and no other of its page.
    pub(crate) start: &'static str,
    pub(crate) how: How,
}

/// What becomes of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// A shell runs it as it stands, between these lines.
    Run { before: &'static str, after: &'static str },
    /// Behind some lines it is written into a file, between two texts; then others are run.
    Program {
        before: &'static str,
        /// The file's name, and what stands in it before the block and behind.
        file: [&'static str; 3],
        after: &'static str,
    },
    /// This file of the repository runs it as it stands.
    By(&'static str),
    /// Nobody runs it, for this reason.
    Not(#[expect(dead_code, reason = "for who reads the table")] &'static str),
}

pub(crate) const fn run(start: &'static str, before: &'static str, after: &'static str) -> Row {
    Row { start, how: How::Run { before, after } }
}

pub(crate) const fn program(
    start: &'static str,
    before: &'static str,
    file: [&'static str; 3],
    after: &'static str,
) -> Row {
    Row { start, how: How::Program { before, file, after } }
}

pub(crate) const fn by(start: &'static str, file: &'static str) -> Row {
    Row { start, how: How::By(file) }
}

pub(crate) const fn not(start: &'static str, why: &'static str) -> Row {
    Row { start, how: How::Not(why) }
}
