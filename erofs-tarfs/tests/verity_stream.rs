//! A stream's digest and those of its blocks, hashed together: as the `sha2` crate hashes each.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod verity_kit;

use erofs_tarfs::verity::{Backend, Digest, Params, StreamHasher, SuperblockMode};
use sha2::{Digest as _, Sha256};
use verity_kit::Random;

fn params(block: u32, salt: &[u8]) -> Params {
    Params::new(block, 4096, salt, SuperblockMode::None).unwrap()
}

fn check(backend: Backend, salt: &[u8], block: u32, data: &[u8], mut chunk: impl FnMut() -> usize) {
    let mut hasher = StreamHasher::new(true, Some(&params(block, salt))).with_backend(backend);
    let mut rest = data;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(chunk().min(rest.len()));
        hasher.push(now);
        rest = later;
    }
    let done = hasher.finish();
    let what = format!("{backend}, salt of {}, {} bytes in {block}", salt.len(), data.len());
    assert_eq!(done.digest, Some(Digest(Sha256::digest(data).into())), "{what}");
    let leaves = done.leaves.unwrap();
    assert_eq!(leaves.position(), data.len() as u64, "{what}");
    let blocks = data.chunks_exact(block as usize);
    assert_eq!(leaves.digests().len(), 32 * blocks.len(), "{what}");
    for (block, digest) in blocks.zip(leaves.digests().chunks_exact(32)) {
        let expected = Sha256::new().chain_update(salt).chain_update(block).finalize();
        assert_eq!(digest, &expected[..], "{what}");
    }
}

#[test]
fn any_length_salt_and_chunking() {
    let mut random = Random(30);
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        for block in [512, 1024, 4096, 65536] {
            for _ in 0..40 {
                let blocks = random.below(12) * u64::from(block);
                let tail = random.pick(&[0, 0, 1, 55, 56, 63, 64, 119, 300, 511]);
                let data = random.bytes(blocks as usize + tail);
                let salt = random.pick(&[0, 0, 0, 32, 64, 100, 128, 192, 256]);
                let salt = random.bytes(salt);
                let most = random.pick(&[600, 5000, 1 << 20]);
                check(backend, &salt, block, &data, || 1 + random.below(most) as usize);
            }
        }
    }
}

#[test]
fn one_alone_or_none() {
    let data = Random(31).bytes(512 * 7 + 100);
    let run = |digest, leaves: Option<&Params>| {
        let mut hasher = StreamHasher::new(digest, leaves);
        assert_eq!(hasher.is_idle(), !digest && leaves.is_none());
        hasher.push(&data);
        hasher.finish()
    };
    let nydus = Params::nydus();
    let (both, digest, leaves) =
        (run(true, Some(&nydus)), run(true, None), run(false, Some(&nydus)));
    assert_eq!(digest.digest, both.digest);
    assert_eq!(digest.digest, Some(Digest(Sha256::digest(&data).into())));
    assert!(digest.leaves.is_none() && leaves.digest.is_none());
    assert_eq!(leaves.leaves.unwrap().digests(), both.leaves.unwrap().digests());
    let none = run(false, None);
    assert!(none.digest.is_none() && none.leaves.is_none());
}
