//! The layers of an image as streams, as many at the same time as there are cores.
//!
//! Of one layer, undoing the compression takes longer than all the rest, and only one core can do it. Files
//! are opened and get their names on the caller's thread, in the order of the layers: what is remembered
//! of inputs and outputs is that thread's, and so the first layer that is wrong is the one that is told of.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::iter;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, ScopedJoinHandle};

use erofs_tarfs::ingest::{IngestOptions, Ingested};

use crate::cli::fail::{Done, Fail};
use crate::layers::spool::Room;

/// More at the same time help nobody, and each takes memory.
const MOST: usize = 8;

/// A tar that is to be read, and where to.
pub(crate) struct Stream<'a> {
    /// What it is called in errors.
    pub(crate) path: PathBuf,
    /// Begins to read it, which may take as long as all the rest.
    pub(crate) tar: Box<dyn FnOnce() -> Done<Box<dyn Read + Send + 'a>> + Send + 'a>,
    pub(crate) options: IngestOptions,
    pub(crate) room: Room,
}

/// What came of a stream.
pub(crate) struct Unpacked {
    pub(crate) path: PathBuf,
    pub(crate) room: Room,
    pub(crate) done: Ingested,
}

/// How a layer begins: it is there, or must be read. What its end has to know goes with it.
pub(crate) enum Begun<'a, T, K> {
    Ready(Box<T>),
    Stream(Box<Stream<'a>>, K),
}

/// A layer on its way.
enum Running<'s, T, K> {
    Ready(Box<T>),
    Thread(K, ScopedJoinHandle<'s, Done<Unpacked>>),
    /// Read by the caller's thread, as the system had no other.
    Read(K, Box<Done<Unpacked>>),
}

/// Begins each layer, reads those that must be, and ends them, also one that could not be read; all in the order of
/// `jobs`, but for the reading. Once one has failed `give_up` is called: where a stream waits for somebody else, that need not
/// go on.
pub(crate) fn each<'a, J, T, K>(
    jobs: impl Iterator<Item = J>,
    begin: impl FnMut(J) -> Done<Begun<'a, T, K>>,
    end: impl FnMut(K, Done<Unpacked>) -> Done<T>,
    give_up: &dyn Fn(),
) -> Done<Vec<T>> {
    each_on(&Builder::new, jobs, begin, end, give_up)
}

/// The same, by such threads.
fn each_on<'a, J, T, K>(
    threads: &dyn Fn() -> Builder,
    mut jobs: impl Iterator<Item = J>,
    mut begin: impl FnMut(J) -> Done<Begun<'a, T, K>>,
    mut end: impl FnMut(K, Done<Unpacked>) -> Done<T>,
    give_up: &dyn Fn(),
) -> Done<Vec<T>> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    let (mut all, given_up) = (Vec::new(), AtomicBool::new(false));
    thread::scope(|scope| {
        let mut running: VecDeque<Running<'_, T, K>> = VecDeque::new();
        let mut finish = |running| -> Done {
            all.push(match running {
                Running::Ready(layer) => *layer,
                Running::Thread(known, thread) => {
                    end(known, thread.join().unwrap_or_else(|panic| resume_unwind(panic)))?
                }
                Running::Read(known, unpacked) => end(known, *unpacked)?,
            });
            Ok(())
        };
        let mut step = |job, running: &mut VecDeque<_>| -> Done {
            running.push_back(match begin(job)? {
                Begun::Ready(layer) => Running::Ready(layer),
                Begun::Stream(stream, known) => {
                    // A thread that does not begin leaves the stream to this one.
                    let left = Arc::new(Mutex::new(Some(stream)));
                    let (taken, given_up) = (Arc::clone(&left), &given_up);
                    let thread = threads().name("tarfs-layer".to_owned());
                    let work = move || take(&taken).map_or_else(nothing, |it| read(*it, given_up));
                    match thread.spawn_scoped(scope, work) {
                        Ok(thread) => Running::Thread(known, thread),
                        Err(_) => {
                            let unpacked =
                                take(&left).map_or_else(nothing, |it| read(*it, given_up));
                            Running::Read(known, Box::new(unpacked))
                        }
                    }
                }
            });
            Ok(())
        };
        let done = jobs.try_for_each(|job| {
            let first = if running.len() < cores { None } else { running.pop_front() };
            first.map_or(Ok(()), &mut finish)?;
            // Where it can't begin, what is wrong with those before it is told of first.
            step(job, &mut running).or_else(|fail| {
                all_of(&mut running, &mut finish)?;
                Err(fail)
            })
        });
        let done = done.and_then(|()| all_of(&mut running, &mut finish));
        given_up.store(true, Ordering::Relaxed);
        if done.is_err() {
            give_up();
        }
        // The end of the scope would wait for what they do, and not until the system has taken them down.
        for left in running {
            if let Running::Thread(_, thread) = left {
                let _ = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            }
        }
        done
    })?;
    Ok(all)
}

