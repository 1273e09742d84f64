//! Data, and the tree that is sought for it: where, and of which parameters.
//!
//! The parameters are the user's, or those of a superblock where the user named none. A root hash
//! that does not match says nothing of why; most often the tree is of other parameters, or cut
//! short, and both can be told.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::read::Image;
use erofs_tarfs::verity::{Geometry, HashPlacement, Params, Sealed};

use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::{self, Preset};
use crate::cli::quote;
use crate::files::kind::{self, Kind};
use crate::hash_tree::{other_parameters, search};

/// How much of a file is data.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent {
    /// As many data blocks as the user says.
    Blocks(u64),
    /// As the filesystem or the length of the file says.
    Bytes(u64),
    /// Only a superblock can tell.
    Unknown,
}

/// Data, and the file and place of its tree.
pub(crate) struct Sought {
    pub(crate) data: NamedFile,
    pub(crate) extent: Extent,
    /// How much of it a superblock must cover at least: the filesystem.
    pub(crate) least: u64,
    pub(crate) hashes: NamedFile,
    pub(crate) place: HashPlacement,
}

impl Sought {
    /// A filesystem that ends at this byte, and the file and place of its tree.
    pub(crate) fn of_filesystem(
        data: NamedFile,
        end: u64,
        hashes: NamedFile,
        place: HashPlacement,
    ) -> Self {
        Self { data, extent: Extent::Bytes(end), least: end, hashes, place }
    }

    /// How many bytes are data, as far as that is known without a superblock.
    fn bytes(&self, params: &Params) -> Done<Option<u64>> {
        let too_many = || Fail::Usage("--data-blocks: too many".to_owned());
        match self.extent {
            Extent::Blocks(blocks) => {
                let bytes = blocks.checked_mul(params.data_block().bytes().into());
                bytes.map(Some).ok_or_else(too_many)
            }
            // Data is filled up to whole blocks before a tree goes behind it. If the tree has a file of
            // its own, the data must have had whole blocks.
            Extent::Bytes(bytes) if self.place == HashPlacement::OwnFile => Ok(Some(bytes)),
            Extent::Bytes(bytes) => Ok(bytes.checked_add(params.data_padding(bytes))),
            Extent::Unknown => Ok(None),
        }
    }

    /// The geometry as the options have it, or a superblock if they say nothing of it.
    pub(crate) fn geometry(&self, preset: &Preset) -> Done<Geometry> {
        self.geometry_or(preset, hash_tree_options::params)
    }

    /// The same; `otherwise` has the parameters of a tree of which neither options nor a superblock say
    /// anything.
    pub(crate) fn geometry_or(
        &self,
        preset: &Preset,
        otherwise: impl FnOnce(&Preset) -> Done<Params>,
    ) -> Done<Geometry> {
        if preset.is_set() {
            return self.of_params(&hash_tree_options::params(preset)?);
        }
        match self.stated()? {
            Some(geometry) => Ok(geometry),
            None => self.of_params(&otherwise(preset)?),
        }
    }

    /// The geometry of a tree of these parameters.
    pub(crate) fn of_params(&self, params: &Params) -> Done<Geometry> {
        let Some(bytes) = self.bytes(params)? else {
            let text = "no verity superblock there: --data-blocks says how much is data";
            return Err(Fail::of(self.hashes.path(), text));
        };
        Geometry::new(params, bytes, self.place).map_err(|error| Fail::of(self.data.path(), error))
    }

