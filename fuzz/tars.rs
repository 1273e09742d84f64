//! Tars as a fuzzer changes them: header by header. Plain changes of bytes rarely make one entry of two,
//! or a record of a pax header whose length is right.

use testkit::rng::Rng;
use testkit::tarball::{End, TarBuilder};

const BLOCK: usize = 512;

/// Keys of pax records that mean something.
const KEYS: [&[u8]; 24] = [
    b"path",
    b"linkpath",
    b"size",
    b"uid",
    b"gid",
    b"uname",
    b"gname",
    b"mtime",
    b"hdrcharset",
    b"GNU.sparse.major",
    b"GNU.sparse.minor",
    b"GNU.sparse.name",
    b"GNU.sparse.realsize",
    b"GNU.sparse.size",
    b"GNU.sparse.map",
    b"GNU.sparse.numblocks",
    b"GNU.sparse.offset",
    b"GNU.sparse.numbytes",
    b"SCHILY.xattr.user.a",
    b"SCHILY.xattr.security.capability",
    b"SCHILY.acl.access",
    b"SCHILY.acl.default",
    b"LIBARCHIVE.xattr.user.a",
    b"RHT.security.selinux",
];

/// Values of them that matter to one or another.
const VALUES: [&[u8]; 21] = [
    b"",
    b"0",
    b"1",
    b"-1",
    b"512",
    b"4294967295",
    b"4294967296",
    b"9223372036854775807",
    b"18446744073709551615",
    b"1.5",
    b"-1.999999999",
    b"a",
    b"a/b",
    b"a/.wh.b",
    b"../a",
    b"0,512,1024,512",
    b"0,0",
    b"BINARY",
    b"user::rwx,group::r-x,other::---",
    b"user::rwx,user:1000:r-x,group::r-x,group:7:r--,mask::rwx,other::---",
    b"dmFsdWU=",
];

/// Names and targets.
const NAMES: [&[u8]; 12] = [
    b"a",
    b"a/",
    b"a/b",
    b"./a/b/c",
    b"/",
    b"../a",
    b".wh.a",
    b"a/.wh..wh..opq",
    b"a/.wh.b",
    b".wh..wh.plnk/1.2",
    b"b",
    b"",
];

/// Fields of a header, each with its length, and the bytes that go into it.
const FIELDS: [(usize, usize); 10] = [
    (100, 8),
    (108, 8),
    (116, 8),
    (124, 12),
    (136, 12),
    (329, 8),
    (337, 8),
    (386, 12),
    (398, 12),
    (483, 12),
];

/// Changes an input of which a tar begins behind `head` bytes of options: the tar, or all of it.
pub fn mutate_behind(
    head: usize,
    data: &mut [u8],
    size: usize,
    max: usize,
    seed: u32,
    plain: impl Fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    if size <= head || seed.is_multiple_of(16) {
        return plain(data, size, max);
    }
    head + mutate(&mut data[head..], size - head, max - head, seed, plain)
}

/// Changes a tar of `size` bytes in `data`, which has room for `max`: by blocks, or by `plain` bytes.
/// Answers how long it is then.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max: usize,
    seed: u32,
    plain: impl Fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut rng = Rng::new(seed.into());
    let blocks = size / BLOCK;
    let max = max.min(data.len());
    if blocks == 0 || rng.chance(40) {
        return plain(data, size, max);
    }
    let at = rng.below(blocks as u64) as usize * BLOCK;
    let headers: Vec<usize> = (0..blocks).map(|block| block * BLOCK).collect();
    let headers: Vec<usize> =
        headers.into_iter().filter(|&at| &data[at + 257..at + 262] == b"ustar").collect();
    let header = rng.pick(&headers).copied().unwrap_or(at);
    match rng.below(10) {
        0 => {
            let len = BLOCK * (1 + rng.below(3) as usize);
            let from = data[header..size.min(header + len)].to_vec();
            insert(data, size, max, at, &from)
        }
        1 => {
            data.copy_within((at + BLOCK)..size, at);
            size - BLOCK
        }
        2 => {
            let from: [u8; BLOCK] = data[header..][..BLOCK].try_into().expect("a block");
            data.copy_within(at..at + BLOCK, header);
            data[at..][..BLOCK].copy_from_slice(&from);
            size
        }
        3 | 4 => {
            number(&mut rng, &mut data[header..][..BLOCK]);
            size
        }
        5 => {
            data[header + 156] = rng.one(b"0123456757xgXLKSDMVANI\0Z");
            size
        }
        6 | 7 => {
            let kind = if rng.chance(25) { TarBuilder::global } else { TarBuilder::extended };
            let count = 1 + rng.below(3);
            let records: Vec<_> = (0..count).map(|_| (rng.one(&KEYS), rng.one(&VALUES))).collect();
            let records = kind(TarBuilder::new().end(End::Nothing), &records).finish();
            insert(data, size, max, header, &records)
        }
        _ => {
            let name = rng.one(&NAMES);
            let at = header + if rng.chance(60) { 0 } else { 157 };
            data[at..at + 100].fill(0);
            data[at..at + name.len()].copy_from_slice(name);
            size
        }
    }
}

/// Puts bytes in front of byte `at`, if there is room.
fn insert(data: &mut [u8], size: usize, max: usize, at: usize, bytes: &[u8]) -> usize {
    if size + bytes.len() > max {
        return size;
    }
    data.copy_within(at..size, at + bytes.len());
    data[at..at + bytes.len()].copy_from_slice(bytes);
    size + bytes.len()
}

/// A number that is at an edge, in one of the forms that tars have.
fn number(rng: &mut Rng, header: &mut [u8]) {
    let (at, len) = rng.one(&FIELDS);
    let value =
        rng.one(&[0, 1, 7, 511, 512, 513, 1024, 0o7777, 1 << 21, u64::from(u32::MAX), 1 << 33]);
    let field = &mut header[at..at + len];
    match rng.below(4) {
        0 => {
            field.fill(if rng.chance(50) { 0xff } else { 0 });
            field[len - 4..].copy_from_slice(&(value as u32).to_be_bytes());
            field[0] |= 0x80;
        }
        1 => {
            field.fill(b' ');
            field[0] = b'0' + (value % 8) as u8;
        }
        _ => {
            let digits = format!("{value:0width$o}", width = len - 1);
            field[..len - 1].copy_from_slice(&digits.as_bytes()[digits.len() - (len - 1)..]);
            field[len - 1] = 0;
        }
    }
}
