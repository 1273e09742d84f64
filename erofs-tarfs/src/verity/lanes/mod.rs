//! Lanes: several messages of equal length hashed together, because one alone leaves most of a
//! CPU idle.

mod backend;

pub use backend::Backend;

// Each architecture has its kernels, its way to ask the CPU, and its dispatch; what they share knows
// of none. On the others there are no lanes, so far, nor where a target leaves vector registers
// alone, as kernels do.

#[cfg(all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"))]
mod armv8;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx2;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod avx512;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod shani;
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod woven;

#[cfg_attr(all(target_arch = "x86_64", target_feature = "sse2"), path = "cpu/x86_64.rs")]
#[cfg_attr(
    all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"),
    path = "cpu/aarch64.rs"
)]
#[cfg_attr(
    not(any(
        all(target_arch = "x86_64", target_feature = "sse2"),
        all(target_arch = "aarch64", target_endian = "little", target_feature = "neon")
    )),
    path = "cpu/other.rs"
)]
mod cpu;
#[cfg_attr(all(target_arch = "x86_64", target_feature = "sse2"), path = "dispatch/x86_64.rs")]
#[cfg_attr(
    all(target_arch = "aarch64", target_endian = "little", target_feature = "neon"),
    path = "dispatch/aarch64.rs"
)]
#[cfg_attr(
    not(any(
        all(target_arch = "x86_64", target_feature = "sse2"),
        all(target_arch = "aarch64", target_endian = "little", target_feature = "neon")
    )),
    path = "dispatch/other.rs"
)]
mod dispatch;

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

pub(super) use dispatch::{hash, hash_along, hashes_along};
pub(super) use sha256::{INITIAL, State, compress, finish};
