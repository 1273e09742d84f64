//! The hash tree of a filesystem or other data, where its parameters are not known: behind the data,
//! at an offset, or in a file of its own.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::{
    BlockHasher, Error, Geometry, HashPlacement, Params, Superblock, TreeDigest,
};

use crate::cli::fail::Done;

/// The geometry of the tree behind the first `end` bytes of a file: of these parameters, of those
/// in a superblock, or of a preset. Its first digests must be right, up to the block of the root:
/// nothing is guessed.
pub(crate) fn find(file: &NamedFile, end: u64, params: &Params) -> Done<Option<Geometry>> {
    for geometry in candidates(file, end, params)? {
        if !geometry.levels().is_empty() && root(file, file, &geometry)?.is_some() {
            return Ok(Some(geometry));
        }
    }
    Ok(None)
}

/// The geometries that a tree behind the first `end` bytes of a file may have.
pub(crate) fn candidates(file: &NamedFile, end: u64, params: &Params) -> Done<Vec<Geometry>> {
    let stated = superblocks(file, Some(end), HashPlacement::BehindData)?;
    let presets = Params::NAMES.into_iter().filter_map(Params::named);
    let behind = |params: &Params| {
        let data_bytes = end.checked_add(params.data_padding(end))?;
        Geometry::new(params, data_bytes, HashPlacement::BehindData).ok()
    };
    let mut candidates: Vec<_> = behind(params).into_iter().collect();
    let stated =
        stated.iter().filter_map(|(read, place)| read.as_ref().ok()?.geometry(*place).ok());
    candidates.extend(stated);
    candidates.extend(presets.filter_map(|params| behind(&params)));
    Ok(candidates)
}

/// Reads the superblocks of dm-verity that are where one of a tree in `place` would be; gives each with
/// the place that it is at. What does not begin as a superblock is left out. containerd puts one at the
/// next data block behind the data, veritysetup where it is told to.
pub(crate) fn superblocks(
    hashes: &NamedFile,
    end: Option<u64>,
    place: HashPlacement,
) -> Done<Vec<(Result<Superblock, Error>, HashPlacement)>> {
    let offsets = match (place, end) {
        (HashPlacement::OwnFile, _) => vec![(0, place)],
        (HashPlacement::At(at), _) => vec![(at, place)],
        (_, Some(end)) => [512, 1024, 2048, 4096]
            .into_iter()
            .filter_map(|align| end.checked_next_multiple_of(align))
            .map(|at| (at, HashPlacement::At(at)))
            .collect(),
        (_, None) => Vec::new(),
    };
    let (mut found, len) = (Vec::new(), hashes.bytes()?);
    for (at, place) in offsets {
        let mut bytes = [0; Superblock::LEN];
        if at.checked_add(bytes.len() as u64).is_some_and(|end| end <= len) {
            hashes.read_exact_at(&mut bytes, at)?;
            let read = Superblock::parse(&bytes);
            if read != Err(Error::SuperblockMagic) {
                found.push((read, place));
            }
        }
    }
    found.dedup();
    Ok(found)
}

/// The root hash of a tree, if it is one of this geometry: the first block of each level begins with
/// the digest of the first block below it, down to the data.
pub(crate) fn root(
    data: &NamedFile,
    hashes: &NamedFile,
    geometry: &Geometry,
) -> Done<Option<TreeDigest>> {
    if geometry.end() > hashes.bytes()? || geometry.data_bytes() > data.bytes()? {
        return Ok(None);
    }
    let hasher = BlockHasher::of(geometry.params());
    let mut child = vec![0; geometry.data_block().bytes() as usize];
    data.read_exact_at(&mut child, 0)?;
    for level in geometry.levels() {
        let mut block = vec![0; geometry.hash_block().bytes() as usize];
        hashes.read_exact_at(&mut block, level.offset)?;
        if !block.starts_with(hasher.hash(&child).as_bytes()) {
            return Ok(None);
        }
        child = block;
    }
    Ok(Some(hasher.hash(&child)))
}
