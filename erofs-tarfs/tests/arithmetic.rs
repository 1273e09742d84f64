//! Offsets, blocks and table sizes against the same in 128 bits, which nothing here makes overflow: for
//! every block size, at every edge that a carry could cross.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

use std::collections::BTreeSet;

use erofs_tarfs::layout::{self, Artifact, DiskOrder, LayoutOptions};
use erofs_tarfs::tree::{Builder, Device, Tree};
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::{Geometry, HashPlacement, Params, SuperblockMode, VerityBlockSize};

/// Numbers around each power of two, and around both ends.
fn edges() -> BTreeSet<u64> {
    let near = |at: u64| (0..=2).flat_map(move |by| [at.wrapping_add(by), at.wrapping_sub(by)]);
    (0..64).flat_map(|bits| near(1 << bits)).chain(near(0)).collect()
}

#[test]
fn blocks_and_bytes() {
    assert!(edges().len() > 250);
    for bits in 0..=40_u8 {
        let size = BlockSize::from_bits(bits);
        assert_eq!(size.is_some(), (9..=16).contains(&bits));
        let Some(size) = size else { continue };
        let block = 1_u128 << bits;
        assert_eq!(u128::from(size.bytes()), block);
        assert_eq!(BlockSize::new(size.bytes()), Some(size));
        for bytes in edges() {
            let wide = u128::from(bytes);
            let blocks = wide.div_ceil(block);
            assert_eq!(u128::from(size.blocks(bytes)), blocks, "{bytes} in {block}");
            assert_eq!(size.round_up(bytes), u64::try_from(blocks * block).ok(), "{bytes}");
            assert_eq!(size.divides(bytes), wide % block == 0, "{bytes} in {block}");
        }
    }
}

/// Where a hash tree lies, by its definition; `None` where it ends behind 2^63.
struct Expected {
    hash_offset: u128,
    /// Offset and blocks of each level, the leaves first.
    levels: Vec<(u128, u128)>,
    tree_offset: u128,
}

fn expected(params: &Params, data_bytes: u64, placement: HashPlacement) -> Option<Expected> {
    let (data, hash) = (params.data_block().bytes().into(), params.hash_block().bytes().into());
    let data_bytes = u128::from(data_bytes);
    let hash_offset = match placement {
        HashPlacement::OwnFile => 0,
        HashPlacement::BehindData => data_bytes.next_multiple_of(u128::max(data, hash)),
        HashPlacement::At(offset) => offset.into(),
        _ => unreachable!("three are tried"),
    };
    let tree_offset = match params.superblock() {
        SuperblockMode::None => hash_offset,
        _ => (hash_offset + 512).next_multiple_of(hash),
    };
    let mut counts = Vec::new();
    let mut nodes = data_bytes / data;
    while nodes > 1 {
        // A digest of SHA-256 has 32 bytes.
        nodes = nodes.div_ceil(hash / 32);
        counts.push(nodes);
    }
    // The topmost comes first.
    let mut end = tree_offset;
    let mut levels: Vec<_> = counts
        .iter()
        .rev()
        .map(|blocks| {
            let at = end;
            end += blocks * hash;
            (at, *blocks)
        })
        .collect();
    levels.reverse();
    (end <= i64::MAX as u128).then_some(Expected { hash_offset, levels, tree_offset })
}

