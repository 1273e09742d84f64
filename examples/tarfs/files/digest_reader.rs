//! Bytes that are checked against their digest as they are read.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::cli::numbers;

/// A reader whose end is an error if what was read does not have this SHA-256.
pub(crate) struct DigestReader<R> {
    reader: R,
    hasher: Sha256,
    /// Hex digits; none once they were compared.
    expected: Option<String>,
}

impl<R> DigestReader<R> {
    /// Reads what has this SHA-256, in hex.
    pub(crate) fn new(reader: R, expected: &str) -> Self {
        Self { reader, hasher: Sha256::new(), expected: Some(expected.to_owned()) }
    }
}

impl<R: Read> Read for DigestReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buf)?;
        self.hasher.update(&buf[..n]);
        if n == 0
            && !buf.is_empty()
            && let Some(expected) = self.expected.take()
        {
            check(&numbers::to_hex(&self.hasher.clone().finalize()), &expected)
                .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
        }
        Ok(n)
    }
}

/// Compares a digest with that which was expected; what to say if it is another.
pub(crate) fn check(found: &str, expected: &str) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("does not have its digest, but {found}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_an_error_if_the_bytes_are_others() {
        let digest = numbers::to_hex(&Sha256::digest(b"abc"));
        let all = |bytes: &'static [u8]| {
            let mut read = Vec::new();
            DigestReader::new(bytes, &digest).read_to_end(&mut read).map(|_| read)
        };
        assert_eq!(all(b"abc").unwrap(), b"abc");
        for bytes in [&b"abd"[..], b"ab", b"abcd", b""] {
            let error = all(bytes).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert!(error.to_string().starts_with("does not have its digest, but "), "{error}");
        }
    }
}
