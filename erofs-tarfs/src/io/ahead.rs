//! A file read in pieces, by another thread ahead of who takes them where nothing is passed over.
//!
//! Who takes them reads too instead of waiting: reading is the larger half of indexing.

use alloc::collections::VecDeque;
use core::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, Scope};

use super::joined::Joined;
use super::{Buffer, Error, NamedFile};

/// Bytes read at a time at most: what is read is in the cache still when it is looked at.
pub(super) const PIECE: usize = 512 << 10;

/// Bytes read at a time after a jump.
const FIRST: usize = 16 << 10;

/// Pieces that may be ordered.
const AHEAD: usize = 4;

/// The bytes of a file, in ascending order, some of them passed over.
#[derive(Debug)]
pub(super) struct Pieces<'s, 'f> {
    file: &'f NamedFile,
    end: u64,
    /// Bytes taken since the last jump.
    run: u64,
    /// Bytes to read next on this thread; from [`PIECE`] on, the helper reads.
    step: usize,
    /// The piece that was taken last.
    current: Buffer,
    helper: Option<Helper<'s, 'f>>,
}

impl<'s, 'f> Pieces<'s, 'f> {
    /// The first `end` bytes of a file. The helper's thread has ended when this is dropped.
    pub(super) fn new(file: &'f NamedFile, end: u64, scope: &'s Scope<'s, 'f>) -> Self {
        let alone =
            thread::available_parallelism().is_ok_and(|count| count == NonZero::<usize>::MIN);
        let helper = (end > 4 * PIECE as u64 && !alone).then(|| Helper::new(file, end, scope));
        // It begins with large pieces, as for a tar of small files, of which nothing is passed
        // over.
        Self {
            file,
            end,
            run: 0,
            step: PIECE,
            current: Buffer::default(),
            helper: helper.flatten(),
        }
    }

    /// Bytes from `at`, which is below the end, on: at least one.
    pub(super) fn at(&mut self, at: u64) -> Result<&[u8], Error> {
        let mut start = at;
        match &mut self.helper {
            Some(helper) if self.step == PIECE => match helper.take(at, &mut self.current) {
                Some(found) => start = found?,
                None => {
                    self.helper = None;
                    self.read(at)?;
                }
            },
            _ => self.read(at)?,
        }
        let piece = &self.current[(at - start) as usize..];
        self.run += piece.len() as u64;
        Ok(piece)
    }

    /// Notes that `bytes` are passed over. If they are more than what was read since the last time,
    /// little is read next.
    pub(super) fn jump(&mut self, bytes: u64) {
        if bytes > self.run {
            self.step = FIRST;
        }
        self.run = 0;
    }

    /// Reads on this thread: more and more, the longer nothing is passed over.
    fn read(&mut self, at: u64) -> Result<(), Error> {
        self.current.set_len((self.end - at).min(self.step as u64) as usize);
        self.step = (self.step * 2).min(PIECE);
        self.file.read_exact_at(&mut self.current, at)
    }
}

/// A piece, where it starts, and whether it was read.
type Piece = (u64, Buffer, Result<(), Error>);

/// What comes next in the file.
#[derive(Debug)]
enum Coming {
    /// What the helper sends next.
    Ordered,
    /// What this thread read while it waited.
    Read(Piece),
}

/// A thread that reads what it is told to.
#[derive(Debug)]
struct Helper<'s, 'f> {
    file: &'f NamedFile,
    orders: SyncSender<(u64, Buffer)>,
    pieces: Receiver<Piece>,
    /// Where the next piece starts that nobody has been told to read, and the end of the file.
    next: u64,
    end: u64,
    spare: Vec<Buffer>,
    coming: VecDeque<Coming>,
    /// The last field: what it waits for is dropped before it.
    _thread: Joined<'s, ()>,
}

impl<'s, 'f> Helper<'s, 'f> {
    /// `None` if the system has no thread for it.
    fn new(file: &'f NamedFile, end: u64, scope: &'s Scope<'s, 'f>) -> Option<Self> {
        let (orders, todo) = sync_channel::<(u64, Buffer)>(AHEAD);
        let (done, pieces) = sync_channel::<Piece>(AHEAD);
        let work = move || {
            for (at, mut piece) in todo {
                let read = file.read_exact_at(&mut piece, at);
                if done.send((at, piece, read)).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("tarfs-read".to_owned());
        let thread = Joined::new(thread.spawn_scoped(scope, work).ok()?);
        let spare = core::iter::repeat_with(Buffer::default).take(AHEAD).collect();
        let coming = VecDeque::new();
        Some(Self { file, orders, pieces, next: 0, end, spare, coming, _thread: thread })
    }

    /// Puts the piece that holds byte `at` into `piece`, and tells where it starts. `None` if the
    /// helper is gone.
    fn take(&mut self, at: u64, piece: &mut Buffer) -> Option<Result<u64, Error>> {
        loop {
            // After a jump, what nobody has been told to read yet need not be read at all.
            self.next = self.next.max(at);
            while let Some((start, buffer)) = self.room() {
                self.orders.send((start, buffer)).ok()?;
                self.coming.push_back(Coming::Ordered);
            }
            let (start, mut found, read) = match self.coming.pop_front()? {
                Coming::Read(piece) => piece,
                Coming::Ordered => self.receive()?,
            };
            let wanted = at < start + found.len() as u64;
            if wanted {
                core::mem::swap(piece, &mut found);
            }
            // At most as many buffers are kept as can be ordered.
            self.spare.push(found);
            self.spare.truncate(AHEAD);
            if wanted {
                return Some(read.map(|()| start));
            }
        }
    }

    /// The next piece of the file and a buffer of its length, if there are both.
    fn room(&mut self) -> Option<(u64, Buffer)> {
        let ordered = self.coming.iter().filter(|next| matches!(next, Coming::Ordered)).count();
        if self.next >= self.end || ordered >= AHEAD {
            return None;
        }
        let mut buffer = self.spare.pop()?;
        let start = self.next;
        buffer.set_len((self.end - start).min(PIECE as u64) as usize);
        self.next += buffer.len() as u64;
        Some((start, buffer))
    }

    /// What the helper sends next. If it is not there yet, this thread does not wait, but reads
    /// what comes behind all that is ordered: so both have as much to do.
    fn receive(&mut self) -> Option<Piece> {
        match self.pieces.try_recv() {
            Ok(piece) => return Some(piece),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        let own = self.coming.iter().any(|next| matches!(next, Coming::Read(_)));
        if self.next < self.end && !own {
            let start = self.next;
            let mut buffer = self.spare.pop().unwrap_or_default();
            buffer.set_len((self.end - start).min(PIECE as u64) as usize);
            self.next += buffer.len() as u64;
            let read = self.file.read_exact_at(&mut buffer, start);
            self.coming.push_back(Coming::Read((start, buffer, read)));
        }
        self.pieces.recv().ok()
    }
}
