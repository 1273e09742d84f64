//! Us beside the tools that are installed, pair by pair, and how we scale:
//!
//! ```sh
//! cargo bench --bench compare                     # every row, some minutes
//! cargo bench --bench compare -- index verity     # these rows
//! cargo bench --bench compare -- scaling          # the scaling sheet
//! cargo bench --bench compare -- --help
//! ```
//!
//! Ours and the peer's command run in turn (A B A B), each after a warm-up, each as a process under
//! GNU time: wall, CPU time, peak memory, bytes written. A ratio is the median of the ratios of
//! neighbours, so that a machine that slows down slows both. What is not installed is a row that
//! says so. Both must have done the same work: root hashes and numbers of entries are compared.
//!
//! `cargo test --bench compare` runs all of it at small sizes, where no bar is judged.

mod args;
mod bench;
mod chart;
mod child;
mod done;
mod format;
mod inputs;
mod machine;
mod measure;
mod path;
mod report;
mod rows;
mod scaling;
mod sheet;
mod svg;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Mode, Scaling};
use bench::Bench;
use done::Done;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.split_first() {
        Some((first, job)) if first == child::WORD => child::run(job),
        _ => run(&Args::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("compare: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Done {
    if args.list {
        rows::GROUPS.iter().for_each(|(name, what, _)| println!("{name:8} {what}"));
        return Ok(());
    }
    let default = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("compare");
    let dir = args.dir.clone().unwrap_or_else(default);
    std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let bench = Bench::new(args, dir)?;
    let place =
        |given: &Option<PathBuf>, name| given.clone().unwrap_or_else(|| bench.dir.join(name));
    let whole = args.mode.is_none() && args.rows.is_empty() && !args.bench;
    let options = match &args.mode {
        Some(Mode::Scaling(options)) => Some(options.clone()),
        // As a test: all there is.
        None => whole.then(Scaling::default),
    };
    if let Some(options) = options {
        let panels = scaling::run(&bench, &options)?;
        print!("{}", sheet::text(&panels, &bench));
        put(&place(&options.svg, "scaling.svg"), &sheet::picture(&panels, &bench))?;
        put(&place(&options.markdown, "scaling.md"), &sheet::markdown(&panels, &bench))?;
        if !whole {
            return Ok(());
        }
    }
    let rows = rows::run(&bench, &args.rows)?;
    print!("{}", report::text(&rows, &bench));
    put(&place(&args.svg, "compare.svg"), &chart::picture(&rows, &bench))?;
    put(&place(&args.markdown, "compare.md"), &report::markdown(&rows, &bench))?;
    let failed: Vec<_> = rows.iter().filter_map(report::Row::failure).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn put(path: &Path, text: &str) -> Done {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    eprintln!("compare: wrote {}", path.display());
    Ok(())
}
