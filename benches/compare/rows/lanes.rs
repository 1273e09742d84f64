//! Blocks hashed from memory, one core: several at once, or one by one by the sha2 crate.

use super::judge::{compared, same_root};
use crate::bench::Bench;
use crate::done::Done;
use crate::format::seconds;
use crate::measure::{Sample, race};
use crate::report::Row;

pub(super) fn run(bench: &Bench, rows: &mut Vec<Row>) -> Done {
    let bytes = if bench.quick { "4194304" } else { "536870912" };
    for block in ["512", "4096"] {
        let job = |label, which| bench.tools.job(label, ["blocks", which, block, bytes]).inner();
        let runs = race(&[job("library", "lanes"), job("sha2 crate", "sha2")], &bench.plan)?;
        same_root(&runs)?;
        let what = format!("blocks of {block} hashed, CPU time (library)");
        let cpu = |sample: &Sample| sample.cpu.unwrap_or(sample.wall);
        rows.push(compared(("lanes", what), &runs[0], Ok(&runs[1]), 0.5, &cpu, &seconds));
    }
    Ok(())
}
