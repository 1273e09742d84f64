//! Images as seeds: bootstraps and disks of layers, and of layers merged.

use erofs_tarfs::image;
use erofs_tarfs::layout::{Artifact, BodyForm, DiskOrder, LayoutOptions, plan};
use erofs_tarfs::tree::{LayerOptions, MergeOptions, Tree, merge};
use erofs_tarfs::units::BlockSize;
use testkit::artifact::assemble;
use testkit::ours;

use crate::tars;

/// Small trees, each with the bytes of its devices.
fn trees() -> Vec<(Tree, Vec<Vec<u8>>)> {
    let options = LayerOptions::new().keep_pending(true).drop_unknown_xattrs(true);
    let layer = |tar: Vec<u8>| Some((ours::tagged(&tar, options.clone()).ok()?, tar));
    let layers: Vec<(Tree, Vec<u8>)> = tars::small().into_iter().filter_map(layer).collect();
    let merged = |stack: &[(Tree, Vec<u8>)]| {
        let trees: Vec<&Tree> = stack.iter().map(|(tree, _)| tree).collect();
        let tree = merge(&trees, &MergeOptions::new()).ok()?;
        let bytes = tree.devices().iter().map(|device| {
            let tar = stack.iter().find(|(_, tar)| ours::tag(tar) == device.tag);
            tar.expect("a device of a layer").1.clone()
        });
        let bytes = bytes.collect();
        Some((tree, bytes))
    };
    layers.chunks(2).chain(layers.chunks(1)).filter_map(merged).collect()
}

/// Images of small trees in several forms.
pub fn small() -> Vec<Vec<u8>> {
    let forms = [
        LayoutOptions::new(),
        LayoutOptions::new().bodies(BodyForm::Plain).compact(true),
        LayoutOptions::new().block_size(BlockSize::B4096),
        LayoutOptions::disk().artifact(Artifact::Disk(DiskOrder::default())),
        LayoutOptions::disk().artifact(Artifact::Disk(DiskOrder::DataFirst)),
    ];
    let made =
        trees().into_iter().zip(forms.iter().cycle()).filter_map(|((tree, devices), form)| {
            let layout = plan(&tree, form).ok()?;
            let devices: Vec<&[u8]> = devices.iter().map(Vec::as_slice).collect();
            Some(match form.artifact {
                Artifact::Bootstrap => image::bootstrap(&layout),
                _ => assemble(&layout, &image::disk(&layout), &devices),
            })
        });
    made.filter(|image| image.len() <= 24 << 10).collect()
}

/// A byte of options, then an image.
pub fn each_with_its_options() -> Vec<Vec<u8>> {
    let with = |(number, image)| [vec![number as u8], image].concat();
    small().into_iter().enumerate().map(with).collect()
}
