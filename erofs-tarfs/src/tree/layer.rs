//! One layer: a tar as it streams in.

use super::device::Identity;
use super::error::Error;
use super::layer_options::{LayerNotes, LayerOptions};
use super::model::Tree;
use super::state::State;
use crate::tar::{self, Event, Parser};

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
    ///
    /// # Errors
    /// [`Error::Tar`] of what is not a tar that we read; [`Error::Entry`] of an entry that breaks a
    /// [`Rule`](super::Rule), with its path and offset; [`Error::TooMany`].
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        loop {
            let step = self.parser.push(bytes)?;
            bytes = bytes.get(step.consumed..).unwrap_or_default();
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
    ///
    /// # Errors
    /// [`Error::Tar`] with [`ErrorKind::Skip`](tar::ErrorKind::Skip) of more than
    /// [`skippable`](Self::skippable); the builder goes on as if not called. With
    /// [`ErrorKind::Limit`](tar::ErrorKind::Limit) past [`Limits::max_bytes`](crate::limits::Limits::max_bytes).
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
    ///
    /// # Errors
    /// [`Error::Tar`] as [`Parser::finish`] has it, of a tar that was cut above all; [`Error::TooMany`].
    pub fn finish(mut self) -> Result<Layer, Error> {
        let end = self.parser.finish()?;
        self.state.carried()?;
        let notes = self.state.notes;
        let tree = self.state.finish(end.bytes)?;
        Ok(Layer { tree, end, notes })
    }
}
