//! Layer images with whiteouts as `.wh.` names: the kernel lists them, and merge understands them.

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, WhiteoutForm};
use erofs_tarfs::tree::{MergeOptions, Tree, merge};
use testkit::dump::{Kind, dump};
use testkit::stacks::Stack;
use testkit::tarball::TarBuilder;
use testkit::{artifact, ours};

fn bootstrap(tree: &Tree) -> Vec<u8> {
    let options = layout::LayoutOptions::new().whiteouts(WhiteoutForm::Aufs);
    image::bootstrap(&layout::plan(tree, &options).unwrap())
}

#[test]
fn the_kernel_lists_the_names() {
    let dir = tempfile::tempdir().unwrap();
    let tar =
        TarBuilder::new().dir("d", 0o755).whiteout("d/gone").opaque("d").file("f", b"x").finish();
    let image = bootstrap(&ours::layer(&tar));
    let mount = artifact::mount(dir.path(), &image, &[&tar]).unwrap();
    let shown = dump(mount.path()).unwrap();
    let paths: Vec<&[u8]> = shown.paths().collect();
    assert_eq!(paths, [&b""[..], b"d", b"d/.wh..wh..opq", b"d/.wh.gone", b"f"]);
    for path in ["d/.wh..wh..opq", "d/.wh.gone"] {
        let node = shown.get(path).unwrap();
        assert_eq!((node.kind, node.size), (Kind::File, 0), "{path}");
    }
    assert!(shown.get("d").unwrap().xattrs.is_empty());
}

#[test]
fn both_forms_merge_to_the_same_bytes() {
    let mut marked = 0;
    for seed in 0..200 {
        let stack = Stack::random(seed);
        let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
        // A name of over 251 bytes has no room for `.wh.`: such a layer is refused.
        let options = layout::LayoutOptions::new().whiteouts(WhiteoutForm::Aufs);
        if layers.iter().any(|layer| layout::plan(layer, &options).is_err()) {
            continue;
        }
        let merged = |trees: &[Tree]| {
            let trees: Vec<&Tree> = trees.iter().collect();
            artifact::bootstrap(&merge(&trees, &MergeOptions::default()).unwrap())
        };
        let aufs: Vec<Vec<u8>> = layers.iter().map(bootstrap).collect();
        marked += aufs.iter().filter(|image| image.windows(4).any(|at| at == b".wh.")).count();
        let back: Vec<Tree> = aufs.iter().map(|image| artifact::read(image)).collect();
        assert!(merged(&back) == merged(&layers), "{}", stack.describe());
    }
    assert!(marked > 100, "{marked} layers had a marker");
}
