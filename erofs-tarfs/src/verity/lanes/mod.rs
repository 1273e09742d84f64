//! Lanes: several messages of equal length hashed together, because one alone leaves most of a
//! CPU idle.

mod backend;
mod choice;

pub use backend::Backend;

// `arch` is one of three folders: it holds the loops written for an architecture, asks the CPU what
// it has, and chooses. `groups`, `message` and `sha256` know of no architecture. `other` has no
// lanes: it is for other architectures, and for targets that don't use vector registers, as those
// of kernels.

#[cfg_attr(all(target_arch = "x86_64", target_feature = "sse2"), path = "x86_64/mod.rs")]
#[cfg_attr(
    all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"),
    path = "aarch64/mod.rs"
)]
#[cfg_attr(
    not(any(
        all(target_arch = "x86_64", target_feature = "sse2"),
        all(target_arch = "aarch64", target_endian = "little", target_feature = "neon")
    )),
    path = "other/mod.rs"
)]
mod arch;

#[cfg(any(
    all(target_arch = "x86_64", target_feature = "sse2"),
    all(target_arch = "aarch64", target_endian = "little", target_feature = "neon")
))]
mod groups;
#[cfg(any(
    all(target_arch = "x86_64", target_feature = "sse2"),
    all(target_arch = "aarch64", target_endian = "little", target_feature = "neon")
))]
mod message;
mod sha256;

pub(super) use arch::{hash, hash_along, hashes_along};
pub(super) use sha256::{INITIAL, State, compress, finish};
