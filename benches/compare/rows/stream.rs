//! A layer that streams in becomes a disk, its hash tree behind it, in memory.

use std::fs;

use rustix::fs::statvfs;

use super::judge::{compared, found, judged, timed};
use super::verity;
use crate::bench::Bench;
use crate::done::Done;
use crate::format::{bytes, seconds};
use crate::inputs::{self, Fleeting};
use crate::machine;
use crate::measure::{Runs, Work, race};
use crate::report::Row;

pub(super) fn run(bench: &Bench, rows: &mut Vec<Row>) -> Done {
    let size = verity::size(bench);
    let free =
        statvfs(&bench.tmpfs).map_err(|error| format!("{}: {error}", bench.tmpfs.display()))?;
    let (free, needed) = (free.f_bavail * free.f_frsize, size * 9 / 4);
    if free < needed {
        let dir = bench.tmpfs.display();
        return Err(format!("{dir} has {}, {} are needed", bytes(free), bytes(needed)));
    }
    let memory = Fleeting::new(&bench.tmpfs)?;
    let tar = inputs::large(&memory.0, size)?;
    let (out, copy) = (memory.0.join("disk"), memory.0.join("copy"));
    machine::keep_memory(&memory.0.join("kept"), size * 4)?;

    let ours = bench.tools.tarfs(["layer", "--disk", "--verity", "--placement", "data-first"]);
    let title =
        |how: &str| ("stream", format!("disk + verity{how}, one pass, {}, tmpfs", bytes(size)));
    let cat = Work::new("cat", ["sh", "-c", "cat >\"$1\"", "sh"]).out(&copy).piped(&tar);
    let sha256 = bench.tools.job("SHA-256", ["sha256"]).piped(&tar);
    // Outputs share the memory: each goes before the next one comes.
    let alone = |work: Work| {
        let others = [&out, &copy].into_iter().filter(|path| !work.outputs.contains(path));
        let before: Vec<_> = others.cloned().collect();
        work.after_removing(before)
    };
    let whole = ours.clone().args(["--json", "-o"]);
    let works = [whole.out(&out).arg("-").piped(&tar), cat, sha256].map(alone);
    let runs = race(&works, &bench.plan)?;
    if !runs[0].last().stdout.contains(runs[2].last().stdout.trim()) {
        return Err("the diffID is not the tar's SHA-256".to_owned());
    }
    rows.push(beside_the_longer(title(" + diffID"), &runs));

    let ours = ours.args(["--blob-id", "layer", "-o"]).out(&out);
    let mut works = vec![ours.clone().arg("-").piped(&tar), ours.arg(&tar)];
    works.extend(nydus(bench, &memory, &tar));
    let works: Vec<_> = works.into_iter().map(alone).collect();
    let runs = race(&works, &bench.plan)?;
    for (at, how) in [(0, ""), (1, " from a file")] {
        let peer = found(&runs, 2, "nydus-image");
        rows.push(timed(title(how), &runs[at], peer, 0.5));
    }
    Ok(())
}

/// Beside the longer of `cat` and SHA-256, in each round.
fn beside_the_longer(title: (&'static str, String), runs: &[Runs]) -> Row {
    let slower = if runs[1].wall() > runs[2].wall() { &runs[1] } else { &runs[2] };
    let mut row = compared(title, &runs[0], Ok(slower), 1.25, &|sample| sample.wall, &seconds);
    let rounds = runs[0].samples.iter().zip(&runs[1].samples).zip(&runs[2].samples);
    let ratio = rounds.map(|((ours, cat), sha)| ours.wall / cat.wall.max(sha.wall));
    row.judged = judged(ratio.collect(), 1.25);
    let [cat, sha] = [1, 2].map(|at| format!("{} {}", runs[at].label, seconds(runs[at].wall())));
    row.peer.who = format!("the longer of {cat}, {sha}:");
    row
}

/// nydus-image makes it of files, in two steps.
fn nydus(bench: &Bench, memory: &Fleeting, tar: &std::path::Path) -> Option<Work> {
    const STEPS: &str = r#"set -e
"$1" create --type tar-tarfs --blob-id "$3" --blob-dir "$2" --bootstrap "$2/boot" "$4" >"$2/log"
"$1" export --block --verity --localfs-dir "$2" --bootstrap "$2/boot" --output "$5" >>"$2/log""#;
    let program = bench.tools.nydus.path()?;
    // It looks for the tar by its blob's name, which must be a digest's length.
    let name = "0".repeat(64);
    fs::hard_link(tar, memory.0.join(&name)).ok()?;
    let out = memory.0.join("copy");
    let work = Work::new("nydus-image", ["sh", "-c", STEPS, "sh"]).arg(program);
    Some(work.arg(&memory.0).arg(name).arg(tar).out(&out))
}
