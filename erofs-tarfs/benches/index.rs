//! Indexing, planning, writing and merging, stage by stage: `cargo bench -p erofs-tarfs --bench index`.
//!
//! `-- layer`, `-- flat` and `-- merge` run these rows alone, and `-- once STAGE ENTRIES` one stage
//! once, for instruction counts:
//! `valgrind --tool=callgrind --toggle-collect='index::stage_*' BENCH once index 100000`.
//!
//! The tars are made once, in the target directory: a disk, so warm the page cache by a second run.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use erofs_tarfs::image;
use erofs_tarfs::io::{NamedFile, index_file};
use erofs_tarfs::layout::{self, Layout};
use erofs_tarfs::tree::{LayerBuilder, LayerOptions, MergeOptions, Tree, merge};

/// Runs of a stage, of which the median counts.
const RUNS: usize = 5;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["once", stage, entries] => once(stage, entries.parse().expect("a number")),
        [] => ["layer", "flat", "merge"].into_iter().for_each(row),
        _ => args.into_iter().for_each(row),
    }
}

fn row(name: &str) {
    match name {
        "layer" => layer(500_000, 250),
        "flat" => [100_000, 1_000_000].into_iter().for_each(|count| layer(count, count)),
        "merge" => {
            for (layers, entries, shared) in [
                (1, 1_000_000, false),
                (2, 500_000, false),
                (2, 500_000, true),
                (20, 100_000, false),
                (500, 2_000, false),
                (500, 2_000, true),
            ] {
                merged(layers, entries, shared);
            }
        }
        _ => panic!("no row {name}: layer, flat, merge"),
    }
}

/// A tar of `files` files of 0 to 4096 bytes, `per_directory` in each directory.
fn layer(files: usize, per_directory: usize) {
    let file = NamedFile::open(tar_file(files, per_directory)).unwrap();
    let (mut index, mut push, mut plan, mut write) = (vec![], vec![], vec![], vec![]);
    let (mut entries, mut bytes) = (0, 0);
    for _ in 0..RUNS {
        let tree = timed(&mut index, || stage_index(&file));
        let layout = timed(&mut plan, || stage_plan(&tree));
        bytes = timed(&mut write, || stage_image(&layout));
        entries = tree.inode_count();
        drop(tree);
        push.push(parse_alone(&file));
    }
    let [index, push, plan, write] = [index, push, plan, write].map(median);
    println!(
        "{files} files, {per_directory} a directory: index {index:.3} s (with one thread {push:.3}), \
         plan {plan:.3}, image {write:.3}: {:.0} ns an entry, {:.1} bytes of metadata",
        (index + plan + write) / entries as f64 * 1e9,
        bytes as f64 / entries as f64,
    );
}

fn merged(layers: usize, entries: usize, shared: bool) {
    let trees: Vec<Tree> = (0..layers).map(|n| small_layer(entries, n, shared)).collect();
    let trees: Vec<&Tree> = trees.iter().collect();
    let mut times = vec![];
    let mut inodes = 0;
    for _ in 0..RUNS {
        inodes = timed(&mut times, || stage_merge(&trees)).inode_count();
    }
    let seconds = median(times);
    println!(
        "{layers} layers of {entries} entries{}: merged in {seconds:.3} s, {:.2} million entries a \
         second, {inodes} inodes",
        if shared { ", the same names" } else { "" },
        (layers * entries) as f64 / seconds / 1e6,
    );
}

/// One stage, once, and what comes before it.
fn once(stage: &str, entries: usize) {
    if stage == "merge" {
        let halves = [0, 1].map(|n| small_layer(entries / 2, n, false));
        stage_merge(&[&halves[0], &halves[1]]);
        return;
    }
    let file = NamedFile::open(tar_file(entries, 250)).unwrap();
    if stage == "push" {
        stage_push(&std::fs::read(file.path()).unwrap());
        return;
    }
    let tree = stage_index(&file);
    if stage != "index" {
        let layout = stage_plan(&tree);
        stage_image(&layout);
    }
}

#[inline(never)]
fn stage_index(file: &NamedFile) -> Tree {
    index_file(file, LayerOptions::default(), &mut |_| {}).unwrap().tree
}

