//! A stream gathered into larger pieces, each written and hashed while it is in the cache.

use erofs_tarfs::verity::{StreamHasher, Streamed};

use crate::abi::error::Error;
use crate::streams::sink::Writer;
use crate::trees::apart::{Apart, PIECE};

/// Takes a stream in pieces of any size.
#[derive(Debug)]
pub(crate) struct Pieces {
    tee: Option<Writer>,
    hasher: Option<Apart>,
    current: Vec<u8>,
    /// Bytes before the current ones.
    offset: u64,
}

impl Pieces {
    /// Pieces for these two. A hasher that is idle is none.
    pub(crate) fn new(tee: Option<Writer>, hasher: StreamHasher) -> Self {
        let hasher = (!hasher.is_idle()).then(|| Apart::new(hasher));
        Self { tee, hasher, current: Vec::new(), offset: 0 }
    }

    /// Whether anybody wants them.
    pub(crate) fn are_wanted(&self) -> bool {
        self.tee.is_some() || self.hasher.is_some()
    }

    /// Takes the next bytes.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        if bytes.is_empty() || !self.are_wanted() {
            return Ok(());
        }
        if let Some(tee) = self.tee.as_ref().filter(|tee| tee.file().is_none()) {
            // Who reads from a pipe, or is called, may wait for just these.
            tee.write(self.offset + self.current.len() as u64, bytes)?;
            if self.hasher.is_none() {
                self.offset += bytes.len() as u64;
                return Ok(());
            }
        }
        if self.hasher.is_none() && self.current.is_empty() && bytes.len() >= PIECE / 2 {
            self.write(bytes)?;
            self.offset += bytes.len() as u64;
            return Ok(());
        }
        while !bytes.is_empty() {
            self.current.reserve_exact(PIECE - self.current.len());
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.current.len()));
            self.current.extend_from_slice(now);
            bytes = later;
            if self.current.len() == PIECE {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes what is left; what was hashed, if anything was to be. The thread has ended then.
    pub(crate) fn finish(mut self) -> Result<Option<Streamed>, Error> {
        self.flush()?;
        Ok(self.hasher.map(Apart::finish))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.write(&self.current)?;
        self.offset += self.current.len() as u64;
        match &mut self.hasher {
            Some(hasher) => hasher.take(&mut self.current),
            None => self.current.clear(),
        }
        Ok(())
    }

    /// Writes to a file; everything else was written when it came.
    fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        match self.tee.as_ref().filter(|tee| tee.file().is_some() && !bytes.is_empty()) {
            Some(tee) => tee.write(self.offset, bytes),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use erofs_tarfs::verity::Digest;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn any_length_in_any_pieces() {
        let bytes: Vec<u8> = (0..7 * PIECE + 3).map(|i| (i * 31 / 7) as u8).collect();
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, bytes.len()] {
            let wanted = Digest(Sha256::digest(&bytes[..len]).into());
            for piece in [511, 64 << 10, 3 << 20] {
                let mut pieces = Pieces::new(None, StreamHasher::new(true, None));
                bytes[..len].chunks(piece).for_each(|piece| pieces.push(piece).unwrap());
                let done = pieces.finish().unwrap().unwrap();
                assert_eq!(done.digest, Some(wanted), "{len} bytes in pieces of {piece}");
            }
        }
    }
}
