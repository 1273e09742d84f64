//! A bootstrap or a disk becomes a layer.

use std::path::Path;

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};

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
    let bytes = tarfs_io::read_metadata(&file)?;
    let why = |error| Fail::of_image(arg, &error);
    let image = Image::new(&bytes).map_err(why)?;
    cut_short::check(&file, &image, &bytes)?;
    let options = TreeOptions::new().keep_layer_marks(layer_marks).identity(file.identity()?);
    let options = options.limits(how.limits);
    let (tree, backing) = if image.holds_devices(bytes.len() as u64) {
        let bytes = file.bytes()?;
        let tagged = |tag| {
            options.clone().devices(match how.whole_files {
                true => DevicesAt::WholeFile { tag, bytes },
                false => DevicesAt::InFile { tag },
            })
        };
        let mut tree = image.tree(&tagged(Vec::new())).map_err(why)?;
        if how.tag_files && tree.devices().iter().any(|device| device.tag.is_empty()) {
            let tag = digest::of(&file)?.into_bytes();
            tree = image.tree(&tagged(tag)).map_err(why)?;
        }
        for (device, data_end) in tree.devices().iter().zip(tree.data_ends()) {
            cut_short::refuse_short_file(&file, device.base_offset, data_end)?;
        }
        (tree, Backing::File(file))
    } else {
        let tars = TarSearch::of(arg, how.tars).names_only(how.tags_are_names);
        let (devices, block) = (image.devices(), image.block_size().bytes().into());
        let devices = devices.iter().map(|device| (&device.tag[..], device.blocks));
        needed_tars::tars(arg, &tars, block, devices);
        let tree = image.tree(&options).map_err(why)?;
        let backing = Backing::Tars {
            data_ends: tree.data_ends(),
            tars,
            slots: image.devices().len(),
            block: image.block_size().bytes().into(),
            image: file,
        };
        (tree, backing)
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
