//! An argument as one tree, as a mount of it would show it.

use std::path::Path;

use crate::cli::fail::Done;
use crate::cli::reading_options::ReadingOptions;
use crate::files::kind::Kind;
use crate::files::open;
use crate::files::stream::STDIN;
use crate::layers::images::reference::Reference;
use crate::layers::loaded::{Backing, Loaded};
use crate::layers::spool::Spool;
use crate::layers::{from_image, load, merged, warnings};

/// Opens what an argument names: an image as a mount shows it, a layer, or the layers of an image
/// merged.
pub(crate) fn open(arg: &Path, how: &ReadingOptions<'_>) -> Done<Loaded> {
    if arg != Path::new(STDIN) && Reference::parse(arg).is_none() {
        let (file, kind) = open::input(arg)?;
        if kind == Kind::Erofs {
            return from_image::read(arg, file, how, false);
        }
    }
    let mut spool = Spool::Temporary(std::env::temp_dir());
    let layers = load::one(arg, how, &mut spool)?;
    warnings::all(&layers, false)?;
    merged_into_one(arg, layers, how)
}

/// The layers of one argument as one.
fn merged_into_one(arg: &Path, mut layers: Vec<Loaded>, how: &ReadingOptions<'_>) -> Done<Loaded> {
    if layers.len() == 1 {
        return Ok(layers.remove(0));
    }
    let (tree, noted) = merged::merged(&layers, &how.merge)?;
    Ok(Loaded {
        name: arg.to_owned(),
        diff_id: None,
        tree,
        backing: Backing::Layers(layers),
        leaves: None,
        platform: None,
        end: None,
        noted,
    })
}
