//! Blocks hashed from memory, one core: several at once, or one by one by the sha2 crate.

use super::{same_root, timed};
use crate::measure::race;
use crate::report::Row;
use crate::{Bench, Done};

pub(super) fn run(bench: &Bench) -> Done<Vec<Row>> {
    let bytes = if bench.quick { "4194304" } else { "536870912" };
    let mut rows = Vec::new();
    for block in ["512", "4096"] {
        let job = |label, which| bench.tools.job(label, ["blocks", which, block, bytes]).inner();
        let runs = race(&[job("library", "lanes"), job("sha2 crate", "sha2")], &bench.plan)?;
        same_root(&runs)?;
        let what = format!("blocks of {block} hashed, one core (library)");
        rows.push(timed(("lanes", what), &runs[0], Ok(&runs[1]), 0.5));
    }
    Ok(rows)
}
