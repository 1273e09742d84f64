//! One pass over a tar: indexed, and each byte hashed for what it is wanted for while it is in the
//! cache.
//!
//! ```text
//!                 ┌─→ LayerBuilder ─→ Layer
//! bytes of a tar ─┼─→ SHA-256 of all ─→ diffID, the identity of the device
//!                 └─→ SHA-256 of each data block ─→ Leaves, for the hash trees of all images
//! ```
//!
//! It is for whoever streams layers in, from a registry as a rule: reading a layer again costs as much
//! as hashing it. Which of the three are wanted is said in [`IngestOptions`]; the layer always is.
//!
//! ```
//! use erofs_tarfs::ingest::{Ingest, IngestOptions};
//! use erofs_tarfs::verity::Params;
//!
//! let options = IngestOptions::new().diff_id(true).leaves(Params::nydus());
//! let mut ingest = Ingest::new(options);
//! for piece in [0; 1024].chunks(100) {
//!     ingest.push(piece)?; // and write it where the tar is to be kept
//! }
//! let done = ingest.finish()?;
//! assert!(done.diff_id.is_some());
//! assert_eq!(done.leaves.unwrap().digests().len(), 2 * 32);
//! # Ok::<(), erofs_tarfs::tree::Error>(())
//! ```
//!
//! # References
//! OCI image-spec, `config.md`, "Layer DiffID".

use crate::tree::{Error, Identity, Layer, LayerBuilder, LayerOptions};
use crate::verity::{Digest, Leaves, Params, StreamHasher, Streamed};
use alloc::string::ToString;

/// Bytes that go through all stages before the next ones do.
const PIECE: usize = 32 << 10;

/// What is wanted of a tar on its way.
///
/// ```
/// use erofs_tarfs::ingest::IngestOptions;
/// use erofs_tarfs::tree::LayerOptions;
/// use erofs_tarfs::verity::Params;
///
/// let options = IngestOptions::new()
///     .tag_diff_id(true) // and so the diffID is computed
///     .leaves(Params::nydus()) // 32 bytes of memory for each 512 bytes of the tar
///     .layer(LayerOptions::new().keep_pending(true));
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IngestOptions {
    /// How the tar becomes a layer.
    pub layer: LayerOptions,
    /// Compute the SHA-256 of the whole tar, which is its diffID (OCI image spec, "config"). It also
    /// is the [identity](LayerOptions::identity) of the layer's device.
    pub diff_id: bool,
    /// Tag the device with the diffID, as 64 hex digits, instead of [`LayerOptions::tag`].
    pub tag_diff_id: bool,
    /// Keep the digests of the tar's data blocks, for the hash trees of all images that it is in.
    /// Takes 32 bytes of memory a block.
    pub leaves: Option<Params>,
}

impl IngestOptions {
    /// The default: a layer, and no digests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how the tar becomes a layer.
    #[must_use]
    pub fn layer(self, layer: LayerOptions) -> Self {
        Self { layer, ..self }
    }

    /// Sets whether the SHA-256 of the whole tar is computed; off by default.
    #[must_use]
    pub fn diff_id(self, diff_id: bool) -> Self {
        Self { diff_id, ..self }
    }

    /// Sets whether the device has the diffID as its tag; off by default.
    #[must_use]
    pub fn tag_diff_id(self, tag_diff_id: bool) -> Self {
        Self { tag_diff_id, ..self }
    }

    /// Sets for which parameters the digests of the tar's data blocks are kept; none by default.
    #[must_use]
    pub fn leaves(self, leaves: impl Into<Option<Params>>) -> Self {
        Self { leaves: leaves.into(), ..self }
    }
}

/// What came of a tar.
///
/// ```
/// use erofs_tarfs::ingest::{Ingest, IngestOptions};
/// use erofs_tarfs::verity::Params;
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let mut ingest = Ingest::new(IngestOptions::new().leaves(Params::nydus()));
/// ingest.push(&tar_of(&[("etc/motd", "hello\n")]))?;
/// let done = ingest.finish()?;
/// assert!(done.layer.tree.lookup(b"etc/motd").is_some());
/// assert_eq!(done.diff_id, None, "nobody wanted it");
/// assert_eq!(done.leaves.unwrap().digests().len(), 2048 / 512 * 32); // bytes
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ingested {
    /// The layer.
    pub layer: Layer,
    /// SHA-256 of all bytes of the tar, padding included, if it was wanted.
    pub diff_id: Option<Digest>,
    /// Digests of the data blocks of the tar, if they were wanted. The last block may not be full.
    pub leaves: Option<Leaves>,
}

/// Takes a tar in pieces of any size.
///
/// ```
/// use erofs_tarfs::ingest::{Ingest, IngestOptions};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let options = IngestOptions::new().tag_diff_id(true);
/// let mut ingest = Ingest::new(options);
/// for piece in tar_of(&[("etc/motd", "hello\n")]).chunks(1000) {
///     ingest.push(piece)?;
/// }
/// let done = ingest.finish()?;
/// let diff_id = done.diff_id.map(|digest| digest.to_string().into_bytes());
/// assert_eq!(diff_id, Some(done.layer.tree.devices()[0].tag.clone()));
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Debug)]
pub struct Ingest {
    builder: LayerBuilder,
    hasher: StreamHasher,
    tag_diff_id: bool,
}