/// Ends what is on its way, in its order; after the first that fails the rest stays there.
fn all_of<R>(running: &mut VecDeque<R>, finish: impl FnMut(R) -> Done) -> Done {
    iter::from_fn(|| running.pop_front()).try_for_each(finish)
}

/// A stream, for the first who takes it.
fn take<S>(left: &Mutex<Option<S>>) -> Option<S> {
    left.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn nothing() -> Done<Unpacked> {
    Err(Fail::Failed("a layer is read twice".to_owned()))
}

/// Reads a layer to its end, unless another one has failed.
fn read(stream: Stream<'_>, given_up: &AtomicBool) -> Done<Unpacked> {
    let Stream { path, tar, options, room } = stream;
    let done = room.fill(&path, WhileWanted(tar()?, given_up), options)?;
    Ok(Unpacked { path, room, done })
}

/// A reader that ends when nobody waits for its layer any more.
struct WhileWanted<'g, R>(R, &'g AtomicBool);

impl<R: Read> Read for WhileWanted<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.1.load(Ordering::Relaxed) {
            return Err(io::Error::other("another layer has failed"));
        }
        self.0.read(buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::spool::Spool;
    use erofs_tarfs::tree::LayerOptions;

    /// A stream of so many zeros, which is an empty tar; of other bytes it is none.
    fn stream(number: usize, byte: u8, bytes: u64) -> Done<Begun<'static, String, usize>> {
        let room = Spool::Temporary(std::env::temp_dir()).room("a".as_ref())?;
        let options = IngestOptions::new().layer(LayerOptions::new()).diff_id(true);
        let tar: Box<dyn Read + Send> = Box::new(io::repeat(byte).take(bytes));
        let tar = Box::new(|| Ok(tar));
        let stream = Stream { path: format!("layer {number}").into(), tar, options, room };
        Ok(Begun::Stream(Box::new(stream), number))
    }

    #[test]
    fn they_end_in_their_order() {
        let begin = |number: usize| match number % 3 {
            0 => Ok(Begun::Ready(Box::new(format!("{number}: there")))),
            // The earlier ones take longer.
            _ => stream(number, 0, (20 - number as u64) << 18),
        };
        let mut last = 0;
        let end = |number: usize, unpacked: Done<Unpacked>| {
            let unpacked = unpacked?;
            assert!(number > last);
            last = number;
            assert!(unpacked.done.diff_id.is_some());
            Ok(format!("{number}: {}", unpacked.path.display()))
        };
        let all = each(0..20, begin, end, &|| {}).ok().unwrap();
        assert_eq!(all.len(), 20);
        for (number, said) in all.iter().enumerate() {
            match number % 3 {
                0 => assert_eq!(*said, format!("{number}: there")),
                _ => assert_eq!(*said, format!("{number}: layer {number}")),
            }
        }
    }

    #[test]
    fn the_lowest_that_fails_is_told_of_and_others_are_given_up() {
        let mut begun = 0;
        let begin = |number: usize| {
            begun += 1;
            match number {
                3 => Err(Fail::of("layer 3", "cannot be opened")),
                1 => stream(number, 7, 1 << 20),
                // It would never end.
                2 => stream(number, 0, u64::MAX),
                _ => stream(number, 0, 1024),
            }
        };
        let given_up = AtomicBool::new(false);
        let give_up = || given_up.store(true, Ordering::Relaxed);
        let failed = each(0..100, begin, |number, read| read.map(|_| number.to_string()), &give_up);
        assert!(given_up.into_inner());
        let Err(Fail::Failed(why)) = failed else { panic!("it does not fail") };
        assert!(why.starts_with("'layer 1': "), "{why}");
        assert!(begun <= 2 + MOST);
    }

    #[test]
    fn without_threads_they_are_read_all_the_same() {
        // No machine has so much memory for a stack.
        let none = || Builder::new().stack_size(1 << 60);
        let begin = |number: usize| stream(number, 0, 1 << 20);
        let end = |number: usize, unpacked: Done<Unpacked>| {
            let unpacked = unpacked?;
            Ok(format!("{number}: {}", unpacked.done.diff_id.is_some()))
        };
        let all = each_on(&none, 0..5, begin, end, &|| {}).ok().unwrap();
        assert_eq!(all, [0, 1, 2, 3, 4].map(|number| format!("{number}: true")));
        let begin = |number: usize| stream(number, if number == 1 { 7 } else { 0 }, 1 << 20);
        let failed =
            each_on(&none, 0..5, begin, |number, read| read.map(|_| number.to_string()), &|| {});
        let Err(Fail::Failed(why)) = failed else { panic!("it does not fail") };
        assert!(why.starts_with("'layer 1': "), "{why}");
    }
}
