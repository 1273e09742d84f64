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
