//! What holds without any oracle: chunking, mixing, refusals, bounds, texts.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod verity_kit;

use std::convert::Infallible;

use erofs_tarfs::verity::{
    BlockHasher, Digest, Error, Fault, Geometry, HashBytes, HashPlacement, Hasher, Leaves,
    OutOfBounds, Params, RootOnly, Sealed, Superblock, SuperblockMode, Uuid, Verifier,
    VerityBlockSize,
};
use verity_kit::Random;

fn hash(params: &Params, data: &[u8], chunk: usize) -> (Sealed, HashBytes) {
    let geometry = Geometry::new(params, data.len() as u64, HashPlacement::OwnFile).unwrap();
    let (mut hasher, mut tree) = (Hasher::new(geometry), HashBytes::default());
    for chunk in data.chunks(chunk) {
        hasher.push(chunk, &mut tree).unwrap();
    }
    let sealed = hasher.finish(&mut tree).unwrap();
    (sealed, tree)
}

#[test]
fn any_chunking_gives_the_same_bytes() {
    let data = Random(3).bytes(512 * 700);
    let whole = hash(&Params::nydus(), &data, data.len());
    for chunk in [1, 7, 511, 512, 513, 4096, 65537] {
        assert_eq!(hash(&Params::nydus(), &data, chunk), whole, "chunks of {chunk}");
    }
}

/// Data, zeros and ready digests mixed are the same as the bytes they stand for.
#[test]
fn any_mix_gives_the_same_bytes() {
    let mut random = Random(4);
    for params in Params::NAMES.map(|name| Params::named(name).unwrap()) {
        let block = params.data_block();
        let size = block.bytes() as usize;
        for _ in 0..20 {
            let mut data = random.bytes(size * (1 + random.clone().below(300) as usize));
            let mut leaves = Leaves::new(&params);
            let geometry =
                Geometry::new(&params, data.len() as u64, HashPlacement::OwnFile).unwrap();
            let (mut hasher, mut tree) = (Hasher::new(geometry), HashBytes::default());
            let mut at = 0;
            while at < data.len() {
                let len = random.pick(&[1, size, random.clone().below(40 * size as u64) as usize]);
                let len = len.min(data.len() - at);
                let part = &mut data[at..][..len];
                let whole = len.is_multiple_of(size) && at.is_multiple_of(size);
                match random.below(3) {
                    0 => {
                        part.fill(0);
                        hasher.push_zeros(len as u64, &mut tree).unwrap();
                        leaves.push_zeros(len as u64);
                    }
                    1 if whole => {
                        let mut digests = vec![0; len / size * 32];
                        let blocks = BlockHasher::of(&params);
                        blocks.hash_blocks(block, part, &mut digests).unwrap();
                        hasher.push_digests(&digests, &mut tree).unwrap();
                        leaves.push_digests(&digests).unwrap();
                    }
                    _ => {
                        hasher.push(part, &mut tree).unwrap();
                        leaves.push(part);
                    }
                }
                at += len;
                assert_eq!((hasher.position(), leaves.position()), (at as u64, at as u64));
            }
            let expected = hash(&params, &data, data.len());
            assert_eq!((hasher.finish(&mut tree).unwrap(), tree), expected);
            let mut tree = HashBytes::default();
            let sealed = leaves.seal(&params, HashPlacement::OwnFile, &mut tree).unwrap();
            assert_eq!((sealed, tree), expected);
            assert_eq!(Hasher::root(&params, &data), Ok(expected.0.root()));
            assert_eq!(leaves.into_digests().unwrap().len(), data.len() / size * 32);
        }
    }
}

/// A run of zeros too long to hash costs its digests only.
#[test]
fn long_runs_of_zeros() {
    let params = Params::veritysetup(b"salt").unwrap();
    let bytes = 16 << 30;
    let geometry = Geometry::new(&params, bytes, HashPlacement::OwnFile).unwrap();
    let mut hasher = Hasher::new(geometry);
    hasher.push_zeros(bytes, &mut RootOnly).unwrap();
    assert_eq!(hasher.position(), bytes);
    hasher.finish(&mut RootOnly).unwrap();
}

