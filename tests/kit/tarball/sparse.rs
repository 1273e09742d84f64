//! Sparse files in the four forms that exist.

use super::header::{Entry, Format, RECORD};
use crate::layer::join;

/// How a sparse file says where its data belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SparseForm {
    /// Type `S`: the map in the header and in records right behind it.
    OldGnu,
    /// Pax 0.0: a pair of records for each extent.
    Pax00,
    /// Pax 0.1: one record with all numbers.
    Pax01,
    /// Pax 1.0: numbers in decimal at the head of the body, padded to 512.
    Pax10,
}

impl SparseForm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OldGnu, Self::Pax00, Self::Pax01, Self::Pax10];
}

/// The extents end, as GNU tar's do, with an empty one at `size` when a hole is last.
pub(super) fn entry(form: SparseForm, path: &[u8], size: u64, extents: &[(u64, &[u8])]) -> Entry {
    let mut map: Vec<(u64, u64)> =
        extents.iter().map(|(at, data)| (*at, data.len() as u64)).collect();
    assert!(map.windows(2).all(|two| two[0].0 + two[0].1 <= two[1].0), "extents are in order");
    if map.last().is_none_or(|(at, len)| at + len < size) {
        map.push((size, 0));
    }
    let body = extents.iter().flat_map(|(_, data)| data.iter().copied()).collect();
    match form {
        SparseForm::OldGnu => old_gnu(path, size, &map, body),
        _ => pax(form, path, size, &map, body),
    }
}

fn old_gnu(path: &[u8], size: u64, map: &[(u64, u64)], body: Vec<u8>) -> Entry {
    const IN_HEADER: usize = 4;
    const IN_RECORD: usize = 21;
    let number = |value: u64| match value >> 33 {
        0 => format!("{value:011o}\0").into_bytes(),
        // Base-256, as GNU tar writes what eleven octal digits do not hold.
        _ => [&[0x80, 0, 0, 0], &value.to_be_bytes()[..]].concat(),
    };
    let pairs = |part: &[(u64, u64)]| -> Vec<u8> {
        part.iter().flat_map(|&(at, len)| [number(at), number(len)].concat()).collect()
    };
    let (first, rest) = map.split_at(map.len().min(IN_HEADER));
    let mut entry = Entry { body, ..Entry::new(Format::Gnu, b'S', path, 0o644) };
    entry.tweaks.push((386, pairs(first)));
    entry.tweaks.push((482, vec![u8::from(!rest.is_empty())]));
    entry.tweaks.push((483, number(size)));
    let chunks: Vec<_> = rest.chunks(IN_RECORD).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        let mut record = pairs(chunk);
        record.resize(RECORD, 0);
        record[504] = u8::from(index + 1 < chunks.len());
        entry.annex.extend(record);
    }
    entry
}

fn pax(form: SparseForm, path: &[u8], size: u64, map: &[(u64, u64)], body: Vec<u8>) -> Entry {
    let name = match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => join(&path[..slash], &[b"GNUSparseFile.1/", &path[slash + 1..]].concat()),
        None => [b"GNUSparseFile.1/", path].concat(),
    };
    let stored = if form == SparseForm::Pax00 { path.to_vec() } else { name };
    let mut entry = Entry { body, ..Entry::new(Format::Pax, b'0', &stored, 0o644) };
    let mut add = |key: &str, value: Vec<u8>| entry.records.push((key.as_bytes().to_vec(), value));
    let text = |value: u64| value.to_string().into_bytes();
    match form {
        SparseForm::Pax10 => {
            add("GNU.sparse.major", text(1));
            add("GNU.sparse.minor", text(0));
            add("GNU.sparse.name", path.to_vec());
            add("GNU.sparse.realsize", text(size));
            let mut head = format!("{}\n", map.len()).into_bytes();
            head.extend(map.iter().flat_map(|(at, len)| format!("{at}\n{len}\n").into_bytes()));
            head.resize(head.len().next_multiple_of(RECORD), 0);
            head.append(&mut entry.body);
            entry.body = head;
        }
        _ => {
            add("GNU.sparse.size", text(size));
            add("GNU.sparse.numblocks", text(map.len() as u64));
            if form == SparseForm::Pax00 {
                for &(at, len) in map {
                    add("GNU.sparse.offset", text(at));
                    add("GNU.sparse.numbytes", text(len));
                }
            } else {
                add("GNU.sparse.name", path.to_vec());
                let all: Vec<String> = map.iter().map(|(at, len)| format!("{at},{len}")).collect();
                add("GNU.sparse.map", all.join(",").into_bytes());
            }
        }
    }
    entry
}
