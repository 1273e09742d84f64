//! Numbers: the octal and base-256 fields of headers, and the decimals of pax records.

use crate::units::Timestamp;

/// Why a field is not a number that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberError {
    /// Not the digits that the field takes.
    Malformed,
    /// Past 63 bits and a sign.
    Overflow,
}

/// Reads a numeric header field: octal, or GNU's base-256 where the first bit is set.
///
/// Octal digits may have spaces and NULs before them and end with a space, a NUL or the field;
/// a field of nothing but those is 0, as in Go's `archive/tar` (GNU tar takes blanks only in
/// fields that the type does not need). Base-256 is two's complement, big-endian, below the
/// marker bit (GNU tar manual, "Extensions").
#[inline(always)]
pub(super) fn field(bytes: &[u8]) -> Result<i64, NumberError> {
    let Some((head, rest)) = bytes.split_first_chunk::<8>() else { return rare(bytes) };
    let (high, len) = digits(u64::from_be_bytes(*head));
    if len < 8 {
        // Nearly all fields look like this: digits from the first byte on, then a blank or a NUL.
        let ended = len > 0 && matches!(head.get(len), Some(b' ' | 0));
        return if ended { Ok(high) } else { rare(bytes) };
    }
    let Some((tail, [])) = rest.split_first_chunk::<4>() else { return rare(bytes) };
    let (low, len) = digits(u64::from(u32::from_be_bytes(*tail)) << 32);
    let ended = len >= 4 || matches!(tail.get(len), Some(b' ' | 0));
    if ended { Ok(high << len.wrapping_mul(3) | low) } else { rare(bytes) }
}

/// The octal digits that a word starts with, most significant byte first, as a number; and how
/// many there are.
#[inline]
fn digits(word: u64) -> (i64, usize) {
    let word = word ^ 0x3030_3030_3030_3030;
    let len = (word & 0xf8f8_f8f8_f8f8_f8f8).leading_zeros() / 8;
    // Each byte now has one digit, three bits. Neighbours are joined: to 6 bits in every second
    // byte, then to 12 in every fourth, then to 24.
    let value = word.unbounded_shr(64_u32.wrapping_sub(len << 3));
    let value = (value | value >> 5) & 0x003f_003f_003f_003f;
    let value = (value | value >> 10) & 0x0000_0fff_0000_0fff;
    ((value & 0xfff | value >> 20) as i64 & 0xff_ffff, len as usize)
}

fn rare(bytes: &[u8]) -> Result<i64, NumberError> {
    match bytes.first() {
        Some(first) if first & 0x80 != 0 => base256(bytes),
        _ => octal(bytes),
    }
}

fn octal(bytes: &[u8]) -> Result<i64, NumberError> {
    let mut value = 0i64;
    let mut digits = bytes.iter().skip_while(|b| matches!(b, b' ' | 0));
    for &byte in &mut digits {
        match byte {
            b'0'..=b'7' if value >> 60 == 0 => value = value << 3 | i64::from(byte & 7),
            b'0'..=b'7' => return Err(NumberError::Overflow),
            b' ' | 0 => break,
            _ => return Err(NumberError::Malformed),
        }
    }
    Ok(value)
}

fn base256(bytes: &[u8]) -> Result<i64, NumberError> {
    let Some((&first, rest)) = bytes.split_first() else { return Ok(0) };
    // Bit 7 marks the encoding, bit 6 is the sign: drop the mark and extend the sign over it.
    let mut value = i64::from(((first << 1) as i8) >> 1);
    for &byte in rest {
        if value >> 55 != 0 && value >> 55 != -1 {
            return Err(NumberError::Overflow);
        }
        value = value << 8 | i64::from(byte);
    }
    Ok(value)
}

/// Reads an unsigned decimal of a pax record: digits and nothing else.
pub(super) fn decimal(bytes: &[u8]) -> Result<u64, NumberError> {
    if bytes.is_empty() {
        return Err(NumberError::Malformed);
    }
    bytes.iter().try_fold(0u64, |value, &byte| match byte {
        b'0'..=b'9' => value
            .checked_mul(10)
            .and_then(|v| v.checked_add(u64::from(byte & 15)))
            .ok_or(NumberError::Overflow),
        _ => Err(NumberError::Malformed),
    })
}