#[inline(never)]
fn stage_push(bytes: &[u8]) -> Tree {
    let mut builder = LayerBuilder::new(LayerOptions::default());
    bytes.chunks(256 << 10).for_each(|piece| builder.push(piece).unwrap());
    builder.finish().unwrap().tree
}

#[inline(never)]
fn stage_plan(tree: &Tree) -> Layout<'_> {
    layout::plan(tree, &layout::Options::default()).unwrap()
}

#[inline(never)]
fn stage_image(layout: &Layout<'_>) -> u64 {
    let mut bytes = image::head(layout).len() as u64;
    let done: Result<(), core::convert::Infallible> = image::body(layout, &mut |piece| {
        bytes += piece.len() as u64;
        Ok(())
    });
    done.map_or(0, |()| bytes)
}

#[inline(never)]
fn stage_merge(trees: &[&Tree]) -> Tree {
    merge(trees, &MergeOptions::default()).unwrap()
}

/// Seconds for reading and indexing on this thread alone.
fn parse_alone(file: &NamedFile) -> f64 {
    let start = Instant::now();
    let mut builder = LayerBuilder::new(LayerOptions::default());
    let mut buf = vec![0; 256 << 10];
    let (mut at, end) = (0, file.bytes().unwrap());
    while at < end {
        let piece = &mut buf[..(end - at).min(256 << 10) as usize];
        file.read_exact_at(piece, at).unwrap();
        builder.push(piece).unwrap();
        at += piece.len() as u64;
    }
    builder.finish().unwrap();
    start.elapsed().as_secs_f64()
}

fn timed<T>(times: &mut Vec<f64>, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    times.push(start.elapsed().as_secs_f64());
    done
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A layer of empty files, 100 a directory; layers have directories of their own, or the same.
fn small_layer(entries: usize, number: usize, shared: bool) -> Tree {
    let mut options = LayerOptions::default();
    options.tag = number.to_string().into_bytes();
    let mut builder = LayerBuilder::new(options);
    let own = if shared { 0 } else { number };
    for entry in 0..entries {
        let (dir, name) = (entry / 100, entry % 100);
        let header = match name {
            0 => header(&format!("l{own}/d{dir:05}/"), b'5', 0, 0),
            _ => header(&format!("l{own}/d{dir:05}/name-{name:04}"), b'0', 0, entry as u64),
        };
        builder.push(&header).unwrap();
    }
    builder.finish().unwrap().tree
}

/// The file of a tar, made if it is not there.
fn tar_file(files: usize, per_directory: usize) -> PathBuf {
    let name = format!("index-{files}-{per_directory}.tar");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if !path.exists() {
        let unfinished = path.with_extension("part");
        write_tar(files, per_directory, &File::create(&unfinished).unwrap());
        std::fs::rename(&unfinished, &path).unwrap();
    }
    path
}

fn write_tar(files: usize, per_directory: usize, file: &File) {
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let body = [b'x'; 4096];
    let mut random = 1u64;
    for file in 0..files {
        let dir = file / per_directory;
        if file % per_directory == 0 {
            out.write_all(&header(&format!("usr/share/d{dir:04}/"), b'5', 0, 0)).unwrap();
        }
        // Knuth's MMIX generator.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let size = (random >> 33) % 4097;
        let path = format!("usr/share/d{dir:04}/file-{file:07}.dat");
        out.write_all(&header(&path, b'0', size, random >> 48)).unwrap();
        out.write_all(&body[..size as usize]).unwrap();
        out.write_all(&[0; 512][..(size.wrapping_neg() % 512) as usize]).unwrap();
    }
    out.write_all(&[0; 1024]).unwrap();
    out.flush().unwrap();
}

/// A ustar header, its time `late` seconds after the others'.
fn header(path: &str, flag: u8, size: u64, late: u64) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, path);
    put(100, if flag == b'5' { "0000755\0" } else { "0000644\0" });
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, &format!("{:011o}\0", 1_700_000_000 + late));
    put(148, "        ");
    put(257, "ustar\x0000root");
    put(297, "root");
    header[156] = flag;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}
