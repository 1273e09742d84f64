//! `examples/mkfs-erofs` in the place of `mkfs.erofs`: the calls that containerd makes, word for word,
//! judged by the kernel, GNU tar, `fsck.erofs`, and by `mkfs.erofs` of erofs-utils itself.

// What the acceptance of a real image asks GNU tar; not all of it is of use here.
#[allow(dead_code)]
#[path = "../real_image/expected.rs"]
mod expected;
mod run;

mod calls;
mod changed;
mod directory;
mod failing;
mod output;
mod real;
mod refused;
