//! Against veritysetup as installed: random geometries, both ways.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod verity_kit;

use std::fs;
use std::path::Path;

use erofs_tarfs::verity::{
    Geometry, HashBytes, HashPlacement, Hasher, Params, Sealed, Superblock, SuperblockMode, Uuid,
    Verifier,
};
use verity_kit::{Dir, Random, root_of, run, veritysetup};

struct Case {
    data: Vec<u8>,
    sealed: Sealed,
    tree: HashBytes,
}

fn case(random: &mut Random) -> Case {
    let sizes = [512, 1024, 2048, 4096, 8192, 65536, 524_288];
    let salt_len = random.pick(&[0, 1, 31, 32, 55, 56, 63, 64, 65, 128, 255, 256]);
    let salt = random.bytes(salt_len);
    let superblock = match random.below(3) {
        0 => SuperblockMode::None,
        1 => SuperblockMode::Derived,
        _ => SuperblockMode::Uuid(Uuid(random.bytes(16).try_into().unwrap())),
    };
    let (data_block, hash_block) = (random.pick(&sizes), random.pick(&sizes));
    let params = Params::new(data_block, hash_block, &salt, superblock).unwrap();
    let most = ((2 << 20) / u64::from(data_block)).max(3);
    let blocks = 1 + random.pick(&[3, 40, most]).min(most);
    let blocks = 1 + random.below(blocks);
    let data = random.bytes(blocks as usize * data_block as usize);
    let bytes = data.len() as u64;
    let placement = match random.below(3) {
        0 => HashPlacement::OwnFile,
        1 => HashPlacement::BehindData,
        // veritysetup writes superblocks in pages where files are concerned.
        _ => {
            let unit = u64::from(hash_block.max(4096));
            HashPlacement::At(bytes.next_multiple_of(unit) + unit * random.below(3))
        }
    };
    let geometry = Geometry::new(&params, bytes, placement).unwrap();
    let mut tree = HashBytes { start: geometry.hash_offset(), ..HashBytes::default() };
    let mut hasher = Hasher::new(geometry);
    hasher.push(&data, &mut tree).unwrap();
    let sealed = hasher.finish(&mut tree).unwrap();
    Case { data, sealed, tree }
}

/// Writes data and, if given, the hash area; returns both paths.
fn write(dir: &Dir, case: &Case, tree: Option<&[u8]>) -> (String, String) {
    let (data, geometry) = (dir.file("data"), case.sealed.geometry());
    let hash = if geometry.same_file() { data.clone() } else { dir.file("hash") };
    let _ = fs::remove_file(&hash);
    fs::write(&data, &case.data).unwrap();
    if geometry.same_file() || tree.is_some() {
        let mut bytes = fs::read(&hash).unwrap_or_default();
        bytes.resize(geometry.hash_offset() as usize, 0);
        bytes.extend_from_slice(tree.unwrap_or_default());
        fs::write(&hash, bytes).unwrap();
    }
    (data, hash)
}

fn verifies(program: &Path, case: &Case, data: &str, hash: &str) -> bool {
    run(program, case.sealed.verify_command(data, hash).words()).status.success()
}

#[test]
fn format_gives_the_same_bytes_and_verify_takes_ours() {
    let Some(program) = veritysetup() else { return };
    let dir = Dir::new("verity-live");
    let mut random = Random(1);
    for n in 0..60 {
        let case = case(&mut random);
        let (sealed, geometry) = (&case.sealed, case.sealed.geometry());
        let what = format!("case {n}: {sealed:?}");

        let (data, hash) = write(&dir, &case, None);
        let output = run(&program, sealed.format_command(&data, &hash).words());
        assert_eq!(root_of(&output), sealed.root().to_string(), "{what}");
        let theirs = fs::read(&hash).unwrap();
        let theirs = theirs.get(geometry.hash_offset() as usize..).unwrap_or_default();
        // A file that ends with a superblock is padded in their way only in a file of its own.
        let (ours, len) = (&case.tree.bytes, theirs.len());
        assert!(ours.starts_with(theirs) && ours[len..].iter().all(|&byte| byte == 0), "{what}");
        assert!(len == ours.len() || geometry.levels().is_empty(), "{what}");

        if let Some(offset) = geometry.superblock_offset() {
            let bytes = &fs::read(&hash).unwrap()[offset as usize..];
            let superblock = Superblock::parse(bytes).unwrap();
            assert_eq!(Some(superblock.uuid()), sealed.uuid(), "{what}");
            assert_eq!(superblock.params().salt(), sealed.params().salt(), "{what}");
            assert_eq!(superblock.data_blocks(), geometry.data_blocks(), "{what}");
        }

        let (data, hash) = write(&dir, &case, Some(&case.tree.bytes));
        assert!(verifies(&program, &case, &data, &hash), "{what}");
    }
}

/// One flipped bit anywhere, and both verifiers refuse.
#[test]
fn verify_agrees_about_flipped_bits() {
    let Some(program) = veritysetup() else { return };
    let dir = Dir::new("verity-flip");
    let mut random = Random(2);
    for n in 0..40 {
        let mut case = case(&mut random);
        let geometry = case.sealed.geometry().clone();
        let start = (geometry.tree_offset() - geometry.hash_offset()) as usize;
        let tree_bits = (case.tree.bytes.len() - start) as u64 * 8;
        let at = if tree_bits > 0 && n % 2 == 0 {
            let at = random.below(tree_bits);
            case.tree.bytes[start + (at / 8) as usize] ^= 1 << (at % 8);
            format!("tree bit {at}")
        } else {
            let at = random.below(case.data.len() as u64 * 8);
            case.data[(at / 8) as usize] ^= 1 << (at % 8);
            format!("data bit {at}")
        };
        let what = format!("case {n}, {at}: {:?}", case.sealed);
        let (data, hash) = write(&dir, &case, Some(&case.tree.bytes));
        assert!(!verifies(&program, &case, &data, &hash), "{what}");
        let mut verifier = Verifier::new(geometry, case.sealed.root());
        let verdict = verifier.verify_all(&mut &case.data[..], &mut &case.tree);
        assert!(verdict.is_err(), "{what}");
    }
}

/// `veritysetup dump` reads what is written, and shows it as it was meant.
#[test]
fn dump_reads_the_superblock() {
    let Some(program) = veritysetup() else { return };
    let dir = Dir::new("verity-dump");
    let uuid: Uuid = verity_kit::UUID.parse().unwrap();
    let params = Params::new(1024, 2048, &[1, 2, 3], SuperblockMode::Uuid(uuid)).unwrap();
    let superblock = Superblock::new(params, 77, uuid).unwrap();
    let file = dir.file("superblock");
    fs::write(&file, superblock.to_bytes()).unwrap();
    let output = run(&program, &["veritysetup", "dump", &file]);
    let text = String::from_utf8(output.stdout).unwrap();
    for (key, value) in [
        ("UUID:", verity_kit::UUID),
        ("Hash type:", "1"),
        ("Data blocks:", "77"),
        ("Data block size:", "1024"),
        ("Hash block size:", "2048"),
        ("Hash algorithm:", "sha256"),
        ("Salt:", "010203"),
    ] {
        let line =
            text.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(line[key.len()..].trim().split(' ').next(), Some(value), "{text}");
    }
}
