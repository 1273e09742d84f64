//! The two files that are attached to an image.

use std::path::Path;

use erofs_tarfs::image as planned;
use erofs_tarfs::io::verity::HashingOptions;
use erofs_tarfs::io::{self as tarfs_io, NamedFile, Output};
use erofs_tarfs::layout::LayoutOptions;
use erofs_tarfs::limits::Limits;
use erofs_tarfs::read::{Image, TreeOptions};
use erofs_tarfs::tree::Tree;
use erofs_tarfs::verity::{Geometry, HashPlacement, Leaves, Params, Sealed};

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::{Progress, Stage};
use crate::files::digest;
use crate::layers::loaded::{self, Loaded};
use crate::make::image;
use crate::make::oci::documents::BlobOf;

/// A file without a name, and its digest.
pub(crate) struct Part {
    pub(crate) file: NamedFile,
    pub(crate) blob: BlobOf,
}

/// Both.
pub(crate) struct Parts {
    /// EROFS over the tars of the layers, whose tags are their diffIDs.
    pub(crate) bootstrap: Part,
    /// The hash tree of the disk that the same layers give, as mode image_verity_only writes it.
    pub(crate) tree: Part,
    /// What is known of that disk.
    pub(crate) sealed: Sealed,
}

/// How the disk is hashed: as `tarfs root` does where nothing is said.
pub(crate) fn params() -> Params {
    Params::nydus()
}

/// Makes both of merged layers, in files without names in `dir`.
pub(crate) fn made(
    image: &Path,
    tree: &Tree,
    layers: &[Loaded],
    hashing: &HashingOptions,
    dir: &Path,
    limits: Limits,
) -> Done<Parts> {
    let bootstrap = Output::scratch(dir, Path::new("the image's metadata"))?;
    let layout = image::plan(image, tree, &LayoutOptions::new().limits(limits))?;
    tarfs_io::write_metadata(&layout, &bootstrap)?;
    is_over_tars_alone(image, &bootstrap, tree, limits)?;

    let hashes = Output::scratch(dir, Path::new("the image's hash tree"))?;
    let layout = image::plan(image, tree, &LayoutOptions::disk().limits(limits))?;
    let plan = planned::disk(&layout);
    let geometry = Geometry::new(&params(), plan.bytes, HashPlacement::OwnFile)
        .map_err(|error| Fail::of(image, error))?;
    let sources = loaded::sources(tree, layers)?;
    let leaves = loaded::origins(tree, layers).into_iter();
    let leaves: Vec<Option<&Leaves>> = leaves.map(|(layer, _)| layer.leaves.as_deref()).collect();
    let progress = Progress::new(Stage::Hashing, Some(plan.bytes));
    let sealed = tarfs_io::hash_disk(
        &plan,
        &layout,
        &sources,
        &leaves,
        geometry,
        &hashes,
        hashing,
        &progress.observer(),
    )?;
    Ok(Parts { bootstrap: part(bootstrap)?, tree: part(hashes)?, sealed })
}

/// Refuses metadata that holds data of files itself: whoever reads it back has one device more than the image, and
/// would make another disk of it.
fn is_over_tars_alone(image: &Path, bootstrap: &NamedFile, tree: &Tree, limits: Limits) -> Done {
    let why = |error| Fail::of_image(image, &error);
    let bytes = tarfs_io::read_metadata(bootstrap)?;
    let options = TreeOptions::new().limits(limits);
    let again = Image::new(&bytes).and_then(|image| image.tree(&options)).map_err(why)?;
    if again.devices().len() == tree.devices().len() {
        return gives_its_bytes(image, &again, &bytes);
    }
    let why = "has sparse files with pieces that do not lie on 512 bytes in their tars, so they are in \
               the metadata: nodes have to index this image themselves";
    Err(Fail::of(image, why))
}

/// Refuses metadata of which whoever reads it back makes others: nodes write it again, and use only what is the same.
/// Of a tar that ends within 512 bytes it does not say how many of them there are.
fn gives_its_bytes(image: &Path, again: &Tree, bytes: &[u8]) -> Done {
    let layout = image::plan(image, again, &LayoutOptions::default())?;
    let written = Output::scratch(&std::env::temp_dir(), Path::new("the metadata, written again"))?;
    tarfs_io::write_metadata(&layout, &written)?;
    if tarfs_io::read_metadata(&written)? == bytes {
        return Ok(());
    }
    let why = "has a layer whose tar is no multiple of 512 bytes, which its metadata does not say: \
               nodes have to index this image themselves";
    Err(Fail::of(image, why))
}

fn part(file: NamedFile) -> Done<Part> {
    let hex = digest::sha256(&file, &mut |_| {})?;
    let blob = BlobOf { hex, bytes: file.bytes()? };
    Ok(Part { file, blob })
}
