//! The records of pax extended headers.
//!
//! A record is `"%d %s=%s\n", length, key, value`, the length in decimal and of the whole record
//! (POSIX pax, "pax Extended Header").

use super::part::{first, from};

/// The records of the body of a pax header, in order.
pub(super) struct Records<'a> {
    body: &'a [u8],
    at: usize,
}

/// One record.
pub(super) struct Record<'a> {
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
}

/// A record that breaks a rule, and where it starts.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) at: usize,
    pub(super) rule: &'static str,
}

impl<'a> Records<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { body, at: 0 }
    }

    fn record(&mut self) -> Result<Record<'a>, &'static str> {
        let rest = from(self.body, self.at);
        // The length of a body that fits memory has at most 19 digits.
        let digits = rest.iter().take(20).take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || rest.get(digits) != Some(&b' ') {
            return Err("a record starts with its length in decimal and a space");
        }
        let len = first(rest, digits)
            .iter()
            .try_fold(0usize, |n, b| n.checked_mul(10)?.checked_add(usize::from(b & 15)))
            .filter(|&len| len <= rest.len())
            .ok_or("a record's length ends within the header's body")?;
        let Some(([text @ .., b'\n'], _)) = rest.split_at_checked(len) else {
            return Err("a record ends with a newline at its length");
        };
        let pair = text.get(digits.saturating_add(1)..).ok_or("a record has room for a key")?;
        let equals = pair.iter().position(|&b| b == b'=').ok_or("a record has an equals sign")?;
        let (key, value) = (first(pair, equals), from(pair, equals.saturating_add(1)));
        if key.is_empty() || key.contains(&0) {
            return Err("a key is not empty and has no NUL");
        }
        self.at = self.at.saturating_add(len);
        Ok(Record { key, value })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.body.len() {
            return None;
        }
        let at = self.at;
        Some(self.record().map_err(|rule| {
            self.at = self.body.len();
            Malformed { at, rule }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    type Pairs<'a> = Vec<(&'a [u8], &'a [u8])>;

    fn read(body: &[u8]) -> Result<Pairs<'_>, &'static str> {
        Records::new(body).map(|r| r.map(|r| (r.key, r.value)).map_err(|e| e.rule)).collect()
    }

    #[test]
    fn records_hold_any_bytes() {
        assert_eq!(read(b"").unwrap(), []);
        assert_eq!(
            read(b"6 a=b\n5 c=\n09 d=\n=\0\n").unwrap(),
            [(&b"a"[..], &b"b"[..]), (b"c", b""), (b"d", b"\n=\0")]
        );
    }

    #[test]
    fn malformed_records_are_refused() {
        for body in [
            &b"x"[..],
            b"6",
            b" 6 a=b\n",
            b"+6 a=b\n",
            b"99 a=b\n",
            b"5 a=b\n",
            b"7 a=b\n",
            b"6 a=bx",
            b"5 ab\n",
            b"4 =\n",
            b"6 \0=b\n",
            b"3 \n",
            b"2 \n",
            b"1 \n",
            b"0 a=b\n",
            b"99999999999999999999999999 a=b\n",
            b"6 a=b\n\0\0",
        ] {
            assert!(read(body).is_err(), "{:?}", body.escape_ascii());
        }
    }
}
