//! The same layers give the same bytes, in every version: digests of images of which two readers that
//! are not ours, Linux and erofs-rs, show what overlayfs shows of the layers.
//!
//! `TARFS_BLESS=1` writes `tests/golden.txt` anew. A change of it is a change of the format version.

use std::fmt::Write;
use std::path::Path;

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, Artifact, BodyForm, DiskOrder};
use erofs_tarfs::tree::{InodeId, MergeOptions, Tree, merge};
use testkit::dump::{self, Ignore, diff, dump};
use testkit::layer::{Attr, Op, What};
use testkit::mount::Mounted;
use testkit::stacks::{Layer, Stack};
use testkit::{artifact, erofs_rs, mount, oci, ours};

fn digest(bytes: &[u8]) -> String {
    String::from_utf8(ours::tag(bytes)).unwrap()
}

/// What is to be seen of an image, and what of that is not settled.
struct Expected<'a> {
    tree: &'a dump::Tree,
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

/// An image of a stack, and what it is of.
struct Made {
    what: String,
    bytes: Vec<u8>,
    of: Of,
}

/// Whose files an image shows, and which tars it needs beside it.
#[derive(Clone, Copy)]
enum Of {
    /// All layers, whose bodies are in the image.
    Disk,
    /// All layers, whose tars are devices.
    Merged,
    /// One of them, with its tar.
    Layer(usize),
}

fn stacks() -> [(&'static str, Stack); 4] {
    let small = Stack { seed: 0, layers: oci::small_image() };
    let (first, second) = (Stack::random(1), Stack::random(2));
    [("small", small), ("random-1", first), ("random-2", second), ("labelled", labelled())]
}

/// Attributes that many inodes have, which an image has once.
fn labelled() -> Stack {
    let file = |at: usize| {
        let label = format!("system_u:object_r:type_{}_t:s0\0", at % 7).into_bytes();
        let long = vec![b'a' + (at % 3) as u8; 90 + 120 * (at % 3)];
        let xattrs = [("security.selinux", label), ("user.long", long)];
        let xattrs = xattrs.map(|(name, value)| (name.as_bytes().to_vec(), value));
        let attr = Attr { xattrs: xattrs.into_iter().collect(), ..Attr::of(0o644) };
        Op { path: format!("f{at:03}").into_bytes(), what: What::File(vec![b'x'; at]), attr }
    };
    Stack { seed: 0, layers: vec![Layer::plain((0..200).map(file).collect())] }
}

/// The layers of a stack, and all of them merged.
fn trees(stack: &Stack) -> (Vec<Tree>, Tree) {
    let layers: Vec<_> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
    let merged = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
    (layers, merged)
}

/// The tars that a merged tree needs, in the order of its devices.
fn blobs<'a>(stack: &'a Stack, tree: &Tree) -> Vec<&'a [u8]> {
    let blob = |tag: &[u8]| {
        let layer = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == tag);
        layer.unwrap().tar.as_slice()
    };
    tree.devices().iter().map(|device| blob(&device.tag)).collect()
}

/// All images of a stack whose bytes are pinned.
fn images(name: &str, stack: &Stack) -> Vec<Made> {
    let (layers, tree) = trees(stack);
    let blobs = blobs(stack, &tree);
    let mut made = Vec::new();
    let mut make =
        |of, what: &str, bytes| made.push(Made { what: format!("{name} {what}"), bytes, of });
    make(Of::Merged, "bootstrap", artifact::bootstrap(&tree));
    for (placement, what) in
        [(DiskOrder::default(), "metadata-first"), (DiskOrder::DataFirst, "data-first")]
    {
        make(Of::Disk, &format!("{what} disk"), artifact::disk(&tree, placement, &blobs));
    }
    for (bodies, compact, what) in [
        (BodyForm::Chunks, false, "chunk indexes"),
        (BodyForm::Plain, true, "compact"),
        (BodyForm::Chunks, true, "compact, chunk indexes"),
    ] {
        let mut options = artifact::options(Artifact::Bootstrap);
        (options.bodies, options.compact) = (bodies, compact);
        let bytes = image::bootstrap(&layout::plan(&tree, &options).unwrap());
        make(Of::Merged, &format!("bootstrap, {what}"), bytes);
    }
    for (number, layer) in layers.iter().enumerate() {
        make(Of::Layer(number), &format!("layer {number}"), artifact::bootstrap(layer));
    }
    made
}

/// Without a mount or another reader, so that it runs on machines of other byte orders too.
#[test]
fn bytes_do_not_depend_on_the_machine() {
    let mut lines = String::new();
    for (name, stack) in stacks() {
        for made in images(name, &stack) {
            writeln!(lines, "{}  {}", digest(&made.bytes), made.what).unwrap();
        }
    }
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden.txt");
    if std::env::var_os("TARFS_BLESS").is_some() {
        std::fs::write(&pinned, &lines).unwrap();
    }
    assert_eq!(lines, std::fs::read_to_string(&pinned).unwrap());
}

#[test]
fn pinned_images_show_what_overlayfs_shows() {
    let scratch = mount::tmpfs().unwrap();
    for (name, stack) in stacks() {
        let overlay = stack.overlay_dump(scratch.path()).unwrap();
        let (layers, tree) = trees(&stack);
        let blobs = blobs(&stack, &tree);
        let ignore = Ignore::nothing().dir_nlink().attributes_of(overlay.unknowable);
        let merged = Expected { tree: &overlay.tree, ignore };
        let mut mounts = Vec::new();
        for Made { what, bytes, of } in images(name, &stack) {
            let number = match of {
                Of::Disk => {
                    merged.confirm(&bytes, &[], &what);
                    continue;
                }
                Of::Merged => {
                    merged.confirm(&bytes, &blobs, &what);
                    continue;
                }
                Of::Layer(number) => number,
            };
            let (_dir, lower) = stack.extract(number, scratch.path()).unwrap();
            // What it hides is told by all of them, stacked.
            let ignore = Ignore::nothing().dir_nlink().xattrs("trusted.overlay.");
            let expected = Expected { tree: &dump(&lower.dir).unwrap(), ignore };
            let tar = &stack.layers[number].tar[..];
            let devices: Vec<&[u8]> = layers[number].devices().iter().map(|_| tar).collect();
            // Overlayfs does not obey the mark of an opaque root.
            if layers[number].is_opaque(InodeId::ROOT) {
                mounts.clear();
            }
            mounts.push(expected.confirm(&bytes, &devices, &what));
        }
        let lowers: Vec<_> = mounts.iter().map(Mounted::path).collect();
        let mut stacked = dump(mount::overlay(&lowers).unwrap().path()).unwrap();
        stacked.recount_links();
        let wrong = diff(&stacked, merged.tree, &merged.ignore);
        assert!(wrong.is_empty(), "{name} layers, stacked: {}", wrong.join("\n"));
    }
}
