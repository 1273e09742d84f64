//! Bytes in ascending order, handed on in large pieces.

use alloc::vec::Vec;

const PIECE: usize = 64 << 10;
static ZEROS: [u8; 4096] = [0; 4096];

#[derive(Debug)]
pub(super) struct Stream<'s, S> {
    at: u64,
    buffer: Vec<u8>,
    sink: &'s mut S,
}

impl<'s, E, S: FnMut(&[u8]) -> Result<(), E>> Stream<'s, S> {
    pub(super) fn new(at: u64, sink: &'s mut S) -> Self {
        Self { at, buffer: Vec::with_capacity(PIECE), sink }
    }

    /// Byte of the image that comes next.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), E> {
        self.at += bytes.len() as u64;
        if self.buffer.len() + bytes.len() > PIECE {
            (self.sink)(&self.buffer)?;
            self.buffer.clear();
        }
        if bytes.len() >= PIECE {
            return (self.sink)(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Zeros up to a byte of the image.
    pub(super) fn pad(&mut self, to: u64) -> Result<(), E> {
        debug_assert!(self.at <= to, "{} is past {to}", self.at);
        while self.at < to {
            let len = (to - self.at).min(ZEROS.len() as u64);
            self.put(&ZEROS[..len as usize])?;
        }
        Ok(())
    }

    pub(super) fn end(self) -> Result<(), E> {
        if self.buffer.is_empty() { Ok(()) } else { (self.sink)(&self.buffer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn pieces_are_large_and_nothing_is_lost() {
        let mut pieces = Vec::new();
        let mut sink = |bytes: &[u8]| -> Result<(), ()> {
            pieces.push(bytes.to_vec());
            Ok(())
        };
        let mut out = Stream::new(1000, &mut sink);
        let mut expected = Vec::new();
        for (len, byte) in [(10, 1), (PIECE - 10, 2), (1, 3), (3 * PIECE, 4), (5, 5)] {
            out.put(&vec![byte; len]).unwrap();
            expected.resize(expected.len() + len, byte);
        }
        let end = out.position() + 5000;
        out.pad(end).unwrap();
        out.pad(end).unwrap();
        expected.resize(expected.len() + 5000, 0);
        assert_eq!(out.position(), 1000 + expected.len() as u64);
        out.end().unwrap();
        assert!(pieces.concat() == expected);
        let lengths: Vec<usize> = pieces.iter().map(Vec::len).collect();
        assert_eq!(lengths, [PIECE, 1, 3 * PIECE, 5005]);
    }

    #[test]
    fn the_error_of_the_sink_ends_it() {
        let mut left = 2;
        let mut sink = |_: &[u8]| {
            left -= 1;
            if left > 0 { Ok(()) } else { Err("full") }
        };
        let mut out = Stream::new(0, &mut sink);
        out.put(&[0; PIECE]).unwrap();
        assert_eq!(out.put(&[0; 3 * PIECE]), Err("full"));
    }
}
