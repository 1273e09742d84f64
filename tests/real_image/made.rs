//! Outputs of the tool, made again from elsewhere, and judged by veritysetup.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use testkit::fixtures::RealImage;
use testkit::oracle::{Verdict, Verity, veritysetup_verify};

use crate::run::{json, ok};

pub fn args(words: &[&str], paths: &[PathBuf]) -> Vec<OsString> {
    let words = words.iter().map(OsString::from);
    words.chain(paths.iter().map(|path| path.clone().into_os_string())).collect()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn oci(image: &RealImage) -> [PathBuf; 1] {
    [PathBuf::from(format!("oci:{}:layer4", image.oci.display()))]
}

/// An output of `tarfs export`, and what was said of it.
pub struct Made {
    pub path: PathBuf,
    pub report: Value,
}

pub fn export(out: &Path, mode: &str, placement: &str, inputs: &[PathBuf]) -> Vec<Made> {
    let words = ["export", "--json", "--mode", mode, "--placement", placement, "-o", text(out)];
    let reports = json(&ok(args(&words, inputs)));
    let made = reports.into_iter().map(|report| {
        let path = PathBuf::from(report["path"].as_str().unwrap());
        assert_eq!(report["size"], fs::metadata(&path).unwrap().len(), "{mode}");
        Made { path, report }
    });
    made.collect()
}

pub fn digest_of(path: &Path) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let (mut file, mut buf) = (File::open(path).unwrap(), vec![0; 1 << 16]);
    while let Some(n @ 1..) = Some(file.read(&mut buf).unwrap()) {
        hasher.update(&buf[..n]);
    }
    hasher.finalize().into()
}

/// The same outputs from the same layers: tars again, and the OCI layout.
pub fn again(dir: &Path, made: &[Made], mode: &str, placement: &str, image: &RealImage) {
    for (from, inputs) in [("tars", &image.layers[..]), ("oci", &oci(image))] {
        let out = dir.join(format!("{mode}-{from}"));
        let others = export(&out, mode, placement, inputs);
        assert_eq!(others.len(), made.len());
        for (one, other) in made.iter().zip(&others) {
            let (path, what) = (&other.path, format!("{mode} {placement} from {from}"));
            assert_eq!(digest_of(&one.path), digest_of(path), "{what}");
            assert_eq!(one.report["devices"], other.report["devices"], "{what}");
            let root = |made: &Made| made.report["verity"]["root_hash"].clone();
            assert_eq!(root(one), root(other), "{what}");
            fs::remove_file(path).unwrap();
        }
    }
}

pub fn verdict(data: &Path, tree: &Made) -> Option<Verdict> {
    let verity = &tree.report["verity"];
    let number = |key: &str| verity[key].as_u64().unwrap();
    veritysetup_verify(&Verity {
        data,
        hash: &tree.path,
        hash_offset: number("hash_offset"),
        data_blocks: number("data_blocks"),
        data_block_size: number("data_block_size") as u32,
        hash_block_size: number("hash_block_size") as u32,
        salt: verity["salt"].as_str().unwrap(),
        root: verity["root_hash"].as_str().unwrap(),
    })
}

/// `veritysetup verify` is content with data and tree, and is not when any of some bits is another.
pub fn verify(data: &Path, tree: &Made, what: &str) {
    let Some(whole) = verdict(data, tree) else { return };
    whole.expect_ok(what);
    let verity = &tree.report["verity"];
    let number = |key: &str| verity[key].as_u64().unwrap();
    let data_bytes = number("data_blocks") * number("data_block_size");
    let flips = [
        (data, 1030),
        (data, data_bytes / 2),
        (data, data_bytes - 1),
        (&tree.path, number("hash_offset")),
        // The leaves are behind all upper levels.
        (&tree.path, tree.report["size"].as_u64().unwrap() - number("hash_block_size")),
    ];
    for (path, at) in flips {
        flip(path, at);
        let verdict = verdict(data, tree).unwrap();
        assert!(!verdict.ok, "{what}: a bit of {path:?} at {at} is not missed");
        flip(path, at);
    }
}

pub fn flip(path: &Path, at: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 4], at).unwrap();
}
