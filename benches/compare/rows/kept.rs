//! The hash tree of an image over a layer whose digests were kept when it came in.

use super::judge::{same_root, timed};
use super::verity;
use crate::bench::Bench;
use crate::done::Done;
use crate::format::bytes;
use crate::inputs;
use crate::measure::race;
use crate::report::Row;

pub(super) fn run(bench: &Bench, rows: &mut Vec<Row>) -> Done {
    let size = verity::size(bench);
    let tar = inputs::large(&bench.dir, size)?;
    let job = |label, which: &str, out: &str| {
        let work = bench.tools.job(label, ["leaves", which]).arg(&tar);
        work.out(&bench.out(out)).inner()
    };
    let works = [job("kept digests", "kept", "tree"), job("afresh", "afresh", "peer-tree")];
    let runs = race(&works, &bench.plan)?;
    same_root(&runs)?;
    let what = format!("an image's hash tree from kept digests, {} (library)", bytes(size));
    rows.push(timed(("kept", what), &runs[0], Ok(&runs[1]), 0.1));
    Ok(())
}
