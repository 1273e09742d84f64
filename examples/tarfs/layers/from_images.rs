//! Bootstraps and disks become layers, several at the same time.
//!
//! Who takes the layers gets them on the caller's thread, in their order, as soon as each is there; while the next one is
//! not, that thread reads too. So reading and merging go on at the same time, by as many threads as there are cores.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

use erofs_tarfs::io::NamedFile;

use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::layers::from_image::{Begun, Reading};
use crate::layers::loaded::Loaded;

/// More at the same time help nobody.
const MOST: usize = 8;

/// What is to be read, by whoever is free.
struct Jobs<'a> {
    images: &'a [(PathBuf, Mutex<Option<NamedFile>>)],
    /// The first that nobody has begun with.
    next: AtomicUsize,
    reading: Reading,
}

impl Jobs<'_> {
    /// Reads the next one, if there is one.
    fn one(&self) -> Option<(usize, Done<Begun>)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (path, file) = self.images.get(number)?;
        let file = file.lock().unwrap_or_else(PoisonError::into_inner).take();
        let file = file.ok_or_else(|| Fail::of(path, "is read twice"));
        Some((number, file.and_then(|file| self.reading.begin(path, file))))
    }

    /// Reads all that nobody else does.
    fn work(&self, done: &Sender<(usize, Done<Begun>)>) {
        while let Some(one) = self.one() {
            if done.send(one).is_err() {
                return;
            }
        }
    }

    fn give_up(&self) {
        self.next.store(self.images.len(), Ordering::Relaxed);
    }
}

/// Reads images, each of which is a layer, and hands them to `take` in their order.
pub(crate) fn each(
    images: Vec<(PathBuf, NamedFile)>,
    how: &ReadingOptions<'_>,
    mut take: impl FnMut(Loaded) -> Done,
) -> Done {
    let images: Vec<_> =
        images.into_iter().map(|(path, file)| (path, Mutex::new(Some(file)))).collect();
    let jobs =
        Jobs { images: &images, next: AtomicUsize::new(0), reading: Reading::new(how, true) };
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    let (sender, begun) = channel();
    thread::scope(|scope| {
        let start = |_| {
            let (jobs, sender) = (&jobs, sender.clone());
            let thread = Builder::new().name("tarfs-read".to_owned());
            // Where the system has no more threads, those that are there do it.
            thread.spawn_scoped(scope, move || jobs.work(&sender)).ok()
        };
        let threads: Vec<_> = (1..cores.min(images.len())).map_while(start).collect();
        drop(sender);
        let mut there: Vec<Option<Done<Begun>>> = images.iter().map(|_| None).collect();
        let done = images.iter().enumerate().try_for_each(|(number, (path, _))| {
            let one = loop {
                begun.try_iter().for_each(|(number, one)| there[number] = Some(one));
                if let Some(one) = there[number].take() {
                    break one;
                }
                let (number, one) = jobs
                    .one()
                    .or_else(|| begun.recv().ok())
                    .ok_or_else(|| Fail::of(path, "was not read, as a thread has panicked"))?;
                there[number] = Some(one);
            };
            take(jobs.reading.loaded(path, one?, how)?)
        });
        jobs.give_up();
        // The end of the scope would wait for what they do, and not until the system has taken them down.
        for thread in threads {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        done
    })
}
