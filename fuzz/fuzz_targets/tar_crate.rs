//! Entries of tars are what the crate `tar` reads of them, if both take them: their kinds, names, targets,
//! permissions, numbers and bytes.
#![no_main]

use std::io::Read;

use erofs_tarfs_fuzz::{entries, sums, tars};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use tar::{Archive, EntryType};

/// Where the two are known to differ, by what is in the tar.
const FLAGS: [(u8, &str); 7] = [
    (b'g', "the crate hands global headers over, and applies none"),
    (b'X', "X is Solaris's name for x, as GNU tar reads it; the crate takes it for a file"),
    (b'D', "a directory whose body lists names; the crate takes it for a file"),
    (b'V', "a label is no file of the archive; the crate hands it over"),
    (b'L', "with a pax path too, the crate prefers the long name; GNU tar the pax record, as we"),
    (b'K', "the same of targets"),
    (b'S', "of maps that break a rule, the crate takes others than we"),
];

/// Keys of pax records that the crate does not apply, or otherwise.
const REASONS: [(&[u8], &str); 4] = [
    (b"GNU.sparse.", "the crate knows sparse files of pax archives as files of what is stored"),
    (b"mtime=", "the crate leaves pax times to the caller"),
    (b"uid=", "the crate leaves pax owners to the caller"),
    (b"gid=", "the same of groups"),
];

fuzz_target!(|tar: &[u8]| {
    let mut tar = tar.to_vec();
    sums::tar_headers(&mut tar);
    let flags = entries::flags(&tar);
    let has_sizes =
        entries::known(&tar, &[(b" size=", "a pax record may say a link's size")]).is_some();
    let headers = tar.chunks_exact(512).filter(|block| block[257..262] == *b"ustar");
    if FLAGS.iter().any(|(flag, _)| flags.contains(flag))
        || entries::known(&tar, &REASONS).is_some()
        || has_a_key_twice(&tar)
        || headers.filter_map(|header| odd(header, has_sizes)).count() > 0
    {
        return;
    }
    let (Ok(ours), Some(theirs)) = (entries::of(&tar), theirs(&tar)) else { return };
    assert_eq!(ours, theirs);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
    tars::mutate(data, size, max, seed, fuzzer_mutate)
});

/// Whether a pax header has two paths or two targets: the crate takes the first, GNU tar, Go and we the last.
/// It counts from one header to the next, whatever is between them.
fn has_a_key_twice(tar: &[u8]) -> bool {
    let twice =
        |part: &[u8], key: &[u8]| part.windows(key.len()).filter(|at| *at == key).count() > 1;
    let blocks: Vec<&[u8]> = tar.chunks(512).collect();
    let mut parts = blocks.split(|block| block.get(257..262) == Some(b"ustar"));
    parts.any(|part| {
        let part = part.concat();
        twice(&part, b" path=") || twice(&part, b" linkpath=")
    })
}

/// Why a header is read otherwise by the crate; its size may be in a pax record too.
fn odd(header: &[u8], has_sizes: bool) -> Option<&'static str> {
    let is_zero = |byte: &u8| matches!(byte, 0 | b'0' | b' ');
    let is_sized = has_sizes || !header[124..136].iter().all(is_zero);
    if (b'1'..=b'6').contains(&header[156]) && is_sized {
        return Some(
            "no body follows a directory or a link, whatever its size: so GNU tar, Go and we",
        );
    }
    if header[257..265] == *b"ustar  \0" && header[345] != 0 {
        return Some(
            "where GNU's headers have times, some writers put a prefix: so Go reads it, and we",
        );
    }
    if header[262] == 0 && header[263..265] != *b"00" {
        return Some("GNU tar, Go and we read the prefix of ustar's headers of any version");
    }
    None
}

/// What the crate says; nothing if it refuses the tar, or a number in it.
fn theirs(tar: &[u8]) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    for entry in Archive::new(tar).entries().ok()? {
        let mut entry = entry.ok()?;
        let mut head = Vec::new();
        entry.by_ref().take(entries::HEAD as u64).read_to_end(&mut head).ok()?;
        let header = entry.header();
        let path = entry.path_bytes();
        let kind = match header.entry_type() {
            // As old tars have them.
            EntryType::Regular if header.as_ustar().is_none() && path.ends_with(b"/") => 'd',
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => 'f',
            EntryType::Link => 'h',
            EntryType::Symlink => 'l',
            EntryType::Char => 'c',
            EntryType::Block => 'b',
            EntryType::Directory => 'd',
            EntryType::Fifo => 'p',
            _ => return None,
        };
        let is_link = matches!(kind, 'h' | 'l');
        let link = entry.link_name_bytes().filter(|_| is_link).unwrap_or_default();
        let device = match kind {
            'c' | 'b' => [header.device_major().ok()??, header.device_minor().ok()??],
            _ => [0, 0],
        };
        let ids =
            [u32::try_from(header.uid().ok()?).ok()?, u32::try_from(header.gid().ok()?).ok()?];
        let (mode, mtime) = (header.mode().ok()? as u16 & 0o7777, header.mtime().ok()? as i64);
        let (size, head) = if kind == 'f' { (entry.size(), head) } else { (0, Vec::new()) };
        lines.push(entries::line(kind, [&path, &link], mode, ids, mtime, device, size, &head));
    }
    Some(lines)
}
