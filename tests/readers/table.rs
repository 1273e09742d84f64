//! Readers × forms: what is expected of each pair, and how it is held.

use std::panic::AssertUnwindSafe;
use std::path::Path;

use testkit::dump::{Ignore, Tree, diff};
use testkit::stacks::Stack;

use crate::forms::Form;

/// What a reader makes of a form.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell {
    /// Every file, its bytes and all attributes that the reader can show, as they are.
    Right,
    /// An error, with this in its message.
    Refuses(&'static str),
    /// Other bytes without an error, of one stack at least: in forms that are for kernels alone, and
    /// say so, and in place of holes in bootstraps.
    OtherBytes,
}

/// A row: a cell for each form, in their order.
pub(crate) fn row(cells: [Cell; 9]) -> Vec<(Form, Cell)> {
    Form::ALL.into_iter().zip(cells).collect()
}

/// What a reader shows, and what is there.
pub(crate) struct Shown {
    pub(crate) shown: Tree,
    pub(crate) want: Tree,
    pub(crate) ignore: Ignore,
}

impl Shown {
    pub(crate) fn all(shown: Tree, want: Tree) -> Self {
        Self { shown, want, ignore: Ignore::nothing() }
    }

    fn differences(&self) -> Vec<String> {
        diff(&self.shown, &self.want, &self.ignore)
    }
}

/// Reads a stack in a form, in a directory that is empty; or says what its reader says.
pub(crate) type Read<'a> = &'a dyn Fn(&Stack, Form, &Path) -> Result<Shown, String>;

/// Holds a reader to its row.
///
/// # Panics
/// When a cell is not as expected, in either direction: the table is to be what is true.
pub(crate) fn hold(reader: &str, row: &[(Form, Cell)], stacks: &[Stack], read: Read<'_>) {
    assert_eq!(row.iter().map(|(form, _)| *form).collect::<Vec<_>>(), Form::ALL);
    for (form, cell) in row {
        let (mut wrong, mut files) = (0, 0);
        for stack in stacks {
            let dir = tempfile::tempdir().unwrap();
            let result = read(stack, *form, dir.path()).map(|shown| {
                files += shown.shown.0.values().filter(|node| node.sha256.is_some()).count();
                shown.differences()
            });
            let what = format!("{reader}, {form:?}, stack {}", stack.seed);
            match (cell, result) {
                (Cell::Right, Ok(lines)) => {
                    assert!(lines.is_empty(), "{what}:\n{}", lines.join("\n"));
                }
                (Cell::Right, Err(said)) => panic!("{what}: {said}"),
                (Cell::Refuses(piece), Err(said)) => {
                    assert!(said.contains(piece), "{what}: not {piece:?}, but: {said}");
                }
                (Cell::Refuses(_), Ok(lines)) if lines.is_empty() => {
                    panic!("{what}: is not refused any more, and is right: tell the table")
                }
                (Cell::Refuses(_), Ok(lines)) => {
                    panic!(
                        "{what}: is not refused any more, and is not right:\n{}",
                        lines.join("\n")
                    )
                }
                (Cell::OtherBytes, Ok(lines)) => {
                    let of_bytes =
                        |line: &String| line.contains(": sha256 ") || line.contains(": size ");
                    let others: Vec<_> = lines.iter().filter(|line| !of_bytes(line)).collect();
                    assert!(others.is_empty(), "{what}: more than bytes:\n{others:#?}");
                    wrong += lines.len();
                }
                (Cell::OtherBytes, Err(_)) => {}
            }
        }
        assert!(!matches!(cell, Cell::Right) || files > 0, "{reader}, {form:?}: no file was read");
        let told = !matches!(cell, Cell::OtherBytes) || wrong > 0;
        assert!(told, "{reader}, {form:?}: no other bytes by now: tell the table");
    }
}

/// Cells that are not as the table says are found, in both directions.
#[test]
fn a_table_that_is_not_true_fails() {
    let stacks = [Stack::random(1)];
    let image = |form| crate::forms::Image::of(&stacks[0], form);
    let right: Read<'_> = &|_, form, _| Ok(Shown::all(image(form).dump(), image(form).dump()));
    let wrong: Read<'_> = &|_, form, _| {
        let mut shown = image(form).dump();
        let file = shown.0.values_mut().find(|node| node.sha256.is_some()).unwrap();
        file.sha256.as_mut().unwrap()[31] ^= 1;
        Ok(Shown::all(shown, image(form).dump()))
    };
    let older: Read<'_> = &|_, form, _| {
        let mut shown = image(form).dump();
        shown.0.values_mut().next().unwrap().mtime.0 -= 1;
        Ok(Shown::all(shown, image(form).dump()))
    };
    let empty: Read<'_> = &|_, _, _| Ok(Shown::all(Tree::default(), Tree::default()));
    let refused: Read<'_> = &|_, _, _| Err("not supported".into());
    let holds = |cell, read: Read<'_>| {
        let row = row([cell; 9]);
        let held = AssertUnwindSafe(|| hold("self", &row, &stacks, read));
        std::panic::catch_unwind(held).is_ok()
    };
    let not = Cell::Refuses("not supported");
    for (cell, good, bad) in [
        (Cell::Right, &[right][..], &[wrong, older, empty, refused][..]),
        (not, &[refused], &[right, wrong, older]),
        (Cell::Refuses("no such device"), &[], &[refused]),
        (Cell::OtherBytes, &[wrong], &[right, older, refused]),
    ] {
        assert!(good.iter().all(|read| holds(cell, read)), "{cell:?}");
        assert!(bad.iter().all(|read| !holds(cell, read)), "{cell:?}");
    }
}
