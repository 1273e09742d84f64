//! One test for each row of the rules for tar input that the parser owns.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

mod ends;
mod extensions;
mod headers;
mod sparse;
#[path = "../tar_kit/mod.rs"]
mod tar_kit;

use erofs_tarfs::tar::ParseOptions;

fn strict() -> ParseOptions {
    ParseOptions::new().strict(true)
}
