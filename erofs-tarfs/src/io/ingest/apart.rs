//! Work on the pieces of a stream that another thread does, some pieces behind.

use alloc::borrow::ToOwned;
use alloc::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, Scope};

use super::pieces::Piece;
use crate::io::Error;
use crate::io::joined::Joined;

/// How many pieces the other thread may be behind.
const BEHIND: usize = 8;

/// A thread, and the way to it. The way is dropped first, which ends the thread.
pub(super) struct Apart<'s> {
    pieces: SyncSender<Arc<Piece>>,
    thread: Joined<'s, Result<(), Error>>,
}

impl<'s> Apart<'s> {
    /// Starts a thread that does this with each piece, up to an error. `None` if the system has none.
    pub(super) fn new<'e>(
        scope: &'s Scope<'s, 'e>,
        name: &str,
        mut work: impl FnMut(&[u8]) -> Result<(), Error> + Send + 's,
    ) -> Option<Self> {
        let (pieces, receiver) = sync_channel::<Arc<Piece>>(BEHIND);
        let all = move || receiver.into_iter().try_for_each(|piece| work(piece.bytes()));
        let thread = Builder::new().name(name.to_owned()).spawn_scoped(scope, all).ok()?;
        Some(Self { pieces, thread: Joined::new(thread) })
    }

    /// Hands over the next piece; waits while the thread is too far behind. False if it has failed,
    /// which [`Self::join`] tells.
    pub(super) fn take(&self, piece: &Arc<Piece>) -> bool {
        self.pieces.send(Arc::clone(piece)).is_ok()
    }

    /// Ends the stream, and waits until all of it is done.
    pub(super) fn join(self) -> Result<(), Error> {
        drop(self.pieces);
        self.thread.join()
    }
}
