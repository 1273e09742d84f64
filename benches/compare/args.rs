//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Us beside the tools that are installed, pair by pair.
#[derive(Debug, Parser)]
#[command(name = "compare", bin_name = "cargo bench --bench compare --", max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, after_help = PEERS)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
    /// Groups of rows, of those that --list shows; all if none is given.
    #[arg(value_name = "ROW")]
    pub(crate) rows: Vec<String>,
    /// Show the groups of rows.
    #[arg(long)]
    pub(crate) list: bool,
    /// Runs that count, after a warm-up.
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
    /// Seconds that a race may take, warm-up apart: where runs are long there are fewer, at least 2.
    #[arg(long, value_name = "SECONDS", default_value_t = 40)]
    pub(crate) budget: u64,
    /// Small sizes, one run: whether it works, not how fast.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The picture; DIR/compare.svg if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// The table; DIR/compare.md if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// For inputs, which stay (9 GB), and outputs; in the target directory if not given.
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) dir: Option<PathBuf>,
    /// In memory, for the rows that say so (9 GB, removed at the end).
    #[arg(long, value_name = "DIR", default_value = "/dev/shm")]
    pub(crate) tmpfs: PathBuf,
    /// As it is in PATH, or in NYDUS_IMAGE, if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) nydus_image: Option<PathBuf>,
    /// As it is in PATH, or in GO_DMVERITY, or as Go builds it, if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) go_dmverity: Option<PathBuf>,
    /// Cargo gives it.
    #[arg(long, hide = true, global = true)]
    pub(crate) bench: bool,
}

const PEERS: &str = "\
mkfs.erofs (1.9 or later) is looked for in TARFS_EROFS_UTILS, else in PATH; veritysetup in PATH.";

#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// Time and memory of entries, layers and bytes, with the slope from step to step.
    Scaling(Scaling),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Scaling {
    /// The most entries of a tar: 512 bytes each go through a pipe.
    #[arg(long, default_value_t = Self::default().entries)]
    pub(crate) entries: u64,
    /// The most layers of 2,000 entries that are merged.
    #[arg(long, default_value_t = Self::default().layers)]
    pub(crate) layers: u64,
    /// The most MiB of data that are hashed.
    #[arg(long, default_value_t = Self::default().mib)]
    pub(crate) mib: u64,
    /// The picture; DIR/scaling.svg if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// The table; DIR/scaling.md if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
}

impl Default for Scaling {
    fn default() -> Self {
        Self { entries: 10_000_000, layers: 500, mib: 64 << 10, svg: None, markdown: None }
    }
}
