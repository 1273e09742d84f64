//! Parts of bytes.

use core::ops::Range;

/// The bytes of a range, which are there: whoever made the range had them. Were they not, none are.
#[inline(always)]
pub(super) fn part(bytes: &[u8], range: Range<usize>) -> &[u8] {
    debug_assert!(range.start <= range.end && range.end <= bytes.len());
    bytes.get(range).unwrap_or_default()
}

/// The bytes from one on, likewise.
#[inline(always)]
pub(super) fn from(bytes: &[u8], start: usize) -> &[u8] {
    debug_assert!(start <= bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// As many of the first bytes as there are, at most `len`.
#[inline(always)]
pub(super) fn first(bytes: &[u8], len: usize) -> &[u8] {
    bytes.get(..len).unwrap_or(bytes)
}
