//! What the tool reads besides tars and images of EROFS: no input panics, whatever it says; a stream that is
//! compressed comes to the same however it is cut; what is said of an image is no more
//! than there is.
//!
//! The first byte chooses: a compressed stream, a sidecar, a partitioned disk, or an image in an archive.
#![no_main]
#![allow(dead_code, reason = "the tool's rooms, of which a part is called")]

#[path = "tool/cli.rs"]
mod cli;
#[path = "../../examples/tarfs/files/mod.rs"]
mod files;
#[path = "../../examples/tarfs/hash_tree/mod.rs"]
mod hash_tree;
#[path = "tool/image.rs"]
mod image;
#[path = "../../examples/tarfs/layers/mod.rs"]
mod layers;
#[path = "../../examples/tarfs/registry/mod.rs"]
mod registry;

use std::fs;
use std::io::Read;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

use cli::reading_options::ReadingOptions;
use erofs_tarfs::io::{Compression, Uncompressed};
use files::{open, partition};
use hash_tree::sidecar;
use layers::spool::Spool;
use libfuzzer_sys::fuzz_target;

/// No more of a stream is looked at.
const MOST: u64 = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let Some((form, bytes)) = input.split_first() else { return };
    // What the tool has opened it remembers, a thread its own.
    thread::scope(|scope| {
        let thread = scope.spawn(|| match form % 8 {
            0 => stream(Compression::Gzip, bytes),
            1 => stream(Compression::Zstd, bytes),
            2 => with_file(bytes, |path| drop(sidecar::read(path))),
            3 => with_file(bytes, partitions),
            4 | 5 => with_file(&image::oci(bytes), |path| load("oci-archive:", path)),
            6 => with_file(&image::docker(bytes, false), |path| load("docker-archive:", path)),
            _ => with_file(&image::docker(bytes, true), |path| load("docker-archive:", path)),
        });
        // The end of the scope would not wait until the system has taken the thread down, and what
        // is the thread's own would count as lost.
        if let Err(panic) = thread.join() {
            resume_unwind(panic);
        }
    });
});

/// A reader that gives a few bytes at a time.
struct Few<'a>(&'a [u8], usize);

impl Read for Few<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let len = buf.len().min(self.1);
        self.0.read(&mut buf[..len])
    }
}

fn stream(compression: Compression, bytes: &[u8]) {
    let read = |from: &mut dyn Read, threads: usize| {
        let stream = Uncompressed::new(compression, from).expect("a build that reads it");
        let stream = stream.threads(threads);
        let mut out = Vec::new();
        let done = stream.take(MOST).read_to_end(&mut out);
        // Where an error is depends on how much the decoder was handed at once.
        (out, done.is_ok())
    };
    let whole = read(&mut &*bytes, 0);
    let piece = 1 + bytes.first().map_or(0, |byte| usize::from(byte & 15));
    for threads in [0, 2] {
        let pieces = read(&mut Few(bytes, piece), threads);
        assert_eq!(whole.1, pieces.1, "{threads} threads");
        assert!(whole.0 == pieces.0 || !whole.1, "other bytes in pieces, {threads} threads");
    }
}

/// Calls with the path of a file that has these bytes: always the same one.
fn with_file(bytes: &[u8], call: impl FnOnce(&Path)) {
    fs::write(path(), bytes).expect("a file");
    call(path());
}

fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        dir.join(format!("tarfs-fuzz-{}", std::process::id()))
    })
}

fn partitions(path: &Path) {
    let Ok((file, _)) = open::input_or_disk(path) else { return };
    let Ok(found) = partition::read(path, &file) else { return };
    drop(partition::problems(&found));
    for one in &found.table.partitions {
        let opened = partition::open(&file, one).expect("a partition inside of its disk");
        assert_eq!(opened.bytes().expect("a file"), one.bytes);
        let _ = (partition::kind(one), partition::name(path, one));
    }
}

fn load(transport: &str, path: &Path) {
    let mut spool = Spool::Temporary(path.parent().expect("a directory").to_owned());
    let argument = PathBuf::from(format!("{transport}{}", path.display()));
    match layers::load::one(&argument, &ReadingOptions::default(), &mut spool) {
        Ok(layers) => assert!(layers.iter().all(|layer| layer.tree.inode_count() > 0)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
