//! A stream hashed for two purposes: as a whole, and block by block.

use sha2::{Digest as _, Sha256};

use super::{Backend, Digest, Leaves, Params};

/// Hashes what streams by: all of it, which for a tar is its diffID, and the data blocks of a hash
/// tree. Either, both or neither.
///
/// Both together cost hardly more than the first alone, where the CPU has SHA instructions and the
/// salt is a multiple of 64 bytes, none as a rule: the digest of a stream is one long chain of
/// instructions that wait for each other, and those of the blocks fill the waits.
///
/// # Examples
/// ```
/// use erofs_tarfs::verity::{Params, StreamHasher};
///
/// let mut hasher = StreamHasher::new(true, Some(&Params::nydus()));
/// hasher.push(&[0; 1000]);
/// let done = hasher.finish();
/// let root = "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53";
/// assert_eq!(done.digest.unwrap().to_string(), root);
/// assert_eq!(done.leaves.unwrap().padding(), 24);
/// ```
#[derive(Clone, Debug)]
pub struct StreamHasher {
    /// `None` too if the leaves are hashed along with it.
    sha: Option<Sha256>,
    leaves: Option<Leaves>,
}

/// What came of a stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Streamed {
    /// SHA-256 of all bytes, if it was wanted.
    pub digest: Option<Digest>,
    /// The digests of the data blocks, if they were wanted. The last block may not be full.
    pub leaves: Option<Leaves>,
}

/// Bytes that go through both before the next ones do.
const PIECE: usize = 32 << 10;

impl StreamHasher {
    /// A hasher of the whole stream, if that is wanted, and of its blocks, if there are parameters
    /// for them.
    pub fn new(digest: bool, leaves: Option<&Params>) -> Self {
        let mut leaves = leaves.map(Leaves::new);
        let along = digest && leaves.as_mut().is_some_and(Leaves::along);
        Self { sha: (digest && !along).then(Sha256::new), leaves }
    }

    /// The same on another [`Backend`].
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.leaves = self.leaves.map(|leaves| leaves.with_backend(backend));
        self
    }

    /// Takes all of it out, but leaves the blocks' digests here if they cost extra: two threads do
    /// them sooner. For the beginning of a stream.
    pub(crate) fn split(&mut self) -> Self {
        match self.sha.take() {
            Some(sha) => Self { sha: Some(sha), leaves: None },
            None => Self { sha: None, leaves: self.leaves.take() },
        }
    }

    /// Whether nothing is wanted.
    pub fn is_idle(&self) -> bool {
        self.sha.is_none() && self.leaves.is_none()
    }

    /// Hashes the next bytes; 64 KiB or more at a time are fast.
    pub fn push(&mut self, bytes: &[u8]) {
        match (&mut self.sha, &mut self.leaves) {
            (None, None) => {}
            (Some(sha), None) => sha.update(bytes),
            (None, Some(leaves)) => leaves.push(bytes),
            (Some(sha), Some(leaves)) => {
                for piece in bytes.chunks(PIECE) {
                    sha.update(piece);
                    leaves.push(piece);
                }
            }
        }
    }

    /// All that was wanted.
    pub fn finish(self) -> Streamed {
        let Self { sha, mut leaves } = self;
        let digest = match sha {
            Some(sha) => Some(Digest(sha.finalize().into())),
            None => leaves.as_mut().and_then(Leaves::end_stream),
        };
        Streamed { digest, leaves }
    }
}
