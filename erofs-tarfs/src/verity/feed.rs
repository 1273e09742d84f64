//! Bytes in any chunking to leaf digests: what [`Hasher`](super::Hasher) and
//! [`Leaves`](super::Leaves) share.

use alloc::vec::Vec;

use super::lanes::{self, State};
use super::{BlockHasher, Digest, Error, TreeDigest, VerityBlockSize};

/// Where leaf digests are to be written.
pub(super) trait Digests {
    /// What [`Digests::filled`] fails with.
    type Error;

    /// Room for at least one digest and at most `blocks` of them.
    fn room(&mut self, blocks: u64) -> &mut [u8];

    /// Takes the first `bytes` bytes of the room, now filled.
    fn filled(&mut self, bytes: usize, hasher: &BlockHasher) -> Result<(), Self::Error>;
}

/// Cuts bytes into data blocks.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    pub(super) hasher: BlockHasher,
    block: VerityBlockSize,
    /// The beginning of a data block, shorter than one.
    partial: Vec<u8>,
    zero: Option<TreeDigest>,
    /// The state of all whole blocks as one stream, if it is hashed along with them.
    stream: Option<State>,
}

impl Feed {
    pub(super) fn new(hasher: BlockHasher, block: VerityBlockSize) -> Self {
        Self { hasher, block, partial: Vec::new(), zero: None, stream: None }
    }

    /// Hashes what is pushed as one stream too, until [`Feed::end_stream`]: bytes only, neither runs
    /// of zeros nor digests. False if that is no faster than hashing it apart.
    pub(super) fn along(&mut self) -> bool {
        let can = self.hasher.has_lanes()
            && lanes::hashes_along(self.hasher.backend(), self.hasher.salt());
        self.stream = can.then_some(lanes::INITIAL);
        can
    }

    /// The digest of all that was pushed, `bytes` bytes, if it is hashed along.
    pub(super) fn end_stream(&mut self, bytes: u64) -> Option<Digest> {
        Some(Digest(lanes::finish(self.stream.take()?, bytes, &self.partial)))
    }

    pub(super) fn block(&self) -> VerityBlockSize {
        self.block
    }

    /// Bytes of the block that is not full yet.
    pub(super) fn partial(&self) -> usize {
        self.partial.len()
    }

    /// Forgets the block that is not full yet.
    pub(super) fn clear(&mut self) {
        self.partial.clear();
    }

    pub(super) fn push<D: Digests>(
        &mut self,
        mut data: &[u8],
        out: &mut D,
    ) -> Result<(), D::Error> {
        if !self.partial.is_empty() {
            let missing = self.block.size() - self.partial.len();
            let (head, rest) = data.split_at(missing.min(data.len()));
            self.partial.extend_from_slice(head);
            data = rest;
            if self.partial.len() < self.block.size() {
                return Ok(());
            }
            self.flush(out)?;
        }
        let (bits, len) = (self.block.bits(), self.hasher.digest_len());
        while data.len() >= self.block.size() {
            let room = out.room((data.len() >> bits) as u64);
            let digests = room.len();
            let (blocks, rest) = data.split_at((digests / len) << bits);
            self.hasher.fill_along(self.block, blocks, room, self.stream.as_mut());
            out.filled(digests, &self.hasher)?;
            data = rest;
        }
        self.partial.extend_from_slice(data);
        Ok(())
    }

    pub(super) fn push_zeros<D: Digests>(
        &mut self,
        mut bytes: u64,
        out: &mut D,
    ) -> Result<(), D::Error> {
        if !self.partial.is_empty() {
            let missing = self.block.size() - self.partial.len();
            let head = missing.min(usize::try_from(bytes).unwrap_or(usize::MAX));
            self.partial.resize(self.partial.len() + head, 0);
            bytes -= head as u64;
            if self.partial.len() < self.block.size() {
                return Ok(());
            }
            self.flush(out)?;
        }
        let mut blocks = bytes >> self.block.bits();
        let len = self.hasher.digest_len();
        while blocks > 0 {
            let zero = self.zero();
            let room = out.room(blocks);
            room.chunks_exact_mut(len).for_each(|digest| digest.copy_from_slice(zero.as_bytes()));
            let digests = room.len();
            blocks -= (digests / len) as u64;
            out.filled(digests, &self.hasher)?;
        }
        self.partial.resize((bytes as usize) & (self.block.size() - 1), 0);
        Ok(())
    }

    /// Pushes ready digests; the caller has checked length and position.
    pub(super) fn push_digests<D: Digests>(
        &mut self,
        mut digests: &[u8],
        out: &mut D,
    ) -> Result<(), D::Error> {
        let len = self.hasher.digest_len();
        while !digests.is_empty() {
            let room = out.room((digests.len() / len) as u64);
            let (now, rest) = digests.split_at(room.len());
            room.copy_from_slice(now);
            out.filled(now.len(), &self.hasher)?;
            digests = rest;
        }
        Ok(())
    }

    /// How many blocks `digests` stands for, at a position where they may be pushed.
    pub(super) fn check_digests(&self, digests: &[u8], offset: u64) -> Result<u64, Error> {
        let len = self.hasher.digest_len();
        if !digests.len().is_multiple_of(len) {
            return Err(Error::DigestLength { bytes: digests.len() });
        }
        match self.partial.is_empty() {
            true => Ok((digests.len() / len) as u64),
            false => Err(Error::MidBlock { offset }),
        }
    }

    /// The digest of a block of zeros, computed once.
    pub(super) fn zero(&mut self) -> TreeDigest {
        *self.zero.get_or_insert_with(|| self.hasher.hash_zeros(self.block))
    }

    fn flush<D: Digests>(&mut self, out: &mut D) -> Result<(), D::Error> {
        self.hasher.fill_along(self.block, &self.partial, out.room(1), self.stream.as_mut());
        self.partial.clear();
        out.filled(self.hasher.digest_len(), &self.hasher)
    }
}
