//! The files of the devices of a bootstrap.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};

use super::subject::Subject;
use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::files::open;
use crate::layers::loaded::Backing;
use crate::layers::tar_search::Verify;
use crate::layers::{cut_short, from_image};

/// The files of the devices as their tags find them.
pub(crate) fn found(subject: &Subject<'_>) -> Done<Vec<NamedFile>> {
    let Subject { args, name, file } = subject;
    let (tars, limits) = (args.tars.as_deref(), args.limits.limits());
    let how = ReadingOptions { tars, limits, ..ReadingOptions::default() };
    let mut loaded = from_image::read(name, file.try_clone()?, &how, true)?;
    // They are named, not read.
    loaded.verify(Verify::OtherNames);
    let Backing::Tars { slots, data_ends, .. } = &loaded.backing else { return Ok(Vec::new()) };
    let tars = data_ends.iter().take(*slots).enumerate().map(|(index, data_end)| {
        let tar = loaded.source(index)?;
        serves(&tar, *data_end)?;
        Ok(tar)
    });
    tars.collect()
}

/// Refuses a tar of which Linux would not read all.
fn serves(tar: &NamedFile, data_end: u64) -> Done {
    cut_short::beyond_whole_sectors(tar.bytes()?, data_end)
        .map_or(Ok(()), |why| Err(Fail::of(tar.path(), why)))
}

/// The files of the devices as they are named, if they can be those.
pub(crate) fn named(subject: &Subject<'_>, image: &Image<'_>) -> Done<Vec<NamedFile>> {
    let Subject { args, name, .. } = subject;
    let (has, wants) = (args.devices.len(), image.devices().len());
    if has != wants {
        return Err(Fail::Usage(format!("--device: {wants} are wanted, {has} are given")));
    }
    let options = TreeOptions::new().devices(DevicesAt::Separate).keep_layer_marks(true);
    let options = options.limits(args.limits.limits());
    let tree = image.tree(&options).map_err(|error| Fail::of_image(name, &error))?;
    let block = u64::from(image.block_size().bytes());
    let devices = args.devices.iter().zip(image.devices()).zip(tree.data_ends());
    let files = devices.map(|((path, device), data_end)| {
        let file = open::input_or_disk(path)?.0;
        let bytes = file.bytes()?;
        if bytes.div_ceil(block) < device.blocks {
            let needed = device.blocks.saturating_mul(block);
            let why = format_args!("has {bytes} bytes, {needed} are needed");
            return Err(Fail::of(path, why));
        }
        serves(&file, data_end)?;
        Ok(file)
    });
    files.collect()
}
