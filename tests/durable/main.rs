//! What programs report done is there and right: after a power cut, a kill, or a failing system call there is
//! a whole output or none, and the next run is right. A row of `rows.rs` is a command that writes.
//!
//! A few rounds of each by default; `TARFS_CUTS`, `TARFS_KILLS` and `TARFS_FAULTS` say how many, and
//! `TARFS_SEED` repeats a run.

mod cuts;
mod disk;
mod faults;
mod inputs;
mod job;
mod kills;
mod outcome;
mod rows;
mod traced;
mod unflushed;

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

/// Empties the folder of a job.
fn fresh(job: &job::Job) {
    if job.folder.exists() {
        std::fs::remove_dir_all(&job.folder).unwrap();
    }
}

/// A number that the environment gives.
fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |text| text.parse().expect(name))
}

/// Where the random numbers of a test begin; it is printed.
fn seed() -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = env::var("TARFS_SEED").map_or_else(|_| now(), |text| text.parse().unwrap());
    println!("TARFS_SEED={seed}");
    seed
}