#[test]
fn every_flipped_bit_is_found_where_it_is() {
    let params = Params::new(512, 512, b"s", SuperblockMode::None).unwrap();
    let mut data = Random(5).bytes(512 * 273);
    let (sealed, mut tree) = hash(&params, &data, 512);
    let geometry = sealed.geometry().clone();
    assert_eq!(geometry.levels().len(), 3);
    let verify = |data: &[u8], tree: &HashBytes| {
        let mut verifier = Verifier::new(geometry.clone(), sealed.root());
        verifier.verify_all(&mut { data }, &mut { tree }).map_err(|fault| match fault {
            Fault::Verity(error) => error,
            Fault::Caller(OutOfBounds { offset, .. }) => panic!("read at {offset}"),
        })
    };
    assert_eq!(verify(&data, &tree), Ok(()));
    for at in (0..data.len()).step_by(509) {
        data[at] ^= 0x10;
        let block = at as u64 / 512;
        assert_eq!(verify(&data, &tree), Err(Error::DataMismatch { block, offset: block * 512 }));
        data[at] ^= 0x10;
    }
    for at in 0..tree.bytes.len() {
        tree.bytes[at] ^= 0x01;
        let offset = at as u64 / 512 * 512;
        match verify(&data, &tree) {
            Err(Error::HashMismatch { offset: found, level, block }) => {
                assert_eq!(found, offset);
                assert_eq!(geometry.levels()[level as usize].offset + block * 512, offset);
            }
            verdict => panic!("{verdict:?} for byte {at}"),
        }
        tree.bytes[at] ^= 0x01;
    }
}

/// nydus-image fills spare space with digests; the kernel takes that, veritysetup and we do not.
#[test]
fn spare_space_must_be_zero() {
    let params = Params::nydus();
    let data = [1; 512 * 3];
    let (_, mut tree) = hash(&params, &data, 512);
    tree.bytes[100] = 9;
    let geometry = Geometry::new(&params, data.len() as u64, HashPlacement::OwnFile).unwrap();
    let root = BlockHasher::of(&params).hash(&tree.bytes);
    let mut verifier = Verifier::new(geometry, root);
    assert_eq!(
        verifier.verify(0, &data[..512], &mut &tree),
        Err(Fault::Verity(Error::SpareNotZero { level: 0, block: 0, offset: 100 }))
    );
}

#[test]
fn one_block_and_ranges_verify() {
    let params = Params::containerd();
    let data = Random(6).bytes(512 * 600);
    let (sealed, tree) = hash(&params, &data, 512);
    let mut verifier = Verifier::new(sealed.geometry().clone(), sealed.root());
    let mut random = Random(7);
    for _ in 0..200 {
        let first = random.below(600);
        let count = random.below(600 - first + 1);
        let range = &data[first as usize * 512..][..count as usize * 512];
        verifier.verify(first, range, &mut &tree).unwrap();
    }
    let past = Error::BlockIndex { block: 600, data_blocks: 600 };
    assert_eq!(verifier.verify(599, &data[..1024], &mut &tree), Err(Fault::Verity(past)));
    let odd = Error::BlockLength { bytes: 100, block: 512 };
    assert_eq!(verifier.verify(0, &data[..100], &mut &tree), Err(Fault::Verity(odd)));
    let missing = HashBytes::default();
    let mut verifier = Verifier::new(sealed.geometry().clone(), sealed.root());
    let fault = verifier.verify(0, &data[..512], &mut &missing);
    assert!(matches!(fault, Err(Fault::Caller(OutOfBounds { .. }))));
}

#[test]
fn one_block_has_no_tree() {
    let params = Params::nydus();
    let (sealed, tree) = hash(&params, &[5; 512], 100);
    assert!(tree.bytes.is_empty() && sealed.geometry().levels().is_empty());
    assert_eq!(sealed.root(), BlockHasher::of(&params).hash(&[5; 512]));
    let mut verifier = Verifier::new(sealed.geometry().clone(), sealed.root());
    verifier.verify(0, &[5; 512], &mut &tree).unwrap();
    assert!(verifier.verify(0, &[6; 512], &mut &tree).is_err());
}

