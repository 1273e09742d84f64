//! The layers of an image as streams, as many at the same time as there are cores.
//!
//! Of one layer, undoing the compression takes longer than all the rest, and only one core can do it. Files
//! are opened and get their names on the caller's thread, in the order of the layers: what is remembered
//! of inputs and outputs is that thread's, and so the first layer that is wrong is the one that is told of.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
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
    pub(crate) tar: Box<dyn Read + Send + 'a>,
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
}

/// Begins each layer, reads those that must be, and ends them; all in the order of `jobs`, but for the
/// reading.
pub(crate) fn each<'a, J, T, K>(
    mut jobs: impl Iterator<Item = J>,
    mut begin: impl FnMut(J) -> Done<Begun<'a, T, K>>,
    mut end: impl FnMut(K, Unpacked) -> Done<T>,
) -> Done<Vec<T>> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    let (mut all, given_up) = (Vec::new(), AtomicBool::new(false));
    thread::scope(|scope| {
        let mut running: VecDeque<Running<'_, T, K>> = VecDeque::new();
        let mut finish = |running| -> Done {
            all.push(match running {
                Running::Ready(layer) => *layer,
                Running::Thread(known, thread) => {
                    end(known, thread.join().unwrap_or_else(|panic| resume_unwind(panic))?)?
                }
            });
            Ok(())
        };
        let mut step = |job, running: &mut VecDeque<_>| -> Done {
            running.push_back(match begin(job)? {
                Begun::Ready(layer) => Running::Ready(layer),
                Begun::Stream(stream, known) => {
                    let failed = Fail::of(&stream.path, "there is no thread to read it");
                    let thread = Builder::new().name("tarfs-layer".to_owned());
                    let thread = thread.spawn_scoped(scope, || read(*stream, &given_up));
                    Running::Thread(known, thread.map_err(|_| failed)?)
                }
            });
            Ok(())
        };
        let done = jobs.try_for_each(|job| {
            let first = if running.len() < cores { None } else { running.pop_front() };
            first.map_or(Ok(()), &mut finish)?;
            // Where it can't begin, what is wrong with those before it is told of first.
            step(job, &mut running).or_else(|fail| {
                running.drain(..).try_for_each(&mut finish)?;
                Err(fail)
            })
        });
        let done = done.and_then(|()| running.drain(..).try_for_each(&mut finish));
        given_up.store(true, Ordering::Relaxed);
        done
    })?;
    Ok(all)
}

/// Reads a layer to its end, unless another one has failed.
fn read(stream: Stream<'_>, given_up: &AtomicBool) -> Done<Unpacked> {
    let Stream { path, tar, options, room } = stream;
    let done = room.fill(&path, WhileWanted(tar, given_up), options)?;
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
        let tar = Box::new(io::repeat(byte).take(bytes));
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
        let end = |number: usize, unpacked: Unpacked| {
            assert!(number > last);
            last = number;
            assert!(unpacked.done.diff_id.is_some());
            Ok(format!("{number}: {}", unpacked.path.display()))
        };
        let all = each(0..20, begin, end).ok().unwrap();
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
        let failed = each(0..100, begin, |number, _| Ok(number.to_string()));
        let Err(Fail::Failed(why)) = failed else { panic!("it does not fail") };
        assert!(why.starts_with("'layer 1': "), "{why}");
        assert!(begun <= 2 + MOST);
    }
}
