//! Extended attributes in pax records: how names and values are encoded, and which value wins.

use alloc::vec::Vec;
use core::ops::Range;

use super::part::{first, part};

/// Name and value of an attribute, as ranges of an arena.
pub(super) type Pair = (Range<usize>, Range<usize>);

/// Appends the name in a `LIBARCHIVE.xattr.` key: `%` and two hex digits are a byte. `None` if
/// they are not.
pub(super) fn url_name(key: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let hex = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let mut bytes = key.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(*bytes.next()?)? << 4 | hex(*bytes.next()?)?,
            byte => byte,
        });
    }
    Some(())
}

/// Appends the value of a `LIBARCHIVE.xattr.` record: base64, with or without its padding.
/// `None` if it is not.
pub(super) fn base64(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let text = match text {
        [text @ .., b'=', b'='] | [text @ .., b'='] if text.len() % 4 != 0 => text,
        text => text,
    };
    for group in text.chunks(4) {
        let mut bits = 0u32;
        for &byte in group {
            let six = match byte {
                b'A'..=b'Z' => byte.wrapping_sub(b'A'),
                b'a'..=b'z' => byte.wrapping_sub(b'a' - 26),
                b'0'..=b'9' => byte.wrapping_add(52 - b'0'),
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(six);
        }
        let (bytes, missing) = match group.len() {
            4 => (3, 0),
            3 => (2, 6),
            2 => (1, 12),
            _ => return None,
        };
        let [_, whole @ ..] = (bits << missing).to_be_bytes();
        out.extend_from_slice(first(&whole, bytes));
    }
    Some(())
}

/// Where a name is there more than once, keeps its last pair. The order of the pairs stays.
pub(super) fn keep_last(pairs: &mut Vec<Pair>, arena: &[u8], order: &mut Vec<u32>) {
    if pairs.len() < 2 {
        return;
    }
    // Sorted by name and position, so that the last of a name stands at the end of its group:
    // no name costs more than its comparisons, however many there are.
    let name = |i: u32| pairs.get(i as usize).map(|(name, _)| part(arena, name.clone()));
    order.clear();
    order.extend(0..pairs.len() as u32);
    order.sort_unstable_by(|&a, &b| name(a).cmp(&name(b)).then(a.cmp(&b)));
    let mut duplicates = false;
    let mut before: Option<&mut u32> = None;
    for at in order.iter_mut() {
        if let Some(before) = before
            && name(*before) == name(*at)
        {
            *before = u32::MAX;
            duplicates = true;
        }
        before = Some(at);
    }
    if !duplicates {
        return;
    }
    order.sort_unstable();
    let kept = order.partition_point(|&i| i != u32::MAX);
    for (to, &from) in order.iter().take(kept).enumerate() {
        pairs.swap(to, from as usize);
    }
    pairs.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_names() {
        let mut out = Vec::new();
        assert!(url_name(b"user.%3d%00%fF", &mut out).is_some());
        assert_eq!(out, b"user.=\0\xff");
        for bad in [&b"%"[..], b"%1", b"%g0", b"%0g"] {
            assert!(url_name(bad, &mut out).is_none());
        }
    }

    #[test]
    fn base64_with_and_without_padding() {
        for (text, want) in [
            (&b""[..], &b""[..]),
            (b"QQ==", b"A"),
            (b"QQ", b"A"),
            (b"QUI=", b"AB"),
            (b"QUI", b"AB"),
            (b"QUJD", b"ABC"),
            (b"QUJDAAr/+w", b"ABC\0\n\xff\xfb"),
        ] {
            let mut out = Vec::new();
            assert!(base64(text, &mut out).is_some(), "{text:?}");
            assert_eq!(out, want);
        }
        for bad in [&b"Q"[..], b"Q===", b"QUJD=", b"QU\nI", b"=", b"Q=Q=", b"QUJDQ"] {
            assert!(base64(bad, &mut Vec::new()).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn the_last_value_of_a_name_wins() {
        let arena = b"abcb0123";
        let mut pairs: Vec<Pair> = (0..4).map(|i| (i..i + 1, i + 4..i + 5)).collect();
        keep_last(&mut pairs, arena, &mut Vec::new());
        assert_eq!(pairs, [(0..1, 4..5), (2..3, 6..7), (3..4, 7..8)]);
    }
}
