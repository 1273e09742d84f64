//! A tar of many small files, from a file and through a pipe.

use erofs_tarfs::io::{NamedFile, read_metadata};
use erofs_tarfs::read::Image;
use std::path::Path;

use super::judge::{compared, found, limited, peaks, timed};
use crate::bench::Bench;
use crate::done::Done;
use crate::format::{thousands, three};
use crate::inputs;
use crate::measure::{Runs, Sample, race};
use crate::report::{Judged, Row};

pub(super) fn run(bench: &Bench, rows: &mut Vec<Row>) -> Done {
    let (files, out, peer_out) = (files(bench), bench.out("out"), bench.out("peer-out"));
    let tar = inputs::files(&bench.dir, files, 250)?;
    let what = |how: &str| ("index", format!("{} files, {how}", thousands(files as u64)));

    // With a tag: to compute the digest that it would be without one, all of the tar is hashed.
    let ours = bench.tools.tarfs(["layer", "--blob-id", "layer", "-o"]).out(&out);
    let peer = bench.tools.mkfs.work(["--quiet", "--tar=i"]);
    let mut works = vec![ours.clone().arg(&tar)];
    works.extend(peer.clone().map(|peer| peer.out(&peer_out).arg(&tar)));
    let runs = race(&works, &bench.plan)?;
    let entries = inodes(&out)?;
    let mkfs = || found(&runs, 1, "mkfs.erofs");
    if mkfs().is_ok() && inodes(&peer_out)? != entries {
        let (ours, theirs) = (entries, inodes(&peer_out)?);
        return Err(format!("{ours} inodes are ours, {theirs} are mkfs.erofs's"));
    }
    rows.push(timed(what("from a file"), &runs[0], mkfs(), 1.0 / 8.0));
    if bench.plan.has_time() {
        rows.push(peaks(what("from a file: memory"), &runs[0], mkfs(), 1.0 / 6.0));
    }

    // Neither keeps what comes through the pipe.
    let (piped, peer_out) = (bench.out("out-piped"), bench.out("peer-out-piped"));
    let ours_piped = bench.tools.tarfs(["layer", "--index-only", "--blob-id", "layer", "-o"]);
    let mut works = vec![ours_piped.out(&piped).arg("-").piped(&tar)];
    works.extend(peer.map(|peer| peer.out(&peer_out).piped(&tar)));
    let pipe = race(&works, &bench.plan)?;
    if inodes(&piped)? != entries || pipe.len() > 1 && inodes(&peer_out)? != entries {
        return Err("the pipe gave another number of inodes".to_owned());
    }
    rows.push(timed(what("through a pipe"), &pipe[0], found(&pipe, 1, "mkfs.erofs"), 0.2));

    let plain = race(&[ours.clone().arg("--plain-bodies").arg(&tar)], &bench.plan)?;
    let small = race(&[ours.arg("--compact").arg(&tar)], &bench.plan)?;
    rows.push(size(what("bytes an entry"), &runs, entries, 131.0));
    rows.push(size(what("bytes an entry, --plain-bodies"), &plain, entries, 105.0));
    rows.push(size(what("bytes an entry, --compact"), &small, entries, 75.0));
    Ok(())
}

/// How many files the tar of this group has.
pub(super) fn files(bench: &Bench) -> usize {
    if bench.quick { 5_000 } else { 500_000 }
}

/// Bytes of metadata an entry.
fn size(title: (&'static str, String), runs: &[Runs], entries: u64, limit: f64) -> Row {
    let each = |sample: &Sample| sample.output as f64 / entries as f64;
    let value = each(runs[0].last());
    let judged = Judged::Limit { value, limit, at_least: false, unit: "bytes" };
    let mut row = limited(title, &runs[0], format!("{} bytes", three(value)), judged);
    if let Some(peer) = runs.get(1) {
        // For information: the bar is of bytes.
        let shown = |value: f64| format!("{} bytes", three(value));
        let title = (row.group, row.what.clone());
        row.peer = compared(title, &runs[0], Ok(peer), 1.0, &each, &shown).peer;
    }
    row
}

/// How many inodes an image says it has.
pub(super) fn inodes(image: &Path) -> Done<u64> {
    let bytes = NamedFile::open(image).and_then(|file| read_metadata(&file));
    let bytes = bytes.map_err(|error| error.to_string())?;
    let image = Image::new(&bytes).map_err(|error| format!("{}: {error}", image.display()))?;
    Ok(image.superblock().inos.get())
}
