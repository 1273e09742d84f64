//! Extra devices.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// One extra device: 128 bytes in the table at `devt_slotoff * 128`.
///
/// ```
/// use erofs_tarfs::format::{DeviceSlot, zerocopy::FromBytes};
///
/// let mut bytes = [0; 128];
/// bytes[..4].copy_from_slice(b"base");
/// bytes[64] = 20; // blocks
/// let slot = DeviceSlot::ref_from_bytes(&bytes).expect("128 bytes");
/// assert_eq!((slot.tag(), slot.blocks_lo.get()), (&b"base"[..], 20));
/// ```
///
/// # References
/// `struct erofs_deviceslot` in Linux, `fs/erofs/erofs_fs.h`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct DeviceSlot {
    /// Free text, usually the hex digest of the blob; filled up with NULs, none needed.
    pub tag: [u8; 64],

    /// Length in blocks, bits 0–31.
    pub blocks_lo: U32,
    /// First block of this device in the unified address space, bits 0–31.
    pub uniaddr_lo: U32,
    /// Length in blocks, bits 32–47 (48-bit layout).
    pub blocks_hi: U16,
    /// First block in the unified address space, bits 32–47 (48-bit layout).
    pub uniaddr_hi: U16,
    /// 0.
    pub reserved: [u8; 52],
}

const _: () = assert!(size_of::<DeviceSlot>() == 128);

impl DeviceSlot {
    /// The tag without the NULs that fill it up.
    pub fn tag(&self) -> &[u8] {
        let mut tag = &self.tag[..];
        while let [rest @ .., 0] = tag {
            tag = rest;
        }
        tag
    }
}
