//! The tool's room `cli`, but that warnings are not printed: a fuzzer would print millions.

#[path = "../../../examples/tarfs/cli/fail.rs"]
pub(crate) mod fail;
#[path = "../../../examples/tarfs/cli/hash_tree_options.rs"]
pub(crate) mod hash_tree_options;
#[path = "../../../examples/tarfs/cli/help.rs"]
pub(crate) mod help;
#[path = "../../../examples/tarfs/cli/image_options.rs"]
pub(crate) mod image_options;
#[path = "../../../examples/tarfs/cli/limits.rs"]
pub(crate) mod limits;
#[path = "../../../examples/tarfs/cli/loudness.rs"]
pub(crate) mod loudness;
#[path = "../../../examples/tarfs/cli/marks.rs"]
pub(crate) mod marks;
#[path = "../../../examples/tarfs/cli/numbers.rs"]
pub(crate) mod numbers;
#[path = "../../../examples/tarfs/cli/platform.rs"]
pub(crate) mod platform;
#[path = "../../../examples/tarfs/cli/progress.rs"]
pub(crate) mod progress;
#[path = "../../../examples/tarfs/cli/quote.rs"]
pub(crate) mod quote;
#[path = "../../../examples/tarfs/cli/reading_options.rs"]
pub(crate) mod reading_options;
#[path = "warn.rs"]
pub(crate) mod warn;
