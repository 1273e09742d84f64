//! The header block: where its fields are, and what format it is of.
//!
//! Layouts: POSIX pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format" (old GNU)
//! and star's `tar.h` (xstar). Every field is read in place.

use super::number;
use super::part::part;

/// Bytes of a block; headers and bodies start on multiples of it.
pub(super) const BLOCK: usize = 512;
/// What of an offset is within a block.
pub(super) const IN_BLOCK: u64 = BLOCK as u64 - 1;
/// What the checksum's own field counts for: eight spaces.
const SPACES: u32 = 8 * b' ' as u32;

const CHECKSUM: core::ops::Range<usize> = 148..156;
/// Runs in an old GNU sparse header, and in each block that extends it.
const SPARSE_IN_HEADER: usize = 4;
const SPARSE_IN_EXTENSION: usize = 21;
/// Bytes of one run: offset and length, 12 digits each.
const SPARSE_SLOT: usize = 24;

/// Who laid out the bytes after the link name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Seventh Edition: nothing there.
    V7,
    /// POSIX ustar, and pax, which is ustar with extension headers.
    Ustar,
    /// star's, with a shorter prefix and times after it.
    Star,
    /// Old GNU: times and the sparse map where ustar has the prefix.
    Gnu,
}

/// One header block, its fields read where they lie.
#[derive(Clone, Copy)]
pub(super) struct Header<'a>(pub(super) &'a [u8; BLOCK]);

impl<'a> Header<'a> {
    pub(super) fn format(self) -> Format {
        match &self.0[257..265] {
            b"ustar  \0" => Format::Gnu,
            [b'u', b's', b't', b'a', b'r', 0, ..] if &self.0[508..] == b"tar\0" => Format::Star,
            [b'u', b's', b't', b'a', b'r', 0, ..] => Format::Ustar,
            _ => Format::V7,
        }
    }

    pub(super) fn type_flag(self) -> u8 {
        self.0[156]
    }

    /// Where the name is, its bytes up to the first NUL.
    pub(super) fn name(self) -> core::ops::Range<usize> {
        self.text(0, 100)
    }

    pub(super) fn link(self) -> core::ops::Range<usize> {
        self.text(157, 257)
    }

    /// Where the user's name is; empty in v7.
    pub(super) fn uname(self) -> core::ops::Range<usize> {
        if self.format() == Format::V7 { 0..0 } else { self.text(265, 297) }
    }

    /// Where the group's name is; empty in v7.
    pub(super) fn gname(self) -> core::ops::Range<usize> {
        if self.format() == Format::V7 { 0..0 } else { self.text(297, 329) }
    }

    /// Where the part of the path is that goes before the name, with a slash between.
    pub(super) fn prefix(self) -> core::ops::Range<usize> {
        match self.format() {
            Format::Ustar => self.text(345, 500),
            Format::Star => self.text(345, 476),
            Format::Gnu if self.has_no_times() => self.text(345, 500),
            Format::V7 | Format::Gnu => 0..0,
        }
    }

    /// Whether a prefix stands where the format of GNU has the times of access and of change. Go
    /// before 1.8 wrote such headers, so images of that time have them; told as Go and so containerd
    /// tell it: what is there is no number, and is ASCII.
    fn has_no_times(self) -> bool {
        let odd = |time: &[u8]| time.first() != Some(&0) && super::number::field(time).is_err();
        (odd(&self.0[345..357]) || odd(&self.0[357..369]))
            && part(self.0, self.text(345, 500)).is_ascii()
    }

    pub(super) fn mode(self) -> &'a [u8] {
        &self.0[100..108]
    }

    pub(super) fn uid(self) -> &'a [u8] {
        &self.0[108..116]
    }

    pub(super) fn gid(self) -> &'a [u8] {
        &self.0[116..124]
    }

    pub(super) fn size(self) -> &'a [u8] {
        &self.0[124..136]
    }

    pub(super) fn mtime(self) -> &'a [u8] {
        &self.0[136..148]
    }

    pub(super) fn major(self) -> &'a [u8] {
        &self.0[329..337]
    }

    pub(super) fn minor(self) -> &'a [u8] {
        &self.0[337..345]
    }

    /// The runs of an old GNU sparse header.
    pub(super) fn sparse(self) -> SparseSlots<'a> {
        SparseSlots {
            slots: &self.0[386..386 + SPARSE_IN_HEADER * SPARSE_SLOT],
            extended: self.0[482] != 0,
        }
    }

    /// The runs of a block that extends an old GNU sparse header.
    pub(super) fn sparse_extension(self) -> SparseSlots<'a> {
        SparseSlots {
            slots: &self.0[..SPARSE_IN_EXTENSION * SPARSE_SLOT],
            extended: self.0[504] != 0,
        }
    }

    /// The length of the file of an old GNU sparse header, holes included.
    pub(super) fn real_size(self) -> &'a [u8] {
        &self.0[483..495]
    }

    fn text(self, start: usize, end: usize) -> core::ops::Range<usize> {
        start..start.saturating_add(until_nul(part(self.0, start..end)))
    }
}

