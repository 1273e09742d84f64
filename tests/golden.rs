//! The same layers give the same bytes, in every version: digests of images of which two readers that
//! are not ours, Linux and erofs-rs, show what overlayfs shows of the layers.
//!
//! `TARFS_BLESS=1` writes `tests/golden.txt` anew. A change of it is a change of the format version.

use std::fmt::Write;
use std::path::Path;

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, Artifact, BodyForm, DiskOrder};
use erofs_tarfs::tree::{InodeId, MergeOptions, merge};
use testkit::dump::{Ignore, Tree, diff, dump};
use testkit::mount::Mounted;
use testkit::stacks::Stack;
use testkit::{artifact, erofs_rs, mount, oci, ours};

fn digest(bytes: &[u8]) -> String {
    String::from_utf8(ours::tag(bytes)).unwrap()
}

/// What is to be seen of an image, and what of that is not settled.
struct Expected<'a> {
    tree: &'a Tree,
    ignore: Ignore,
}

impl Expected<'_> {
    /// The mount, for more to be asked of it.
    #[track_caller]
    fn confirm(&self, image: &[u8], devices: &[&[u8]], what: &str) -> Mounted {
        let dir = tempfile::tempdir().unwrap();
        let mounted = artifact::mount(dir.path(), image, devices).unwrap();
        let linux = dump(mounted.path()).unwrap();
        let erofs_rs = erofs_rs::dump(image, devices).unwrap();
        for (shown, reader) in [(linux, "Linux"), (erofs_rs, "erofs-rs")] {
            let wrong = diff(&shown, self.tree, &self.ignore);
            assert!(wrong.is_empty(), "{reader}, {what}: {}", wrong.join("\n"));
        }
        mounted
    }
}

#[test]
fn images_are_the_pinned_bytes() {
    let scratch = mount::tmpfs().unwrap();
    let small = Stack { seed: 0, layers: oci::small_image() };
    let stacks = [("small", small), ("random-1", Stack::random(1)), ("random-2", Stack::random(2))];
    let mut lines = String::new();
    for (name, stack) in stacks {
        let overlay = stack.overlay_dump(scratch.path()).unwrap();
        let layers: Vec<_> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
        let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
        let blob = |tag: &[u8]| {
            let layer = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == tag);
            layer.unwrap().tar.as_slice()
        };
        let blobs: Vec<&[u8]> = tree.devices().iter().map(|device| blob(&device.tag)).collect();
        let ignore = Ignore::nothing().dir_nlink().attributes_of(overlay.unknowable);
        let merged = Expected { tree: &overlay.tree, ignore };
        let mut pin = |expected: &Expected<'_>, image: &[u8], devices: &[&[u8]], what: &str| {
            let what = format!("{name} {what}");
            writeln!(lines, "{}  {what}", digest(image)).unwrap();
            expected.confirm(image, devices, &what)
        };
        pin(&merged, &artifact::bootstrap(&tree), &blobs, "bootstrap");
        for (placement, what) in
            [(DiskOrder::default(), "metadata-first"), (DiskOrder::DataFirst, "data-first")]
        {
            let disk = artifact::disk(&tree, placement, &blobs);
            pin(&merged, &disk, &[], &format!("{what} disk"));
        }
        for (bodies, compact, what) in [
            (BodyForm::Chunks, false, "chunk indexes"),
            (BodyForm::Plain, true, "compact"),
            (BodyForm::Chunks, true, "compact, chunk indexes"),
        ] {
            let mut options = artifact::options(Artifact::Bootstrap);
            (options.bodies, options.compact) = (bodies, compact);
            let bytes = image::bootstrap(&layout::plan(&tree, &options).unwrap());
            pin(&merged, &bytes, &blobs, &format!("bootstrap, {what}"));
        }
        let mut mounts = Vec::new();
        for (number, layer) in layers.iter().enumerate() {
            let (_dir, lower) = stack.extract(number, scratch.path()).unwrap();
            // What it hides is told by all of them, stacked.
            let ignore = Ignore::nothing().dir_nlink().xattrs("trusted.overlay.");
            let expected = Expected { tree: &dump(&lower.dir).unwrap(), ignore };
            let tar = &stack.layers[number].tar[..];
            let devices: Vec<&[u8]> = layer.devices().iter().map(|_| tar).collect();
            // Overlayfs does not obey the mark of an opaque root.
            if layer.is_opaque(InodeId::ROOT) {
                mounts.clear();
            }
            let what = format!("layer {number}");
            mounts.push(pin(&expected, &artifact::bootstrap(layer), &devices, &what));
        }
        let lowers: Vec<_> = mounts.iter().map(Mounted::path).collect();
        let mut stacked = dump(mount::overlay(&lowers).unwrap().path()).unwrap();
        stacked.recount_links();
        let wrong = diff(&stacked, merged.tree, &merged.ignore);
        assert!(wrong.is_empty(), "{name} layers, stacked: {}", wrong.join("\n"));
    }
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden.txt");
    if std::env::var_os("TARFS_BLESS").is_some() {
        std::fs::write(&pinned, &lines).unwrap();
    }
    assert_eq!(lines, std::fs::read_to_string(&pinned).unwrap());
}
