//! What Linux must not show: a bit is flipped in data, or in a hash block of each level, or another root
//! hash is expected. It must say which block it is, and show all the rest.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::damage::{self, AT, Chain, FILE, LAST, SPARED, STEP, position};
use super::preset::Preset;
use super::sealed::{Sealed, Way};
use crate::given::Given;
use crate::row::{Damage, Expect, Row};

const BOTH: &[Way] = &[Way::Commands, Way::Table];

/// The damaged disks of Nydus's and containerd's presets, which have hash trees of another height.
pub(super) fn rows(given: &Given, presets: &[Preset]) -> Vec<Row> {
    let preset = |name| presets.iter().find(|preset| preset.name == name).expect("a preset");
    let mut rows = of_disk(given, preset("nydus"), BOTH);
    rows.extend(of_disk(given, preset("containerd"), &[Way::Commands]));
    rows.push(of_tree_alone(given, preset("nydus")));
    rows.push(of_superblock(given, preset("veritysetup")));
    rows
}

fn of_disk(given: &Given, preset: &Preset, ways: &[Way]) -> Vec<Row> {
    let (disk, report) = given.export("image_block_with_verity", "to-damage.disk", &preset.options);
    let whole = fs::read(&disk).unwrap();
    let root = report["verity"]["root_hash"].as_str().unwrap();
    let body = position(&whole, given.large_file());
    let chain = Chain::find(preset, &whole, body + AT, &whole, root);
    let top = chain.digests.len() - 1;
    let mut rows = Vec::new();
    let mut add = |what: &str, at: Option<usize>, expected: &str, damage: &Damage| {
        let name = format!("{}: {what}", preset.name);
        // The commands are those of the whole disk: of a damaged one, or another root hash, none are
        // printed.
        let (disk, report) =
            given.export("image_block_with_verity", &format!("{name}.disk"), &preset.options);
        let sealed = Sealed {
            name,
            disk: &disk,
            hash: None,
            preset,
            report: &report["verity"],
            tree: &given.merged,
        };
        let made = ways.iter().map(|way| broken(given, sealed.by(*way), damage));
        // The device is named by its first digits.
        rows.extend(
            made.map(|row| row.instead(root, expected).instead(&root[..12], &expected[..12])),
        );
        flip(&disk, at);
    };
    let of_file = |said| damage::of_the_file(given, said);
    add("a bit of data", Some(chain.data), root, &of_file(chain.data_said()));
    // A digest of a leaf and of what is above the leaves; the topmost block is over all.
    for (level, at) in chain.digests.iter().enumerate() {
        let said = chain.hash_said(level);
        let damage = if level == top { damage::of_all(said) } else { of_file(said) };
        add(&format!("a bit of level {level} of its tree"), Some(*at), root, &damage);
    }
    // In no digest, behind the last one: it is under the root hash all the same.
    let spare = spare(&chain, &whole, preset);
    add("a spare bit of the tree", Some(spare), root, &damage::of_all(chain.hash_said(top)));
    let magic = Chain::find(preset, &whole, 1024, &whole, root);
    add("a bit of the superblock", Some(1024), root, &damage::of_all(magic.data_said()));
    let other = "5".repeat(64);
    add("another root hash", None, &other, &damage::of_all(chain.hash_said(top)));
    rows
}

/// A byte of the topmost hash block that is of no digest.
fn spare(chain: &Chain, whole: &[u8], preset: &Preset) -> usize {
    let block =
        erofs_tarfs::verity::Params::named(preset.name).unwrap().hash_block().bytes() as usize;
    let top = chain.digests.last().expect("a level") / block * block;
    let at = top + block - 1;
    assert_eq!(whole[at - 31..=at], [0; 32], "the topmost block is full");
    at
}

/// A row over a damaged disk; what is not damaged of the file is read too.
fn broken(given: &Given, row: Row, damage: &Damage) -> Row {
    let reads = [0, LAST].map(|at| {
        let name = given.path(&format!("spared-from-{at}"));
        fs::write(&name, &given.large_file()[at..at + SPARED]).unwrap();
        let (skip, count, name) = (at / STEP, SPARED / STEP, name.display());
        format!("dd if=/mnt/{FILE} bs={STEP} skip={skip} count={count} | cmp - {name}\n")
    });
    let row = match damage.rest {
        Some(_) => row.then(&reads.concat()),
        None => row,
    };
    row.expect(Expect::Damaged(damage.clone()))
}

fn flip(file: &Path, at: Option<usize>) {
    let mut bytes = fs::read(file).unwrap();
    if let Some(at) = at {
        bytes[at] ^= 0x80;
    }
    fs::write(file, bytes).unwrap();
}

/// The tree in a file of its own, and a bit of its leaves.
fn of_tree_alone(given: &Given, preset: &Preset) -> Row {
    let (tree, report) = given.export("image_verity_only", "to-damage.verity", &preset.options);
    let (disk, _) = given.export("image_block", "of-damaged-tree.disk", &[]);
    let verity: &Value = &report["verity"];
    let root = verity["root_hash"].as_str().unwrap();
    let (data, bytes) = (fs::read(&disk).unwrap(), fs::read(&tree).unwrap());
    let at = position(&data, given.large_file()) + AT;
    let chain = Chain::find(preset, &data, at, &bytes, root);
    let name = "a bit of a tree alone".to_owned();
    let sealed = Sealed {
        name,
        disk: &disk,
        hash: Some(&tree),
        preset,
        report: verity,
        tree: &given.merged,
    };
    let row = broken(given, sealed.by(Way::Table), &damage::of_the_file(given, chain.hash_said(0)));
    flip(&tree, Some(chain.digests[0]));
    row
}

/// The hash area's own superblock: nothing is over it, but another salt gives other digests.
fn of_superblock(given: &Given, preset: &Preset) -> Row {
    let options = ["--preset", "veritysetup", "--block-size", "4096"];
    let (disk, report) = given.export("image_block_with_verity", "salted.disk", &options);
    let verity = &report["verity"];
    let whole = fs::read(&disk).unwrap();
    let area = verity["hash_offset"].as_u64().unwrap() as usize;
    assert_eq!(whole[area..area + 8], *b"verity\0\0");
    let name = "a bit of the hash area's superblock".to_owned();
    let sealed =
        Sealed { name, disk: &disk, hash: None, preset, report: verity, tree: &given.merged };
    // One byte of salt, where there was none: the length is two bytes at 80, its bytes begin at 88.
    let mut bytes = whole;
    bytes[area + 80] ^= 1;
    let row = sealed.by(Way::Commands);
    fs::write(&disk, bytes).unwrap();
    let first = area / 4096 + 1;
    row.expect(Expect::Damaged(damage::of_all(format!("metadata block {first} is corrupted"))))
}
