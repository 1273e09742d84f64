//! Invariants: no superblock panics; data in any pieces has one root; a flipped bit is found.
#![no_main]

use erofs_tarfs::verity::{
    Geometry, HashBytes, HashPlacement, Hasher, Params, Superblock, SuperblockMode,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = Superblock::parse(input);
    let [sizes, salt, piece, data @ ..] = input else { return };
    let (data_block, hash_block) = (512 << (sizes & 3), 512 << (sizes >> 2 & 3));
    let salt = &data[..data.len().min(usize::from(*salt))];
    let params = Params::new(data_block, hash_block, salt, SuperblockMode::None).unwrap();
    let whole = data.len() as u64 + params.data_padding(data.len() as u64);
    let Ok(geometry) = Geometry::new(&params, whole, HashPlacement::OwnFile) else { return };
    let run = |piece: usize, data: &[u8]| {
        let (mut hasher, mut tree) = (Hasher::new(geometry.clone()), HashBytes::default());
        data.chunks(piece).for_each(|part| hasher.push(part, &mut tree).unwrap());
        hasher.push_zeros(whole - data.len() as u64, &mut tree).unwrap();
        (hasher.finish(&mut tree).unwrap().root(), tree.bytes)
    };
    let once = run(data.len().max(1), data);
    assert_eq!(run(usize::from(*piece) + 1, data), once);
    if !data.is_empty() {
        let mut other = data.to_vec();
        let at = usize::from(*piece) % other.len();
        other[at] ^= 1;
        assert_ne!(run(other.len(), &other).0, once.0);
    }
});
