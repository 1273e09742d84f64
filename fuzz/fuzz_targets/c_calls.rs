//! Calls of the C API in any order, with any arguments that the header allows: nothing is read or written out
//! of bounds, no call panics, a failure stores an error that says the same status, a success stores none,
//! what a callback answers comes back unchanged, and what is borrowed stays what it was until its owner goes.
//!
//! The bytes are a program: a number of a call, then its arguments. Objects are freed in any order.
#![no_main]

#[path = "c_calls/changes.rs"]
mod changes;
#[path = "c_calls/images.rs"]
mod images;
#[path = "c_calls/machine.rs"]
mod machine;
#[path = "c_calls/outputs.rs"]
mod outputs;
#[path = "c_calls/sized.rs"]
mod sized;
#[path = "c_calls/streams.rs"]
mod streams;
#[path = "c_calls/tape.rs"]
mod tape;
#[path = "c_calls/trees.rs"]
mod trees;
#[path = "c_calls/verity.rs"]
mod verity;

use libfuzzer_sys::fuzz_target;
use machine::Machine;

/// No program makes more calls.
const CALLS: usize = 96;

fuzz_target!(|program: &[u8]| {
    let mut machine = Machine::new(program);
    for _ in 0..CALLS {
        if machine.tape.is_over() {
            break;
        }
        match machine.tape.below(8) {
            0 | 1 => trees::make(&mut machine),
            2 => trees::ask(&mut machine),
            3 | 4 => images::call(&mut machine),
            5 | 6 => verity::call(&mut machine),
            _ => outputs::call(&mut machine),
        }
    }
    machine.end();
});
