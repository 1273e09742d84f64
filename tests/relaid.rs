//! A bootstrap that is read back gives the disk that its layers give, byte for byte: so it can travel alone, and the
//! root hash of the disk holds for it (`tarfs push --attach`).

use erofs_tarfs::layout::DiskOrder;
use erofs_tarfs::tree::{LayerOptions, MergeOptions, Tree, merge};
use testkit::stacks::Stack;
use testkit::{artifact, ours};

fn stacks() -> u64 {
    std::env::var("TARFS_STACKS").map_or(300, |count| count.parse().unwrap())
}

/// The disk of a tree whose devices are tars of a stack; nothing where another file is one.
fn disk(tree: &Tree, stack: &Stack) -> Option<Vec<u8>> {
    let blob = |tag: &[u8]| {
        let layer = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == tag);
        layer.map(|layer| layer.tar.as_slice())
    };
    let tars: Option<Vec<&[u8]>> = tree.devices().iter().map(|device| blob(&device.tag)).collect();
    Some(artifact::disk(tree, DiskOrder::MetadataFirst { align: 4096 }, &tars?))
}

/// The layers of a stack as one tree, if they are such as an image can hold.
fn merged(stack: &Stack) -> Option<Tree> {
    let options = || LayerOptions::default().keep_pending(true);
    let layers = stack.layers.iter().map(|layer| ours::tagged(&layer.tar, options()));
    let layers: Vec<Tree> = layers.collect::<Result<_, _>>().ok()?;
    merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).ok()
}

#[test]
fn a_bootstrap_gives_the_disk_of_its_layers() {
    let (mut same, mut carried) = (0, 0);
    for seed in 0..stacks() {
        for stack in [Stack::random(seed), Stack::wild(seed)] {
            let Some(tree) = merged(&stack) else { continue };
            let bootstrap = artifact::bootstrap(&tree);
            let again = artifact::read(&bootstrap);
            // Pieces of sparse files off the grid are in the bootstrap, which is a device then.
            let Some(relaid) = disk(&again, &stack) else {
                carried += 1;
                continue;
            };
            same += 1;
            let wanted = disk(&tree, &stack).expect("the layers are tars");
            assert!(wanted == relaid, "{}", stack.describe());
            // Also where it is merged once more, as one layer, which an export does.
            let once_more = merge(&[&again], &MergeOptions::default()).unwrap();
            assert!(Some(wanted) == disk(&once_more, &stack), "{}", stack.describe());
            assert!(artifact::bootstrap(&again) == bootstrap, "{}", stack.describe());
        }
    }
    assert!(same > stacks() && carried * 10 < same, "{same} and {carried} stacks");
}
