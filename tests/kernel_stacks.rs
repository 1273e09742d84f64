//! What the kernel mounts of our images, on random stacks: merged bootstraps, disks of both
//! placements, and layer disks stacked by overlayfs.

use erofs_tarfs::layout::DiskOrder;
use erofs_tarfs::tree::{MergeOptions, Tree, merge};
use testkit::dump::{self, Ignore, diff, dump};
use testkit::mount::{Erofs, overlay};
use testkit::stacks::Stack;
use testkit::{artifact, mount, oracle, ours};

const PLACEMENTS: [DiskOrder; 3] = [
    DiskOrder::MetadataFirst { align: 4096 },
    DiskOrder::MetadataFirst { align: 524_288 },
    DiskOrder::DataFirst,
];

fn stacks() -> u64 {
    std::env::var("TARFS_STACKS").map_or(200, |count| count.parse().unwrap())
}

/// Layers, their merge, and the tars of the merge's devices.
struct Merged<'a> {
    layers: Vec<Tree>,
    tree: Tree,
    blobs: Vec<&'a [u8]>,
}

fn merged(stack: &Stack) -> Merged<'_> {
    let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
    let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
    let blob = |tag: &[u8]| {
        let layer = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == tag);
        layer.expect("a device of the stack").tar.as_slice()
    };
    let blobs = tree.devices().iter().map(|device| blob(&device.tag)).collect();
    Merged { layers, tree, blobs }
}

fn same(left: &dump::Tree, right: &dump::Tree, ignore: &Ignore, stack: &Stack, what: &str) {
    let lines = diff(left, right, ignore);
    assert!(lines.is_empty(), "{what}:\n{}\n{}", lines.join("\n"), stack.describe());
}

#[test]
fn merged_bootstraps_mount_as_overlayfs_shows_the_layers() {
    let scratch = mount::tmpfs().unwrap();
    // Files on a tmpfs are not to be mounted without a loop device.
    let files = tempfile::tempdir().unwrap();
    for seed in 0..stacks() {
        let stack = Stack::random(seed);
        let expected = stack.overlay_dump(scratch.path()).unwrap();
        let merged = merged(&stack);
        let image = artifact::bootstrap(&merged.tree);
        let mounted = artifact::mount(files.path(), &image, &merged.blobs).unwrap();
        let ignore = Ignore::nothing().dir_nlink().attributes_of(expected.unknowable);
        same(&dump(mounted.path()).unwrap(), &expected.tree, &ignore, &stack, "bootstrap");
    }
}

#[test]
fn disks_mount_alone_and_read_back() {
    let files = tempfile::tempdir().unwrap();
    for seed in 0..stacks() / 2 {
        let stack = Stack::random(seed);
        let merged = merged(&stack);
        let expected = ours::dump(&merged.tree, &merged.blobs);
        for placement in PLACEMENTS {
            let disk = artifact::disk(&merged.tree, placement, &merged.blobs);
            let path = artifact::file(files.path(), "disk", &disk).unwrap();
            let mounted = Erofs::new(path).mount().unwrap();
            let what = format!("{placement:?}");
            same(&dump(mounted.path()).unwrap(), &expected, &Ignore::nothing(), &stack, &what);
            let back = artifact::read_disk(&disk);
            let blobs = vec![disk.as_slice(); back.devices().len()];
            same(&ours::dump(&back, &blobs), &expected, &Ignore::nothing(), &stack, "read");
        }
    }
}

#[test]
fn layer_disks_stacked_by_overlayfs_are_the_merged_image() {
    let scratch = mount::tmpfs().unwrap();
    // Files on a tmpfs are not to be mounted without a loop device.
    let files = tempfile::tempdir().unwrap();
    for seed in 0..5 * stacks() {
        let stack = Stack::random(seed);
        let expected = stack.overlay_dump(scratch.path()).unwrap();
        // overlayfs does not obey the opaque mark of a lower layer's root.
        let first =
            merged(&stack).layers.iter().rposition(|layer| layer.is_opaque(root())).unwrap_or(0);
        let mut mounts = Vec::new();
        for (number, layer) in stack.layers.iter().enumerate().skip(first) {
            let tree = ours::layer(&layer.tar);
            let blobs: &[&[u8]] = if tree.devices().is_empty() { &[] } else { &[&layer.tar] };
            let disk = artifact::disk(&tree, PLACEMENTS[number % 3], blobs);
            let path = artifact::file(files.path(), &format!("layer{number}"), &disk).unwrap();
            mounts.push(Erofs::new(path).mount().unwrap());
        }
        let empty = tempfile::tempdir_in(scratch.path()).unwrap();
        let mut lowers: Vec<_> = mounts.iter().map(|mount| mount.path().to_owned()).collect();
        lowers.insert(0, empty.path().to_owned());
        let stacked = overlay(&lowers).unwrap();
        let mut shown = dump(stacked.path()).unwrap();
        shown.recount_links();
        let ignore = Ignore::nothing().dir_nlink().attributes_of(expected.unknowable);
        same(&shown, &expected.tree, &ignore, &stack, "overlayfs over layer disks");
    }
}

fn root() -> erofs_tarfs::tree::InodeId {
    erofs_tarfs::tree::InodeId::ROOT
}

/// Layers that went through bootstraps merge to the same bytes as layers from tars.
#[test]
fn bootstraps_merge_like_tars() {
    for seed in 0..stacks() {
        let stack = Stack::random(seed);
        let merged = merged(&stack);
        let back: Vec<Tree> =
            merged.layers.iter().map(|layer| artifact::read(&artifact::bootstrap(layer))).collect();
        let again = merge(&back.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
        let (left, right) = (artifact::bootstrap(&merged.tree), artifact::bootstrap(&again));
        assert!(left == right, "{}", stack.describe());
    }
}

#[test]
fn fsck_accepts_what_we_write() {
    let files = tempfile::tempdir().unwrap();
    for seed in 0..20 {
        let stack = Stack::random(seed);
        let merged = merged(&stack);
        for placement in PLACEMENTS {
            let disk = artifact::disk(&merged.tree, placement, &merged.blobs);
            let path = artifact::file(files.path(), "disk", &disk).unwrap();
            let Some(verdict) = oracle::fsck(path, &[] as &[&str]) else { return };
            verdict.expect_ok(&format!("{placement:?} {}", stack.describe()));
        }
    }
}
