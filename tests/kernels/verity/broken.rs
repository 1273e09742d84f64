//! What Linux must not show.

use std::fs;

use sha2::{Digest, Sha256};

use super::preset::Preset;
use super::sealed::{Sealed, Way};
use crate::given::Given;
use crate::row::{Expect, Row};

/// One byte of data, one of the tree, and a wrong root hash.
pub(super) fn rows(given: &Given, preset: &Preset) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |name: &str,
                   expect: Expect,
                   damage: &dyn Fn(&mut Vec<u8>),
                   root: Option<&str>| {
        let (disk, report) = given.export("image_block_with_verity", &format!("{name}.disk"), &[]);
        let report = report["verity"].clone();
        let name = name.to_owned();
        let sealed =
            Sealed { name, disk: &disk, hash: None, preset, report: &report, tree: &given.merged };
        // The commands are those of the whole disk: of a damaged one, or a wrong root hash, none are
        // printed.
        let made = [Way::Commands, Way::Table].map(|way| sealed.by(way).expect(expect.clone()));
        rows.extend(made.map(|row| match root {
            None => row,
            // The device is named by its first digits.
            Some(root) => {
                let right = report["root_hash"].as_str().unwrap();
                row.instead(right, root).instead(&right[..12], &root[..12])
            }
        }));
        let mut bytes = fs::read(&disk).unwrap();
        damage(&mut bytes);
        fs::write(&disk, bytes).unwrap();
    };
    // A body, of which it is known where it lies.
    let body = |disk: &[u8]| position(disk, given.large_file());
    let of_data = |disk: &mut Vec<u8>| {
        let at = body(disk) + 5000;
        disk[at] ^= 1;
    };
    row("a byte of data is changed", Expect::Unreadable, &of_data, None);
    let of_tree = |disk: &mut Vec<u8>| {
        // Far enough from the superblock to be under another hash block.
        let block = (body(disk) + 300_000) / 512 * 512;
        let digest = Sha256::digest(&disk[block..block + 512]);
        let at = position(disk, &digest);
        disk[at + 31] ^= 0x80;
    };
    row("a byte of the tree is changed", Expect::Unreadable, &of_tree, None);
    let wrong = "5".repeat(64);
    row("a wrong root hash", Expect::Refused("verity C"), &|_| {}, Some(&wrong));
    rows
}

fn position(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).expect("it is there")
}
