//! Boot area, superblock and device slots.

use super::stream::Stream;
use super::{blocks, inodes};
use crate::format::{
    self, Compat, DEVICE_TABLE_OFFSET, DISK_MARK_MAGIC, DISK_MARK_OFFSET, DeviceSlot, DiskMark,
    Incompat, SUPERBLOCK_MAGIC, SUPERBLOCK_OFFSET, Superblock,
};
use crate::layout::{Layout, PlannedDevice};
use alloc::vec;
use alloc::vec::Vec;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// Where the device table begins, in units of a slot (128 bytes), as the superblock counts.
const SLOT_OFFSET: u32 = (DEVICE_TABLE_OFFSET / size_of::<DeviceSlot>() as u64) as u32;

/// The first [`Layout::head_bytes`] of an image. The superblock is sealed, where it has a checksum: that
/// covers what follows up to the end of the block, which the start of the body is part of in a
/// bootstrap.
///
/// ```
/// use erofs_tarfs::{image, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
/// // 1024 bytes of boot area, 128 of superblock, 128 for the one device.
/// assert_eq!(image::head(&layout).len(), 1280);
/// # Ok::<(), layout::Error>(())
/// ```
pub fn head(layout: &Layout<'_>) -> Vec<u8> {
    let mut bytes = vec![0; layout.head_bytes() as usize];
    bytes[SUPERBLOCK_OFFSET as usize..][..size_of::<Superblock>()]
        .copy_from_slice(superblock(layout).as_bytes());
    // A disk tells of those devices that are in it. Tars whose bodies were copied are not.
    let placed = |device: &&PlannedDevice| !layout.is_disk() || device.disk_offset.is_some();
    if layout.is_disk() {
        let mark = DiskMark {
            magic: DISK_MARK_MAGIC,
            bytes: layout.disk_bytes().into(),
            devices: (layout.devices().iter().filter(placed).count() as u32).into(),
            slotoff: SLOT_OFFSET.into(),
        };
        bytes[DISK_MARK_OFFSET as usize..][..size_of::<DiskMark>()]
            .copy_from_slice(mark.as_bytes());
    }
    let table = bytes[DEVICE_TABLE_OFFSET as usize..].chunks_exact_mut(size_of::<DeviceSlot>());
    for (slot, device) in table.zip(layout.devices().iter().filter(placed)) {
        let mut new = DeviceSlot::new_zeroed();
        new.tag[..device.tag.len()].copy_from_slice(&device.tag);
        new.blocks_lo.set(device.blocks as u32);
        new.uniaddr_lo.set(device.uniaddr as u32);
        slot.copy_from_slice(new.as_bytes());
    }
    if layout.checksum {
        seal(layout, &mut bytes);
    }
    bytes
}

/// Seals a head that may be shorter than what the checksum covers.
fn seal(layout: &Layout<'_>, bytes: &mut Vec<u8>) {
    let len = bytes.len();
    let covered = SUPERBLOCK_OFFSET as usize + format::covered(layout.block_size().bytes());
    if len < covered {
        first(layout, covered, bytes);
    }
    format::seal(bytes);
    bytes.truncate(len);
}

/// The start of the inode area, up to byte `end` of the image at least, behind the head.
fn first(layout: &Layout<'_>, end: usize, head: &mut Vec<u8>) {
    let at = layout.body_offset();
    debug_assert_eq!(head.len() as u64, at);
    let mut enough = |piece: &[u8]| {
        head.extend_from_slice(piece);
        if head.len() < end { Ok(()) } else { Err(()) }
    };
    let mut out = Stream::new(at, &mut enough);
    // `enough` answers with an error as soon as there are enough bytes: that is no failure.
    if inodes::write(layout, &mut out).is_ok() && blocks::write(layout, &mut out).is_ok() {
        let padded = out.pad(layout.body_offset() + layout.body_bytes());
        let _ = padded.and_then(|()| out.end());
    }
}

