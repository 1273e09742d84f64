//! What an export is made of.

use alloc::borrow::Cow;
use std::path::{Path, PathBuf};

use super::state::State;
use super::watch::{Watch, Watched};
use super::{Backing, Step};
use crate::ingest::IngestOptions;
use crate::io::{Error, NamedFile, ingest};
use crate::tree::{LayerOptions, Tree};
use crate::verity::{Leaves, Params};

/// A layer that was given: a tar to be read, or what was made of one.
pub(super) enum Input<'a> {
    Tar(PathBuf),
    Layer(Layer<'a>),
    /// Layers that are merged already.
    Image(Layer<'a>),
}

/// A layer, where the bytes of its devices are, and the digests kept of them.
pub(super) struct Layer<'a> {
    pub(super) tree: Cow<'a, Tree>,
    pub(super) backings: Vec<Backing<'a>>,
    pub(super) leaves: Vec<Option<Cow<'a, Leaves>>>,
    /// Its files as they were when the export began.
    pub(super) states: Vec<State>,
}

impl<'a> Input<'a> {
    /// The layer. A tar is read once, for its entries and its SHA-256, which is the tag of its device,
    /// and with `leaves` for the digests of its data blocks.
    pub(super) fn read(
        self,
        number: usize,
        how: &LayerOptions,
        leaves: Option<&Params>,
        watch: &Watch<'_>,
    ) -> Result<Layer<'a>, Error> {
        let path = match self {
            Self::Layer(mut layer) | Self::Image(mut layer) => {
                layer.check(number, leaves)?;
                return Ok(layer);
            }
            Self::Tar(path) => path,
        };
        let file = NamedFile::open(path)?;
        let state = State::of(&file)?;
        if file.bytes()? == 0 {
            return Err(Error::Empty { file: file.path().to_owned() });
        }
        let options = IngestOptions::new()
            .layer(how.clone())
            .diff_id(true)
            .tag_diff_id(true)
            .leaves(leaves.cloned());
        let reader = Watched { bytes: file.file(), step: Step::Reading, watch };
        let done = ingest(file.path(), reader, options, None, &mut |_| {});
        let done = done.map_err(|error| watch.why(error))?;
        let backings = match done.layer.tree.devices() {
            [] => Vec::new(),
            _ => vec![Backing::File(file)],
        };
        let leaves = backings.iter().map(|_| done.leaves.clone().map(Cow::Owned)).collect();
        Ok(Layer { tree: Cow::Owned(done.layer.tree), backings, leaves, states: vec![state] })
    }
}

impl<'a> Layer<'a> {
    pub(super) fn new(
        tree: Cow<'a, Tree>,
        backings: Vec<Backing<'a>>,
        leaves: Vec<Option<Cow<'a, Leaves>>>,
    ) -> Self {
        Self { tree, backings, leaves, states: Vec::new() }
    }

    /// Refuses what does not fit together, and remembers how the files are.
    fn check(&mut self, layer: usize, params: Option<&Params>) -> Result<(), Error> {
        let devices = self.tree.devices().len();
        let counts = [("files", self.backings.len()), ("digests kept", self.leaves.len())];
        for (what, given) in counts {
            if given != devices && (what, given) != ("digests kept", 0) {
                return Err(Error::Count { layer, what, devices, given });
            }
        }
        let kept = self.leaves.iter().zip(self.tree.devices()).enumerate();
        for (device, (leaves, of)) in kept {
            let Some(leaves) = leaves.as_ref().filter(|_| params.is_some()) else { continue };
            let block = u64::from(leaves.data_block().bytes());
            let blocks = (leaves.digests().len() / leaves.digest_len()) as u64;
            let needed = of.base_offset.saturating_add(of.bytes) / block;
            if blocks < needed {
                return Err(Error::Kept { layer, device, blocks, needed });
            }
        }
        let files = self.backings.iter().filter_map(Backing::file);
        self.states = files.map(State::of).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Makes sure that the files are as they were, those of which outputs were made where they were excepted.
    pub(super) fn unchanged(&self, outputs: &[State]) -> Result<(), Error> {
        let files = self.backings.iter().filter_map(Backing::file);
        for (file, before) in files.zip(&self.states) {
            if outputs.iter().any(|output| output.is_of(before)) {
                continue;
            }
            if State::of(file)? != *before {
                return Err(Error::Changed { file: file.path().to_owned() });
            }
        }
        Ok(())
    }

    /// Where the bytes of the device at an index are.
    pub(super) fn backing(&self, device: usize) -> Result<&Backing<'a>, Error> {
        let missing = Error::MissingSource { device, sources: self.backings.len() };
        self.backings.get(device).ok_or(missing)
    }

    /// Whether its devices are shown to be those of another layer.
    pub(super) fn is_same(&self, other: &Self) -> Result<bool, Error> {
        let (one, two) = (self.tree.devices(), other.tree.devices());
        if one.len() != two.len() {
            return Ok(false);
        }
        for (index, (one, two)) in one.iter().zip(two).enumerate() {
            let (a, b) = (self.backing(index)?.file(), other.backing(index)?.file());
            let one_file = match (a, b) {
                (Some(a), Some(b)) => {
                    let (a, b) = (a.place()?, b.place()?);
                    a.is_some() && a == b
                }
                _ => false,
            };
            let shown = one.is_same(two) || one_file && one == two;
            if !shown {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Refuses to take the place of a file that is read.
    pub(super) fn spare(&self, path: &Path, there: (u64, u64)) -> Result<(), Error> {
        for file in self.backings.iter().filter_map(Backing::file) {
            // A range of it is read, too, from what is there.
            if file.place()?.is_some_and(|(volume, number, _)| (volume, number) == there) {
                return Err(Error::IsInput { file: path.to_owned() });
            }
        }
        Ok(())
    }
}
