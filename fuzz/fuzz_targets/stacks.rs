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
    let tars: Vec<&[u8]> = stack.layers.iter().map(|layer| &layer.tar[..]).collect();
    for follow in [false, true] {
        match (ours::merged(&tars, follow), stack.meaning(follow)) {
            (_, Err(Illegal::Unsaid(_))) | (Err(_), Err(_)) => {}
            (Ok(ours), Ok(model)) => {
                let lines = diff(&ours, &model, &Ignore::nothing());
                assert!(lines.is_empty(), "{}\n{}", lines.join("\n"), stack.describe());
            }
            (ours, model) => {
                let said = (ours.map(|_| "merges"), model.map(|_| "merges"));
                panic!("follow: {follow}: {said:?}\n{}", stack.describe());
            }
        }
    }
});