/// Bytes of a field before its first NUL, eight looked at at a time.
#[inline]
fn until_nul(field: &[u8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = field.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The known trick for finding a zero byte in a word: in `zeros`, the lowest bit that is set
        // is the top bit of the first byte that is 0.
        let zeros = word.wrapping_sub(LOW) & !word & (LOW << 7);
        if zeros != 0 {
            return at << 3 | zeros.trailing_zeros() as usize >> 3;
        }
    }
    let len = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
    words.len() << 3 | len
}

/// Runs of an old GNU sparse map, undecoded.
pub(super) struct SparseSlots<'a> {
    slots: &'a [u8],
    /// Whether another block of runs follows.
    pub(super) extended: bool,
}

impl<'a> SparseSlots<'a> {
    /// Offset and length of each slot.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.slots.chunks_exact(SPARSE_SLOT).map(|slot| slot.split_at(SPARSE_SLOT / 2))
    }
}

/// What the checksum says of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All bytes are zero.
    Zero,
    /// A header.
    Sound,
    /// Neither. The sum as computed over unsigned bytes.
    Bad { computed: u32 },
}

/// Sums a block and compares.
///
/// The sum is over all bytes with the checksum field taken as spaces. POSIX sums unsigned
/// bytes; some old systems summed signed ones, and readers accept both.
pub(super) fn verify(block: &[u8; BLOCK]) -> Verdict {
    let sum = sum(block);
    if sum == 0 {
        return Verdict::Zero;
    }
    let field = &block[CHECKSUM];
    let own = sum_of(field);
    // Its own bytes are among those that were summed.
    let computed = sum.saturating_sub(own).saturating_add(SPACES);
    let stored = number::field(field);
    if stored == Ok(i64::from(computed)) {
        return Verdict::Sound;
    }
    let high = |bytes: &[u8]| bytes.iter().filter(|&&b| b >= 0x80).count() as i64;
    let signed = i64::from(computed).saturating_sub(high(block).saturating_sub(high(field)) << 8);
    if stored == Ok(signed) { Verdict::Sound } else { Verdict::Bad { computed } }
}

/// The sum of all bytes, 16 bits at a time in eight-byte lanes, which compilers vectorise.
fn sum(block: &[u8; BLOCK]) -> u32 {
    sum_of(block)
}

/// The same of a whole number of words, at most 64.
#[inline]
fn sum_of(bytes: &[u8]) -> u32 {
    // A word is added to four sums of 16 bits, two of its bytes to each. After 64 words a sum is at
    // most 64 * 2 * 255 = 32,640, which 16 bits hold.
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    let (words, _) = bytes.as_chunks::<8>();
    let lanes = words.iter().fold(0u64, |lanes, &word| {
        let word = u64::from_le_bytes(word);
        lanes.wrapping_add(word & EVEN).wrapping_add((word >> 8) & EVEN)
    });
    [0, 16, 32, 48].map(|bits| (lanes >> bits) as u32 & 0xffff).iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_text_ends_at_its_first_nul() {
        for len in [0, 1, 7, 8, 9, 32, 100] {
            for nul in 0..=len {
                // 1 and 0x80 are what counting by words could take for 0.
                for byte in [1, b'x', 0x80, 0xff] {
                    let mut field = vec![byte; len];
                    field.iter_mut().skip(nul).step_by(2).for_each(|byte| *byte = 0);
                    assert_eq!(until_nul(&field), nul);
                }
            }
        }
    }

    #[test]
    fn the_fast_sum_is_the_sum() {
        let mut block = [0u8; BLOCK];
        assert_eq!(sum(&block), 0);
        for (i, byte) in block.iter_mut().enumerate() {
            *byte = (i * 31 % 256) as u8;
        }
        assert_eq!(sum(&block), block.iter().map(|&b| u32::from(b)).sum::<u32>());
        assert_eq!(sum(&[255; BLOCK]), 255 * 512);
    }
}
