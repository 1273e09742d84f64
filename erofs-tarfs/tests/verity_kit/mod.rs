//! What the verity tests share: data, random numbers, veritysetup.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The generator of all data: splitmix64.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// Fills `out`, a multiple of 8 bytes, with little-endian words.
    pub(crate) fn fill(&mut self, out: &mut [u8]) {
        for word in out.chunks_exact_mut(8) {
            word.copy_from_slice(&self.next().to_le_bytes());
        }
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut out = vec![0; len.next_multiple_of(8)];
        self.fill(&mut out);
        out.truncate(len);
        out
    }
}

/// The data of all vectors, from byte 0 on.
pub(crate) fn stream() -> Random {
    Random(0)
}

/// The salt of `len` bytes that the vectors use.
pub(crate) fn salt(len: usize) -> Vec<u8> {
    (0..len).map(|i| if len <= 3 { 0xda } else { i as u8 }).collect()
}

pub(crate) const UUID: &str = "00112233-4455-6677-8899-aabbccddeeff";

/// Where veritysetup is. Without it a test prints that it did not run; under CI it fails.
pub(crate) fn veritysetup() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|dir| dir.join("veritysetup"))
        .find(|file| file.is_file());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "veritysetup (cryptsetup-bin) is missing");
        eprintln!("SKIPPED: veritysetup (cryptsetup-bin) is not installed");
    }
    found
}

/// Runs the words of a command line, its first one replaced by `program`.
pub(crate) fn run(program: &Path, words: &[impl AsRef<str>]) -> Output {
    let mut command = Command::new(program);
    command.args(words[1..].iter().map(AsRef::as_ref));
    command.output().expect("veritysetup starts")
}

/// The root hash in the output of `veritysetup format`.
pub(crate) fn root_of(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with("Root hash")).expect("a root hash");
    line.split_whitespace().last().expect("a root hash").to_owned()
}

/// A directory that goes with the test.
pub(crate) struct Dir(pub(crate) PathBuf);

impl Dir {
    pub(crate) fn new(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path in UTF-8").to_owned()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
