//! Where a path leads.

use crate::layer::{join, parent};

/// What is at one path, as far as walking is concerned.
pub(super) enum Step<'a> {
    /// A directory, or nothing yet.
    Free,
    /// A symbolic link to this.
    Link(&'a [u8]),
    /// Anything else.
    File,
}

/// Why a path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It goes through something that is neither a directory nor a link.
    File,
    /// It goes through more links than anyone follows.
    Loop,
}

/// The directory that a path leads to: links are followed inside the root, also the last one.
pub(super) fn walk<'a>(path: &[u8], at: impl Fn(&[u8]) -> Step<'a>) -> Result<Vec<u8>, Stop> {
    const MOST: usize = 40;
    let mut todo: Vec<Vec<u8>> = Vec::new();
    let names = |path: &[u8]| -> Vec<Vec<u8>> {
        path.split(|&byte| byte == b'/').rev().map(<[u8]>::to_vec).collect()
    };
    todo.extend(names(path));
    let (mut here, mut links) = (Vec::new(), 0);
    while let Some(name) = todo.pop() {
        if matches!(&name[..], b"" | b".") {
            continue;
        }
        if name == b".." {
            here = parent(&here).unwrap_or_default().to_vec();
            continue;
        }
        let next = join(&here, &name);
        match at(&next) {
            Step::Free => here = next,
            Step::File => return Err(Stop::File),
            Step::Link(target) => {
                links += 1;
                if links > MOST {
                    return Err(Stop::Loop);
                }
                if target.starts_with(b"/") {
                    here.clear();
                }
                todo.extend(names(target));
            }
        }
    }
    Ok(here)
}
