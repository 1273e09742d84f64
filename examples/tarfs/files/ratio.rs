//! Streams that become much longer than what they are made of.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::cli::limits::Ratio;

/// A decompressed stream that fails where it is too long for the bytes that it is made of.
pub(crate) struct Bounded<R> {
    reader: R,
    used: Rc<Cell<u64>>,
    made: u64,
    ratio: Ratio,
}

impl<R: Read> Bounded<R> {
    /// `used` tells how many compressed bytes were used so far.
    pub(crate) fn new(reader: R, used: Rc<Cell<u64>>, ratio: Ratio) -> Self {
        Self { reader, used, made: 0, ratio }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buf)?;
        self.made += n as u64;
        match self.ratio.over(self.used.get(), self.made) {
            Some(why) => Err(io::Error::new(io::ErrorKind::InvalidData, why)),
            None => Ok(n),
        }
    }
}
