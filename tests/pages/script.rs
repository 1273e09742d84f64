//! The script of a page.

use std::fmt::Write;

use testkit::page::Block;

use crate::row::{How, Page};

/// One script of all blocks of a page that are run here. What comes before a block is one line of output, so that a
/// failure shows in which it was.
pub(crate) fn of(page: &Page, blocks: &[Block]) -> String {
    let mut script = format!("page='{}'\n", page.path.replace('/', "-"));
    for block in blocks {
        let row = page.rows.iter().find(|row| block.text.starts_with(row.start));
        let Some(row) = row else { continue };
        let mut add = |text: &str| writeln!(script, "{text}").expect("a string takes all");
        add(&format!("echo '== {}:{}'", block.page, block.line));
        match row.how {
            How::Run { before, after } => {
                [before, &held(&block.text), &format!("held\n{after}\nheld")]
                    .into_iter()
                    .for_each(add);
            }
            How::Program { before, file: [name, head, foot], after } => {
                add(before);
                add(&format!("cat >{name} <<'END OF THE BLOCK'"));
                add(&format!("{head}\n{}{foot}\nEND OF THE BLOCK", block.text));
                add(&format!("{after}\nheld"));
            }
            How::By(_) | How::Not(_) => {}
        }
    }
    script
}

/// Each command, and behind it whether it went well: `set -e` passes over `a && b` whose `a` fails.
fn held(text: &str) -> String {
    let mut held = String::new();
    for line in text.lines() {
        let end = if line.ends_with('\\') { "\n" } else { "\nheld\n" };
        held += &format!("{line}{end}");
    }
    held
}
