//! Sparse files: runs on the tar's 512-byte grid stay in the tar, the others are carried.

use super::body::{Extent, Place};
use super::error::Rule;
use crate::limits::{Limit, Limits};
use crate::tar::Segment;
use alloc::vec::Vec;

const GRID: u64 = 512;

/// The extents of a file whose runs all lie on the grid, or `None`.
pub(super) fn in_place(size: u64, data_offset: u64, runs: &[Segment]) -> Option<Vec<Extent>> {
    let mut at = data_offset;
    let mut extents: Vec<Extent> = Vec::with_capacity(runs.len());
    for run in runs {
        let whole = run.len.is_multiple_of(GRID) || run.offset.checked_add(run.len) == Some(size);
        if !run.offset.is_multiple_of(GRID) || !at.is_multiple_of(GRID) || !whole {
            return None;
        }
        match extents.last_mut() {
            Some(last) if end_of(last) == run.offset => last.len = last.len.saturating_add(run.len),
            _ => extents.push(Extent {
                logical: run.offset,
                len: run.len,
                place: Place::Device { device: 0, offset: at },
            }),
        }
        at = at.saturating_add(run.len);
    }
    Some(extents)
}

fn end_of(extent: &Extent) -> u64 {
    extent.logical.saturating_add(extent.len)
}

/// Appends zeros: fewer than a chunk has bytes.
fn zeros(len: u64, arena: &mut Vec<u8>) {
    arena.resize(arena.len().saturating_add(len as usize), 0);
}

/// Bytes that the chunk tables of a layer may take before longer chunks are looked for: half of what
/// a layout allows.
const TABLES: u64 = 32 << 20;
/// Bytes that longer chunks may make a file carry.
const EDGES: u64 = 16 << 20;

/// The length of chunks, if longer ones than the runs allow make a file smaller: a few runs in a
/// file of many gigabytes want a chunk table of many megabytes. Where a longer chunk is data in
/// part and a hole in part, all of it is carried.
///
/// `tables` is what the tables of the layer take so far; the file's is added where it stays.
pub(super) fn longer_chunks(size: u64, runs: &[Extent], tables: &mut u64) -> Option<u64> {
    let border = |run: &Extent| {
        let end = end_of(run);
        if end == size { run.logical } else { run.logical | end }
    };
    let borders = runs.iter().fold(0, |bits, run| bits | border(run));
    let now = 1u64.checked_shl(borders.trailing_zeros())?;
    let table = size.div_ceil(now).saturating_mul(8).saturating_add(*tables);
    if table <= TABLES {
        *tables = table;
        return None;
    }
    // With chunks of c bytes the table takes 8 * size / c bytes. Each run begins and ends within a
    // chunk that the tree must carry: about 2 * runs * c bytes. The sum is least where
    // c = sqrt(4 * size / runs).
    let count = runs.len() as u64;
    let best = size.checked_div(count)?.saturating_mul(4).isqrt();
    let best = best.min(EDGES.checked_div(count.saturating_mul(2))?);
    let chunk = best.checked_ilog2().map(|bits| 1 << bits)?;
    (chunk > now).then_some(chunk)
}

/// A file whose body is carried: all of it, or what long chunks do not let lie in the tar.
#[derive(Debug)]
pub(super) struct Carrier {
    pub(super) size: u64,
    runs: Vec<Segment>,
    /// Carried pieces are filled up to a multiple of so many bytes.
    grid: u64,
    /// Where the body starts in the tar, if whole chunks stay there.
    stays: Option<u64>,
    /// Run that the next byte belongs to, how far into it, and how far into the body.
    run: usize,
    within: u64,
    stored: u64,
    pub(super) extents: Vec<Extent>,
}

impl Carrier {
    /// Carries all runs.
    pub(super) fn new(size: u64, runs: &[Segment]) -> Self {
        let (runs, extents) = (runs.to_vec(), Vec::new());
        Self { size, runs, grid: GRID, stays: None, run: 0, within: 0, stored: 0, extents }
    }

    /// Carries the chunks that are not all data. The runs are those of [`in_place`].
    pub(super) fn of_edges(size: u64, runs: &[Extent], data_offset: u64, chunk: u64) -> Self {
        let runs = runs.iter().map(|run| Segment { offset: run.logical, len: run.len });
        let runs: Vec<_> = runs.collect();
        Self { grid: chunk, stays: Some(data_offset), ..Self::new(size, &runs) }
    }

