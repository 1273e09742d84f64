//! One directory of very many files: an entry of it may cost hardly more than one elsewhere.

use super::index;
use super::judge::compared;
use crate::bench::Bench;
use crate::done::Done;
use crate::format::thousands;
use crate::inputs;
use crate::measure::{Runs, race};
use crate::report::Row;

pub(super) fn run(bench: &Bench, rows: &mut Vec<Row>) -> Done {
    let usual = index::files(bench);
    let counts = if bench.quick { [1_000, 10_000] } else { [100_000, 1_000_000] };
    let mut works = Vec::new();
    for (files, each) in [(usual, 250), (counts[0], counts[0]), (counts[1], counts[1])] {
        let tar = inputs::files(&bench.dir, files, each)?;
        let out = bench.out(&format!("out-{files}"));
        let mut work = bench.tools.tarfs(["layer", "--blob-id", "layer", "-o"]).out(&out).arg(tar);
        work.label = format!("{} files", thousands(files as u64));
        works.push(work);
    }
    let runs = race(&works, &bench.plan)?;
    let row = |runs: &[Runs], at: usize, count: usize| {
        let what = format!("{} files in a directory, an entry", thousands(count as u64));
        // Wall time an entry: what `figure` is given is a sample alone.
        let each = |mut runs: Runs, files: usize| {
            runs.samples.iter_mut().for_each(|sample| sample.wall /= files as f64);
            runs
        };
        let (ours, peer) = (each(runs[at].clone(), count), each(runs[0].clone(), usual));
        let nanoseconds = |seconds: f64| format!("{:.0} ns", seconds * 1e9);
        compared(("flat", what), &ours, Ok(&peer), 1.3, &|sample| sample.wall, &nanoseconds)
    };
    rows.extend([row(&runs, 1, counts[0]), row(&runs, 2, counts[1])]);
    Ok(())
}
