//! Lanes: several messages of equal length hashed together, because one alone leaves most of a
//! CPU idle.

mod backend;

pub use backend::Backend;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod cpu;
#[cfg(target_arch = "x86_64")]
mod dispatch;
#[cfg(target_arch = "x86_64")]
mod message;
#[cfg(target_arch = "x86_64")]
mod sha256;
#[cfg(target_arch = "x86_64")]
mod shani;

#[cfg(target_arch = "x86_64")]
pub(super) use dispatch::hash;

/// No lanes, so far.
#[cfg(not(target_arch = "x86_64"))]
mod cpu {
    pub(super) fn has_sha() -> bool {
        false
    }

    pub(super) fn has_avx2() -> bool {
        false
    }

    pub(super) fn has_avx512() -> bool {
        false
    }

    pub(super) fn prefers_sha_unit() -> bool {
        false
    }
}

/// Hashes as many blocks of `block` bytes as it likes from the beginning of `data`; says how many.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn hash(_: Backend, _: &[u8], _: usize, _: &[u8], _: &mut [[u8; 32]]) -> usize {
    0
}
