//! Wild stacks, `testkit::stacks::Stack::wild`, held against a model of the rules and against
//! containerd. `TARFS_STACKS=20000 cargo test --test wild` for the long run.

mod apply;
mod containerd;
mod known;
mod model;

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
    ours::merged(tars, follow).map_err(|error| error.to_string())
}
