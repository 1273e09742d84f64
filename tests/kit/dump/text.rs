//! A dump as lines of text, for another process to print and this one to read.
//!
//! One line a path, its fields in the order of [`Node`], then attributes as `name=value`. Paths,
//! names and values are in hex behind an `x`, so that no byte of them acts; `-` is what is not there.

use std::fmt::Write;
use std::str::FromStr;

use super::{Kind, Node, Tree, Xattrs};

const KINDS: [(Kind, &str); 7] = [
    (Kind::File, "file"),
    (Kind::Dir, "dir"),
    (Kind::Symlink, "symlink"),
    (Kind::Char, "char"),
    (Kind::Block, "block"),
    (Kind::Fifo, "fifo"),
    (Kind::Socket, "socket"),
];

impl Tree {
    /// All of it, as [`from_text`](Self::from_text) reads it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for (path, node) in &self.0 {
            let Node { kind, mode, uid, gid, mtime, size, rdev, target, .. } = node;
            let (_, kind) = KINDS.iter().find(|(known, _)| known == kind).expect("all are there");
            write!(out, "{} {kind} {mode:o} {uid} {gid} {} {}", hex(path), mtime.0, mtime.1)
                .expect("a string takes all");
            let target = target.as_deref().map_or_else(|| "-".to_owned(), hex);
            let sha256 = node.sha256.as_ref().map_or_else(|| "-".to_owned(), |digest| hex(digest));
            let (link, nlink) = (hex(&node.link), node.nlink);
            write!(out, " {size} {} {} {target} {sha256} {link} {nlink}", rdev.0, rdev.1)
                .expect("a string takes all");
            for (name, value) in &node.xattrs {
                write!(out, " {}={}", hex(name), hex(value)).expect("a string takes all");
            }
            out.push('\n');
        }
        out
    }

    /// The tree of such lines.
    ///
    /// # Errors
    /// The line that is none, and what is wrong with it.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let mut tree = Self::default();
        for line in text.lines() {
            let (path, node) = node(line).map_err(|error| format!("{error} in {line:?}"))?;
            if tree.0.insert(path, node).is_some() {
                return Err(format!("a path twice: {line:?}"));
            }
        }
        Ok(tree)
    }
}

fn node(line: &str) -> Result<(Vec<u8>, Node), String> {
    let mut words = line.split(' ');
    let mut next = || words.next().ok_or_else(|| "too few fields".to_owned());
    let path = bytes(next()?)?;
    let kind = next()?;
    let kind = KINDS.iter().find(|(_, name)| *name == kind).ok_or("no such kind")?.0;
    let mode = u16::from_str_radix(next()?, 8).map_err(|error| error.to_string())?;
    let (uid, gid) = (number(next()?)?, number(next()?)?);
    let mtime = (number(next()?)?, number(next()?)?);
    let size = number(next()?)?;
    let rdev = (number(next()?)?, number(next()?)?);
    let target = some(next()?)?;
    let sha256 = match some(next()?)? {
        Some(digest) => Some(digest.try_into().map_err(|_| "a digest has 32 bytes")?),
        None => None,
    };
    let (link, nlink) = (bytes(next()?)?, number(next()?)?);
    let xattrs = words.map(|word| {
        let (name, value) = word.split_once('=').ok_or("an attribute without a value")?;
        Ok((bytes(name)?, bytes(value)?))
    });
    let xattrs = xattrs.collect::<Result<Xattrs, String>>()?;
    let node =
        Node { kind, mode, uid, gid, mtime, size, rdev, target, xattrs, sha256, link, nlink };
    Ok((path, node))
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    std::iter::once("x".to_owned()).chain(digits).collect()
}

fn bytes(word: &str) -> Result<Vec<u8>, String> {
    let digits = word.strip_prefix('x').ok_or("bytes begin with x")?.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).map_err(|error| error.to_string())?;
        match pair.len() {
            2 => u8::from_str_radix(pair, 16).map_err(|error| error.to_string()),
            _ => Err("half a byte".to_owned()),
        }
    });
    pairs.collect()
}

fn some(word: &str) -> Result<Option<Vec<u8>>, String> {
    if word == "-" { Ok(None) } else { bytes(word).map(Some) }
}

fn number<T: FromStr<Err = std::num::ParseIntError>>(word: &str) -> Result<T, String> {
    word.parse().map_err(|error| format!("{word:?}: {error}"))
}
