//! How much an export has to do, for the bar that shows its progress.

use std::borrow::Cow;

use erofs_tarfs::export::{ExportOptions, Form, Partitioning, Plan, Product};
use erofs_tarfs::layout;
use erofs_tarfs::outputs::{Gpt, Partition};
use erofs_tarfs::tree::Tree;
use erofs_tarfs::verity::{Geometry, HashPlacement};

/// How many bytes an export writes and hashes, together; nothing if it cannot be made. A form over files
/// writes nothing of its disks.
pub(crate) fn bytes(
    trees: &[&Tree],
    product: Product,
    options: &ExportOptions,
    form: Form,
    partitioning: Option<Partitioning>,
) -> Option<u64> {
    let (mut written, mut hashed, mut partitions) = (0, 0, Vec::new());
    for tree in trees {
        let tree = match (form, partitioning) {
            (Form::Raw, None) => layout::fitted(tree, &options.layout).ok()?,
            _ => Cow::Borrowed(*tree),
        };
        let plan = Plan::new(&tree, product, options).ok()?;
        hashed += plan.geometry().map_or(0, Geometry::data_bytes);
        match partitioning {
            None if product == Product::HashTree => {}
            None => written += plan.disk().bytes,
            Some(partitioning) => partitions.extend(lengths(&plan, options, partitioning)?),
        }
    }
    if partitioning.is_some() {
        let of = |bytes| Partition { bytes, ..Partition::default() };
        let gpt = Gpt::new(partitions.into_iter().map(of).collect(), Gpt::ALIGN);
        written = gpt.ok()?.bytes();
    }
    Some(if form.is_over_files() { hashed } else { written + hashed })
}

/// The lengths of a filesystem's partitions: a volume has its hash tree in another.
fn lengths(
    plan: &Plan<'_>,
    options: &ExportOptions,
    partitioning: Partitioning,
) -> Option<Vec<u64>> {
    match (partitioning, plan.geometry()) {
        (Partitioning::Volume(..), Some(behind)) => {
            let data = behind.data_bytes();
            let tree = Geometry::new(&options.verity, data, HashPlacement::OwnFile).ok()?;
            Some(vec![data, tree.end()])
        }
        _ => Some(vec![plan.bytes()]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use erofs_tarfs::export::Mode;
    use erofs_tarfs::io::{Export, NamedFile, index_file};
    use erofs_tarfs::layout::LayoutOptions;
    use erofs_tarfs::outputs::{Architecture, Volume};
    use erofs_tarfs::tree::LayerOptions;
    use erofs_tarfs::units::BlockSize;
    use erofs_tarfs::verity::Params;
    use testkit::tarball::TarBuilder;

    use super::*;

    /// What the library tells an observer of, of a layer that is there twice.
    #[test]
    fn as_much_as_the_library_tells_of() {
        let dir = tempfile::tempdir().unwrap();
        let tar = dir.path().join("a.tar");
        std::fs::write(&tar, TarBuilder::new().file("f", [7; 300_000]).finish()).unwrap();
        let file = NamedFile::open(&tar).unwrap();
        let tree = index_file(&file, LayerOptions::default(), &mut |_| {}).unwrap().tree;
        let volume = Partitioning::Volume(Volume::Root, Architecture::named("amd64").unwrap());
        let params = crate::cli::hash_tree_options::with_superblock(&Params::nydus()).unwrap();
        let superblock = ExportOptions::new().verity(params);
        let pages = ExportOptions::new().layout(LayoutOptions::disk().block_size(BlockSize::B4096));
        for mode in Mode::ALL {
            for (form, partitioning, options, count) in [
                (Form::Raw, None, ExportOptions::default(), 2),
                (Form::Raw, None, pages.clone(), 1),
                (Form::Vmdk, None, ExportOptions::default(), 2),
                (Form::Raw, Some(Partitioning::Data), ExportOptions::default(), 2),
                (Form::Raw, Some(volume), superblock.clone(), 1),
                (Form::DmLinear, Some(volume), superblock.clone(), 1),
            ] {
                let product = mode.product();
                if product == Product::HashTree && (form.is_over_files() || partitioning.is_some())
                {
                    continue;
                }
                let (trees, told) =
                    (vec![&tree; if mode.is_by_layer() { count } else { 1 }], AtomicU64::new(0));
                let mut export =
                    Export::new(mode).options(options.clone()).form(form).observer(|_, bytes| {
                        told.fetch_add(bytes, Ordering::Relaxed);
                    });
                for tree in &trees {
                    let backing = vec![file.try_clone().unwrap().into()];
                    export = match mode.is_by_layer() {
                        true => export.layer(*tree, backing, vec![]),
                        false => export.image(*tree, backing, vec![]),
                    };
                }
                if let Some(partitioning) = partitioning {
                    export = export.partitions(partitioning);
                }
                drop(export.make(dir.path().join("out")).unwrap());
                let bytes = bytes(&trees, product, &options, form, partitioning).unwrap();
                // Of each disk one byte is read twice: the last, which shows that all is there.
                let most = bytes + trees.len() as u64;
                let told = told.into_inner();
                assert!((bytes..=most).contains(&told), "{mode} {form:?}: {told} of {bytes}");
            }
        }
    }
}
