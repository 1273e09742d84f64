//! containerd's own extraction beside the library's merge.
//!
//! containerd extracts in the order of the tar, so that it leaves the rules where the order matters,
//! and elsewhere for reasons of its own: [`testkit::containerd`] knows them all, event by event. For
//! each stack three things hold: containerd's result is what that model says, to the byte; so is
//! the library's what the naive model says; and each path in which the two differ has a reason.

use std::collections::BTreeMap;
use std::path::Path;

use testkit::containerd::{Failed, Reasons, Why, apply, explain};
use testkit::dump::{Ignore, diff};
use testkit::mount;
use testkit::naive::Illegal;
use testkit::stacks::Stack;

use super::apply::Oracle;
use super::{merged, stacks};

/// How a stack fared.
enum Fared {
    /// All names and contents are the same; attributes may differ for a reason.
    Same(Reasons),
    /// Names or contents differ for a reason.
    Otherwise(Reasons),
    /// There is no result to compare.
    Not(String),
    Wrong(String),
}

fn fared(oracle: &mut Oracle, stack: &Stack, scratch: &Path) -> Fared {
    let model = apply(stack.layers.iter().map(|layer| &layer.ops[..]));
    let rules = stack.meaning(true);
    let (theirs, fs) = match (oracle.extracted(stack, scratch), model) {
        (Ok(_), Err(failed)) => return Fared::Wrong(format!("containerd does it: {failed:?}")),
        (Err(error), Ok(_)) => return Fared::Wrong(format!("containerd does not: {error}")),
        (Err(error), Err(failed)) => {
            // What containerd refuses and the rules allow is a list of its own.
            let known = !matches!(
                failed,
                Failed::NoTarget { own: false } | Failed::Directory { own: false }
            );
            return match known || rules.is_err() {
                true => Fared::Not(format!("containerd fails: {failed:?}")),
                false => Fared::Wrong(format!("containerd fails: {failed:?} {error}")),
            };
        }
        (Ok(theirs), Ok(fs)) => (theirs, fs),
    };
    let (tree, clock) = fs.tree();
    let mut timeless = theirs.clone();
    for path in &clock {
        if let (Some(node), Some(told)) = (timeless.0.get_mut(path), tree.get(path)) {
            node.mtime = told.mtime;
        }
    }
    // The root is the directory that it was given.
    let ignore = Ignore::nothing().attributes_of([Vec::new()]);
    let lines = diff(&timeless, &tree, &ignore);
    if !lines.is_empty() {
        return Fared::Wrong(format!("containerd is not its model:\n{}", lines.join("\n")));
    }
    match (rules, merged(stack, true)) {
        (Err(Illegal::Unsaid(why)), _) => Fared::Not(format!("no rule speaks: {why}")),
        (Err(Illegal::Refused(why)), _) => Fared::Not(format!("against the rules: {why}")),
        (Ok(_), Err(error)) => Fared::Wrong(format!("is refused: {error}")),
        (Ok(rules), Ok(ours)) => {
            let lines = diff(&ours, &rules, &Ignore::nothing());
            if !lines.is_empty() {
                return Fared::Wrong(format!("we do not keep the rules:\n{}", lines.join("\n")));
            }
            let reasons = explain(&ours, &theirs, &fs);
            if !reasons.unexplained.is_empty() {
                // Where a layer leaves other names for a reason, the next one meets other names.
                let mut below = stack.clone();
                below.layers.pop();
                if stack.layers.len() > 1 {
                    match fared(oracle, &below, scratch) {
                        Fared::Otherwise(_) | Fared::Not(_) => {
                            return Fared::Not("a layer below has other names already".into());
                        }
                        _ => {}
                    }
                }
                return Fared::Wrong(format!("for no reason {}", reasons.unexplained.join("\n")));
            }
            match reasons.found.keys().any(|why| why.is_placed()) {
                true => Fared::Otherwise(reasons),
                false => Fared::Same(reasons),
            }
        }
    }
}

#[test]
fn containerd_extracts_what_we_merge() {
    let Some(mut oracle) = Oracle::new("containerd") else { return };
    let scratch = mount::tmpfs().unwrap();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut whys: BTreeMap<Why, u64> = BTreeMap::new();
    let mut wrong: Vec<u64> = Vec::new();
    let (mut same, mut otherwise) = (0, 0);
    let count = stacks(500);
    for seed in 0..count {
        let reasons = match fared(&mut oracle, &Stack::wild_for_go(seed), scratch.path()) {
            Fared::Same(reasons) => {
                same += 1;
                reasons
            }
            Fared::Otherwise(reasons) => {
                otherwise += 1;
                reasons
            }
            Fared::Not(why) => {
                *counts.entry(why).or_default() += 1;
                continue;
            }
            Fared::Wrong(lines) => {
                let what = lines.lines().next().unwrap_or_default();
                let what = what.split(['"', ':']).next().unwrap_or_default();
                *counts.entry(format!("wrong: {what}")).or_default() += 1;
                wrong.push(seed);
                continue;
            }
        };
        for (why, times) in reasons.found {
            *whys.entry(why).or_default() += times;
        }
    }
    println!("{same} have the same names and contents, {otherwise} others for a reason");
    println!("not compared: {counts:#?}\ndifferences with a reason: {whys:#?}");
    let mut tell = |seed: &u64| {
        let scratch = scratch.path();
        let fails = |stack: &Stack| matches!(fared(&mut oracle, stack, scratch), Fared::Wrong(_));
        let stack = Stack::wild_for_go(*seed).shrunk(fails);
        let Fared::Wrong(lines) = fared(&mut oracle, &stack, scratch) else { unreachable!() };
        format!("{lines}\n{}", stack.describe())
    };
    let shown: Vec<String> = wrong.iter().take(5).map(&mut tell).collect();
    assert!(wrong.is_empty(), "{} are wrong, such as\n{}", wrong.len(), shown.join("\n"));
    assert!(same > count / 2, "{same} of {count} stacks say something about both");
}
