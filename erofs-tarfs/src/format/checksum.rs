//! The superblock's checksum.

use super::superblock::{Compat, SUPERBLOCK_OFFSET, Superblock};
use crc::{CRC_32_ISCSI, Crc};
use zerocopy::FromBytes;

/// CRC-32C, a byte a step by a table of 1 KiB: at most 64 KiB of an image are summed.
static CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Bytes from [`SUPERBLOCK_OFFSET`] that the checksum covers: up to the end of block 0, or one
/// block where the superblock lies behind block 0. The device table is among them.
///
/// ```
/// use erofs_tarfs::format::covered;
///
/// assert_eq!(covered(4096), 3072); // from the superblock to the end of block 0
/// assert_eq!(covered(512), 512); // the block that begins with the superblock
/// ```
pub const fn covered(block_size: u32) -> usize {
    match (block_size as usize).checked_sub(SUPERBLOCK_OFFSET as usize) {
        None | Some(0) => block_size as usize,
        Some(rest) => rest,
    }
}

/// CRC-32C (Castagnoli) as EROFS uses it: seed of all ones, no final inversion, over
/// [`covered`] bytes from the superblock on with the checksum field taken as 0.
///
/// ```
/// use erofs_tarfs::format::{Superblock, checksum, covered, seal, zerocopy::FromBytes};
/// use erofs_tarfs::{image, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let mut bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// seal(&mut bytes);
/// let part = &bytes[1024..][..covered(512)]; // blocks of 512 bytes
/// let (superblock, _) = Superblock::ref_from_prefix(part).expect("128 bytes are there");
/// assert_eq!(superblock.checksum.get(), checksum(part));
/// # Ok::<(), layout::Error>(())
/// ```
pub fn checksum(covered: &[u8]) -> u32 {
    let (magic, rest) = covered.split_at(covered.len().min(4));
    let (field, rest) = rest.split_at(rest.len().min(4));
    let (zeros, _) = [0; 4].split_at(field.len());
    let mut digest = CASTAGNOLI.digest();
    for bytes in [magic, zeros, rest] {
        digest.update(bytes);
    }
    !digest.finalize()
}

/// Sets the checksum of an image's superblock, and the feature bit that says so.
///
/// `image` starts at byte 0 of the primary device. Does nothing where it's too short to hold what
/// the checksum covers. Call it again after a change of UUID or device slots.
///
/// ```
/// use erofs_tarfs::format::{seal, verify};
/// use erofs_tarfs::{image, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let mut bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// assert_eq!(verify(&bytes), None, "none by default where blocks have 512 bytes");
/// seal(&mut bytes);
/// assert_eq!(verify(&bytes), Some(true));
/// bytes[1100] ^= 1;
/// assert_eq!(verify(&bytes), Some(false));
/// # Ok::<(), layout::Error>(())
/// ```
pub fn seal(image: &mut [u8]) {
    let Some(block_size) = block_size(image) else { return };
    let Some(rest) = image.get_mut(SUPERBLOCK_OFFSET as usize..) else { return };
    let Some(bytes) = rest.get_mut(..covered(block_size)) else { return };
    let Ok((sb, _)) = Superblock::mut_from_prefix(bytes) else { return };
    sb.feature_compat.set(sb.feature_compat.get() | Compat::SB_CHKSUM.bits());
    let sum = checksum(bytes);
    let Ok((sb, _)) = Superblock::mut_from_prefix(bytes) else { return };
    sb.checksum.set(sum);
}

/// Whether the checksum holds; `None` where there is none, or `image` is too short to tell.
///
/// ```
/// use erofs_tarfs::format::{seal, verify};
///
/// let mut image = vec![0; 4096];
/// image[1024 + 12] = 12; // blocks of 2^12 bytes
/// assert_eq!(verify(&image), None, "the superblock says that it has none");
/// seal(&mut image);
/// assert_eq!(verify(&image), Some(true));
/// assert_eq!(verify(&image[..4095]), None, "too short to tell");
/// ```
pub fn verify(image: &[u8]) -> Option<bool> {
    let bytes = image.get(SUPERBLOCK_OFFSET as usize..)?.get(..covered(block_size(image)?))?;
    let (sb, _) = Superblock::ref_from_prefix(bytes).ok()?;
    sb.compat().contains(Compat::SB_CHKSUM).then(|| sb.checksum.get() == checksum(bytes))
}

fn block_size(image: &[u8]) -> Option<u32> {
    let (sb, _) = Superblock::ref_from_prefix(image.get(SUPERBLOCK_OFFSET as usize..)?).ok()?;
    (9..=16).contains(&sb.blkszbits).then(|| 1 << sb.blkszbits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of CRC-32C over "123456789" is E3069283, final inversion undone here.
    #[test]
    fn polynomial_is_castagnoli() {
        assert_eq!(CASTAGNOLI.checksum(b"123456789"), 0xE306_9283);
        for len in 0..=9 {
            let zeroed = &b"1234\0\0\0\09"[..len];
            assert_eq!(!checksum(&b"123456789"[..len]), CASTAGNOLI.checksum(zeroed));
        }
    }

    #[test]
    fn a_sealed_superblock_verifies_until_a_bit_flips() {
        let mut image = [0u8; 2048];
        image[1024 + 12] = 9;
        seal(&mut image);
        assert_eq!(verify(&image), Some(true));
        image[1500] ^= 1;
        assert_eq!(verify(&image), Some(false));
        assert_eq!(verify(&image[..1400]), None);
    }
}
