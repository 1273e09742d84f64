//! Trees of SHA-512, and of format 0, against `veritysetup`, both ways: it verifies ours, and makes the same bytes.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use erofs_tarfs::io::verity::{HashingOptions, read_leaves, seal, verify};
use erofs_tarfs::verity::{
    Algorithm, Digest, Error, Geometry, HashBytes, HashFormat, HashPlacement, Hasher, Leaves,
    Params, Sealed, StreamHasher, Superblock, SuperblockMode, TreeDigest, Uuid, Verifier,
};
use testkit::oracle::{Verdict, tool};
use testkit::rng::Rng;

const UUID: Uuid = Uuid([7; 16]);

/// Parameters of all kinds, and how many bytes of data: from one block on to several levels.
fn rows() -> Vec<(Params, u64)> {
    let mut rows = Vec::new();
    for (algorithm, format) in [
        (Algorithm::Sha256, HashFormat::ChromeOs),
        (Algorithm::Sha512, HashFormat::Normal),
        (Algorithm::Sha512, HashFormat::ChromeOs),
    ] {
        for (data, hash) in [(512, 4096), (512, 512), (4096, 4096), (1024, 2048)] {
            for salt in [&[][..], b"salt", &[9; 256]] {
                for superblock in [SuperblockMode::None, SuperblockMode::Uuid(UUID)] {
                    for blocks in [1, 2, 8, 9, 64, 65, 700] {
                        let params = Params::new(data, hash, salt, superblock).unwrap();
                        let params = params.with_algorithm(algorithm).with_format(format);
                        rows.push((params, u64::from(data) * blocks));
                    }
                }
            }
        }
    }
    rows
}

/// Data with a run of zeros in it.
fn data(bytes: u64) -> Vec<u8> {
    let mut data = Rng::new(bytes).bytes(bytes as usize);
    let third = data.len() / 3;
    data[third..2 * third].fill(0);
    data
}

/// The tree by each way that makes one: all are the same.
fn sealed(params: &Params, data: &[u8]) -> (Sealed, Vec<u8>) {
    let geometry = Geometry::new(params, data.len() as u64, HashPlacement::OwnFile).unwrap();
    let mut tree = HashBytes::default();
    let mut hasher = Hasher::new(geometry.clone());
    data.chunks(777).for_each(|piece| hasher.push(piece, &mut tree).unwrap());
    let sealed = hasher.finish(&mut tree).unwrap();
    tree.bytes.resize(geometry.end() as usize, 0);

    let threads = Mutex::new(vec![0; geometry.end() as usize]);
    let again = seal(data, &threads, geometry, &HashingOptions::new()).unwrap();
    assert_eq!(again, sealed);
    assert!(threads.into_inner().unwrap() == tree.bytes);

    let mut streamed = StreamHasher::new(true, Some(params));
    data.chunks(5000).for_each(|piece| streamed.push(piece));
    let done = streamed.finish();
    let leaves = done.leaves.unwrap();
    // Without a salt it does not matter where that would be.
    let usual = params.clone().with_algorithm(Algorithm::Sha256).with_format(HashFormat::Normal);
    let same = params.salt().is_empty() && params.algorithm() == Algorithm::Sha256;
    assert!(leaves.serve(params) && leaves.serve(&usual) == same);
    let kept = leaves.digests().to_vec();
    let mut other = HashBytes::default();
    assert_eq!(leaves.seal(params, HashPlacement::OwnFile, &mut other).unwrap(), sealed);
    let read = read_leaves(&tree.bytes[..], &sealed, &HashingOptions::new()).unwrap();
    assert!(read.digests() == kept);
    assert!(Leaves::read(&sealed, &mut &tree).unwrap().digests() == kept);
    (sealed, tree.bytes)
}

#[test]
fn veritysetup_makes_and_verifies_the_same_trees() {
    let Some(veritysetup) = tool("veritysetup", "apt-get install cryptsetup-bin") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (data_path, ours, theirs) =
        (dir.path().join("data"), dir.path().join("ours"), dir.path().join("theirs"));
    let (path, tree) = (|path: &Path| path.to_str().unwrap().to_owned(), &ours);
    for (params, bytes) in rows() {
        // Each of 504 rows costs two processes: of those between the first and the last some are enough.
        let block = u64::from(params.data_block().bytes());
        if ![1, 9, 700].contains(&(bytes / block)) {
            continue;
        }
        let what = format!("{params:?} {bytes}");
        let data = data(bytes);
        fs::write(&data_path, &data).unwrap();
        let (sealed, bytes) = sealed(&params, &data);
        fs::write(tree, &bytes).unwrap();
        let run = |line: erofs_tarfs::verity::CommandLine| {
            let mut command = Command::new(&veritysetup);
            Verdict::of(command.args(&line.words()[1..]))
        };
        run(sealed.verify_command(&path(&data_path), &path(tree))).expect_ok(&what);
        let _ = fs::remove_file(&theirs);
        fs::write(&theirs, []).unwrap();
        let said = run(sealed.format_command(&path(&data_path), &path(&theirs)));
        said.expect_ok(&what);
        assert!(said.output.contains(&sealed.root().to_string()), "{what}: {}", said.output);
        let mut made = fs::read(&theirs).unwrap();
        made.resize(bytes.len(), 0);
        assert!(made == bytes, "{what}: other bytes");
    }
}