impl Ingest {
    /// Nothing yet.
    pub fn new(options: IngestOptions) -> Self {
        let IngestOptions { layer, diff_id, tag_diff_id, leaves } = options;
        let hasher = StreamHasher::new(diff_id || tag_diff_id, leaves.as_ref());
        Self { builder: LayerBuilder::new(layer), hasher, tag_diff_id }
    }

    /// An ingest, and apart from it what another thread can hash of the same bytes; its result goes
    /// to [`Ingest::finish_with`]. It is idle if nothing is to be hashed.
    pub fn split(options: IngestOptions) -> (Self, StreamHasher) {
        let mut ingest = Self::new(options);
        let hasher = ingest.hasher.split();
        (ingest, hasher)
    }

    /// Takes the next bytes. After an error the layer is lost.
    ///
    /// # Errors
    /// As [`LayerBuilder::push`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.hasher.is_idle() {
            return self.builder.push(bytes);
        }
        for piece in bytes.chunks(PIECE) {
            self.hasher.push(piece);
            self.builder.push(piece)?;
        }
        Ok(())
    }

    /// Bytes that a seeking caller may jump over, as [`LayerBuilder::skippable`]; none if the
    /// bytes are hashed.
    pub fn skippable(&self) -> u64 {
        if self.hasher.is_idle() { self.builder.skippable() } else { 0 }
    }

    /// Says that `bytes`, at most [`Ingest::skippable`], were jumped over.
    ///
    /// # Errors
    /// As [`LayerBuilder::skip`].
    pub fn skip(&mut self, bytes: u64) -> Result<(), Error> {
        debug_assert!(bytes <= self.skippable());
        self.builder.skip(bytes)
    }

    /// Bytes of the tar so far.
    pub fn position(&self) -> u64 {
        self.builder.position()
    }

    /// Entries so far.
    pub fn entries(&self) -> u64 {
        self.builder.entries()
    }

    /// The layer. A tar that is cut short is an error.
    ///
    /// # Errors
    /// As [`LayerBuilder::finish`].
    pub fn finish(self) -> Result<Ingested, Error> {
        self.finish_with(StreamHasher::new(false, None).finish())
    }

    /// The layer, with the digests that another thread has made of the same bytes: see
    /// [`Ingest::split`].
    ///
    /// # Errors
    /// As [`LayerBuilder::finish`].
    pub fn finish_with(mut self, apart: Streamed) -> Result<Ingested, Error> {
        let here = self.hasher.finish();
        let (diff_id, leaves) = (apart.digest.or(here.digest), apart.leaves.or(here.leaves));
        if let Some(diff_id) = diff_id {
            self.builder.set_identity(Identity::Sha256(diff_id.0));
            if self.tag_diff_id {
                self.builder.set_tag(diff_id.to_string().as_bytes());
            }
        }
        let layer = self.builder.finish()?;
        Ok(Ingested { layer, diff_id, leaves })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verity::BlockHasher;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn chunking_does_not_matter() {
        // A directory, the end, and much behind it: all of it counts.
        let mut tar = alloc::vec![0u8; 100_352];
        tar[0] = b'd';
        for field in [100, 108, 116, 124, 136] {
            tar[field] = b'0';
        }
        tar[156] = b'5';
        tar[148..156].fill(b' ');
        let sum: u32 = tar[..512].iter().map(|byte| u32::from(*byte)).sum();
        tar[148..155].copy_from_slice(alloc::format!("{sum:06o}\0").as_bytes());
        tar[50_000..].fill(7);
        let run = |chunk: usize| {
            let layer = LayerOptions { keep_empty_device: true, ..LayerOptions::default() };
            let leaves = Some(Params::nydus());
            let options =
                IngestOptions { layer, tag_diff_id: true, leaves, ..IngestOptions::default() };
            let mut ingest = Ingest::new(options);
            tar.chunks(chunk).for_each(|piece| ingest.push(piece).unwrap());
            ingest.finish().unwrap()
        };
        let hasher = BlockHasher::of(&Params::nydus());
        for chunk in [1, 511, 512, 40_000, 200_000] {
            let done = run(chunk);
            assert_eq!(done.diff_id.unwrap().0, <[u8; 32]>::from(Sha256::digest(&tar)));
            let tag = done.layer.tree.devices()[0].tag.clone();
            assert_eq!(tag, done.diff_id.unwrap().to_string().into_bytes());
            let leaves = done.leaves.unwrap();
            for (block, digest) in tar.chunks(512).zip(leaves.digests().chunks(32)) {
                assert_eq!(hasher.hash(block).as_bytes(), digest);
            }
            assert_eq!(leaves.position(), tar.len() as u64);
        }
    }
}
