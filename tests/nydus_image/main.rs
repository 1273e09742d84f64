//! `examples/nydus-image` in the place of `nydus-image`: the calls that nydus-snapshotter makes in tarfs
//! mode, word for word, judged by the kernel, GNU tar and `veritysetup`; and bootstraps as Nydus's program
//! writes them, made here by a writer of our own (`rafs`).

// What the acceptance of a real image asks GNU tar; not all of it is of use here.
#[allow(dead_code)]
#[path = "../real_image/expected.rs"]
mod expected;
mod rafs;
mod run;
mod snapshotter;

mod calls;
mod debian;
mod failing;
mod nydus;
mod refused;
