//! The hash tree behind a filesystem, if one is there.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::{BlockHasher, Digest, Geometry, Params, Placement, Superblock};

use crate::fail::Done;

/// The geometry of the tree behind the first `end` bytes of a file: of these parameters, of those
/// in a superblock, or of a preset. Its first digests must be right, up to the block of the root:
/// nothing is guessed.
pub(crate) fn tree(file: &NamedFile, end: u64, params: &Params) -> Done<Option<Geometry>> {
    let len = file.bytes()?;
    for geometry in candidates(file, end, params)? {
        if holds(file, len, &geometry)? {
            return Ok(Some(geometry));
        }
    }
    Ok(None)
}

/// The geometries that a tree behind the first `end` bytes of a file may have.
pub(crate) fn candidates(file: &NamedFile, end: u64, params: &Params) -> Done<Vec<Geometry>> {
    let behind = |params: &Params| {
        let data_bytes = end.checked_add(params.data_padding(end))?;
        Geometry::new(params, data_bytes, Placement::BehindData).ok()
    };
    let len = file.bytes()?;
    let mut candidates: Vec<_> = behind(params).into_iter().collect();
    for align in [512, 4096] {
        let Some(at) = end.checked_next_multiple_of(align) else { continue };
        let mut bytes = [0; Superblock::LEN];
        if at.checked_add(bytes.len() as u64).is_some_and(|end| end <= len) {
            file.read_exact_at(&mut bytes, at)?;
            let read = Superblock::parse(&bytes).ok();
            candidates.extend(read.and_then(|read| read.geometry(Placement::At(at)).ok()));
        }
    }
    let presets = Params::NAMES.into_iter().filter_map(Params::named);
    candidates.extend(presets.filter_map(|params| behind(&params)));
    Ok(candidates)
}

/// Whether the first block of each level begins with the digest of the first block below it.
fn holds(file: &NamedFile, len: u64, geometry: &Geometry) -> Done<bool> {
    if geometry.end() > len || geometry.levels().is_empty() {
        return Ok(false);
    }
    let hasher = BlockHasher::of(geometry.params());
    let mut child = vec![0; geometry.data_block().bytes() as usize];
    file.read_exact_at(&mut child, 0)?;
    for level in geometry.levels() {
        let mut block = vec![0; geometry.hash_block().bytes() as usize];
        file.read_exact_at(&mut block, level.offset)?;
        if block[..Digest::LEN] != hasher.hash(&child).0 {
            return Ok(false);
        }
        child = block;
    }
    Ok(true)
}
