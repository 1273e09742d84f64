//! Power cuts: commands run on a file system whose disk keeps what was flushed, and what it keeps is looked at
//! as after a restart.

use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use testkit::rng::Rng;

use crate::disk::{BTRFS, EXT4, Kind, Place, XFS};
use crate::job::{Job, variants};
use crate::outcome::Known;
use crate::rows::ROWS;
use crate::unflushed::{Disk, copy};
use crate::{number, seed};

#[test]
fn what_is_reported_done_on_ext4_is_there_after_a_power_cut() {
    check(EXT4);
}

#[test]
fn what_is_reported_done_on_xfs_is_there_after_a_power_cut() {
    check(XFS);
}

#[test]
fn what_is_reported_done_on_btrfs_is_there_after_a_power_cut() {
    check(BTRFS);
}

fn check(kind: Kind) {
    let Some(lab) = Lab::new(kind) else { return };
    let (cuts, mut rng) = (number("TARFS_CUTS", 4), Rng::new(seed()));
    let (mut reported, mut ended) = (0, 0);
    for cut in 0..cuts {
        let found = lab.round(&mut rng, true);
        assert!(found.lost.is_empty(), "{}, cut {cut}: {:#?}", kind.name, found.lost);
        assert!(found.wrong.is_empty(), "{}, cut {cut}: {:#?}", kind.name, found.wrong);
        reported += found.reported;
        ended += found.ended;
    }
    // Commands that sync nothing lose what they report: else this test could not see a loss.
    let without = lab.round(&mut rng, false);
    assert!(!without.lost.is_empty(), "{}: nothing is lost without syncing", kind.name);
    let (lost, of) = (without.lost.len(), without.reported);
    println!(
        "{}: {cuts} cuts, {reported} jobs reported and there, {ended} whole or absent; \
         with --no-sync {lost} of {of} lost",
        kind.name
    );
}

/// What a round has shown.
#[derive(Debug, Default)]
struct Found {
    /// Jobs that were reported before the cut, and those that were not.
    reported: usize,
    ended: usize,
    /// Of those reported: which are not there, or not right.
    lost: Vec<String>,
    /// Of the others: which are neither whole nor absent, or are not right when they ran again.
    wrong: Vec<String>,
}

/// A disk on which all jobs are prepared.
struct Lab {
    place: Place,
    jobs: Vec<(Job, Known)>,
}

impl Lab {
    fn new(kind: Kind) -> Option<Self> {
        let place = Place::new(kind)?;
        let jobs: Vec<Job> =
            ROWS.iter().enumerate().flat_map(|row| variants(&place.point, row)).collect();
        copy(&place.file("empty"), &place.file("tried"));
        let mounted = place.mount(&place.file("tried"));
        let known: Vec<Known> = jobs.iter().map(Known::of).collect();
        drop(mounted);
        let mounted = place.mount(&place.file("empty"));
        jobs.iter().for_each(Job::prepare);
        drop(mounted);
        Some(Self { jobs: jobs.into_iter().zip(known).collect(), place })
    }

    /// Some jobs, a cut, and what is there then.
    fn round(&self, rng: &mut Rng, synced: bool) -> Found {
        let may = |(job, _): &&(Job, Known)| synced || job.row.has_no_sync;
        let mut jobs: Vec<_> = self.jobs.iter().filter(may).cloned().collect();
        jobs.iter_mut().for_each(|(job, _)| job.synced = synced);
        // The first ones of them in any order.
        let count = 8;
        for at in 0..count {
            let other = at + rng.below((jobs.len() - at) as u64) as usize;
            jobs.swap(at, other);
        }
        jobs.truncate(count);
        let reported = self.cut(&jobs, rng, synced);
        self.look(&jobs, reported)
    }

    /// Runs jobs until the power is cut, and answers how many had reported by then.
    fn cut(&self, jobs: &[(Job, Known)], rng: &mut Rng, synced: bool) -> usize {
        let work = tempfile::Builder::new().prefix("tarfs-cut-").tempdir_in("/dev/shm").unwrap();
        let disk = Disk::new(&self.place.file("empty"), work.path());
        let mounted = self.place.mount(&disk.path());
        let progress = Progress::default();
        let reported = thread::scope(|scope| {
            scope.spawn(|| progress.run(jobs));
            // At a report, when least of it may be on the disk; or at any time.
            match rng.chance(50) || !synced {
                true => progress.wait_for(1 + rng.below(jobs.len() as u64) as usize),
                false => thread::sleep(Duration::from_micros(rng.below(600_000))),
            }
            let some = rng.chance(50).then_some(rng);
            let after = self.place.file("after");
            let reported = disk.cut(&after, some.filter(|_| synced), || progress.reported());
            progress.end();
            reported
        });
        drop(mounted);
        reported
    }

    /// Looks at what a cut left.
    fn look(&self, jobs: &[(Job, Known)], reported: usize) -> Found {
        let _mounted = self.place.mount(&self.place.file("after"));
        let mut found = Found { reported, ended: jobs.len() - reported, ..Found::default() };
        for (at, (job, known)) in jobs.iter().enumerate() {
            let said = |why| format!("{}: {why}", job.name());
            let files = job.files();
            if at < reported {
                found.lost.extend(known.not_done(&files).map(said));
                continue;
            }
            found.wrong.extend(known.half_done(job, &files, true).map(said));
            found.wrong.extend(known.not_right_again(job).map(said));
        }
        found
    }
}

/// Jobs that run one after the other.
#[derive(Default)]
struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    reported: usize,
    is_over: bool,
}

impl Progress {
    fn run(&self, jobs: &[(Job, Known)]) {
        for (job, _) in jobs {
            // A process begins when the disk has answered, which does nothing else while it is cut, and asks
            // then how many have reported. So nothing is locked here.
            let mut running = job.command().spawn().unwrap();
            let is_done = loop {
                if self.state.lock().unwrap().is_over {
                    let _ = running.kill();
                    let _ = running.wait();
                    return;
                }
                if let Some(status) = running.try_wait().unwrap() {
                    break status.success();
                }
                thread::sleep(Duration::from_micros(200));
            };
            let mut state = self.state.lock().unwrap();
            assert!(is_done || state.is_over, "{} failed", job.name());
            if state.is_over {
                return;
            }
            state.reported += 1;
            drop(state);
            self.changed.notify_all();
        }
    }

    fn reported(&self) -> usize {
        self.state.lock().unwrap().reported
    }

    fn wait_for(&self, reported: usize) {
        let late = Instant::now() + Duration::from_secs(120);
        let mut state = self.state.lock().unwrap();
        while state.reported < reported {
            assert!(Instant::now() < late, "no report");
            state = self.changed.wait_timeout(state, Duration::from_secs(1)).unwrap().0;
        }
    }

    fn end(&self) {
        self.state.lock().unwrap().is_over = true;
    }
}
