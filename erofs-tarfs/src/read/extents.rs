//! Where the bytes of regular files lie.

use super::source::Bytes;
use super::{Error, Image, Inode, Rule, budget};
use crate::format::{ChunkFormat, ChunkIndex, DataLayout, HOLE};
use crate::tree::NodeKind;
use alloc::vec::Vec;
use core::ops::Range;
use zerocopy::FromBytes;
use zerocopy::little_endian::U32;

/// How many bytes of a chunk table are read at a time.
const PIECE: u64 = 64 << 10;

/// A run of a file's bytes. What lies between extents reads as zeros.
///
/// ```
/// use erofs_tarfs::{image, layout, read::{Image, StoredPlace}};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// let image = Image::new(&bytes)?;
/// let motd = image.lookup(b"etc/motd")?.expect("it is there");
/// let extent = image.extents(motd)?[0];
/// assert_eq!((extent.logical, extent.len), (0, 6)); // bytes of the file
/// assert_eq!(extent.source, StoredPlace::Device { slot: 0, offset: 512 }); // byte of the tar
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredExtent {
    /// Where the run starts in the file, in bytes.
    pub logical: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Where its bytes are.
    pub source: StoredPlace,
}

/// Where bytes are.
///
/// ```
/// use erofs_tarfs::{image, layout, read::{Image, StoredPlace}};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::{layer_of, tar_of};
///
/// let tar = tar_of(&[("etc/motd", "hello\n")]);
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// let image = Image::new(&bytes)?;
/// let motd = image.lookup(b"etc/motd")?.expect("it is there");
/// let mut body = Vec::new();
/// for extent in image.extents(motd)? {
///     let (file, offset) = match extent.source {
///         StoredPlace::Primary { offset } | StoredPlace::Inline { offset } => (&bytes, offset),
///         StoredPlace::Device { offset, .. } => (&tar, offset), // of several, the one with this slot
///     };
///     body.extend_from_slice(&file[offset as usize..][..extent.len as usize]);
/// }
/// assert_eq!(body, b"hello\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoredPlace {
    /// In the primary device, hence the image, in blocks of their own.
    Primary {
        /// Byte offset.
        offset: u64,
    },
    /// In the image, behind the inode.
    Inline {
        /// Byte offset.
        offset: u64,
    },
    /// In an extra device.
    Device {
        /// Index of the device slot, from 0.
        slot: u16,
        /// Byte offset in the device.
        offset: u64,
    },
}

impl StoredPlace {
    /// The place `len` bytes further on.
    fn after(self, len: u64) -> Option<Self> {
        Some(match self {
            Self::Primary { offset } => Self::Primary { offset: offset.checked_add(len)? },
            Self::Inline { offset } => Self::Inline { offset: offset.checked_add(len)? },
            Self::Device { slot, offset } => {
                Self::Device { slot, offset: offset.checked_add(len)? }
            }
        })
    }
}

impl Image<'_> {
    /// Extents of a regular file: ascending, disjoint, none empty, neighbours joined where their
    /// bytes are neighbours too.
    ///
    /// # Errors
    /// [`Rule::WrongType`] of what is no regular file; what is wrong with the inode.
    pub fn extents(&self, nid: u64) -> Result<Vec<StoredExtent>, Error> {
        let inode = self.inode(nid)?;
        self.runs_within(&inode, 0..inode.size())
    }

    /// Extents of a part of a regular file, cut off at its ends. Only what is about this part is read of
    /// the chunk table, which of a long file is long too.
    ///
    /// ```
    /// use erofs_tarfs::{image, layout, read::{Image, StoredPlace}};
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::layer_of;
    ///
    /// let tree = layer_of(&[("etc/motd", "hello\n")]);
    /// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
    /// let image = Image::new(&bytes)?;
    /// let motd = image.lookup(b"etc/motd")?.expect("it is there");
    /// let extent = &image.extents_within(motd, 2..100)?[0]; // bytes of the file
    /// assert_eq!((extent.logical, extent.len), (2, 4));
    /// assert_eq!(extent.source, StoredPlace::Device { slot: 0, offset: 514 }); // byte of the tar
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`extents`](Self::extents).
    pub fn extents_within(&self, nid: u64, part: Range<u64>) -> Result<Vec<StoredExtent>, Error> {
        self.runs_within(&self.inode(nid)?, part)
    }

    pub(super) fn runs_within(
        &self,
        inode: &Inode,
        part: Range<u64>,
    ) -> Result<Vec<StoredExtent>, Error> {
        let mut list = Vec::new();
        self.runs_into(inode, part, &mut list)?;
        Ok(list)
    }

    /// Puts the extents of a part of a file into an empty list.
    pub(super) fn runs_into(
        &self,
        inode: &Inode,
        part: Range<u64>,
        list: &mut Vec<StoredExtent>,
    ) -> Result<(), Error> {
        if inode.kind() != NodeKind::Regular {
            return Err(inode.fault(inode.offset(), Rule::WrongType));
        }
        let part = part.start..part.end.min(inode.size());
        let mut runs = Runs { image: self, inode, part, list };
        if inode.layout() == DataLayout::ChunkBased { runs.chunks() } else { runs.flat() }
    }

    /// Byte offset and length of the chunk table of a chunk-based file.
    pub(super) fn chunk_table(&self, inode: &Inode) -> Result<(u64, u64), Error> {
        let format = inode
            .chunk_format()
            .filter(|format| !format.has_unknown_bits())
            .ok_or_else(|| inode.fault(inode.offset(), Rule::KnownFormat))?;
        let unit = if format.has_indexes() { 8 } else { 4 };
        let chunks = inode.size().div_ceil(1 << self.chunk_bits(format));
        // Sizes have 63 bits and chunks at least 9, so no product comes near its limit.
        Ok((inode.payload().next_multiple_of(unit), chunks.saturating_mul(unit)))
    }

    /// The binary logarithm of a chunk's size: at most 16, of blocks, and 31.
    fn chunk_bits(&self, format: ChunkFormat) -> u8 {
        self.block_size.bits().saturating_add(format.shift())
    }
}