#[test]
fn wrong_use_is_refused_before_anything_happens() {
    let params = Params::nydus();
    let geometry = Geometry::new(&params, 1024, HashPlacement::OwnFile).unwrap();
    let mut hasher = Hasher::new(geometry);
    let out = &mut RootOnly;
    let too_much = Fault::Verity(Error::TooMuchData { bytes: 1025, expected: 1024 });
    assert_eq!(hasher.push(&[0; 1025], out), Err(too_much));
    hasher.push(&[0; 100], out).unwrap();
    let mid = Fault::Verity(Error::MidBlock { offset: 100 });
    assert_eq!(hasher.push_digests(&[0; 32], out), Err(mid));
    let length = Fault::Verity(Error::DigestLength { bytes: 31 });
    assert_eq!(hasher.push_digests(&[0; 31], out), Err(length));
    assert!(hasher.push_zeros(u64::MAX, out).is_err());
    let little = Fault::Verity(Error::TooLittleData { bytes: 100, expected: 1024 });
    assert_eq!(hasher.clone().finish(out), Err(little));
    hasher.push_zeros(924, out).unwrap();
    assert!(hasher.finish(out).is_ok());

    let mut leaves = Leaves::new(&params);
    leaves.push(&[0; 513]);
    assert_eq!(leaves.padding(), 511);
    let tail = Fault::Verity(Error::DataTail { bytes: 513, block: 512 });
    assert_eq!(leaves.seal(&params, HashPlacement::OwnFile, out), Err(tail));
    leaves.push_zeros(511);
    let other = Fault::Verity(Error::OtherLeaves);
    assert_eq!(leaves.seal(&Params::containerd(), HashPlacement::OwnFile, out), Err(other));

    let blocks = BlockHasher::new(b"").unwrap();
    let size = VerityBlockSize::B512;
    assert!(blocks.hash_blocks(size, &[0; 500], &mut [0; 32]).is_err());
    assert!(blocks.hash_blocks(size, &[0; 512], &mut [0; 64]).is_err());
    assert!(blocks.hash_blocks(size, &[0; 512], &mut [0; 33]).is_err());
}

/// The caller's own error comes back as it was.
#[test]
fn the_sinks_error_comes_back() {
    let params = Params::nydus();
    let geometry = Geometry::new(&params, 1 << 20, HashPlacement::BehindData).unwrap();
    let mut hasher = Hasher::new(geometry.clone());
    let mut full = |offset: u64, _: &[u8]| Err::<(), _>(offset);
    let end = hasher.push_zeros(1 << 20, &mut full);
    assert_eq!(end, Err(Fault::Caller(geometry.levels()[0].offset)));
}

#[test]
fn geometry_refuses_what_would_go_wrong() {
    let nydus = Params::nydus();
    let new = |params: &Params, bytes, placement| Geometry::new(params, bytes, placement);
    assert_eq!(new(&nydus, 0, HashPlacement::OwnFile), Err(Error::NoData));
    let tail = Error::DataTail { bytes: 700, block: 512 };
    assert_eq!(new(&nydus, 700, HashPlacement::OwnFile), Err(tail));
    // veritysetup rounds this down to 0 and writes the tree over the data.
    let unaligned = Error::HashOffset { offset: 1536, multiple: 4096 };
    assert_eq!(new(&nydus, 1536, HashPlacement::At(1536)), Err(unaligned));
    let inside = Error::HashOverData { offset: 4096, data_bytes: 8192 };
    assert_eq!(new(&nydus, 8192, HashPlacement::At(4096)), Err(inside));
    let with = Params::veritysetup(&[]).unwrap();
    let odd = Error::HashOffset { offset: 4100, multiple: 512 };
    assert_eq!(new(&with, 4096, HashPlacement::At(4100)), Err(odd));
    let geometry = new(&with, 4096 * 2, HashPlacement::At(8704)).unwrap();
    assert_eq!((geometry.hash_offset(), geometry.tree_offset()), (8704, 12288));
    let geometry = new(&with, 4096 * 2, HashPlacement::At(8192)).unwrap();
    assert_eq!((geometry.tree_offset(), geometry.hash_start(), geometry.end()), (12288, 3, 16384));

    assert_eq!((nydus.data_padding(1), nydus.data_padding(512)), (511, 0));
    assert_eq!((nydus.hash_padding(194_518_016), nydus.hash_padding(0)), (1024, 0));
    assert!(with.check_page(4096).is_ok() && with.check_page(2048).is_err());

    // The largest that fits, and what does not.
    for bytes in [1 << 62, (1 << 63) - 512, 1 << 63, u64::MAX - 511] {
        for placement in
            [HashPlacement::OwnFile, HashPlacement::BehindData, HashPlacement::At(u64::MAX - 511)]
        {
            for params in Params::NAMES.map(|name| Params::named(name).unwrap()) {
                let Ok(geometry) = new(&params, bytes & !4095, placement) else { continue };
                assert!(geometry.end() <= i64::MAX as u64);
                assert!(bytes < 1 << 63 && !matches!(placement, HashPlacement::At(_)));
            }
        }
    }
}

