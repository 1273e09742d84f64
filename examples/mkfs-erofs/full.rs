//! `--tar=f`: the layer's filesystem with its data in one file, which is mounted as it is.

use std::path::Path;

use erofs_tarfs::image;
use erofs_tarfs::io::{self as tarfs_io, NamedFile, Output};
use erofs_tarfs::layout::{self, Artifact, DiskOrder, LayoutOptions};
use erofs_tarfs::tree::Tree;
use erofs_tarfs::units::BlockSize;

use crate::fail::Done;
use crate::layer::{self, Made};
use crate::source::Tar;
use crate::wanted::Wanted;

/// Writes the filesystem of a tar.
pub(crate) fn write(tar: Tar, wanted: &Wanted, out: &NamedFile) -> Done<Made> {
    let options = wanted.layout.clone().artifact(Artifact::Disk(DiskOrder::DataFirst));
    match tar {
        Tar::Stream(..) if options.block_size == BlockSize::B512 => {
            one_pass(tar, wanted, &options, out)
        }
        Tar::Stream(..) => {
            // What is copied to larger blocks must be read again, when all inodes are known.
            let kept = temporary(out.path())?;
            let layer = layer::read(tar, wanted, Some((&kept, 0)))?;
            copied(&layer.tree, kept, &options, out)
        }
        Tar::File(file) => {
            let layer = layer::read(Tar::File(file.try_clone()?), wanted, None)?;
            copied(&layer.tree, file, &options, out)
        }
    }
}

/// The tar is written to its place in the disk as it streams by; the metadata follows it.
fn one_pass(tar: Tar, wanted: &Wanted, options: &LayoutOptions, out: &NamedFile) -> Done<Made> {
    let offset = layout::data_first_offset(1, options.block_size);
    let layer = layer::read(tar, wanted, Some((out, offset)))?;
    if layer.tree.devices().is_empty() {
        // No file has any data: the disk does without the tar.
        out.set_bytes(0)?;
    }
    let layout = layout::plan(&layer.tree, options)?;
    tarfs_io::write_metadata(&layout, out)?;
    Ok(Made::of(&layout))
}

/// A disk of a tar that lies in a file: shared with it where the file system can, or copied to larger
/// blocks.
fn copied(tree: &Tree, tar: NamedFile, options: &LayoutOptions, out: &NamedFile) -> Done<Made> {
    let tree = layout::fitted(tree, options)?;
    let layout = layout::plan(&tree, options)?;
    tarfs_io::write_disk(&image::disk(&layout), &layout, &[tar], out, &mut |_| {})?;
    Ok(Made::of(&layout))
}

/// A file without a name beside the output, which has room for it.
fn temporary(out: &Path) -> Done<NamedFile> {
    Ok(Output::scratch(Output::directory(out), out)?)
}
