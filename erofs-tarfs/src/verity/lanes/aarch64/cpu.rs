//! What the operating system says of the CPU; without one, what the build is for.

cpufeatures::new!(sha2, "sha2");

/// The SHA-256 instructions of Armv8.
pub(in super::super) fn has_armv8() -> bool {
    sha2::get()
}

/// Another architecture's.
pub(in super::super) fn has_sha() -> bool {
    false
}

/// Another architecture's.
pub(in super::super) fn has_avx2() -> bool {
    false
}

/// Another architecture's.
pub(in super::super) fn has_avx512() -> bool {
    false
}

/// Another architecture's.
pub(in super::super) fn prefers_sha_unit() -> bool {
    false
}
