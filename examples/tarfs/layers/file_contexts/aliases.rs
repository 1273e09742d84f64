//! Other names of directories: `/run` has the labels of `/var/run`.

use std::path::Path;

use crate::cli::fail::{Done, Fail};

/// Beginnings of paths, and what stands in their place when a label is looked for.
#[derive(Default)]
pub(super) struct Aliases {
    /// The administrator's, which count first.
    own: Vec<Alias>,
    /// The distribution's.
    dist: Vec<Alias>,
}

/// A directory, and whose labels it has.
type Alias = (Vec<u8>, Vec<u8>);

impl Aliases {
    /// Takes the lines of a file in.
    pub(super) fn add(&mut self, path: &Path, text: &[u8], dist: bool) -> Done {
        let aliases = if dist { &mut self.dist } else { &mut self.own };
        for (number, line) in (1..).zip(text.split(|b| *b == b'\n')) {
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            match (words.next(), words.next()) {
                (None, _) => {}
                (Some(word), _) if word.starts_with(b"#") => {}
                (Some(from), Some(to)) => aliases.push((trimmed(from), trimmed(to))),
                (Some(_), None) => {
                    let why = format_args!("line {number}: one word, not a directory and another");
                    return Err(Fail::of(path, why));
                }
            }
        }
        Ok(())
    }

    /// The path whose label counts. The last line of a file counts first, as in libselinux.
    pub(super) fn resolved(&self, mut path: Vec<u8>) -> Vec<u8> {
        for aliases in [&self.own, &self.dist] {
            let found = aliases.iter().rev().find_map(|(from, to)| {
                let rest = path.strip_prefix(&from[..])?;
                (rest.is_empty() || rest.starts_with(b"/")).then(|| [&to[..], rest].concat())
            });
            path = found.unwrap_or(path);
        }
        path
    }
}

/// Without slashes behind.
fn trimmed(path: &[u8]) -> Vec<u8> {
    let end = path.iter().rposition(|b| *b != b'/').map_or(0, |last| last + 1);
    path[..end].to_vec()
}
