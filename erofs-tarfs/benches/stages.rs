//! Every stage between a tar and an image: `cargo bench -p erofs-tarfs --bench stages`.
//!
//! `-- once STAGE ENTRIES` runs one stage once, for instruction counts:
//! `valgrind --tool=callgrind --toggle-collect='stages::stage_*' BENCH once index 100000`.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod tars;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, Throughput};

use erofs_tarfs::image;
use erofs_tarfs::io::{NamedFile, index_file};
use erofs_tarfs::layout::{self, Layout};
use erofs_tarfs::read::{Image, TreeOptions};
use erofs_tarfs::tar::{Event, ParseOptions, Parser};
use erofs_tarfs::tree::{LayerBuilder, LayerOptions, MergeOptions, Tree, merge};

/// Files of 0 to 4096 bytes in the tar of all stages; 250 in a directory, or all in one.
const FILES: usize = 50_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let ["once", stage, entries] = args[..] {
        return once(stage, entries.parse().expect("a number"));
    }
    let criterion = Criterion::default().measurement_time(Duration::from_secs(3));
    let mut criterion = criterion.sample_size(10).configure_from_args();
    layer(&mut criterion, "usual", 250);
    layer(&mut criterion, "flat", FILES);
    merges(&mut criterion);
    criterion.final_summary();
}

/// From a tar to an image, and back.
fn layer(criterion: &mut Criterion, name: &str, per_directory: usize) {
    let mut tar = Vec::new();
    tars::write_files(FILES, per_directory, &mut tar).unwrap();
    let file = tar_file(name, &tar);

    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(FILES as u64));
    group.bench_function("tar", |b| b.iter(|| stage_tar(black_box(&tar))));
    group.bench_function("push", |b| b.iter(|| stage_push(black_box(&tar))));
    // From the page cache, with a thread that reads ahead.
    group.bench_function("index", |b| b.iter(|| stage_index(&file)));
    let tree = stage_push(&tar);
    group.bench_function("plan", |b| b.iter(|| stage_plan(black_box(&tree))));
    let layout = stage_plan(&tree);
    group.bench_function("image", |b| b.iter(|| stage_image(black_box(&layout))));
    let bytes = image::bootstrap(&layout);
    group.bench_function("read", |b| b.iter(|| stage_read(black_box(&bytes))));
    group.finish();
    std::fs::remove_file(file.path()).unwrap();
}

fn tar_file(name: &str, tar: &[u8]) -> NamedFile {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stages-{name}.tar"));
    std::fs::write(&path, tar).unwrap();
    NamedFile::open(&path).unwrap()
}

/// Layers of empty files, with directories of their own or the same.
fn merges(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge");
    for (layers, entries, shared) in [
        (1, 50_000, false),
        (2, 25_000, false),
        (2, 25_000, true),
        (20, 2_500, false),
        (500, 100, false),
        (500, 100, true),
    ] {
        let trees: Vec<_> =
            (0..layers).map(|number| tars::small_layer(entries, number, shared)).collect();
        let trees: Vec<&Tree> = trees.iter().collect();
        let same = if shared { ", the same names" } else { "" };
        group.throughput(Throughput::Elements((layers * entries) as u64));
        group.bench_function(format!("{layers} layers of {entries}{same}"), |b| {
            b.iter(|| stage_merge(black_box(&trees)));
        });
    }
    group.finish();
}

/// One stage, once, and what comes before it.
fn once(stage: &str, entries: usize) {
    if stage == "merge" {
        let halves = [0, 1].map(|number| tars::small_layer(entries / 2, number, false));
        stage_merge(&[&halves[0], &halves[1]]);
        return;
    }
    let mut tar = Vec::new();
    tars::write_files(entries, 250, &mut tar).unwrap();
    if stage == "tar" {
        stage_tar(&tar);
        return;
    }
    if stage == "push" {
        stage_push(&tar);
        return;
    }
    let file = tar_file("once", &tar);
    let tree = stage_index(&file);
    std::fs::remove_file(file.path()).unwrap();
    if stage != "index" {
        let layout = stage_plan(&tree);
        stage_image(&layout);
        stage_read(&image::bootstrap(&layout));
    }
}

#[inline(never)]
fn stage_tar(mut bytes: &[u8]) -> u64 {
    let mut parser = Parser::new(ParseOptions::default());
    let mut entries = 0;
    while !bytes.is_empty() {
        let step = parser.push(bytes).unwrap();
        bytes = &bytes[step.consumed..];
        entries += u64::from(matches!(step.event, Event::Entry(_)));
        let body = parser.skippable().min(bytes.len() as u64);
        parser.skip(body).unwrap();
        bytes = &bytes[body as usize..];
    }
    parser.finish().unwrap();
    entries
}

#[inline(never)]
fn stage_push(bytes: &[u8]) -> Tree {
    let mut builder = LayerBuilder::new(LayerOptions::default());
    bytes.chunks(256 << 10).for_each(|piece| builder.push(piece).unwrap());
    builder.finish().unwrap().tree
}

#[inline(never)]
fn stage_index(file: &NamedFile) -> Tree {
    index_file(file, LayerOptions::default(), &mut |_| {}).unwrap().tree
}

#[inline(never)]
fn stage_plan(tree: &Tree) -> Layout<'_> {
    layout::plan(tree, &layout::LayoutOptions::default()).unwrap()
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
fn stage_read(bytes: &[u8]) -> Tree {
    Image::new(bytes).unwrap().tree(&TreeOptions::default()).unwrap()
}

#[inline(never)]
fn stage_merge(trees: &[&Tree]) -> Tree {
    merge(trees, &MergeOptions::default()).unwrap()
}
