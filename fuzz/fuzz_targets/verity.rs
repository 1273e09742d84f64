//! Superblocks are read as the naive twin reads them; data in any pieces, and its leaves, have the root
//! and the tree that the twin has; each flipped bit of data and tree is found.
#![no_main]

use erofs_tarfs::verity::{
    Digest, Geometry, HashBytes, HashPlacement, Hasher, Leaves, Params, Superblock, SuperblockMode,
    TreeDigest, Verifier,
};
use erofs_tarfs_fuzz::verity_twin::{self, Sizes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    superblock(input);
    let [sizes, salt, piece, data @ ..] = input else { return };
    let block = |bits: u8| 512_usize << (bits & 3);
    let (salt, data) = data.split_at(data.len().min(usize::from(*salt)));
    let sizes = Sizes { data_block: block(*sizes), hash_block: block(sizes >> 2), salt };
    let piece = usize::from(*piece) + 1;
    let (data_block, hash_block) = (sizes.data_block as u32, sizes.hash_block as u32);
    let params = Params::new(data_block, hash_block, salt, SuperblockMode::None).unwrap();
    let padding = params.data_padding(data.len() as u64);
    let whole = data.len() as u64 + padding;
    let Ok(geometry) = Geometry::new(&params, whole, HashPlacement::OwnFile) else {
        assert!(data.is_empty());
        return;
    };
    let padded = [data, &vec![0; padding as usize]].concat();
    let (root, tree) = verity_twin::tree(&sizes, &padded);
    let root = TreeDigest::from(Digest(root));
    let run = |piece: usize| {
        let (mut hasher, mut tree) = (Hasher::new(geometry.clone()), HashBytes::default());
        data.chunks(piece).for_each(|part| hasher.push(part, &mut tree).unwrap());
        hasher.push_zeros(padding, &mut tree).unwrap();
        (hasher.finish(&mut tree).unwrap().root(), tree.bytes)
    };
    assert!(run(data.len().max(1)) == (root, tree.clone()), "in one piece");
    assert!(run(piece) == (root, tree.clone()), "in pieces of {piece}");

    let mut leaves = Leaves::new(&params);
    data.chunks(piece).for_each(|part| leaves.push(part));
    leaves.push_zeros(leaves.padding());
    let mut again = HashBytes::default();
    let sealed = leaves.seal(&params, HashPlacement::OwnFile, &mut again).unwrap();
    assert!((sealed.root(), &again.bytes) == (root, &tree), "by leaves");

    let verify = |data: &[u8], tree: &[u8]| {
        let mut verifier = Verifier::new(geometry.clone(), sealed.root());
        verifier.verify_all(&mut &*data, &mut &*tree)
    };
    verify(&padded, &tree).unwrap();
    let flip = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let at = piece * 37 % bytes.len();
        bytes[at] ^= 1 << (piece & 7);
        bytes
    };
    verify(&flip(&padded), &tree).unwrap_err();
    if !tree.is_empty() {
        verify(&padded, &flip(&tree)).unwrap_err();
    }
});

/// What a superblock says, by the twin and by the library; and its bytes, written anew.
fn superblock(input: &[u8]) {
    let mut bytes = input.to_vec();
    // Mostly right, or nothing but the magic would ever be looked at.
    if bytes.len() >= 512 && bytes[0] & 1 == 1 {
        bytes[..16].copy_from_slice(b"verity\0\0\x01\0\0\0\x01\0\0\0");
        bytes[12] = input[3] & 1;
        let name = if input[3] & 2 == 0 { b"sha256\0" } else { b"sha512\0" };
        bytes[32..39].copy_from_slice(name);
        for (at, bits) in [(64, input[1]), (68, input[2])] {
            if bits & 0x80 == 0 {
                bytes[at..at + 4].copy_from_slice(&(512_u32 << (bits % 11)).to_le_bytes());
            }
        }
        bytes[81] &= 1;
    }
    match (Superblock::parse(&bytes), verity_twin::superblock(&bytes)) {
        (Ok(ours), Some((sizes, blocks, uuid))) => {
            let params = ours.params();
            assert_eq!(params.salt(), sizes.salt);
            let found =
                (params.data_block().bytes() as usize, params.hash_block().bytes() as usize);
            assert_eq!(found, (sizes.data_block, sizes.hash_block));
            assert_eq!(params.format().number(), u32::from(bytes[12]));
            assert_eq!(params.algorithm().name().as_bytes(), &bytes[32..38]);
            assert_eq!((ours.data_blocks(), ours.uuid().0), (blocks, uuid));
            assert_eq!(Superblock::parse(&ours.to_bytes()).unwrap(), ours);
        }
        (Err(_), None) => {}
        (ours, twin) => panic!("{ours:?}, and the twin reads {}", twin.is_some()),
    }
}
