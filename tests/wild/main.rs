//! Wild stacks, `testkit::stacks::Stack::wild`, held against a model of the rules and against
//! containerd. `TARFS_STACKS=20000 cargo test --test wild` for the long run.

mod apply;
mod containerd;
mod known;
mod model;

use erofs_tarfs::tree::{LayerOptions, MergeOptions, Tree, merge};
use testkit::dump;
use testkit::ours;
use testkit::stacks::Stack;

/// How many stacks are tried: what the environment says, or so many.
fn stacks(usual: u64) -> u64 {
    std::env::var("TARFS_STACKS").map_or(usual, |count| count.parse().unwrap())
}

/// What the library makes of a stack.
fn merged(stack: &Stack, follow: bool) -> Result<dump::Tree, String> {
    let tars: Vec<&[u8]> = stack.layers.iter().map(|layer| &layer.tar[..]).collect();
    merged_tars(&tars, follow)
}

fn merged_tars(tars: &[&[u8]], follow: bool) -> Result<dump::Tree, String> {
    let options = LayerOptions::new().keep_pending(true).drop_unknown_xattrs(true);
    let layers = tars.iter().map(|tar| ours::tagged(tar, options.clone()));
    let layers: Vec<Tree> = layers.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let options = MergeOptions::new().follow_lower_links(follow);
    let layers: Vec<&Tree> = layers.iter().collect();
    let tree = merge(&layers, &options).map_err(|error| error.to_string())?;
    let blob = |tag: &[u8]| {
        let tar = tars.iter().find(|tar| ours::tag(tar) == tag);
        *tar.expect("a device of the stack")
    };
    let blobs: Vec<&[u8]> = tree.devices().iter().map(|device| blob(&device.tag)).collect();
    Ok(ours::dump(&tree, &blobs))
}
