//! Jobs that this program runs as a process of its own, so that time and memory are theirs alone.

use core::num::NonZero;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::time::Instant;

use erofs_tarfs::image::{self, DiskPlan};
use erofs_tarfs::ingest;
use erofs_tarfs::io::{self as tarfs_io, Compression, NamedFile, Uncompressed};
use erofs_tarfs::layout;
use erofs_tarfs::tree::{LayerOptions, MergeOptions, Tree, merge};
use erofs_tarfs::verity::{
    BlockHasher, Digest as Root, Geometry, HashPlacement, Hasher, Params, RootOnly, VerityBlockSize,
};
use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest, Sha256};

use crate::done::Done;
use crate::inputs::{fill, small_layer, write_names};

/// The first word of the command line.
pub(crate) const WORD: &str = "child";

type Job<T = ()> = Result<T, Box<dyn std::error::Error>>;

pub(crate) fn run(words: &[String]) -> Done {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["sha256"] => sha256(),
        ["index", input, output] => index(input, output),
        ["merge", layers, entries] => merged(layers, entries),
        ["leaves", which, tar, tree] => leaves(which == "kept", tar, tree),
        ["blocks", which, block, bytes] => blocks(which == "lanes", block, bytes),
        ["unpack", threads, stream] => unpack(threads, stream),
        ["tar", entries] => tar(entries),
        ["verity", mib] => verity(mib),
        _ => Err(format!("no job {words:?}").into()),
    };
    done.map_err(|error| format!("{words:?}: {error}"))
}

/// The part of a job that counts.
struct Clock {
    wall: Instant,
    cpu: f64,
}

impl Clock {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu() }
    }

    /// How long it took, for `measure` to read.
    fn stop(self) {
        println!("seconds {}\ncpu {}", self.wall.elapsed().as_secs_f64(), cpu() - self.cpu);
    }
}

/// CPU time of all threads so far.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// The digest of standard input, on one thread.
fn sha256() -> Job {
    let (mut sha, mut buf, mut stdin) = (Sha256::new(), vec![0; 256 << 10], io::stdin().lock());
    loop {
        match stdin.read(&mut buf)? {
            0 => break,
            n => sha.update(&buf[..n]),
        }
    }
    println!("{}", Root(sha.finalize().into()));
    Ok(())
}

/// A tar, or `-`, to a bootstrap.
fn index(input: &str, output: &str) -> Job {
    let clock = Clock::start();
    let options = LayerOptions::new().tag(b"layer");
    let layer = match input {
        "-" => tarfs_io::index_reader("stdin".as_ref(), io::stdin(), options, None, &mut |_| {})?,
        _ => tarfs_io::index_file(&NamedFile::open(input)?, options, &mut |_| {})?,
    };
    let layout = layout::plan(&layer.tree, &layout::LayoutOptions::default())?;
    let out = NamedFile::new(output, File::create_new(output)?);
    tarfs_io::write_metadata(&layout, &out)?;
    clock.stop();
    Ok(())
}

/// A compressed stream to nothing, with so many threads beside this one.
fn unpack(threads: &str, stream: &str) -> Job {
    let mut file = File::open(stream)?;
    let mut head = [0; Compression::HEAD];
    file.read_exact(&mut head)?;
    let whole = (&head[..]).chain(file);
    let mut stream = Uncompressed::new(Compression::of(&head), whole)?.threads(threads.parse()?);
    let mut buf = vec![0; 256 << 10];
    while stream.read(&mut buf)? > 0 {}
    Ok(())
}

/// Layers in memory to one tree.
fn merged(layers: &str, entries: &str) -> Job {
    let entries = entries.parse()?;
    let trees: Vec<Tree> =
        (0..layers.parse()?).map(|number| small_layer(entries, number, false)).collect();
    let trees: Vec<&Tree> = trees.iter().collect();
    let clock = Clock::start();
    let tree = merge(&trees, &MergeOptions::default())?;
    clock.stop();
    // Its root, and a directory of its own for each layer.
    let expected = trees.len() * (entries + 1) + 1;
    let found = tree.inode_count() as usize;
    if found == expected { Ok(()) } else { Err(format!("{found} inodes, not {expected}").into()) }
}

/// The hash tree of a tar's disk, with the digests that were kept when the tar came in, or without.
fn leaves(kept: bool, tar: &str, tree: &str) -> Job {
    let source = NamedFile::open(tar)?;
    let params = Params::nydus();
    let options = ingest::IngestOptions::new().leaves(kept.then(|| params.clone()));
    let done = tarfs_io::ingest(Path::new(tar), File::open(tar)?, options, None, &mut |_| {})?;
    let layout = layout::plan(&done.layer.tree, &layout::LayoutOptions::disk())?;
    let plan: DiskPlan = image::disk(&layout);
    let data_bytes = plan.bytes + params.data_padding(plan.bytes);
    let geometry = Geometry::new(&params, data_bytes, HashPlacement::OwnFile)?;
    let out = NamedFile::new(tree, File::create_new(tree)?);
    let (sources, leaves) = ([source], [done.leaves.as_ref()]);
    let one = tarfs_io::verity::HashingOptions::new().threads(NonZero::<usize>::MIN);
    let clock = Clock::start();
    let sealed =
        tarfs_io::hash_disk(&plan, &layout, &sources, &leaves, geometry, &out, &one, &|_| {})?;
    clock.stop();
    println!("Root hash: {}", sealed.root());
    Ok(())
}

/// Digests of blocks in memory, one thread: ours, or those of the sha2 crate one by one.
fn blocks(lanes: bool, block: &str, bytes: &str) -> Job {
    let size: u32 = block.parse()?;
    let mut data = vec![0; bytes.parse()?];
    fill(0, &mut data);
    let mut digests = vec![0; data.len() / size as usize * 32];
    let clock = Clock::start();
    if lanes {
        let size = VerityBlockSize::new(size).ok_or("no block size")?;
        BlockHasher::new(&[])?.hash_blocks(size, &data, &mut digests)?;
    } else {
        for (block, digest) in data.chunks(size as usize).zip(digests.chunks_mut(32)) {
            digest.copy_from_slice(&Sha256::digest(block));
        }
    }
    clock.stop();
    println!("Root hash: {}", Root(Sha256::digest(&digests).into()));
    Ok(())
}

/// A tar of names to standard output.
fn tar(entries: &str) -> Job {
    let mut out = BufWriter::with_capacity(256 << 10, io::stdout().lock());
    write_names(entries.parse()?, 250, "", &mut out)?;
    Ok(out.flush()?)
}

/// Hashes as many MiB, the same one again and again, on one thread.
fn verity(mib: &str) -> Job {
    let mib: u64 = mib.parse()?;
    let mut piece = vec![0; 1 << 20];
    fill(0, &mut piece);
    let mut hasher =
        Hasher::new(Geometry::new(&Params::nydus(), mib << 20, HashPlacement::OwnFile)?);
    let clock = Clock::start();
    for _ in 0..mib {
        hasher.push(&piece, &mut RootOnly)?;
    }
    let sealed = hasher.finish(&mut RootOnly)?;
    clock.stop();
    println!("Root hash: {}", sealed.root());
    Ok(())
}
