//! A bootstrap or a disk becomes a layer.

use std::path::Path;

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::tree::Tree;

use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::files::digest;
use crate::layers::loaded::{Backing, Loaded};
use crate::layers::noted::Noted;
use crate::layers::tar_search::TarSearch;
use crate::layers::{cut_short, needed_tars};

/// Reads an image back, and finds out where its devices are. With `layer_marks` it is read as a layer;
/// without, whiteouts and their like stay the files that they are in the image.
pub(crate) fn read(
    arg: &Path,
    file: NamedFile,
    how: &ReadingOptions<'_>,
    layer_marks: bool,
) -> Done<Loaded> {
    let reading = Reading::new(how, layer_marks);
    reading.loaded(arg, reading.begin(arg, file)?, how)
}

/// How images are read.
pub(crate) struct Reading {
    options: TreeOptions,
    whole_files: bool,
}

/// An image of which everything is read that any thread may read.
pub(crate) struct Begun {
    file: NamedFile,
    tree: Tree,
    devices: Devices,
}

/// Where the devices of an image are.
enum Devices {
    /// In its file.
    Inside,
    /// In tars: their tags and lengths, and the block size of both.
    Tars(Vec<(Vec<u8>, u64)>, u64),
}

impl Reading {
    pub(crate) fn new(how: &ReadingOptions<'_>, layer_marks: bool) -> Self {
        let options = TreeOptions::new().keep_layer_marks(layer_marks).limits(how.limits);
        Self { options, whole_files: how.whole_files }
    }

    /// Makes the tree of an image, and finds out where its devices are.
    pub(crate) fn begin(&self, arg: &Path, file: NamedFile) -> Done<Begun> {
        self.tagged(arg, file, Vec::new())
    }

    /// The same, where a device in the image's own file that has no tag is to have this one.
    fn tagged(&self, arg: &Path, file: NamedFile, tag: Vec<u8>) -> Done<Begun> {
        let bytes = tarfs_io::read_metadata(&file)?;
        let why = |error| Fail::of_image(arg, &error);
        let image = Image::new(&bytes).map_err(why)?;
        cut_short::check(&file, &image, &bytes)?;
        let options = self.options.clone().identity(file.identity()?);
        let (options, devices) = if image.holds_devices(bytes.len() as u64) {
            let bytes = file.bytes()?;
            let at = match self.whole_files {
                true => DevicesAt::WholeFile { tag, bytes },
                false => DevicesAt::InFile { tag },
            };
            (options.devices(at), Devices::Inside)
        } else {
            let slots = image.devices().into_iter().map(|device| (device.tag, device.blocks));
            (options, Devices::Tars(slots.collect(), image.block_size().bytes().into()))
        };
        let tree = image.tree(&options).map_err(why)?;
        Ok(Begun { file, tree, devices })
    }

    /// The image as a layer.
    pub(crate) fn loaded(
        &self,
        arg: &Path,
        begun: Begun,
        how: &ReadingOptions<'_>,
    ) -> Done<Loaded> {
        let Begun { file, mut tree, devices } = begun;
        let backing = match devices {
            Devices::Inside => {
                if how.tag_files && tree.devices().iter().any(|device| device.tag.is_empty()) {
                    let tag = digest::of(&file)?.into_bytes();
                    tree = self.tagged(arg, file.try_clone()?, tag)?.tree;
                }
                for (device, data_end) in tree.devices().iter().zip(tree.data_ends()) {
                    cut_short::refuse_short_file(&file, device.base_offset, data_end)?;
                }
                Backing::File(file)
            }
            Devices::Tars(slots, block) => {
                let tars = TarSearch::of(arg, how.tars).names_only(how.tags_are_names);
                let needed = slots.iter().map(|(tag, blocks)| (&tag[..], *blocks));
                needed_tars::tars(arg, &tars, block, needed);
                let (data_ends, slots) = (tree.data_ends(), slots.len());
                Backing::Tars { data_ends, tars, slots, block, image: file }
            }
        };
        Ok(Loaded {
            name: arg.to_owned(),
            diff_id: None,
            tree,
            backing,
            leaves: None,
            platform: None,
            end: None,
            noted: Noted::default(),
        })
    }
}
