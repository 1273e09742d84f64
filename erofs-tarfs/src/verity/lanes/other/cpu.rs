//! No lanes, so far.

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

/// Another architecture's.
pub(in super::super) fn has_armv8() -> bool {
    false
}