fn superblock(layout: &Layout<'_>) -> Superblock {
    let mut sb = Superblock::new_zeroed();
    let mut compat = Compat::MTIME;
    if layout.order.iter().any(|item| layout.scene.has_xattrs(*item)) {
        compat |= Compat::XATTR_FILTER;
    }
    let mut incompat = Incompat::empty();
    incompat.set(Incompat::CHUNKED_FILE, layout.chunked);
    incompat.set(Incompat::BIT48, layout.scene.epoch.own);
    if !layout.devices().is_empty() && !layout.is_disk() {
        incompat |= Incompat::DEVICE_TABLE;
        sb.extra_devices.set(layout.devices().len() as u16);
        sb.devt_slotoff.set(SLOT_OFFSET as u16);
    }
    sb.magic.set(SUPERBLOCK_MAGIC);
    sb.feature_compat.set(compat.bits());
    sb.feature_incompat.set(incompat.bits());
    sb.blkszbits = layout.block_size().bits();
    sb.rootnid_2b.set(layout.root_nid() as u16);
    sb.inos.set(layout.inode_count());
    sb.epoch.set(layout.epoch().secs);
    sb.fixed_nsec.set(layout.epoch().nanos);
    sb.blocks_lo.set(layout.primary_blocks() as u32);
    sb.meta_blkaddr.set(layout.meta_block() as u32);
    sb.xattr_blkaddr.set(layout.xattr_block() as u32);
    sb.uuid = layout.uuid;
    sb.volume_name = layout.label;
    sb
}

/// Gives an image another UUID, and seals it again if it has a checksum. `image` starts at byte 0
/// and holds at least what its checksum covers, which ends with the block that the superblock begins
/// in. A bootstrap's [`head`] alone can be shorter than that.
///
/// Answers whether it was done: what is too short, or no image, stays as it is.
///
/// ```
/// use erofs_tarfs::{image, layout, read::Image};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let mut bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// assert!(image::set_uuid(&mut bytes, [7; 16]));
/// assert_eq!(Image::new(&bytes)?.superblock().uuid, [7; 16]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "what is too short stays as it is"]
pub fn set_uuid(image: &mut [u8], uuid: [u8; 16]) -> bool {
    // `None` where the superblock wants a checksum means that the bytes it covers are not all here:
    // then it could not be computed again either.
    let sealed = format::verify(image).is_some();
    let Some(bytes) = image.get_mut(SUPERBLOCK_OFFSET as usize..) else { return false };
    let Ok((sb, _)) = Superblock::mut_from_prefix(bytes) else { return false };
    let wants = sb.compat().contains(Compat::SB_CHKSUM);
    if sb.magic.get() != SUPERBLOCK_MAGIC || wants && !sealed {
        return false;
    }
    sb.uuid = uuid;
    if wants {
        format::seal(image);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{LayoutOptions, plan};
    use crate::tree::Builder;

    #[test]
    fn a_uuid_is_set_and_sealed_or_not_at_all() {
        let tree = Builder::new().finish().unwrap();
        let options = LayoutOptions { checksum: Some(true), ..LayoutOptions::default() };
        let layout = plan(&tree, &options).unwrap();
        let mut whole = crate::image::bootstrap(&layout);
        assert!(set_uuid(&mut whole, [7; 16]));
        assert_eq!(format::verify(&whole), Some(true));
        assert_eq!(whole[1072..1088], [7; 16]);

        let mut short = head(&layout);
        let before = short.clone();
        assert!(!set_uuid(&mut short, [7; 16]));
        assert_eq!(short, before);
        assert!(!set_uuid(&mut [0; 4096], [7; 16]), "no image");

        // Without a checksum the head alone is enough.
        let layout = plan(&tree, &LayoutOptions::default()).unwrap();
        let mut bare = head(&layout);
        assert!(set_uuid(&mut bare, [7; 16]));
        assert_eq!((bare[1072], format::verify(&crate::image::bootstrap(&layout))), (7, None));
    }
}
