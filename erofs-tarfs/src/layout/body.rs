//! Regular files: their runs, and the chunks that these are cut into.

use super::Error;
use super::scene::Scene;
use crate::tree::{Body, Extent, Place};

/// The runs of a file, those that continue one another joined.
#[derive(Clone, Debug)]
pub(crate) struct Pieces<'t> {
    held: Option<Extent>,
    rest: core::slice::Iter<'t, Extent>,
}

impl<'t> Pieces<'t> {
    pub(crate) fn new(size: u64, body: Body<'t>) -> Self {
        match body {
            Body::Contiguous(place) => {
                let held = (size != 0).then_some(Extent { logical: 0, len: size, place });
                Self { held, rest: [].iter() }
            }
            Body::Extents(extents) => {
                let mut rest = extents.iter();
                Self { held: rest.next().copied(), rest }
            }
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Extent;

    fn next(&mut self) -> Option<Extent> {
        let mut piece = self.held.take()?;
        for next in self.rest.by_ref() {
            if !follows(&piece, next) {
                self.held = Some(*next);
                break;
            }
            piece.len += next.len;
        }
        Some(piece)
    }
}

/// Whether `next` goes on where `piece` ends, in the file and in its place. Saturated sums are
/// refused by [`Scene::file_chunks`] before any use.
fn follows(piece: &Extent, next: &Extent) -> bool {
    let end = |start: u64| start.checked_add(piece.len);
    piece.len.checked_add(next.len).is_some()
        && end(piece.logical) == Some(next.logical)
        && match (piece.place, next.place) {
            (Place::Carried(a), Place::Carried(b)) => end(a) == Some(b),
            (Place::Device { device: a, offset }, Place::Device { device: b, offset: at }) => {
                a == b && end(offset) == Some(at)
            }
            _ => false,
        }
}

/// A chunk table: `count` chunks of `block << shift` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    pub(crate) shift: u8,
    pub(crate) count: u64,
    /// Whether entries name a device, or else are block numbers.
    pub(crate) indexes: bool,
}

impl Chunks {
    /// Bytes of an entry, on a multiple of which the table starts.
    pub(crate) fn entry(self) -> u64 {
        if self.indexes { 8 } else { 4 }
    }

    pub(crate) fn bytes(self) -> u64 {
        self.count.saturating_mul(self.entry())
    }
}

/// What a file of at least one byte needs.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) chunks: Chunks,
    /// How many blocks of the image hold those of its bytes that the tree carries.
    pub(super) carried_blocks: u64,
    /// Where the file lies, if it lies in one piece.
    pub(super) contiguous: Option<Place>,
}

impl Scene<'_> {
    /// Cuts a file into the largest chunks that are each a hole or in one place.
    pub(super) fn cut(&self, item: u32, size: u64, body: Body<'_>) -> Result<Cut, Error> {
        let outside = |end, limit| Error::Outside { path: self.path(item), end, limit };
        if size > i64::MAX as u64 {
            let (path, limit) = (self.path(item), i64::MAX as u64);
            return Err(Error::FileTooLarge { path, bytes: size, limit });
        }
        // Chunks must not cross a border between a hole and a run, or between two runs. All borders
        // but the end of the file are joined by "or": the lowest bit that any of them has is the
        // largest power of two that divides them all.
        let (mut borders, mut at, mut carried_blocks, mut contiguous) = (0u64, 0u64, 0, None);
        for piece in Pieces::new(size, body) {
            let end = piece.logical.saturating_add(piece.len);
            if piece.logical < at || end > size {
                return Err(outside(end, size));
            }
            at = end;
            let border = if end == size { piece.logical } else { piece.logical | end };
            if !self.block.divides(border) {
                let odd = if self.block.divides(piece.logical) { end } else { piece.logical };
                return Err(self.not_aligned(item, odd));
            }
            borders |= border;
            if piece.len == size {
                contiguous = Some(piece.place);
            }
            let (start, limit) = match piece.place {
                Place::Carried(start) => {
                    carried_blocks += self.block.blocks(piece.len);
                    (start, self.tree.bytes.len() as u64)
                }
                Place::Device { device, offset } => {
                    if !self.block.divides(offset) {
                        return Err(self.not_aligned(item, offset));
                    }
                    (offset, self.tree.devices().get(usize::from(device)).map_or(0, |d| d.bytes))
                }
            };
            let end = start.saturating_add(piece.len);
            if end > limit {
                return Err(outside(end, limit));
            }
        }
        let bits = u32::from(self.block.bits());
        let whole = size.next_power_of_two().trailing_zeros();
        let shift = borders.trailing_zeros().min(whole).saturating_sub(bits).min(31);
        let count = size.div_ceil(1 << (bits + shift));
        let chunks = Chunks { shift: shift as u8, count, indexes: self.indexes };
        Ok(Cut { chunks, carried_blocks, contiguous })
    }
}

/// Calls `chunk` for each chunk of a file, with the place of its first byte or `None` for a hole;
/// what the tree carries is given as block of the image, counted from `block` on.
pub(crate) fn chunks(
    scene: &Scene<'_>,
    table: Chunks,
    mut pieces: Pieces<'_>,
    mut block: u64,
    mut chunk: impl FnMut(Option<(u16, u64)>),
) {
    let bits = u32::from(scene.block.bits());
    let mut piece = pieces.next();
    for at in (0..table.count).map(|k| k << (bits + u32::from(table.shift))) {
        while let Some(past) = piece.filter(|p| p.logical + p.len <= at) {
            if let Place::Carried(_) = past.place {
                block += scene.block.blocks(past.len);
            }
            piece = pieces.next();
        }
        let found = piece.filter(|p| p.logical <= at);
        chunk(found.map(|p| match p.place {
            Place::Carried(_) => (0, block + ((at - p.logical) >> bits)),
            Place::Device { device, offset } => {
                let base = scene.bases[usize::from(device)];
                (device + 1, (base + offset + (at - p.logical)) >> bits)
            }
        }));
    }
}