/// Reads a pax time: an optional `-`, digits, and perhaps a period and more digits.
///
/// Digits past the ninth are cut so that the time is never later than written, which for a
/// negative time is away from zero (POSIX pax, "pax Extended Header File Times"). `5.` is 5, as
/// GNU tar and Go read it; `.5` and `+5` are malformed, as GNU tar has it.
pub(super) fn time(bytes: &[u8]) -> Result<Timestamp, NumberError> {
    let (negative, bytes) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    let dot = bytes.iter().position(|&b| b == b'.').unwrap_or(bytes.len());
    let (whole, fraction) = bytes.split_at(dot);
    let fraction = fraction.get(1..).unwrap_or(&[]);

    let secs = i64::try_from(decimal(whole)?).map_err(|_| NumberError::Overflow)?;
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::Malformed);
    }
    let digit = |i: usize| fraction.get(i).map_or(0, |b| u32::from(b & 15));
    let nanos = (0..9).fold(0, |nanos: u32, i| nanos.saturating_mul(10).saturating_add(digit(i)));
    if !negative {
        return Ok(Timestamp { secs, nanos });
    }
    // Digits behind the ninth are cut off. Times are rounded towards the past, so that a negative
    // one with such digits goes back by one more nanosecond.
    let cut = fraction.iter().skip(9).any(|&b| b != b'0');
    let back = nanos.saturating_add(cut.into());
    let secs = secs.saturating_neg();
    if back == 0 {
        return Ok(Timestamp { secs, nanos: 0 });
    }
    let secs = secs.checked_sub(1).ok_or(NumberError::Overflow)?;
    Ok(Timestamp { secs, nanos: 1_000_000_000_u32.saturating_sub(back) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_takes_blanks_around_digits() {
        for (bytes, want) in [
            (&b"0000644\0"[..], 0o644),
            (b"   644 \0", 0o644),
            (b"\0\0 12\0\0\0", 0o12),
            (b"77777777", 0o77_777_777),
            (b"        ", 0),
            (b"\0\0\0\0\0\0\0\0", 0),
            (b"12\0junk!", 0o12),
            (b"", 0),
        ] {
            assert_eq!(field(bytes), Ok(want), "{bytes:?}");
        }
        for bytes in [&b"0000648\0"[..], b"-1\0", b"+AAAAAAA", b"hello\0\0\0", b"12x\0"] {
            assert_eq!(field(bytes), Err(NumberError::Malformed), "{bytes:?}");
        }
        assert_eq!(field(&[b'7'; 24]), Err(NumberError::Overflow));
    }

    #[test]
    fn the_fast_way_reads_what_the_slow_one_reads() {
        // Every field of 8 and 12 bytes with up to two bytes that are no plain digit.
        for len in [8, 12] {
            for (first, second) in (0..len).flat_map(|first| (0..len).map(move |at| (first, at))) {
                for odd in [b' ', 0, b'0', b'7', b'8', b'/', b'9', b'-', 0x7f, 0x80, 0xb0, 0xff] {
                    for other in [b' ', 0, b'3', b'8', 0xb1] {
                        let mut bytes = *b"012345676543";
                        (bytes[first], bytes[second]) = (odd, other);
                        assert_eq!(field(&bytes[..len]), rare(&bytes[..len]), "{bytes:x?}");
                    }
                }
            }
        }
    }

    #[test]
    fn base256_of_every_width_and_sign() {
        for (bytes, want) in [
            (&[0x80, 0, 0, 0, 0, 0, 0, 5][..], 5),
            (&[0xff; 8][..], -1),
            (&[0xff; 12][..], -1),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe][..], -2),
            (&[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], i64::MAX),
            (&[0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0][..], i64::MIN),
            (&[0xbf, 0xff][..], 0x3fff),
            (&[0xc0, 0][..], -0x4000),
        ] {
            assert_eq!(field(bytes), Ok(want), "{bytes:x?}");
        }
        for bytes in [
            [0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0],
            [0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(field(&bytes), Err(NumberError::Overflow), "{bytes:x?}");
        }
    }

    #[test]
    fn pax_time_rounds_to_the_past() {
        let at = |secs, nanos| Ok(Timestamp { secs, nanos });
        for (text, want) in [
            ("0", at(0, 0)),
            ("5.", at(5, 0)),
            ("1.5", at(1, 500_000_000)),
            ("1.9999999999", at(1, 999_999_999)),
            ("-1.5", at(-2, 500_000_000)),
            ("-0.5", at(-1, 500_000_000)),
            ("-0.000000001", at(-1, 999_999_999)),
            ("-1.0000000001", at(-2, 999_999_999)),
            ("-0.9999999999", at(-1, 0)),
            ("-0", at(0, 0)),
            ("9223372036854775807.999999999", at(i64::MAX, 999_999_999)),
            ("9223372036854775808", Err(NumberError::Overflow)),
            ("", Err(NumberError::Malformed)),
            (".5", Err(NumberError::Malformed)),
            ("+5", Err(NumberError::Malformed)),
            ("5.x", Err(NumberError::Malformed)),
            (" 5", Err(NumberError::Malformed)),
            ("--5", Err(NumberError::Malformed)),
        ] {
            assert_eq!(time(text.as_bytes()), want, "{text}");
        }
    }
}
