//! What is mounted on a directory, as /proc/self/mountinfo has it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::overlay::escaped;
use crate::cli::fail::{Done, Fail};
use crate::cli::quote;

const TABLE: &str = "/proc/self/mountinfo";

/// One mount.
#[derive(Debug)]
struct Entry {
    id: Vec<u8>,
    parent: Vec<u8>,
    point: PathBuf,
    filesystem: Vec<u8>,
    /// Options of the filesystem, separated by commas.
    options: Vec<u8>,
}

/// How many mounts `tarfs mount` has put on a directory, one on the other: one of an image, two with an
/// overlay. It is an error if something else is on top there.
pub(crate) fn ours(directory: &Path) -> Done<usize> {
    let mut there = entries()?;
    there.retain(|entry| entry.point == directory);
    let covered = |entry: &&Entry| !there.iter().any(|other| other.parent == entry.id);
    let Some(top) = there.iter().find(covered) else {
        return Err(Fail::of(directory, "nothing is mounted there"));
    };
    let below = there.iter().find(|entry| entry.id == top.parent);
    match (&top.filesystem[..], below) {
        (b"erofs", _) => Ok(1),
        (b"overlay", Some(below)) if below.filesystem == b"erofs" && is_over(top, directory) => {
            Ok(2)
        }
        (other, _) => {
            let other = String::from_utf8_lossy(other);
            let why =
                "is mounted there, no EROFS and no overlay of `tarfs mount`: umount(8) unmounts it";
            Err(Fail::of(directory, format_args!("{other} {why}")))
        }
    }
}

/// Refuses a directory that an overlay already has for what is written to it: Linux mounts a second one over it, with a
/// line in its log, and what both write damages one another.
pub(crate) fn unused(directory: &Path) -> Done {
    let has = |entry: &Entry| {
        entry.filesystem == b"overlay"
            && ["upperdir=", "workdir="].iter().any(|name| is(entry, name, directory, b"\\"))
    };
    match entries()?.iter().find(|entry| has(entry)) {
        Some(user) => {
            let (point, why) = (quote::name(&user.point), "two over one would damage it");
            let why = format!("is in use by the overlay that is mounted on {point}: {why}");
            Err(Fail::of(directory, why))
        }
        None => Ok(()),
    }
}

/// Whether an overlay has what is mounted on this directory below it, and nothing else.
fn is_over(overlay: &Entry, directory: &Path) -> bool {
    is(overlay, "lowerdir=", directory, b"\\:")
}

/// Whether an option is this directory, as it is or with a backslash before what is special.
fn is(overlay: &Entry, name: &str, directory: &Path, special: &[u8]) -> bool {
    let as_option = escaped(directory, special);
    let mut options = overlay.options.split(|byte| *byte == b',');
    options.any(|option| {
        let value = option.strip_prefix(name.as_bytes()).map(unescaped);
        value.is_some_and(|value| value == as_option || value == directory.as_os_str())
    })
}

/// All mounts.
fn entries() -> Done<Vec<Entry>> {
    let table = fs::read(TABLE).map_err(|error| Fail::of(TABLE, error))?;
    Ok(table.split(|byte| *byte == b'\n').filter_map(entry).collect())
}

/// A line of the table: `ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [OPTIONAL…] - TYPE SOURCE OPTIONS`.
fn entry(line: &[u8]) -> Option<Entry> {
    let mut words = line.split(|byte| *byte == b' ');
    let (id, parent) = (words.next()?.to_vec(), words.next()?.to_vec());
    let point = PathBuf::from(unescaped(words.nth(2)?));
    words.find(|word| *word == b"-")?;
    let filesystem = words.next()?.to_vec();
    let options = words.nth(1)?.to_vec();
    Some(Entry { id, parent, point, filesystem, options })
}

/// A word of the table, in which spaces and the like are a backslash and three octal digits.
fn unescaped(word: &[u8]) -> OsString {
    let (mut bytes, mut rest) = (Vec::new(), word);
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..3).filter(|_| *first == b'\\');
        let octal = digits.and_then(|digits| str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[3..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    OsString::from_vec(bytes)
}
