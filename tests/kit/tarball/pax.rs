//! Pax records and the encodings within them.

use std::fmt::Write;

/// `LEN KEY=VALUE\n`, where LEN counts itself.
pub(super) fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while len != rest + len.to_string().len() {
        len = rest + len.to_string().len();
    }
    [len.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

/// Seconds with a fraction, negative ones too: -1 s and 999,999,999 ns is `-0.000000001`.
pub(super) fn time(secs: i64, nanos: u32) -> String {
    if nanos == 0 {
        return secs.to_string();
    }
    let total = i128::from(secs) * 1_000_000_000 + i128::from(nanos);
    let (sign, total) = if total < 0 { ("-", -total) } else { ("", total) };
    format!("{sign}{}.{:09}", total / 1_000_000_000, total % 1_000_000_000)
}

/// What libarchive makes of a key: all but plain characters as `%XX`.
pub(super) fn url(key: &[u8]) -> String {
    key.iter().fold(String::new(), |mut out, &byte| {
        if byte.is_ascii_graphic() && byte != b'%' && byte != b'=' {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes all");
        }
        out
    })
}

/// Base64 without padding, as libarchive writes it.
pub(super) fn base64(value: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in value.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            out.push(char::from(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_its_own_length() {
        assert_eq!(record(b"path", b"x"), b"9 path=x\n");
        assert_eq!(record(b"k", &[b'v'; 95]).len(), 102);
        for len in 0..2000 {
            let record = record(b"k", &vec![b'v'; len]);
            let digits = record.iter().position(|&byte| byte == b' ').unwrap();
            assert_eq!(std::str::from_utf8(&record[..digits]).unwrap(), record.len().to_string());
        }
    }

    #[test]
    fn times_round_towards_the_past() {
        assert_eq!(time(-1, 999_999_999), "-0.000000001");
        assert_eq!(time(-2, 500_000_000), "-1.500000000");
        assert_eq!(time(3, 1), "3.000000001");
    }

    #[test]
    fn base64_and_url() {
        assert_eq!(base64(b"Man"), "TWFu");
        assert_eq!(base64(b"Ma"), "TWE");
        assert_eq!(base64(b"M"), "TQ");
        assert_eq!(url(b"user.a b=%"), "user.a%20b%3D%25");
    }
}
