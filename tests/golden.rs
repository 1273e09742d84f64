//! The same layers give the same bytes, in every version: digests of images that overlayfs confirms.
//!
//! `TARFS_BLESS=1` writes `tests/golden.txt` anew. A change of it is a change of the format version.

use std::fmt::Write;
use std::path::Path;

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, Artifact, BodyForm, Placement};
use erofs_tarfs::tree::{MergeOptions, Tree, merge};
use testkit::dump::{Ignore, diff, dump};
use testkit::mount::{Erofs, Mounted};
use testkit::stacks::Stack;
use testkit::{artifact, mount, oci, ours};

fn digest(bytes: &[u8]) -> String {
    String::from_utf8(ours::tag(bytes)).unwrap()
}

#[test]
fn images_are_the_pinned_bytes() {
    let scratch = mount::tmpfs().unwrap();
    let files = tempfile::tempdir().unwrap();
    let small = Stack { seed: 0, layers: oci::small_image() };
    let stacks = [("small", small), ("random-1", Stack::random(1)), ("random-2", Stack::random(2))];
    let mut lines = String::new();
    for (name, stack) in stacks {
        let overlay = stack.overlay_dump(scratch.path()).unwrap();
        let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
        let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
        let blob = |tag: &[u8]| {
            let layer = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == tag);
            layer.unwrap().tar.as_slice()
        };
        let blobs: Vec<&[u8]> = tree.devices().iter().map(|device| blob(&device.tag)).collect();
        let ignore = Ignore::nothing().dir_nlink().attributes_of(overlay.unknowable);
        let confirm = |mounted: &Mounted, what: &str| {
            let wrong = diff(&dump(mounted.path()).unwrap(), &overlay.tree, &ignore);
            assert!(wrong.is_empty(), "{name} {what}: {}", wrong.join("\n"));
        };
        let bootstrap = artifact::bootstrap(&tree);
        confirm(&artifact::mount(files.path(), &bootstrap, &blobs).unwrap(), "bootstrap");
        writeln!(lines, "{}  {name} bootstrap", digest(&bootstrap)).unwrap();
        for (placement, what) in
            [(Placement::default(), "metadata-first"), (Placement::DataFirst, "data-first")]
        {
            let disk = artifact::disk(&tree, placement, &blobs);
            let path = artifact::file(files.path(), "disk", &disk).unwrap();
            confirm(&Erofs::new(path).mount().unwrap(), what);
            writeln!(lines, "{}  {name} {what} disk", digest(&disk)).unwrap();
        }
        for (bodies, compact, what) in [
            (BodyForm::Chunks, false, "chunk indexes"),
            (BodyForm::Plain, true, "compact"),
            (BodyForm::Chunks, true, "compact, chunk indexes"),
        ] {
            let mut options = artifact::options(Artifact::Bootstrap);
            (options.bodies, options.compact) = (bodies, compact);
            let bytes = image::bootstrap(&layout::plan(&tree, &options).unwrap());
            confirm(&artifact::mount(files.path(), &bytes, &blobs).unwrap(), what);
            writeln!(lines, "{}  {name} bootstrap, {what}", digest(&bytes)).unwrap();
        }
        for (number, layer) in layers.iter().enumerate() {
            let bytes = artifact::bootstrap(layer);
            writeln!(lines, "{}  {name} layer {number}", digest(&bytes)).unwrap();
        }
    }
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden.txt");
    if std::env::var_os("TARFS_BLESS").is_some() {
        std::fs::write(&pinned, &lines).unwrap();
    }
    assert_eq!(lines, std::fs::read_to_string(&pinned).unwrap());
}