    /// The geometry that a superblock states. It must cover the data that there is, and not a part
    /// of it: nobody vouches for a superblock.
    fn stated(&self) -> Done<Option<Geometry>> {
        let end = match self.extent {
            Extent::Bytes(bytes) => Some(bytes),
            // Data blocks of the usual size are tried first.
            Extent::Blocks(blocks) => blocks.checked_mul(512),
            Extent::Unknown => None,
        };
        let mut found = search::superblocks(&self.hashes, end, self.place)?;
        if let (Extent::Blocks(blocks), HashPlacement::BehindData) = (self.extent, self.place) {
            for size in [1024, 2048, 4096] {
                let end = blocks.checked_mul(size);
                found.extend(search::superblocks(&self.hashes, end, self.place)?);
            }
        }
        let (mut wrong, most) = (None, self.data.bytes()?);
        for (read, place) in found {
            let hashes = self.hashes.path();
            let failed = |error| Fail::of(hashes, format_args!("its verity superblock: {error}"));
            let geometry = read.map_err(failed)?;
            let Ok(geometry) = geometry.geometry(place) else { continue };
            let states = geometry.data_bytes();
            let bytes = self.bytes(geometry.params())?;
            let fits = match (self.extent, bytes) {
                (Extent::Bytes(_), _) => (self.least..=most).contains(&states),
                (Extent::Blocks(_), bytes) => bytes == Some(states),
                (Extent::Unknown, _) => true,
            };
            if fits {
                return Ok(Some(geometry));
            }
            wrong = Some((states, bytes.unwrap_or(self.least)));
        }
        wrong.map_or(Ok(None), |(states, bytes)| {
            let text = format!("its verity superblock is over {states} bytes of data, not {bytes}");
            Err(Fail::of(self.hashes.path(), text))
        })
    }

    /// Refuses files that are shorter than their tree says.
    pub(crate) fn is_whole(&self, sealed: &Sealed) -> Done {
        let geometry = sealed.geometry();
        let (end, len) = (geometry.end(), self.hashes.bytes()?);
        if end > len {
            if let Some(why) = self.other(sealed)? {
                return Err(Fail::of(self.hashes.path(), why));
            }
            let tree = if geometry.same_file() { "its hash tree" } else { "the hash tree" };
            let text = match len > geometry.tree_offset() {
                true => format!("{tree} is cut short: it ends at byte {end}, the file at {len}"),
                false => format!(
                    "there is no hash tree: it would end at byte {end}, the file ends at {len}"
                ),
            };
            return Err(Fail::of(self.hashes.path(), text));
        }
        let (needed, has) = (geometry.data_bytes(), self.data.bytes()?);
        match has < needed {
            true => {
                let text = format!("has {has} bytes, and {needed} are data: it is cut short");
                Err(Fail::of(self.data.path(), text))
            }
            false => Ok(()),
        }
    }

    /// Refuses a root hash that is not that of the tree's highest block.
    pub(crate) fn has_root(&self, sealed: &Sealed) -> Done {
        let (data, hashes, root) = (&self.data, &self.hashes, sealed.root());
        if search::root(data, hashes, sealed.geometry())? == Some(root) {
            return Ok(());
        }
        let text = || format!("has no hash tree of the root hash {root}");
        Err(Fail::of(hashes.path(), self.other(sealed)?.unwrap_or_else(text)))
    }

    /// What to say where the root hash is that of a tree of other parameters.
    pub(crate) fn other(&self, sealed: &Sealed) -> Done<Option<String>> {
        let stated = self.stated().ok().flatten();
        let bytes = |params: &Params| self.bytes(params).ok().flatten();
        let candidates = stated.into_iter().chain(other_parameters::presets(bytes, self.place));
        other_parameters::found(&self.data, &self.hashes, candidates, sealed)
    }
}

/// How many bytes the filesystem in a sealed disk has.
pub(crate) fn filesystem(data: &NamedFile) -> Done<u64> {
    let text =
        "where the tree lies behind data other than EROFS, --data-blocks says how much is data";
    let unknown = || Fail::Usage(format!("{}: {text}", quote::name(data.path())));
    if kind::of(data)? != Kind::Erofs {
        return Err(unknown());
    }
    let image = Image::over(data).map_err(|error| Fail::of(data.path(), error))?;
    Ok(image.end(data.bytes()?))
}
