//! One to six layers merge to what the naive model says, with links of lower layers followed and not; where
//! it says that a stack is an error, it is one. The bytes are the choices of the stack's generator.
#![no_main]

use libfuzzer_sys::fuzz_target;
use testkit::dump::{Ignore, diff};
use testkit::naive::Illegal;
use testkit::ours;
use testkit::stacks::Stack;

fuzz_target!(|choices: &[u8]| {
    let stack = Stack::chosen(choices);
    for follow in [false, true] {
        if wrong(&stack, follow).is_some() {
            let stack = stack.shrunk(|stack| wrong(stack, follow).is_some());
            let why = wrong(&stack, follow).unwrap_or_default();
            panic!("follow_lower_links: {follow}\n{why}\n{}", stack.describe());
        }
    }
});

/// What differs.
fn wrong(stack: &Stack, follow: bool) -> Option<String> {
    let tars: Vec<&[u8]> = stack.layers.iter().map(|layer| &layer.tar[..]).collect();
    match (ours::merged(&tars, follow), stack.meaning(follow)) {
        (_, Err(Illegal::Unsaid(_))) | (Err(_), Err(_)) => None,
        (Ok(ours), Ok(model)) => {
            let lines = diff(&ours, &model, &Ignore::nothing());
            (!lines.is_empty()).then(|| lines.join("\n"))
        }
        (Ok(_), Err(why)) => Some(format!("is not refused: {why:?}")),
        (Err(error), Ok(_)) => Some(format!("is refused: {error}")),
    }
}
