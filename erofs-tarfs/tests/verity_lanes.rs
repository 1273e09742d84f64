//! Every backend gives what the `sha2` crate gives.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod verity_kit;

use erofs_tarfs::verity::{Backend, BlockHasher, VerityBlockSize};
use sha2::{Digest as _, Sha256};
use verity_kit::Random;

/// The backends that this CPU has; the others are named, not silently left out.
fn backends() -> impl Iterator<Item = Backend> {
    Backend::ALL.into_iter().filter(|backend| {
        let available = backend.is_available();
        if !available {
            eprintln!("SKIPPED: this CPU does not have {backend}");
        }
        available
    })
}

fn check(backend: Backend, salt: &[u8], block: u32, data: &[u8]) {
    let size = VerityBlockSize::new(block).unwrap();
    let count = data.len() / block as usize;
    let mut digests = vec![0; count * 32];
    let hasher = BlockHasher::new(salt).unwrap().with_backend(backend);
    assert_eq!(hasher.backend(), backend);
    hasher.hash_blocks(size, data, &mut digests).unwrap();
    let blocks = data.chunks_exact(block as usize).zip(digests.chunks_exact(32));
    for (i, (block, digest)) in blocks.enumerate() {
        let expected = Sha256::new().chain_update(salt).chain_update(block).finalize();
        let what = format!("{backend}, salt of {}, block {i} of {count}", salt.len());
        assert_eq!(digest, &expected[..], "{what}");
    }
}

#[test]
fn all_salts() {
    let mut random = Random(20);
    let data = random.bytes(512 * 22);
    let salt = random.bytes(256);
    for backend in backends() {
        for len in 0..=256 {
            check(backend, &salt[..len], 512, &data);
        }
    }
}

#[test]
fn all_sizes_and_counts_at_any_alignment() {
    let mut random = Random(21);
    for backend in backends() {
        for bits in 9..=19 {
            let block = 1u32 << bits;
            let most = if bits < 14 { 19 } else { 5 };
            let data = random.bytes(block as usize * most + 64);
            for count in 0..=most {
                let from = random.below(64) as usize;
                let salt_len = random.pick(&[0, 0, 32, 55, 56, 64, 100]);
                let salt = random.bytes(salt_len);
                check(backend, &salt, block, &data[from..][..count * block as usize]);
            }
        }
    }
}

/// Blocks that a carry, a sign or a byte order would betray.
#[test]
fn plain_blocks() {
    for backend in backends() {
        for byte in [0x00, 0x7f, 0x80, 0xff] {
            check(backend, &[], 512, &[byte; 512 * 8]);
            check(backend, &[byte; 32], 4096, &[byte; 4096 * 9]);
        }
    }
}

#[test]
fn the_best_backend_is_available() {
    let best = Backend::best();
    assert!(best.is_available());
    assert_eq!(BlockHasher::new(&[]).unwrap().backend(), best);
    eprintln!("best: {best}");
}
