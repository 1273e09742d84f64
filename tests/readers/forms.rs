//! The forms that an image may have, as files on disk.

use std::path::{Path, PathBuf};

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, Artifact, BodyForm, DiskOrder, LayoutOptions};
use erofs_tarfs::tree::{MergeOptions, NodeKind, Tree, merge, pack};
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::{Geometry, HashBytes, HashPlacement as Hashes, Hasher, Params};
use testkit::stacks::Stack;
use testkit::{artifact, dump, ours};

/// What comes out of the library and the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Metadata, and the tars as devices.
    Bootstrap,
    /// A disk of one layer.
    LayerDisk,
    /// A disk of all layers merged, metadata first.
    ImageDisk,
    /// The same, tars first.
    DataFirst,
    /// The same with a hash tree behind it.
    Sealed,
    /// A disk of 4096-byte blocks, bodies copied to their grid.
    Copied4096,
    /// `--plain-bodies`: a bootstrap.
    PlainBodies,
    /// `--compact`: a bootstrap.
    Compact,
    /// `--compact` of a disk.
    CompactDisk,
}

impl Form {
    pub(crate) const ALL: [Self; 9] = [
        Self::Bootstrap,
        Self::LayerDisk,
        Self::ImageDisk,
        Self::DataFirst,
        Self::Sealed,
        Self::Copied4096,
        Self::PlainBodies,
        Self::Compact,
        Self::CompactDisk,
    ];

    fn options(self) -> LayoutOptions {
        let options = artifact::options(match self {
            Self::Bootstrap | Self::PlainBodies | Self::Compact => Artifact::Bootstrap,
            Self::DataFirst => Artifact::Disk(DiskOrder::DataFirst),
            _ => Artifact::Disk(DiskOrder::default()),
        });
        match self {
            Self::PlainBodies => options.bodies(BodyForm::Plain),
            Self::Compact | Self::CompactDisk => options.compact(true),
            Self::Copied4096 => options.block_size(BlockSize::B4096),
            _ => options,
        }
    }
}

/// A tree, and the tars of its devices.
pub(crate) struct Image {
    pub(crate) tree: Tree,
    pub(crate) tars: Vec<Vec<u8>>,
}

/// An image on disk: one file, or a bootstrap and the files of its devices in the table's order.
pub(crate) struct Files {
    pub(crate) image: PathBuf,
    pub(crate) devices: Vec<PathBuf>,
}

impl Image {
    /// What the form is made of: the stack merged, or one layer of it.
    pub(crate) fn of(stack: &Stack, form: Form) -> Self {
        match form {
            Form::LayerDisk => Self::layer(stack, stack.seed as usize % stack.layers.len()),
            _ => Self::merged(stack),
        }
    }

    pub(crate) fn layer(stack: &Stack, number: usize) -> Self {
        let tar = &stack.layers[number].tar;
        let tree = ours::layer(tar);
        let tars = tree.devices().iter().map(|_| tar.clone()).collect();
        Self { tree, tars }
    }

    pub(crate) fn merged(stack: &Stack) -> Self {
        let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
        let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
        let tar = |layer: usize| stack.layers[layer].tar.clone();
        let tars = tree.origins().iter().map(|origin| tar(origin.layer)).collect();
        Self { tree, tars }
    }

    fn blobs(&self) -> Vec<&[u8]> {
        self.tars.iter().map(Vec::as_slice).collect()
    }

    /// All that is to be seen of it; of a layer, what it hides in overlayfs's form.
    pub(crate) fn dump(&self) -> dump::Tree {
        let mut all = ours::dump(&self.tree, &self.blobs());
        for (path, node) in &mut all.0 {
            let id = self.tree.lookup(path).unwrap();
            if self.tree.is_opaque(id) {
                node.xattrs.insert(b"trusted.overlay.opaque".into(), b"y".into());
            }
            let is_whiteout = |(_, child)| self.tree.kind(child) == NodeKind::Whiteout;
            if is_whiteout((&b""[..], id)) {
                node.mode = 0;
            }
            if self.tree.children(id).any(is_whiteout) {
                node.xattrs.insert(b"trusted.overlay.origin".into(), Vec::new());
            }
        }
        all
    }

    /// The image in a form, its files named after `name`.
    pub(crate) fn write(&self, dir: &Path, name: &str, form: Form) -> Files {
        let options = form.options();
        let packed;
        let tree = if form == Form::Copied4096 {
            packed = pack(&self.tree, options.block_size).unwrap();
            &packed
        } else {
            &self.tree
        };
        let layout = layout::plan(tree, &options).unwrap();
        if options.artifact == Artifact::Bootstrap {
            let image = artifact::file(dir, name, &image::bootstrap(&layout)).unwrap();
            let device = |(at, tar): (usize, &Vec<u8>)| {
                // Linux reads whole sectors, and a tar may end within one.
                let mut tar = tar.clone();
                tar.resize(tar.len().next_multiple_of(512), 0);
                artifact::file(dir, &format!("{name}.{at}.tar"), &tar).unwrap()
            };
            return Files { image, devices: self.tars.iter().enumerate().map(device).collect() };
        }
        let mut disk = artifact::assemble(&layout, &image::disk(&layout), &self.blobs());
        if form == Form::Sealed {
            seal(&mut disk);
        }
        Files { image: artifact::file(dir, name, &disk).unwrap(), devices: Vec::new() }
    }
}

/// Puts a hash tree behind a disk, as `--verity` does.
fn seal(disk: &mut Vec<u8>) {
    let bytes = disk.len() as u64;
    let geometry = Geometry::new(&Params::nydus(), bytes, Hashes::BehindData).unwrap();
    let mut hashes = HashBytes { start: geometry.hash_offset(), bytes: Vec::new() };
    let mut hasher = Hasher::new(geometry.clone());
    hasher.push(disk, &mut hashes).unwrap();
    hasher.finish(&mut hashes).unwrap();
    disk.resize(geometry.hash_offset() as usize, 0);
    disk.extend(hashes.bytes);
}
