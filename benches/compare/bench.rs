//! What every row needs.

use std::path::PathBuf;

use crate::args::Args;
use crate::done::Done;
use crate::inputs::Fleeting;
use crate::measure::Plan;
use crate::tools::Tools;

/// What every row needs.
pub(crate) struct Bench {
    pub(crate) tools: Tools,
    pub(crate) plan: Plan,
    /// Small sizes, bars not judged.
    pub(crate) quick: bool,
    /// Inputs, which stay there for the next time.
    pub(crate) dir: PathBuf,
    outputs: Fleeting,
    /// A directory in memory.
    pub(crate) tmpfs: PathBuf,
}

impl Bench {
    /// As the arguments ask for it.
    pub(crate) fn new(args: &Args, dir: PathBuf) -> Done<Self> {
        // Cargo says `--bench` for benchmarks, and nothing for tests.
        let quick = args.quick || !args.bench;
        let outputs = Fleeting::new(&dir)?;
        Ok(Self {
            tools: Tools::find(args)?,
            plan: Plan::new(if quick { 1 } else { args.runs }, args.budget, &outputs.0),
            quick,
            dir,
            outputs,
            tmpfs: args.tmpfs.clone(),
        })
    }

    /// Where an output goes.
    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.outputs.0.join(name)
    }
}
