//! Names, attributes and contents that have caused trouble somewhere.

use crate::dump::Xattrs;
use crate::layer::{Attr, What};
use crate::rng::Rng;

/// Few names, so that layers meet.
const PLAIN: &[&[u8]] = &[b"a", b"b", b"c", b"d", b"e", b"lib", b"usr", b"x.y", b"z"];

/// Sorted before and after the dots, not UTF-8, not printable, as good as dots.
const ODD: &[&[u8]] = &[
    b" ",
    b"!",
    b"-",
    b".-x",
    b".a",
    b"..a",
    b"...",
    b".wh",
    b".whx",
    b"a b",
    b"a\\b",
    b"new\nline",
    b"\x01",
    b"\x7f",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"\xc3",
    b"%2e",
    b"\"q'",
    b"A",
    b"~",
    b"a=b",
    b"x,y:z",
];

pub(super) fn name(rng: &mut Rng) -> Vec<u8> {
    match rng.below(100) {
        0..70 => rng.one(PLAIN).to_vec(),
        70..96 => rng.one(ODD).to_vec(),
        96..98 => vec![b'n'; 255],
        98..99 => vec![b'w'; 251],
        _ => [&[0xfe; 120], &b"long"[..]].concat(),
    }
}

fn id(rng: &mut Rng) -> u32 {
    rng.one(&[0, 0, 0, 1000, 65_535, 65_536, 70_000, 2_097_152, 3_000_000_000, u32::MAX - 1])
}

fn mtime(rng: &mut Rng) -> (i64, u32) {
    let secs = rng.one(&[
        0,
        1,
        1_700_000_000,
        -1,
        -2_000_000_000,
        -3_000_000_000,
        5_000_000_000,
        20_000_000_000,
    ]);
    let nanos = rng.one(&[0, 0, 1, 500_000_000, 123_456_789, 999_999_999]);
    (secs, nanos)
}

/// Attributes that something of this type can have.
pub(super) fn attr(rng: &mut Rng, what: &What) -> Attr {
    let mode = match what {
        What::Symlink(_) => 0o777,
        What::Dir => rng.one(&[0o755, 0o755, 0o700, 0o1777, 0o2775, 0o7000, 0]),
        _ => rng.one(&[0o644, 0o755, 0o4755, 0o2755, 0o6711, 0o1644, 0o7777, 0]),
    };
    let mut xattrs = Xattrs::new();
    let user = matches!(what, What::Dir | What::File(_));
    let keys: &[&str] = match user {
        true => &["user.a", "user.long", "user.k k", "trusted.t", "security.s", "user.empty"],
        false => &["trusted.t", "trusted.u", "security.s"],
    };
    while rng.chance(25) {
        let len = rng.one(&[1, 3, 16, 200, 700]);
        let key = rng.one(keys);
        let value = if key == "user.empty" { Vec::new() } else { rng.bytes(len) };
        xattrs.insert(key.as_bytes().to_vec(), value);
    }
    if matches!(what, What::File(_)) && rng.chance(5) {
        let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        xattrs.insert(b"security.capability".to_vec(), capability.to_vec());
    }
    Attr { mode, uid: id(rng), gid: id(rng), mtime: mtime(rng), xattrs }
}

/// Something that is neither a directory nor a link nor a marker.
pub(super) fn leaf(rng: &mut Rng) -> What {
    match rng.below(10) {
        0..5 => {
            let len = rng.one(&[0, 0, 1, 100, 511, 512, 513, 1024, 4096, 5000, 70_000]);
            What::File(rng.bytes(len))
        }
        5..7 => {
            let len = rng.one(&[1, 5, 5, 99, 101, 255, 511, 512, 600, 4095]);
            What::Symlink(b"t/".iter().copied().cycle().take(len).collect())
        }
        7 => What::Char(rng.one(&[0, 1, 12, 4095]), rng.one(&[1, 3, 255, 256, 1_048_575])),
        8 => What::Block(rng.one(&[0, 8, 4095]), rng.one(&[0, 1, 1_048_575])),
        _ => What::Fifo,
    }
}
