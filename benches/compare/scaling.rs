//! How time and memory grow with entries, layers and bytes.

use crate::args::Scaling;
use crate::bench::Bench;
use crate::done::Done;
use crate::measure::{Runs, Work, race};

/// One thing that grows.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    /// What is counted.
    pub(crate) unit: &'static str,
    /// What is measured.
    pub(crate) how: &'static str,
    pub(crate) steps: Vec<Step>,
}

/// One size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) size: u64,
    pub(crate) seconds: f64,
    pub(crate) peak: Option<u64>,
}

impl Step {
    /// The exponents of time and memory from the step before to this one: 1 is linear.
    pub(crate) fn slopes(&self, before: &Self) -> (f64, Option<f64>) {
        let sizes = (self.size as f64 / before.size as f64).ln();
        let slope = |this: f64, other: f64| (this / other).ln() / sizes;
        let peaks = self.peak.zip(before.peak);
        let memory = peaks.map(|(this, other)| slope(this as f64, other as f64));
        (slope(self.seconds, before.seconds), memory)
    }
}

/// A step that takes longer is run once.
const LONG: u64 = 8;

pub(crate) fn run(bench: &Bench, options: &Scaling) -> Done<Vec<Panel>> {
    let most = |full: u64, quick: u64| if bench.quick { full.min(quick) } else { full };
    Ok(vec![
        entries(bench, most(options.entries, 10_000))?,
        layers(bench, most(options.layers, 20))?,
        data(bench, most(options.mib, 64))?,
    ])
}

fn entries(bench: &Bench, most: u64) -> Done<Panel> {
    let out = bench.out("out");
    let work = |entries: u64| {
        let tar = bench.tools.job("tar", ["tar", &entries.to_string()]);
        bench.tools.job(&format!("{entries} entries"), ["index", "-"]).out(&out).fed(tar).inner()
    };
    let steps = (1..).map(|power| 10_u64.pow(power)).skip_while(|size| *size < 1000);
    let steps = steps.take_while(|size| *size <= most.max(1000));
    Ok(Panel {
        title: "A tar of empty files, indexed".to_owned(),
        unit: "entries",
        how: "CPU time and peak memory of a process that indexes a pipe and writes the bootstrap",
        steps: measured(bench, steps.collect(), work)?,
    })
}

fn layers(bench: &Bench, most: u64) -> Done<Panel> {
    let each = if bench.quick { "200" } else { "2000" };
    let work = |layers: u64| {
        bench.tools.job(&format!("{layers} layers"), ["merge", &layers.to_string(), each]).inner()
    };
    let steps = [1, 5, 20, 100, 500].into_iter().filter(|size| *size <= most.max(1));
    Ok(Panel {
        title: format!("Layers of {each} entries, merged"),
        unit: "layers",
        how: "CPU time of the merge alone; peak memory of a process that has all layers in it",
        steps: measured(bench, steps.collect(), work)?,
    })
}

fn data(bench: &Bench, most: u64) -> Done<Panel> {
    let work =
        |mib: u64| bench.tools.job(&format!("{mib} MiB"), ["verity", &mib.to_string()]).inner();
    let steps = (0..).map(|power| 8_u64.pow(power)).take_while(|size| *size < most.max(1));
    let steps = steps.chain([most.max(1)]);
    Ok(Panel {
        title: "Data of known length, hashed for dm-verity at 512/4096".to_owned(),
        unit: "MiB",
        how: "CPU time of the hashing alone, on one thread, and peak memory of its process",
        steps: measured(bench, steps.collect(), work)?,
    })
}

fn measured(bench: &Bench, sizes: Vec<u64>, work: impl Fn(u64) -> Work) -> Done<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for size in sizes {
        let expected =
            steps.last().map_or(0.0, |last| last.seconds * size as f64 / last.size as f64);
        let work = work(size);
        let runs = match expected > LONG as f64 {
            // No warm-up: it is long enough by itself.
            true => {
                eprintln!("compare:   {}", work.label);
                Runs { label: work.label.clone(), samples: vec![work.run(&bench.plan)?] }
            }
            false => race(&[work], &bench.plan)?.remove(0),
        };
        let step = Step { size, seconds: runs.cpu().unwrap_or(runs.wall()), peak: runs.peak() };
        steps.push(step);
    }
    Ok(steps)
}
