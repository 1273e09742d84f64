//! Nydus's own program beside ours: `TARFS_NYDUS_IMAGE=PATH cargo test --test nydus_real`.
//!
//! It is no package of any registry of binaries, and takes half an hour to build: `cargo build --release
//! --bin nydus-image` in its sources, with protobuf-compiler. So these tests run when they are asked for.

mod beside;
#[allow(dead_code, reason = "not all that GNU tar is asked of a real image is of use here")]
#[path = "../real_image/expected.rs"]
mod expected;
#[allow(dead_code, reason = "shared with the tests of our program")]
#[path = "../nydus_image/run.rs"]
mod run;
#[allow(dead_code, reason = "shared with the tests of our program")]
#[path = "../nydus_image/snapshotter.rs"]
mod snapshotter;
