//! Lanes: several messages of equal length hashed together, because one alone leaves most of a
//! CPU idle.

mod backend;

pub use backend::Backend;

// Each architecture has its kernels, its way to ask the CPU, and its dispatch; what they share knows
// of none. On the others there are no lanes, so far, nor where a target leaves vector registers
// alone, as kernels do.

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