#[test]
fn hash_trees() {
    let sizes: Vec<u32> = (0..32).map(|bits| 1 << bits).collect();
    let sizes: Vec<u32> =
        sizes.into_iter().filter(|bytes| VerityBlockSize::new(*bytes).is_some()).collect();
    assert!(sizes.contains(&512) && sizes.contains(&4096));
    let (mut fit, mut too_large) = (0, 0);
    for (data, hash) in sizes.iter().flat_map(|data| sizes.iter().map(move |hash| (*data, *hash))) {
        for superblock in [SuperblockMode::None, SuperblockMode::Derived] {
            let params = Params::new(data, hash, &[], superblock).unwrap();
            // Around each number of blocks at which a level or its last block is full.
            let block = u64::from(data);
            let most = (i64::MAX as u64) / block;
            for blocks in edges().into_iter().filter(|blocks| (1..=most).contains(blocks)) {
                let bytes = blocks * block;
                let step = u64::from(hash.max(data));
                let behind = bytes.checked_next_multiple_of(step);
                let far = (i64::MAX as u64) / step * step;
                let at =
                    [behind, Some(far), Some(far - step), behind.map(|at| at.saturating_add(step))];
                let at = at.into_iter().flatten().filter(|at| *at >= bytes).map(HashPlacement::At);
                for placement in
                    [HashPlacement::OwnFile, HashPlacement::BehindData].into_iter().chain(at)
                {
                    let what = format!("{bytes} bytes, {data}/{hash}, {placement:?}");
                    let found = Geometry::new(&params, bytes, placement);
                    let Some(expected) = expected(&params, bytes, placement) else {
                        assert!(found.is_err(), "{what}: {found:?}");
                        too_large += 1;
                        continue;
                    };
                    let found = found.unwrap_or_else(|error| panic!("{what}: {error}"));
                    fit += 1;
                    assert_eq!(u128::from(found.hash_offset()), expected.hash_offset, "{what}");
                    assert_eq!(u128::from(found.tree_offset()), expected.tree_offset, "{what}");
                    assert_eq!(found.data_blocks(), blocks, "{what}");
                    assert_eq!(found.data_bytes(), bytes, "{what}");
                    let levels = found.levels().iter();
                    let levels = levels.map(|level| (level.offset.into(), level.blocks.into()));
                    assert_eq!(levels.collect::<Vec<_>>(), expected.levels, "{what}");
                    let tree: u128 = expected.levels.iter().map(|(_, blocks)| blocks).sum();
                    assert_eq!(u128::from(found.tree_bytes()), tree * u128::from(hash), "{what}");
                }
            }
        }
    }
    assert!(fit > 10_000 && too_large > 1000, "{fit} fit, {too_large} do not");
}

/// A tree with devices of these lengths, in bytes.
fn of_devices(lens: &[u64]) -> Tree {
    let mut builder = Builder::new();
    builder.keep_devices(true);
    for bytes in lens {
        builder.add_device(Device { bytes: *bytes, ..Device::default() }).unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn addresses_of_devices() {
    // EROFS without its 48-bit layout has 32 bits for them, and all ones are no address.
    const LIMIT: u128 = u32::MAX as u128 - 1;
    let (mut fit, mut too_large) = (0, 0);
    for block in [BlockSize::B512, BlockSize::B1024, BlockSize::B2048, BlockSize::B4096] {
        let bytes = u128::from(block.bytes());
        for (artifact, align) in [
            (Artifact::Bootstrap, bytes),
            (Artifact::Disk(DiskOrder::MetadataFirst { align: 4096 }), 4096),
            (Artifact::Disk(DiskOrder::MetadataFirst { align: 1 << 30 }), 1 << 30),
            (Artifact::Disk(DiskOrder::DataFirst), 4096),
        ] {
            let options = LayoutOptions::new().block_size(block).artifact(artifact);
            let empty = of_devices(&[0, 0, 0]);
            let empty = layout::plan(&empty, &options).unwrap();
            let start = u128::from(empty.devices()[0].uniaddr);
            let lens = edges().into_iter().filter(|len| *len >= 1 << 20 || *len < 3);
            for len in lens {
                let lens = [len, 1, len / 2];
                let tree = of_devices(&lens);
                let found = layout::plan(&tree, &options);
                let (mut at, mut starts) = (start * bytes, Vec::new());
                for len in lens {
                    at = at.next_multiple_of(align);
                    starts.push(at / bytes);
                    at = (at / bytes + u128::from(len).div_ceil(bytes)) * bytes;
                }
                let what = format!("{lens:?} in blocks of {bytes}, {artifact:?}");
                // Metadata behind them take a page or more.
                let behind = artifact == Artifact::Disk(DiskOrder::DataFirst);
                let end = at / bytes + if behind { 4096 / bytes } else { 0 };
                if end > LIMIT {
                    assert!(found.is_err(), "{what}: {:?}", found.map(|found| found.disk_bytes()));
                    too_large += 1;
                    continue;
                }
                if end + 64 > LIMIT {
                    continue; // how many blocks of metadata there are is not said here
                }
                let found = found.unwrap_or_else(|error| panic!("{what}: {error}"));
                let devices = found.devices().iter();
                let addresses = devices.map(|device| u128::from(device.uniaddr));
                assert_eq!(addresses.collect::<Vec<_>>(), starts, "{what}");
                fit += 1;
            }
        }
    }
    assert!(fit > 100 && too_large > 1000, "{fit} fit, {too_large} do not");
}
