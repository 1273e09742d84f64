//! Layers merged in memory give what overlayfs and a naive model give, on random stacks.

use erofs_tarfs::tree::{LayerOptions, MergeOptions, Tree, merge};
use testkit::dump::{self, Ignore, diff};
use testkit::stacks::Stack;
use testkit::{mount, ours};

fn merged(stack: &Stack) -> dump::Tree {
    let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
    let layers: Vec<&Tree> = layers.iter().collect();
    let tree = merge(&layers, &MergeOptions::default()).unwrap();
    let blobs: Vec<&[u8]> = tree
        .devices()
        .iter()
        .map(|device| {
            let tar = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == device.tag);
            tar.expect("a device of the stack").tar.as_slice()
        })
        .collect();
    ours::dump(&tree, &blobs)
}

#[test]
fn random_stacks_merge_as_the_naive_model_has_it() {
    for seed in 0..2000 {
        let stack = Stack::random(seed);
        let lines = diff(&merged(&stack), &stack.naive(), &Ignore::nothing());
        assert!(lines.is_empty(), "{}\n{}", lines.join("\n"), stack.describe());
    }
}

#[test]
fn a_thousand_random_stacks_merge_as_overlayfs_shows_them() {
    let scratch = mount::tmpfs().unwrap();
    for seed in 10_000..11_000 {
        let stack = Stack::random(seed);
        let overlay = stack.overlay_dump(scratch.path()).unwrap();
        let ignore = Ignore::nothing().dir_nlink().attributes_of(overlay.unknowable);
        let lines = diff(&merged(&stack), &overlay.tree, &ignore);
        assert!(lines.is_empty(), "{}\n{}", lines.join("\n"), stack.describe());
    }
}

#[test]
fn pieces_of_any_size_make_the_same_tree() {
    for seed in 0..20 {
        for layer in Stack::random(seed).layers {
            let trees: Vec<String> = [1, 3, 511, 512, 513, 1 << 20]
                .into_iter()
                .map(|piece| {
                    let tree =
                        ours::layer_in_pieces(&layer.tar, LayerOptions::default(), piece).tree;
                    format!("{:?}", ours::dump(&tree, &[&layer.tar]).0)
                })
                .collect();
            assert!(trees.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}");
        }
    }
}
