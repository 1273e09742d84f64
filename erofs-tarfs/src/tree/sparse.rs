//! Sparse files: runs on the tar's 512-byte grid stay in the tar, the others are carried.

use super::error::Rule;
use super::model::{Extent, Place};
use crate::tar::Segment;
use alloc::vec::Vec;

const GRID: u64 = 512;

/// The extents of a file whose runs all lie on the grid, or `None`.
pub(super) fn in_place(size: u64, data_offset: u64, runs: &[Segment]) -> Option<Vec<Extent>> {
    let mut at = data_offset;
    let mut extents: Vec<Extent> = Vec::with_capacity(runs.len());
    for run in runs {
        let whole = run.len.is_multiple_of(GRID) || run.offset + run.len == size;
        if !run.offset.is_multiple_of(GRID) || !at.is_multiple_of(GRID) || !whole {
            return None;
        }
        match extents.last_mut() {
            Some(last) if last.logical + last.len == run.offset => last.len += run.len,
            _ => extents.push(Extent {
                logical: run.offset,
                len: run.len,
                place: Place::Device { device: 0, offset: at },
            }),
        }
        at += run.len;
    }
    Some(extents)
}

/// A file whose body is being carried.
#[derive(Debug)]
pub(super) struct Carrier {
    pub(super) size: u64,
    runs: Vec<Segment>,
    /// Run that the next byte belongs to, and how far into it.
    run: usize,
    within: u64,
    pub(super) extents: Vec<Extent>,
}

impl Carrier {
    pub(super) fn new(size: u64, runs: &[Segment]) -> Self {
        Self { size, runs: runs.to_vec(), run: 0, within: 0, extents: Vec::new() }
    }

    /// Takes bytes of the stored body.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        arena: &mut Vec<u8>,
        limit: u64,
    ) -> Result<(), Rule> {
        while let (Some(run), false) = (self.runs.get(self.run).copied(), bytes.is_empty()) {
            if self.within == 0 {
                self.open(run, arena);
            }
            let take =
                bytes.len().min(usize::try_from(run.len - self.within).unwrap_or(usize::MAX));
            arena.extend_from_slice(&bytes[..take]);
            if let Some(last) = self.extents.last_mut() {
                last.len += take as u64;
            }
            bytes = &bytes[take..];
            self.within += take as u64;
            if self.within == run.len {
                (self.run, self.within) = (self.run + 1, 0);
            }
            if arena.len() as u64 > limit {
                return Err(Rule::Carried(limit));
            }
        }
        Ok(())
    }

    /// Goes to the start of a run: on in the last extent where that ends in the same block.
    fn open(&mut self, run: Segment, arena: &mut Vec<u8>) {
        let block = run.offset - run.offset % GRID;
        if let Some(last) = self.extents.last_mut() {
            let end = last.logical + last.len;
            if block < end.next_multiple_of(GRID) || run.offset == end {
                arena.resize(arena.len() + (run.offset - end) as usize, 0);
                last.len += run.offset - end;
                return;
            }
        }
        self.close(arena);
        self.extents.push(Extent {
            logical: block,
            len: run.offset - block,
            place: Place::Carried(arena.len() as u64),
        });
        arena.resize(arena.len() + (run.offset - block) as usize, 0);
    }

    /// Fills the last extent up to a whole block, or the end of the file.
    pub(super) fn close(&mut self, arena: &mut Vec<u8>) {
        if let Some(last) = self.extents.last_mut() {
            let end = last.logical + last.len;
            let full = end.next_multiple_of(GRID).min(self.size);
            arena.resize(arena.len() + (full - end) as usize, 0);
            last.len += full - end;
        }
    }
}
