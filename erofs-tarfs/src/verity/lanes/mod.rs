//! Lanes: several messages of equal length hashed together, because one alone leaves most of a
//! CPU idle.

mod backend;

pub use backend::Backend;

// Each architecture has its kernels, its way to ask the CPU, and its dispatch; what they share knows
// of none. On the others there are no lanes, so far.

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod armv8;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod shani;
#[cfg(target_arch = "x86_64")]
mod woven;

#[cfg_attr(target_arch = "x86_64", path = "cpu/x86_64.rs")]
#[cfg_attr(all(target_arch = "aarch64", target_endian = "little"), path = "cpu/aarch64.rs")]
#[cfg_attr(
    not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little"))),
    path = "cpu/other.rs"
)]
mod cpu;
#[cfg_attr(target_arch = "x86_64", path = "dispatch/x86_64.rs")]
#[cfg_attr(all(target_arch = "aarch64", target_endian = "little"), path = "dispatch/aarch64.rs")]
#[cfg_attr(
    not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little"))),
    path = "dispatch/other.rs"
)]
mod dispatch;

#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")))]
mod groups;
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")))]
mod message;
mod sha256;

pub(super) use dispatch::{hash, hash_along, hashes_along};
pub(super) use sha256::{INITIAL, State, compress, finish};