#[test]
fn every_way_makes_one_tree_and_finds_what_is_wrong() {
    for (params, bytes) in rows() {
        let mut data = data(bytes);
        let (sealed, mut tree) = sealed(&params, &data);
        let what = format!("{params:?} {bytes}");
        let options = HashingOptions::new();
        verify(&data[..], &tree[..], &sealed, &options).unwrap();
        let mut verifier = Verifier::new(sealed.geometry().clone(), sealed.root());
        verifier.verify_all(&mut &data[..], &mut &tree[..]).unwrap();
        data[0] ^= 1;
        assert!(verify(&data[..], &tree[..], &sealed, &options).is_err(), "{what}");
        data[0] ^= 1;
        // The last byte of the tree is spare, or of a digest.
        if let Some(last) = tree.last_mut() {
            *last ^= 1;
            let wrong = verify(&data[..], &tree[..], &sealed, &options).is_err();
            assert!(wrong || sealed.geometry().levels().is_empty(), "{what}");
        }
    }
}

#[test]
fn superblocks_say_algorithm_and_format() {
    for (params, bytes) in rows() {
        let Some(superblock) = sealed(&params, &data(bytes)).0.superblock() else { continue };
        assert_eq!(Superblock::parse(&superblock.to_bytes()), Ok(superblock.clone()));
        assert_eq!(superblock.params().algorithm(), params.algorithm());
        assert_eq!(superblock.params().format(), params.format());
    }
    let params = Params::containerd().with_algorithm(Algorithm::Sha512);
    let bytes = Superblock::new(params, 1, UUID).unwrap().to_bytes();
    for (at, byte, wrong) in [(12, 2, "hash type 2"), (32, b'm', "mha512"), (38, b'x', "sha512x")] {
        let mut bytes = bytes;
        bytes[at] = byte;
        let error = Superblock::parse(&bytes).unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
    }
}

/// Texts of forms that only know SHA-256 are refused, not written wrong.
#[test]
fn forms_without_a_place_for_it_are_refused() {
    for params in [
        Params::containerd_4k().with_algorithm(Algorithm::Sha512),
        Params::containerd_4k().with_format(HashFormat::ChromeOs),
    ] {
        let geometry = Geometry::new(&params, 1 << 20, HashPlacement::BehindData).unwrap();
        let root = TreeDigest::of(&vec![0xab; params.digest_len()]).unwrap();
        let sealed = Sealed::new(geometry, root);
        let said = "no place for an algorithm other than SHA-256, or hash format 0";
        assert!(sealed.erofs_annotations().unwrap_err().to_string().contains(said));
        assert!(sealed.kata_options().unwrap_err().to_string().contains(said));
    }
}

#[test]
fn digests_have_one_of_two_lengths() {
    for bytes in [0, 31, 33, 63, 65] {
        assert_eq!(TreeDigest::of(&vec![1; bytes]), None);
        assert!("a".repeat(2 * bytes).parse::<TreeDigest>().is_err());
    }
    let (short, long) = ("0f".repeat(32), "A0".repeat(64));
    let parsed: TreeDigest = long.parse().unwrap();
    assert_eq!((parsed.to_string(), parsed.algorithm()), (long.to_lowercase(), Algorithm::Sha512));
    assert_eq!(short.parse::<TreeDigest>().unwrap(), Digest([15; 32]));
    // A short one is not the beginning of a long one.
    assert_ne!(TreeDigest::of(&[0; 32]), TreeDigest::of(&[0; 64]));
    let params = Params::nydus().with_algorithm(Algorithm::Sha512);
    let geometry = Geometry::new(&params, 512, HashPlacement::OwnFile).unwrap();
    let mut hasher = Hasher::new(geometry);
    let short = hasher.push_digests(&[0; 32], &mut HashBytes::default()).unwrap_err();
    assert_eq!(short, Error::DigestLength { bytes: 32 }.into());
}

/// More levels than SHA-256 can have.
#[test]
fn the_deepest_tree_fits() {
    let params = Params::new(512, 512, &[], SuperblockMode::None).unwrap();
    let params = params.with_algorithm(Algorithm::Sha512);
    let geometry = Geometry::new(&params, 1 << 62, HashPlacement::OwnFile).unwrap();
    assert_eq!(geometry.levels().len(), 18);
    assert!(Geometry::new(&params, (1 << 63) - 512, HashPlacement::OwnFile).is_ok());
}
