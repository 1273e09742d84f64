//! dm-verity hash trees: bytes to hash blocks and a root hash, and back to a verdict.
//!
//! ```text
//! root hash        SHA-256(salt ‖ block of level 1)
//! level 1          ┌─ digests of the hash blocks of level 0 ─┐           1 hash block
//! level 0          ┌─ digest ─┬─ digest ─┬─ … ─┬─ digest ────┐           3 hash blocks of 4096
//! data             │ block 0  │ block 1  │     │ block 299   │           300 blocks of 512
//! ```
//!
//! [`Params`] fix a tree, [`Geometry`] says where everything lies before anything is hashed,
//! [`Hasher`] makes the tree while data of known length streams by, [`Leaves`] keeps digests where
//! the length is not known or the digests serve several trees, [`Sealed`] is the outcome and knows
//! the texts that others want, [`Verifier`] checks blocks, ranges and whole files, [`Superblock`]
//! is written and parsed. [`Upper`] closes a tree whose lowest level was made on several threads;
//! [`Backend`] is how blocks are hashed, the best that the CPU has. There is no I/O: hash blocks go
//! to a [`HashSink`], verification reads from a [`Source`].
//!
//! # Nothing is hashed twice
//! A block's digest does not depend on where the block lies. Level 0 of a layer's tree is the
//! digests of its disk, [`Leaves::read`] verifies them against the layer's root hash, and
//! [`disk::hash`](crate::disk::hash) makes an image's tree with them: what is left to hash are the
//! metadata, the ends of layers, and the tree itself. The root is the one that hashing afresh gives,
//! provided that the layer's data is what its root hash says; if it is not, whoever reads the image
//! through dm-verity is told.
//!
//! A block's digest is `SHA-256(salt || block)`, unless the parameters say SHA-512, or the salt behind the block
//! ([`Algorithm`], [`HashFormat`]). The bytes are those of `veritysetup format`.
//!
//! # References
//! Linux `Documentation/admin-guide/device-mapper/verity.rst`; cryptsetup `lib/verity/`.
//!
//! # Examples
//! ```
//! use erofs_tarfs::verity::{Geometry, HashBytes, Hasher, Params, HashPlacement, Verifier};
//!
//! let data = [7; 512 * 1000];
//! let geometry = Geometry::new(&Params::nydus(), data.len() as u64, HashPlacement::OwnFile)?;
//! let mut hasher = Hasher::new(geometry);
//! let mut tree = HashBytes::default();
//! for chunk in data.chunks(1234) {
//!     hasher.push(chunk, &mut tree)?;
//! }
//! let sealed = hasher.finish(&mut tree)?;
//! println!("{}", sealed.open_command("data", "name", "tree"));
//! Verifier::new(sealed.geometry().clone(), sealed.root()).verify_all(&mut &data[..], &mut &tree)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod algorithm;
mod error;
mod feed;
mod geometry;
mod hash;
mod hasher;
mod lanes;
mod leaves;
mod marks;
mod params;
mod sealed;
mod sink;
mod stream;
mod superblock;
mod text;
mod tree;
mod tree_digest;
mod upper;
mod value;
mod verify;

pub use algorithm::{Algorithm, HashFormat};
pub use error::{Error, Fault};
pub use geometry::{Geometry, HashPlacement, Level};
pub use hash::BlockHasher;
pub use hasher::Hasher;
pub use lanes::Backend;
pub use leaves::Leaves;
pub use params::{Params, SuperblockMode};
pub use sealed::Sealed;
pub use sink::{HashBytes, HashSink, OutOfBounds, RootOnly, Source};
pub use stream::{StreamHasher, Streamed};
pub use superblock::Superblock;
pub use text::CommandLine;
pub(crate) use text::Word;
pub use tree_digest::TreeDigest;
pub use upper::Upper;
pub use value::{Digest, Uuid, VerityBlockSize};
pub use verify::Verifier;
#[cfg(feature = "std")]
pub(crate) use verify::first_mismatch;