#[test]
fn parameters_are_checked() {
    let new = |data, hash| Params::new(data, hash, &[], SuperblockMode::None);
    for bad in [0, 1, 256, 511, 513, 1 << 20, u32::MAX] {
        assert_eq!(new(bad, 4096), Err(Error::BlockSize { bytes: bad }));
        assert_eq!(new(4096, bad), Err(Error::BlockSize { bytes: bad }));
    }
    assert!(Params::veritysetup(&[0; 256]).is_ok());
    assert_eq!(Params::veritysetup(&[0; 257]), Err(Error::SaltLength { bytes: 257 }));
    assert!(BlockHasher::new(&[0; 257]).is_err());
    let nil = SuperblockMode::Uuid(Uuid([0; 16]));
    assert_eq!(Params::new(512, 512, &[], nil), Err(Error::NilUuid));
    assert_eq!(Params::containerd().with_superblock(nil), Err(Error::NilUuid));
    assert_eq!(Params::named("Nydus"), None);
}

/// Superblocks from anywhere: an answer, never a panic, and what parses writes itself again.
#[test]
fn hostile_superblocks() {
    let good = Superblock::new(Params::containerd(), 1000, Uuid([9; 16])).unwrap().to_bytes();
    for len in 0..512 {
        let short = Error::SuperblockShort { bytes: len };
        assert_eq!(Superblock::parse(&good[..len]), Err(short));
    }
    let mut random = Random(8);
    for _ in 0..200_000 {
        let mut bytes = good;
        for _ in 0..1 + random.below(4) {
            let at = random.below(90) as usize;
            bytes[at] = random.pick(&[0, 1, 2, 0x7f, 0x80, 0xff, random.clone().next() as u8]);
        }
        let Ok(read) = Superblock::parse(&bytes) else { continue };
        // What follows the algorithm's NUL, and reserved bytes, are not kept.
        bytes[38..64].fill(0);
        bytes[82..88].fill(0);
        assert_eq!(read.to_bytes()[..88], bytes[..88]);
        for placement in
            [HashPlacement::OwnFile, HashPlacement::BehindData, HashPlacement::At(u64::MAX)]
        {
            if let Ok(geometry) = read.geometry(placement) {
                let _ = Verifier::new(geometry, Digest([0; 32]));
            }
        }
    }
    let change = |at: usize, new: &[u8]| {
        let mut bytes = good;
        bytes[at..][..new.len()].copy_from_slice(new);
        Superblock::parse(&bytes).unwrap_err()
    };
    assert_eq!(change(0, b"V"), Error::SuperblockMagic);
    assert_eq!(change(8, &[2]), Error::SuperblockVersion { version: 2 });
    assert_eq!(change(12, &[2]), Error::HashType { hash_type: 2 });
    assert!(matches!(change(32, b"sha384"), Error::Algorithm { .. }));
    assert!(matches!(change(38, b"x"), Error::Algorithm { .. }));
    assert_eq!(change(64, &[0, 0, 0, 0]), Error::BlockSize { bytes: 0 });
    assert_eq!(change(72, &[0; 8]), Error::NoData);
    assert_eq!(change(72, &[0xff; 8]), Error::TooLarge { data_blocks: u64::MAX });
    assert_eq!(change(80, &[1, 1]), Error::SaltLength { bytes: 257 });
}

#[test]
fn derived_uuids_depend_on_the_root_alone() {
    let (one, tree) = hash(&Params::containerd(), &[1; 1024], 1024);
    let (again, same) = hash(&Params::containerd(), &[1; 1024], 3);
    let (other, _) = hash(&Params::containerd(), &[2; 1024], 1024);
    assert_eq!((one.uuid(), tree), (again.uuid(), same));
    assert!(one.uuid() != other.uuid() && !one.uuid().unwrap().is_nil());
}

/// Errors name their values; a fault without a caller's error is an error.
#[test]
fn errors_say_what_and_where() {
    let text = Error::HashMismatch { level: 2, block: 5, offset: 4096 }.to_string();
    assert_eq!(text, "hash block 5 of level 2 at byte 4096 does not match");
    let fault: Fault<Infallible> = Error::NoData.into();
    assert_eq!(fault.into_error(), Error::NoData);
    let mut name = [0; 32];
    name[..4].copy_from_slice(b"md\n5");
    assert!(Error::Algorithm { name }.to_string().contains("\"md\\n5\""));
}
