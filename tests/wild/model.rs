//! Merges are what the naive model says, with links of lower layers followed and not; and where it
//! says that a stack is an error, it is one.

use testkit::dump::{Ignore, diff};
use testkit::naive::Illegal;
use testkit::stacks::Stack;

use super::{merged, stacks};

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
    for seed in 0..stacks(2000) {
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
