//! Our artifacts as files, for the kernel to mount.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use erofs_tarfs::image::{self, DiskPlan, Piece};
use erofs_tarfs::layout::{self, Artifact, DiskOrder, Layout};
use erofs_tarfs::limits::Limits;
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::tree::Tree;

use crate::mount::{Erofs, Mounted};

/// The options of an artifact.
#[must_use]
pub fn options(artifact: Artifact) -> layout::LayoutOptions {
    layout::LayoutOptions::new().artifact(artifact)
}

/// A bootstrap's bytes.
///
/// # Panics
/// If the tree does not fit.
#[must_use]
pub fn bootstrap(tree: &Tree) -> Vec<u8> {
    image::bootstrap(&layout::plan(tree, &options(Artifact::Bootstrap)).unwrap())
}

/// A disk's bytes; `blobs` are the bytes of the tree's devices.
///
/// # Panics
/// If the tree does not fit, or a blob is too short.
#[must_use]
pub fn disk(tree: &Tree, placement: DiskOrder, blobs: &[&[u8]]) -> Vec<u8> {
    let layout = layout::plan(tree, &options(Artifact::Disk(placement))).unwrap();
    assemble(&layout, &image::disk(&layout), blobs)
}

/// The bytes that a plan says.
///
/// # Panics
/// If the plan is not contiguous, or a blob too short for it.
#[must_use]
pub fn assemble(layout: &Layout<'_>, plan: &DiskPlan, blobs: &[&[u8]]) -> Vec<u8> {
    let mut disk = Vec::new();
    let done = image::pieces(plan, layout, &mut |offset, piece: Piece<'_>| {
        assert_eq!(offset, disk.len() as u64, "a gap");
        match piece {
            Piece::Bytes(bytes) => disk.extend_from_slice(bytes),
            Piece::Device { index, offset, bytes } => {
                disk.extend_from_slice(&blobs[index][offset as usize..][..bytes as usize]);
            }
            zeros => disk.resize(disk.len() + zeros.len() as usize, 0),
        }
        Ok::<(), Infallible>(())
    });
    let Ok(()) = done;
    disk
}

/// Reads a bootstrap back, its devices in files of their own.
///
/// # Panics
/// If it is refused.
#[must_use]
pub fn read(image: &[u8]) -> Tree {
    // Deeper than images of strangers may be.
    let options = TreeOptions::new().limits(Limits::new().max_depth(u64::MAX));
    Image::new(image).unwrap().tree(&options).unwrap()
}

/// Reads a disk back, its devices within.
///
/// # Panics
/// If it is refused.
#[must_use]
pub fn read_disk(image: &[u8]) -> Tree {
    let options = TreeOptions::new().devices(DevicesAt::InFile { tag: Vec::new() });
    Image::new(image).unwrap().tree(&options).unwrap()
}

/// Writes bytes under a name in a directory.
///
/// # Errors
/// The file system's.
pub fn file(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let path = dir.join(name);
    fs::write(&path, bytes)?;
    Ok(path)
}

/// Mounts a bootstrap over the files of its devices, in the order of the table.
///
/// # Errors
/// The kernel's.
pub fn mount(dir: &Path, bootstrap: &[u8], blobs: &[&[u8]]) -> io::Result<Mounted> {
    let image = file(dir, "bootstrap", bootstrap)?;
    let mut devices = Vec::new();
    for (number, blob) in blobs.iter().enumerate() {
        let mut blob = blob.to_vec();
        blob.resize(blob.len().next_multiple_of(512), 0);
        devices.push(file(dir, &format!("device{number}"), &blob)?);
    }
    Erofs::new(image).devices(devices).mount_by_fd()
}
