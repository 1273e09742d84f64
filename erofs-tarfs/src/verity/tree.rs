//! Leaf digests to a tree: hash blocks leave as they fill.

use alloc::{vec, vec::Vec};
use core::mem;

use super::{BlockHasher, Fault, Geometry, HashSink, Sealed, TreeDigest, VerityBlockSize};

/// Hash blocks are collected to runs of this many bytes before they are hashed and put.
const RUN: u64 = 64 << 10;

/// The upper part of a [`Hasher`](super::Hasher): digests in, hash blocks out.
///
/// A digest has 32 or 64 bytes and a hash block is a power of two, so a level is nothing but the digests
/// of its children one after the other, the last block filled up with zeros.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    geometry: Geometry,
    leaves: u64,
    /// The unput part of each level that is made here, the lowest first; if there is none, the one
    /// digest that comes.
    rows: Vec<Row>,
    /// Whether `rows` stands for no level.
    bare: bool,
    root: Option<TreeDigest>,
}

#[derive(Clone, Debug)]
struct Row {
    buf: Vec<u8>,
    len: usize,
    /// Byte offset in the hash file of the start of `buf`.
    offset: u64,
}

impl Tree {
    /// A tree from level `base` on: its leaves are the digests of what is below, data blocks for
    /// base 0.
    pub(super) fn new(geometry: Geometry, base: usize) -> Self {
        let bits = geometry.hash_block().bits();
        let row = |offset, bytes: u64| Row { buf: vec![0; bytes as usize], len: 0, offset };
        let mut rows: Vec<_> = (geometry.levels().iter().skip(base))
            .map(|level| row(level.offset, (level.blocks << bits).min(RUN.max(1 << bits))))
            .collect();
        let bare = rows.is_empty();
        if bare {
            rows.push(row(0, geometry.params().digest_len() as u64));
        }
        Self { geometry, leaves: 0, rows, bare, root: None }
    }

    pub(super) fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// How many leaf digests came so far.
    pub(super) fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Room for at least one leaf digest and at most `blocks`. Only while leaves are missing.
    pub(super) fn room(&mut self, blocks: u64) -> &mut [u8] {
        let len = self.geometry.params().digest_len();
        let row = &mut self.rows[0];
        let free = (row.buf.len() - row.len) / len;
        let take = usize::try_from(blocks).unwrap_or(usize::MAX).min(free);
        &mut row.buf[row.len..][..take * len]
    }

    /// Takes the first `bytes` of what [`Tree::room`] gave, now filled.
    pub(super) fn filled<S: HashSink>(
        &mut self,
        bytes: usize,
        hasher: &BlockHasher,
        sink: &mut S,
    ) -> Result<(), Fault<S::Error>> {
        self.leaves += (bytes / self.geometry.params().digest_len()) as u64;
        let row = &mut self.rows[0];
        row.len += bytes;
        if row.len == row.buf.len() {
            self.put(0, hasher, sink)?;
        }
        Ok(())
    }

    /// Puts what a level has collected, whole blocks, and hands their digests to the next one.
    fn put<S: HashSink>(
        &mut self,
        level: usize,
        hasher: &BlockHasher,
        sink: &mut S,
    ) -> Result<(), Fault<S::Error>> {
        let block = self.geometry.hash_block();
        let top = level + 1 == self.rows.len();
        let row = &mut self.rows[level];
        if self.bare {
            self.root = TreeDigest::of(&row.buf);
            return Ok(());
        }
        sink.put(row.offset, &row.buf[..row.len]).map_err(Fault::Caller)?;
        if top {
            self.root = Some(hasher.hash(&row.buf[..row.len]));
        } else {
            let buf = mem::take(&mut row.buf);
            let done = self.raise(level + 1, &buf[..self.rows[level].len], block, hasher, sink);
            self.rows[level].buf = buf;
            done?;
        }
        let row = &mut self.rows[level];
        row.offset += row.len as u64;
        row.len = 0;
        Ok(())
    }

    /// Hashes `blocks` into `level`.
    fn raise<S: HashSink>(
        &mut self,
        level: usize,
        mut blocks: &[u8],
        block: VerityBlockSize,
        hasher: &BlockHasher,
        sink: &mut S,
    ) -> Result<(), Fault<S::Error>> {
        let len = self.geometry.params().digest_len();
        while !blocks.is_empty() {
            let row = &mut self.rows[level];
            let free = (row.buf.len() - row.len) / len;
            let count = (blocks.len() >> block.bits()).min(free);
            let (now, rest) = blocks.split_at(count << block.bits());
            hasher.fill(block, now, &mut row.buf[row.len..][..count * len]);
            row.len += count * len;
            blocks = rest;
            if row.len == row.buf.len() {
                self.put(level, hasher, sink)?;
            }
        }
        Ok(())
    }

    /// Closes all levels once all leaves are there, and puts the superblock.
    pub(super) fn seal<S: HashSink>(
        mut self,
        hasher: &BlockHasher,
        sink: &mut S,
    ) -> Result<Sealed, Fault<S::Error>> {
        let root = self.finish(hasher, sink)?;
        let sealed = Sealed::new(self.geometry, root);
        if let Some((offset, area)) = sealed.superblock_area() {
            sink.put(offset, &area).map_err(Fault::Caller)?;
        }
        Ok(sealed)
    }

    /// Closes all levels once all leaves are there.
    #[expect(
        clippy::expect_used,
        reason = "called when all leaves are there, as their number is checked before"
    )]
    fn finish<S: HashSink>(
        &mut self,
        hasher: &BlockHasher,
        sink: &mut S,
    ) -> Result<TreeDigest, Fault<S::Error>> {
        for level in 0..self.rows.len() {
            let row = &mut self.rows[level];
            if row.len > 0 {
                let full = row.len.next_multiple_of(self.geometry.hash_block().size());
                if let Some(spare) = row.buf.get_mut(row.len..full) {
                    spare.fill(0);
                    row.len = full;
                    self.put(level, hasher, sink)?;
                }
            }
        }
        Ok(self.root.expect("the leaves are complete, so the topmost block came by"))
    }
}
