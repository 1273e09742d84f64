//! One layer: a tar as it streams in.

use super::device::Identity;
use super::error::Error;
use super::layer_options::{LayerNotes, LayerOptions};
use super::model::Tree;
use super::state::State;
use crate::tar::{self, Event, Parser};

/// A layer, and what was met on the way.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The layer: whiteouts kept, implied directories marked, one device.
    pub tree: Tree,
    /// How the tar ended.
    pub end: tar::End,
    /// What was not taken as it stands.
    pub notes: LayerNotes,
}

/// Makes a [`Layer`] of the bytes of a tar, in pieces of any size.
///
/// ```
/// use erofs_tarfs::tree::{LayerBuilder, LayerOptions};
///
/// let mut builder = LayerBuilder::new(LayerOptions::default());
/// builder.push(&[0; 1024])?; // an empty tar
/// let layer = builder.finish()?;
/// assert_eq!(layer.tree.inode_count(), 1);
/// # Ok::<(), erofs_tarfs::tree::Error>(())
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
