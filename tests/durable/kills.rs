//! Kills at any time of a command: what it leaves is whole or absent, and the next run is right.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use testkit::mount::tmpfs;
use testkit::rng::Rng;

use crate::job::{Job, variants};
use crate::outcome::Known;
use crate::rows::ROWS;
use crate::{fresh, number, seed};

#[test]
fn what_is_killed_leaves_all_or_nothing() {
    let place = tmpfs().unwrap();
    check(place.path(), number("TARFS_KILLS", 40), false, &mut Rng::new(seed()));
}

/// Where all outputs have names from the first byte on, kills leave those.
#[test]
fn what_is_killed_leaves_a_name_that_the_next_run_removes() {
    let (place, kills) = (tmpfs().unwrap(), number("TARFS_KILLS", 80) / 2);
    let spares = check(place.path(), kills, true, &mut Rng::new(seed()));
    assert!(spares > 0, "no name was left, so it is not seen that they go");
}

/// Kills jobs of all rows in turn, and looks at what they leave; answers how often that were names for a moment.
fn check(place: &Path, kills: u64, names_all: bool, rng: &mut Rng) -> usize {
    let mut jobs: Vec<Job> = ROWS.iter().enumerate().flat_map(|row| variants(place, row)).collect();
    jobs.iter_mut().for_each(|job| job.names_all = names_all);
    let learn = |job: &Job| {
        fresh(job);
        let begin = Instant::now();
        (Known::of(job), begin.elapsed())
    };
    let learned: Vec<_> = jobs.iter().map(learn).collect();
    let (mut ended, mut done, mut spares) = (0, 0, 0);
    for kill in 0..kills {
        let at = (kill as usize + rng.below(7) as usize) % jobs.len();
        let (job, (known, takes)) = (&jobs[at], &learned[at]);
        fresh(job);
        job.prepare();
        let mut running = job.command().spawn().unwrap();
        thread::sleep(Duration::from_nanos(rng.below(1 + takes.as_nanos() as u64)));
        running.kill().unwrap();
        let whole = running.wait().unwrap().success();
        let files = job.files();
        let name = format!("kill {kill}, {}", job.name());
        match whole {
            true => assert_eq!(known.not_done(&files), None, "{name}"),
            false => assert_eq!(known.half_done(job, &files, true), None, "{name}"),
        }
        spares += usize::from(files.keys().any(|path| path.to_str().unwrap().contains(".tarfs-")));
        assert_eq!(known.not_right_again(job), None, "{name}");
        *(if whole { &mut done } else { &mut ended }) += 1;
    }
    println!(
        "{kills} kills: {ended} hit, {done} came too late; {spares} names for a moment were left"
    );
    spares
}