    /// Takes bytes of the stored body.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        arena: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<(), Rule> {
        while let (Some(run), false) = (self.runs.get(self.run).copied(), bytes.is_empty()) {
            let at = run.offset.saturating_add(self.within);
            let (stop, offset) = self.span(run, at);
            let take =
                bytes.len().min(usize::try_from(stop.saturating_sub(at)).unwrap_or(usize::MAX));
            let (taken, rest) = bytes.split_at(take);
            match offset {
                Some(offset) => self.leave(at, stop, offset, arena),
                None => {
                    self.open(at, arena);
                    arena.extend_from_slice(taken);
                    if let Some(last) = self.extents.last_mut() {
                        last.len = last.len.saturating_add(take as u64);
                    }
                }
            }
            bytes = rest;
            self.within = self.within.saturating_add(take as u64);
            self.stored = self.stored.saturating_add(take as u64);
            if self.within == run.len {
                (self.run, self.within) = (self.run.saturating_add(1), 0);
            }
            limits.check(Limit::Carried, arena.len() as u64)?;
        }
        Ok(())
    }

    /// How far the bytes from `at` on go the same way, and where in the tar the one at `at` is if
    /// they stay there.
    fn span(&self, run: Segment, at: u64) -> (u64, Option<u64>) {
        let end = run.offset.saturating_add(run.len);
        let Some(data_offset) = self.stays else { return (end, None) };
        let chunk = self.chunk_of(at);
        let chunk_end = chunk.saturating_add(self.grid).min(self.size);
        if run.offset > chunk || end < chunk_end {
            return (end.min(chunk_end), None);
        }
        let stop = if end == self.size { end } else { self.chunk_of(end) };
        (stop, Some(data_offset.saturating_add(self.stored)))
    }

    /// Leaves the bytes from `at` to `stop` in the tar.
    fn leave(&mut self, at: u64, stop: u64, offset: u64, arena: &mut Vec<u8>) {
        if self.extents.last().is_some_and(|last| end_of(last) == stop) {
            return; // the rest of what was left already
        }
        self.close(arena);
        let place = Place::Device { device: 0, offset };
        self.extents.push(Extent { logical: at, len: stop.saturating_sub(at), place });
    }

    /// Goes on at `at`: in the last extent where that ends in the same chunk.
    fn open(&mut self, at: u64, arena: &mut Vec<u8>) {
        let chunk = self.chunk_of(at);
        if let Some(last) = self.carried() {
            let end = end_of(&last);
            if chunk < end.checked_next_multiple_of(self.grid).unwrap_or(u64::MAX) || at == end {
                self.fill(at.saturating_sub(end), arena);
                return;
            }
            self.close(arena);
        }
        self.extents.push(Extent {
            logical: chunk,
            len: at.saturating_sub(chunk),
            place: Place::Carried(arena.len() as u64),
        });
        zeros(at.saturating_sub(chunk), arena);
    }

    /// The beginning of the chunk with a byte.
    fn chunk_of(&self, at: u64) -> u64 {
        at.saturating_sub(at.checked_rem(self.grid).unwrap_or(0))
    }

    /// Makes the last extent longer, by zeros.
    fn fill(&mut self, len: u64, arena: &mut Vec<u8>) {
        zeros(len, arena);
        if let Some(last) = self.extents.last_mut() {
            last.len = last.len.saturating_add(len);
        }
    }

    /// The last extent, if it is carried.
    fn carried(&self) -> Option<Extent> {
        self.extents.last().copied().filter(|last| matches!(last.place, Place::Carried(_)))
    }

    /// Fills the last extent up to a whole chunk, or the end of the file.
    pub(super) fn close(&mut self, arena: &mut Vec<u8>) {
        let Some(carried) = self.carried() else { return };
        let end = end_of(&carried);
        let full = end.checked_next_multiple_of(self.grid).unwrap_or(u64::MAX).min(self.size);
        self.fill(full.saturating_sub(end), arena);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const MIB: u64 = 1 << 20;

    /// Runs of a file, what carries their edges, and what the extents then read as.
    fn carried(size: u64, runs: &[(u64, u64)], chunk: u64, piece: usize) -> (Vec<Extent>, Vec<u8>) {
        let extents: Vec<Extent> = runs
            .iter()
            .map(|(logical, len)| Extent { logical: *logical, len: *len, place: Place::Carried(0) })
            .collect();
        let stored: u64 = runs.iter().map(|run| run.1).sum();
        let body: Vec<u8> = (0..stored).map(|at| (at / 512) as u8 | 1).collect();
        let mut carrier = Carrier::of_edges(size, &extents, 4096, chunk);
        let mut arena = Vec::new();
        for piece in body.chunks(piece) {
            carrier.push(piece, &mut arena, &Limits::new()).unwrap();
        }
        carrier.close(&mut arena);
        // What a reader sees, against what the runs say.
        let mut seen = vec![0; size as usize];
        for extent in &carrier.extents {
            let (at, len) = (extent.logical as usize, extent.len as usize);
            let bytes = match extent.place {
                Place::Carried(from) => &arena[from as usize..][..len],
                Place::Device { offset, .. } => &body[(offset - 4096) as usize..][..len],
            };
            seen[at..at + len].copy_from_slice(bytes);
        }
        let mut want = vec![0; size as usize];
        let mut from = 0;
        for (at, len) in runs {
            want[*at as usize..][..*len as usize].copy_from_slice(&body[from..][..*len as usize]);
            from += *len as usize;
        }
        assert!(seen == want, "{runs:?} in chunks of {chunk}, pieces of {piece}");
        for extent in &carrier.extents {
            let end = extent.logical + extent.len;
            assert!(extent.logical.is_multiple_of(chunk), "{extent:?}");
            assert!(end.is_multiple_of(chunk) || end == size, "{extent:?}");
        }
        (carrier.extents, arena)
    }

    #[test]
    fn whole_chunks_stay_and_edges_are_carried() {
        type Row<'a> = (u64, &'a [(u64, u64)], usize, u64);
        let rows: [Row<'_>; 8] = [
            // Length, runs, extents, bytes carried; chunks of 4096.
            (MIB, &[(0, 8192)], 1, 0),
            (MIB, &[(512, 8192)], 3, 8192),
            (MIB, &[(4096, 512)], 1, 4096),
            (MIB, &[(4096, 512), (5120, 512)], 1, 4096),
            (MIB, &[(512, 512), (7680, 8704)], 3, 8192),
            (20_000, &[(8192, 11_808)], 1, 0),
            (20_000, &[(16_896, 3104)], 1, 3616),
            (MIB, &[(1024, 20_480), (40_960, 4096), (MIB - 512, 512)], 5, 12_288),
        ];
        for (size, runs, extents, bytes) in rows {
            for piece in [1 << 20, 4096, 700, 1] {
                let (found, arena) = carried(size, runs, 4096, piece);
                assert_eq!(found.len(), extents, "{runs:?}: {found:?}");
                assert_eq!(arena.len() as u64, bytes, "{runs:?}");
            }
        }
    }

    #[test]
    fn longer_chunks_are_for_long_files_of_few_runs() {
        let run = |logical: u64, len: u64| Extent { logical, len, place: Place::Carried(0) };
        let gib = 1 << 30;
        for (size, runs, chunk) in [
            (gib, vec![run(4096, 4096)], None),
            (60 * gib, vec![run(4096, 4096)], Some(256 << 10)),
            (60 * gib, vec![run(0, 4096), run(60 * gib - 512, 512)], Some(256 << 10)),
            (60 * gib, (0..1000).map(|n| run(n * 1_234_944, 4096)).collect(), Some(8 << 10)),
            (60 * gib, (0..100_000).map(|n| run(n * 8192, 4096)).collect(), None),
            (8192 * gib, vec![run(512, 512)], Some(4 << 20)),
            (u64::MAX >> 1, vec![run(512, 512)], Some(8 << 20)),
        ] {
            assert_eq!(longer_chunks(size, &runs, &mut 0), chunk, "{} runs in {size}", runs.len());
        }
        // Tables of 8 MiB: the fifth is too much.
        let mut tables = 0;
        let all: Vec<_> =
            (0..6).map(|_| longer_chunks(4 * gib, &[run(4096, 4096)], &mut tables)).collect();
        assert_eq!(all, [None, None, None, None, Some(128 << 10), Some(128 << 10)]);
    }
}
