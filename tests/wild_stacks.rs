//! Merges of wild stacks are what the naive model says, with links of lower layers followed and
//! not; and where it says that a stack is an error, it is one.
//!
//! `TARFS_STACKS=20000` for the long run.

use erofs_tarfs::tree::{LayerOptions, MergeOptions, Tree, merge};
use testkit::dump::{self, Ignore, diff};
use testkit::naive::Illegal;
use testkit::ours;
use testkit::stacks::Stack;

fn stacks() -> u64 {
    std::env::var("TARFS_STACKS").map_or(500, |count| count.parse().unwrap())
}

fn merged(stack: &Stack, follow: bool) -> Result<dump::Tree, String> {
    let mut options = LayerOptions::default();
    options.keep_pending = true;
    options.drop_unknown_xattrs = true;
    let layers = stack.layers.iter().map(|layer| ours::tagged(&layer.tar, options.clone()));
    let layers: Vec<Tree> = layers.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let mut options = MergeOptions::default();
    options.follow_lower_links = follow;
    let layers: Vec<&Tree> = layers.iter().collect();
    let tree = merge(&layers, &options).map_err(|error| error.to_string())?;
    let blob = |tag: &[u8]| {
        let layer = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == tag);
        layer.expect("a device of the stack").tar.as_slice()
    };
    let blobs: Vec<&[u8]> = tree.devices().iter().map(|device| blob(&device.tag)).collect();
    Ok(ours::dump(&tree, &blobs))
}

/// What the library and the model say of a stack.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    Refused,
    Unsaid,
    Wrong(String),
}

fn verdict(stack: &Stack, follow: bool) -> Verdict {
    let model = stack.meaning(follow);
    if matches!(model, Err(Illegal::Unsaid(_))) {
        return Verdict::Unsaid;
    }
    match (merged(stack, follow), model) {
        (Ok(ours), Ok(model)) => match diff(&ours, &model, &Ignore::nothing()) {
            lines if lines.is_empty() => Verdict::Same,
            lines => Verdict::Wrong(lines.join("\n")),
        },
        (Err(_), Err(_)) => Verdict::Refused,
        (Ok(_), Err(why)) => Verdict::Wrong(format!("is not refused: {why:?}")),
        (Err(error), Ok(_)) => Verdict::Wrong(format!("is refused: {error}")),
    }
}

#[test]
fn wild_stacks_merge_as_the_naive_model_has_it() {
    let (mut compared, mut refused, mut unsaid) = (0, 0, 0);
    let mut wrong = Vec::new();
    for seed in 0..stacks() {
        for follow in [false, true] {
            match verdict(&Stack::wild(seed), follow) {
                Verdict::Same => compared += 1,
                Verdict::Refused => refused += 1,
                Verdict::Unsaid => unsaid += 1,
                Verdict::Wrong(_) => wrong.push((seed, follow)),
            }
        }
    }
    println!("{compared} compared, {refused} refused by both, {unsaid} of which no rule speaks");
    let tell = |(seed, follow): &(u64, bool)| {
        let fails = |stack: &Stack| matches!(verdict(stack, *follow), Verdict::Wrong(_));
        let stack = Stack::wild(*seed).shrunk(fails);
        let Verdict::Wrong(lines) = verdict(&stack, *follow) else { unreachable!("it fails") };
        format!("follow_lower_links: {follow}\n{lines}\n{}", stack.describe())
    };
    let shown: Vec<String> = wrong.iter().take(5).map(tell).collect();
    assert!(wrong.is_empty(), "{} are wrong, such as\n{}", wrong.len(), shown.join("\n"));
    assert!(compared > 20 * unsaid && compared > 4 * refused && refused > 0);
}
