//! Layers of tars as disks, sealed, and images of those disks.
#![allow(dead_code)]

use std::fs::File;
use std::path::Path;

use erofs_tarfs::image;
use erofs_tarfs::io::verity::{self, HashingOptions};
use erofs_tarfs::io::{self, NamedFile};
use erofs_tarfs::layout::{self, Artifact};
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::tree::{LayerOptions, MergeOptions, Tree, merge};
use erofs_tarfs::verity::{Geometry, HashPlacement, Params, Sealed};

/// A tar of files, in ustar's form.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, body) in files {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        for (at, number, width) in [(100, 0o644, 7), (108, 0, 7), (116, 0, 7), (136, 9, 11)] {
            header[at..][..width].copy_from_slice(format!("{number:0width$o}").as_bytes());
        }
        header[124..135].copy_from_slice(format!("{:011o}", body.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(body);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// A file to be read and written.
pub(crate) fn create(path: &Path) -> NamedFile {
    let file = File::options().read(true).write(true).create(true).truncate(true).open(path);
    NamedFile::new(path, file.unwrap())
}

/// How a disk is laid out.
pub(crate) fn options(placement: layout::DiskOrder) -> layout::LayoutOptions {
    layout::LayoutOptions::new().artifact(Artifact::Disk(placement))
}

/// A layer as its sealed disk alone.
pub(crate) struct LayerDisk {
    pub(crate) file: NamedFile,
    pub(crate) sealed: Sealed,
    /// The layer, read back from the disk: its devices are in `file`.
    pub(crate) tree: Tree,
}

impl LayerDisk {
    /// Makes the disk of a tar in a file, and seals it.
    pub(crate) fn new(
        tar: &Path,
        disk: &Path,
        options: &layout::LayoutOptions,
        params: &Params,
        hashing: &HashingOptions,
    ) -> Self {
        let (tar, file) = (NamedFile::open(tar).unwrap(), create(disk));
        let layer = LayerOptions::new().tag(tar.path().file_name().unwrap().as_encoded_bytes());
        let layer = io::index_file(&tar, layer, &mut |_| {}).unwrap();
        let layout = layout::plan(&layer.tree, options).unwrap();
        let plan = image::disk(&layout);
        io::write_disk(&plan, &layout, &[tar], &file, &mut |_| {}).unwrap();
        let data = plan.bytes + params.data_padding(plan.bytes);
        let geometry = Geometry::new(params, data, HashPlacement::BehindData).unwrap();
        file.set_bytes(geometry.end()).unwrap();
        let sealed = verity::seal(file.file(), file.file(), geometry, hashing).unwrap();

        let metadata = io::read_metadata(&file).unwrap();
        let back = TreeOptions::new().devices(DevicesAt::InFile { tag: Vec::new() });
        let tree = Image::new(&metadata).unwrap().tree(&back).unwrap();
        Self { file, sealed, tree }
    }
}

/// The layers as one tree, and for each of its devices the layer that has it.
pub(crate) fn merged(layers: &[&LayerDisk]) -> (Tree, Vec<usize>) {
    let trees: Vec<_> = layers.iter().map(|layer| &layer.tree).collect();
    let tree = merge(&trees, &MergeOptions::default()).unwrap();
    let of = |device| layers.iter().position(|layer| layer.tree.devices().contains(device));
    let owners = tree.devices().iter().map(|device| of(device).unwrap()).collect();
    (tree, owners)
}

/// A second handle.
pub(crate) fn again(file: &NamedFile) -> NamedFile {
    NamedFile::new(file.path(), file.file().try_clone().unwrap())
}
