//! A line of file_contexts: a pattern, perhaps a type of file, and a label.

use erofs_tarfs::tree::NodeKind;
use regex::bytes::{Regex, RegexBuilder};

/// Characters that make a pattern of a path.
const META: &[u8] = b".^$?*+|[({";
/// Of these the character before them is a part.
const REPEATS: &[u8] = b"?*{";
/// The label that is none.
const NONE: &[u8] = b"<<none>>";

/// A line.
#[derive(Clone)]
pub(super) struct Spec {
    /// What the whole path has to match.
    regex: Regex,
    /// What every path that matches begins with: most lines are passed over by it.
    stem: Vec<u8>,
    /// Whether it is a path, and no pattern.
    is_path: bool,
    /// The only type that it is about, if there is one.
    kind: Option<NodeKind>,
    /// None says that what matches is not labelled.
    label: Option<Vec<u8>>,
}

impl Spec {
    /// A line; nothing if it is empty or a comment.
    pub(super) fn of(line: &[u8]) -> Option<Result<Self, String>> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let pattern = words.next().filter(|word| !word.starts_with(b"#"))?;
        let (second, third) = (words.next(), words.next());
        Some(Self::of_words(pattern, second, third))
    }

    fn of_words(
        pattern: &[u8],
        second: Option<&[u8]>,
        third: Option<&[u8]>,
    ) -> Result<Self, String> {
        let (kind, label) = match (second, third) {
            (Some(label), None) => (None, label),
            (Some(kind), Some(label)) => (Some(kind), label),
            (None, _) => return Err("no label behind the pattern".to_owned()),
        };
        let kind = kind.map(of_type).transpose()?;
        let label = Some(label.to_vec()).filter(|label| label != NONE);
        let text = str::from_utf8(pattern).map_err(|_| "the pattern is not UTF-8".to_owned())?;
        // A point is any byte, as names are.
        let regex = RegexBuilder::new(&format!("^(?:{text})$"))
            .unicode(false)
            .dot_matches_new_line(true)
            .build()
            .map_err(|error| error.to_string())?;
        let (stem, is_path) = (stem(pattern), is_path(pattern));
        Ok(Self { regex, stem, is_path, kind, label })
    }

    /// Whether it is a path, which counts more than a pattern.
    pub(super) fn is_path(&self) -> bool {
        self.is_path
    }

    /// The label; nothing if there is to be none.
    pub(super) fn label(&self) -> Option<&[u8]> {
        self.label.as_deref()
    }

    /// Whether it is about a path and what is there.
    pub(super) fn matches(&self, path: &[u8], kind: NodeKind) -> bool {
        self.kind.is_none_or(|only| only == kind)
            && path.starts_with(&self.stem)
            && self.regex.is_match(path)
    }
}

/// The type that is written so.
fn of_type(word: &[u8]) -> Result<NodeKind, String> {
    Ok(match word {
        b"--" => NodeKind::Regular,
        b"-d" => NodeKind::Directory,
        b"-l" => NodeKind::Symlink,
        b"-c" => NodeKind::CharDevice,
        b"-b" => NodeKind::BlockDevice,
        b"-p" => NodeKind::Fifo,
        b"-s" => NodeKind::Socket,
        _ => {
            let word = word.escape_ascii();
            return Err(format!("{word}: no type of file: --, -d, -l, -c, -b, -p or -s"));
        }
    })
}

/// Whether all of it stands for itself.
fn is_path(pattern: &[u8]) -> bool {
    let mut bytes = pattern.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            byte if META.contains(byte) => return false,
            _ => {}
        }
    }
    true
}

/// What of it stands for itself, from its start on.
fn stem(pattern: &[u8]) -> Vec<u8> {
    // An alternative begins otherwise; one in parentheses lies behind what is in front of them.
    let mut depth = 0_usize;
    for byte in pattern {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'|' if depth == 0 => return Vec::new(),
            _ => {}
        }
    }
    let mut stem = Vec::new();
    let mut bytes = pattern.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                // Of letters and digits the meaning is another.
                Some(next) if next.is_ascii_punctuation() => stem.push(next),
                _ => break,
            },
            byte if META.contains(&byte) => {
                if REPEATS.contains(&byte) {
                    stem.pop();
                }
                break;
            }
            byte => stem.push(byte),
        }
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_what_every_path_begins_with() {
        for (pattern, stem_of, path) in [
            ("/etc/passwd", "/etc/passwd", true),
            ("/etc(/.*)?", "/etc", false),
            ("/usr/lib(64)?/x", "/usr/lib", false),
            ("/etc/ab*c", "/etc/a", false),
            ("/etc/ab{2}", "/etc/a", false),
            ("/etc/ab+c", "/etc/ab", false),
            (r"/etc/a\.conf", "/etc/a.conf", true),
            (r"/etc/\d", "/etc/", true),
            ("/a|/b", "", false),
            ("/a(b|c)|/d", "", false),
            ("/a(b|c)", "/a", false),
            ("(/a|/b)/c", "", false),
            (".*", "", false),
        ] {
            let pattern = pattern.as_bytes();
            assert_eq!(stem(pattern).escape_ascii().to_string(), stem_of);
            assert_eq!(is_path(pattern), path, "{}", pattern.escape_ascii());
        }
    }
}
