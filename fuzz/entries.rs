//! What our parser reads in a tar, a line for each entry, so that it can be held against what others read.

use erofs_tarfs::tar::{Entry, Error, Event, Kind, ParseOptions, Parser};

use crate::sums::crc32;

/// How much of a body counts: one that is sparse may have no end.
pub const HEAD: usize = 64 << 10;

/// The entries of a tar.
///
/// # Errors
/// If it is refused.
pub fn of(tar: &[u8]) -> Result<Vec<String>, Error> {
    let mut parser = Parser::new(ParseOptions::default());
    let (mut lines, mut rest) = (Vec::new(), tar);
    loop {
        let step = parser.push(rest)?;
        rest = &rest[step.consumed..];
        match step.event {
            Event::NeedInput => break,
            Event::Entry(entry) => lines.push(entry_line(&entry, tar)),
            Event::Data(_) => {}
        }
    }
    parser.finish()?;
    Ok(lines)
}

fn entry_line(entry: &Entry<'_>, tar: &[u8]) -> String {
    let kind = match entry.kind {
        Kind::Regular => 'f',
        Kind::HardLink => 'h',
        Kind::Symlink => 'l',
        Kind::CharDevice => 'c',
        Kind::BlockDevice => 'b',
        Kind::Directory => 'd',
        Kind::Fifo => 'p',
    };
    let numbers = [entry.device.major, entry.device.minor];
    let ids = [entry.uid, entry.gid];
    line(
        kind,
        [entry.path, entry.link],
        entry.mode,
        ids,
        entry.mtime.secs,
        numbers,
        entry.size,
        &head(entry, tar),
    )
}

/// The line of an entry; its parts as the header has them.
#[allow(clippy::too_many_arguments, reason = "they are the fields of an entry")]
pub fn line(
    kind: char,
    [path, link]: [&[u8]; 2],
    mode: u16,
    [uid, gid]: [u32; 2],
    mtime: i64,
    [major, minor]: [u32; 2],
    size: u64,
    head: &[u8],
) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let slashes = path.iter().rev().take_while(|byte| **byte == b'/').count();
    let (path, crc) = (hex(&path[..path.len() - slashes]), crc32(head));
    let link = hex(link);
    format!("{kind} {path} .{link} {mode:o} {uid} {gid} {mtime} {major}:{minor} {size} {crc:08x}")
}

/// The first bytes of a file, its holes as zeros.
fn head(entry: &Entry<'_>, tar: &[u8]) -> Vec<u8> {
    let len = entry.size.min(HEAD as u64) as usize;
    let at = (entry.data_offset as usize).min(tar.len());
    let mut stored = &tar[at..tar.len().min(at.saturating_add(entry.stored as usize))];
    let Some(runs) = entry.sparse else { return stored[..stored.len().min(len)].to_vec() };
    let mut head = vec![0; len];
    for run in runs {
        let (bytes, rest) = stored.split_at(stored.len().min(run.len as usize));
        stored = rest;
        let from = (run.offset as usize).min(len);
        let count = bytes.len().min(len - from);
        head[from..from + count].copy_from_slice(&bytes[..count]);
    }
    head
}

/// The type flags of all blocks that look like headers, those in bodies too.
pub fn flags(tar: &[u8]) -> Vec<u8> {
    let headers = tar.chunks_exact(512).filter(|block| block[257..262] == *b"ustar");
    headers.map(|block| block[156]).collect()
}

/// Why an input is not compared: it has one of the things that readers are known to take otherwise.
pub fn known(tar: &[u8], reasons: &[(&'static [u8], &'static str)]) -> Option<&'static str> {
    let holds = |what: &[u8]| tar.windows(what.len()).any(|part| part == what);
    reasons.iter().find(|(what, _)| holds(what)).map(|(_, why)| *why)
}