struct Runs<'i, 'a> {
    image: &'i Image<'a>,
    inode: &'i Inode,
    /// The part of the file that is asked for, which ends no later than the file.
    part: Range<u64>,
    list: &'i mut Vec<StoredExtent>,
}

impl Runs<'_, '_> {
    fn flat(&mut self) -> Result<(), Error> {
        let flat = self.image.flat(self.inode)?;
        if let Some(block) = self.inode.start()
            && flat.blocks_len > 0
        {
            self.push(0, flat.blocks_len, self.image.unified(block)?)?;
        }
        let (offset, len) = flat.tail;
        if len > 0 {
            self.push(flat.blocks_len, len, StoredPlace::Inline { offset })?;
        }
        Ok(())
    }

    fn chunks(&mut self) -> Result<(), Error> {
        let (table, len) = self.image.chunk_table(self.inode)?;
        if !self.image.bytes.has(table, len) {
            return Err(self.inode.fault(table, Rule::WithinImage));
        }
        let Some(format) = self.inode.chunk_format() else { return Ok(()) };
        let bits = self.image.chunk_bits(format);
        let (unit, most) = if format.has_indexes() { (8, PIECE / 8) } else { (4, PIECE / 4) };
        let (mut k, end) = (self.part.start >> bits, self.part.end.div_ceil(1 << bits));
        let is_read = matches!(self.image.bytes, Bytes::Reader { .. });
        if is_read && end.saturating_sub(k).saturating_mul(unit) > budget::READ {
            return Err(self.inode.fault(table, Rule::TooMuchRead));
        }
        while k < end {
            let count = end.saturating_sub(k).min(most);
            let at = table.saturating_add(k.saturating_mul(unit));
            let piece = self.image.slice_of(self.inode, at, count.saturating_mul(unit))?;
            self.chunks_of(&piece, k, bits, format)?;
            k = k.saturating_add(count);
        }
        Ok(())
    }

    /// The chunks of a piece of the chunk table, which begins with number `k`.
    fn chunks_of(
        &mut self,
        piece: &[u8],
        k: u64,
        bits: u8,
        format: ChunkFormat,
    ) -> Result<(), Error> {
        let damaged = || self.inode.fault(self.inode.payload(), Rule::WithinImage);
        if format.has_indexes() {
            let indexes = <[ChunkIndex]>::ref_from_bytes(piece).map_err(|_| damaged())?;
            for (k, index) in (k..).zip(indexes) {
                let hi = if format.is_48bit() { index.startblk_hi.get() } else { 0 };
                let lo = index.startblk_lo.get();
                if lo == HOLE && (hi == u16::MAX || !format.is_48bit()) {
                    continue;
                }
                let block = u64::from(lo) | u64::from(hi) << 32;
                self.chunk(k, bits, index.device_id.get(), block)?;
            }
        } else {
            let blocks = <[U32]>::ref_from_bytes(piece).map_err(|_| damaged())?;
            for (k, block) in (k..).zip(blocks).filter(|(_, block)| block.get() != HOLE) {
                self.chunk(k, bits, 0, block.get().into())?;
            }
        }
        Ok(())
    }

    fn chunk(&mut self, k: u64, bits: u8, device_id: u16, block: u64) -> Result<(), Error> {
        let logical = k << bits;
        let len = (1u64 << bits).min(self.inode.size().saturating_sub(logical));
        let source = self
            .image
            .addressed(device_id, block)?
            .ok_or_else(|| self.inode.fault(self.inode.payload(), Rule::DeviceId))?;
        self.push(logical, len, source)
    }

    /// Adds a run, to the last one if it continues that. `len` isn't 0.
    fn push(&mut self, logical: u64, len: u64, source: StoredPlace) -> Result<(), Error> {
        let fault = |rule| self.inode.fault(self.inode.payload(), rule);
        let (offset, room, rule) = match source {
            StoredPlace::Primary { offset } | StoredPlace::Inline { offset } => {
                (offset, self.image.len(), Rule::WithinImage)
            }
            StoredPlace::Device { slot, offset } => {
                let (blocks, _) = self.image.devices.extent(slot);
                (offset, self.image.block_offset(blocks), Rule::WithinDevice)
            }
        };
        if offset.checked_add(len).is_none_or(|end| end > room) {
            return Err(fault(rule));
        }
        let from = self.part.start.max(logical);
        let until = self.part.end.min(logical.saturating_add(len));
        if from >= until {
            return Ok(());
        }
        let source = source.after(from.saturating_sub(logical)).unwrap_or(source);
        let (logical, len) = (from, until.saturating_sub(from));
        match self.list.last_mut() {
            Some(last)
                if last.logical.checked_add(last.len) == Some(logical)
                    && !matches!(source, StoredPlace::Inline { .. })
                    && last.source.after(last.len) == Some(source) =>
            {
                last.len = last.len.saturating_add(len);
            }
            _ => self.list.push(StoredExtent { logical, len, source }),
        }
        Ok(())
    }
}
