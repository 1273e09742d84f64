//! One layer: a tar as it streams in.

use super::apply::State;
use super::device::Identity;
use super::error::Error;
use super::model::Tree;
use crate::tar::{self, Event, Parser};
use alloc::vec::Vec;

/// How a tar becomes a layer.
///
/// ```
/// let mut options = erofs_tarfs::tree::LayerOptions::default();
/// options.keep_pending = true; // a hard link to a file of a lower layer waits for the merge
/// options.max_carried = 64 << 20; // bytes
/// options.tag = b"base".to_vec();
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LayerOptions {
    /// How the tar is read, and its limits.
    pub tar: tar::Options,
    /// Tag of the device that the tar is: at most 64 bytes, usually the hex digest of the blob.
    pub tag: Vec<u8>,
    /// What is known of the tar's bytes: [`merge()`](super::merge()) makes one device of two that
    /// have the same. Unknown by default; see [`LayerBuilder::set_identity`].
    pub identity: Identity,
    /// Keep a hard link whose target is no earlier entry, for [`merge()`](super::merge()) to find
    /// in a lower layer. By default it is an error.
    pub keep_pending: bool,
    /// Resolve `..` in paths inside the root. By default it is an error.
    pub resolve_dot_dot: bool,
    /// Drop extended attributes of namespaces that EROFS has no index for, and count them. By
    /// default they are an error.
    pub drop_unknown_xattrs: bool,
    /// Keep the device of a layer that has no file data.
    pub keep_empty_device: bool,
    /// Bytes of sparse files' odd pieces, extended attributes and link targets that the tree may
    /// carry itself. Protects memory; 1 GiB by default.
    pub max_carried: u64,
}

impl Default for LayerOptions {
    fn default() -> Self {
        Self {
            tar: tar::Options::default(),
            tag: Vec::new(),
            identity: Identity::Unknown,
            keep_pending: false,
            resolve_dot_dot: false,
            drop_unknown_xattrs: false,
            keep_empty_device: false,
            max_carried: 1 << 30,
        }
    }
}

/// A layer, how its tar ended, and where it differs from its tar.
///
/// ```
/// use erofs_tarfs::tree::{LayerBuilder, LayerNotes, LayerOptions};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let mut builder = LayerBuilder::new(LayerOptions::default());
/// builder.push(&tar_of(&[("etc/motd", "hello\n")]))?;
/// let layer = builder.finish()?;
/// // A header, a body filled up to 512 bytes, and the 1024 bytes that end a tar.
/// assert_eq!((layer.end.entries, layer.end.bytes), (1, 2048));
/// assert_eq!(layer.notes, LayerNotes::default(), "all was taken as it stands");
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Layer {
    /// The layer: whiteouts kept, implied directories marked, one device.
    pub tree: Tree,
    /// How the tar ended.
    pub end: tar::End,
    /// How often the layer differs from what its tar says.
    pub notes: LayerNotes,
}

/// How often a layer differs from what its tar says, and in what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerNotes {
    /// Extended attributes dropped for their namespace: [`LayerOptions::drop_unknown_xattrs`].
    pub dropped_xattrs: u64,
    /// Access control lists given as text that name users or groups without their numbers, or are
    /// no lists: dropped.
    pub dropped_acls: u64,
    /// Entries whose owner or group is 4294967295, "no change" to `chown`: every extractor leaves
    /// 0, and so does the layer.
    pub unset_owners: u64,
}

/// Makes a [`Layer`] of the bytes of a tar, in pieces of any size.
///
/// ```
/// use erofs_tarfs::tree::{LayerBuilder, LayerOptions};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let tar = tar_of(&[("etc/motd", "hello\n"), ("srv/", "")]);
/// let mut builder = LayerBuilder::new(LayerOptions::default());
/// for piece in tar.chunks(100) {
///     builder.push(piece)?; // bytes, as they come
/// }
/// let layer = builder.finish()?;
/// assert_eq!(layer.tree.inode_count(), 4); // the root, etc, etc/motd, srv
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
///
/// It waits for nothing, so that it can be fed from asynchronous readers too, here one of tokio:
/// ```
/// use erofs_tarfs::tree::{Layer, LayerBuilder, LayerOptions};
/// use tokio::io::{AsyncRead, AsyncReadExt};
///
/// async fn index(mut tar: impl AsyncRead + Unpin) -> Result<Layer, Box<dyn std::error::Error>> {
///     let mut builder = LayerBuilder::new(LayerOptions::default());
///     let mut piece = vec![0; 64 << 10];
///     loop {
///         match tar.read(&mut piece).await? {
///             0 => return Ok(builder.finish()?),
///             bytes => builder.push(&piece[..bytes])?,
///         }
///     }
/// }
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
/// # let tar = tar_of(&[("etc/motd", "hello\n")]);
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # assert_eq!(runtime.block_on(index(&tar[..]))?.end.entries, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LayerBuilder {
    parser: Parser,
    state: State,
}

impl LayerBuilder {
    /// A layer with nothing in it yet.
    pub fn new(options: LayerOptions) -> Self {
        Self { parser: Parser::new(options.tar.clone()), state: State::new(options) }
    }

    /// Takes the next bytes of the tar. After an error the layer is lost.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        loop {
            let step = self.parser.push(bytes)?;
            bytes = &bytes[step.consumed..];
            match step.event {
                Event::NeedInput => return Ok(()),
                Event::Entry(entry) => {
                    if self.state.entry(&entry)? {
                        self.parser.want_body();
                    }
                }
                Event::Data(data) => self.state.data(data)?,
            }
        }
    }

    /// Bytes that a seeking caller may jump over: see [`Parser::skippable`].
    pub fn skippable(&self) -> u64 {
        self.parser.skippable()
    }

    /// Says that `bytes` were jumped over.
    pub fn skip(&mut self, bytes: u64) -> Result<(), Error> {
        Ok(self.parser.skip(bytes)?)
    }

    /// Bytes of the tar so far.
    pub fn position(&self) -> u64 {
        self.parser.position()
    }

    /// Entries so far.
    pub fn entries(&self) -> u64 {
        self.state.entries
    }

    /// Gives the device another tag than [`LayerOptions::tag`]: one that follows from the bytes is
    /// known only when they are through.
    pub fn set_tag(&mut self, tag: &[u8]) {
        self.state.device().tag = tag.to_vec();
    }

    /// Says what is known of the tar's bytes: a digest of all of them, or the file that they are.
    pub fn set_identity(&mut self, identity: Identity) {
        self.state.device().identity = identity;
    }

    /// The layer. A tar that is cut short is an error.
    pub fn finish(mut self) -> Result<Layer, Error> {
        let end = self.parser.finish()?;
        self.state.carried()?;
        let notes = self.state.notes;
        let tree = self.state.finish(end.bytes)?;
        Ok(Layer { tree, end, notes })
    }
}
