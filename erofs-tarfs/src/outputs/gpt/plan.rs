//! Which partition goes where.

use super::sizes::entries_sectors;
use super::{Partition, Placed, guid};
use crate::outputs::{Error, FileExtents, SECTOR};
use crate::verity::Uuid;
use alloc::vec::Vec;

/// What Linux finds of a disk's partitions.
const MAX_PARTITIONS: usize = 255;

/// UTF-16 units of a name.
const MAX_NAME: usize = 36;

/// A partition table: protective MBR, header and entries in front, both again at the end.
///
/// Sectors have 512 bytes. A partition's [role](super::Role) is its type and attributes: "Linux filesystem
/// data" (`0FC63DAF-8483-4772-8E79-3D69D8477DE4`) and none, or what systemd finds by itself. GUIDs are
/// of version 8: a partition's is made of its identity, and of how many before it have the same; the
/// disk's of all partitions. The GUIDs of a [volume](super::Role::Volume) and
/// its [hash tree](super::Role::Tree) are the first and the last 128 bits of the root hash. Same partitions, same bytes.
///
/// ```
/// use erofs_tarfs::outputs::{FileExtents, Gpt, Partition};
///
/// let mut disk = FileExtents::default();
/// disk.push(8192, "layer.disk", 0)?;
/// let layer = Partition { name: "base".into(), identity: vec![1], bytes: disk.bytes(), ..Partition::default() };
/// let gpt = Gpt::new(vec![layer], Gpt::ALIGN)?;
/// let whole = gpt.extents(vec![disk], "gpt", 0)?;
/// assert_eq!(whole.bytes(), gpt.bytes());
/// assert_eq!(whole.list()[2].source, Some(("layer.disk", 0)));
/// assert_eq!(whole.list()[2].offset, 1 << 20);
/// # Ok::<(), erofs_tarfs::outputs::Error>(())
/// ```
///
/// # References
/// UEFI specification 2.10, chapter 5, "GUID Partition Table (GPT) Disk Layout"
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpt {
    pub(super) guid: Uuid,
    pub(super) partitions: Vec<Placed>,
    /// All sectors of the disk.
    pub(super) sectors: u64,
    /// Sectors of the entries.
    pub(super) entries: u64,
}

impl Gpt {
    /// The usual alignment of partitions: 1 MiB.
    pub const ALIGN: u64 = 1 << 20;

    /// Puts partitions one behind the other, each at a multiple of `align` bytes: a power of two,
    /// 512 to 1 GiB.
    ///
    /// # Errors
    /// [`Error::Partitions`] for none, or more than 255; [`Error::Empty`] and [`Error::Sectors`]
    /// for their lengths, [`Error::PartitionName`], [`Error::Alignment`], [`Error::TooLarge`];
    /// [`Error::Unpaired`] for a hash tree without a volume of that root hash, or with two.
    pub fn new(partitions: Vec<Partition>, align: u64) -> Result<Self, Error> {
        let count = partitions.len();
        if count == 0 || count > MAX_PARTITIONS {
            return Err(Error::Partitions { count, limit: MAX_PARTITIONS });
        }
        if !align.is_power_of_two() || !(SECTOR..=1 << 30).contains(&align) {
            return Err(Error::Alignment { align });
        }
        let entries = entries_sectors(count);
        let guids = guid::partitions(&partitions)?;
        let mut placed = Vec::with_capacity(count);
        let mut end = (2 + entries) * SECTOR;
        for (Partition { name, bytes, role, .. }, guid) in partitions.into_iter().zip(guids) {
            if name.encode_utf16().count() > MAX_NAME {
                return Err(Error::PartitionName { name });
            }
            if bytes == 0 {
                return Err(Error::Empty);
            }
            let too_large = || Error::TooLarge { bytes };
            let offset = end.checked_next_multiple_of(align).ok_or_else(too_large)?;
            if bytes % SECTOR != 0 {
                return Err(Error::Sectors { offset, bytes, file: None });
            }
            end = offset.checked_add(bytes).ok_or_else(too_large)?;
            placed.push(Placed { name, guid, role, offset, bytes });
        }
        let tail = (entries + 1) * SECTOR;
        let bytes = end.checked_add(tail).ok_or(Error::TooLarge { bytes: tail })?;
        let guid = guid::disk(&placed);
        Ok(Self { guid, partitions: placed, sectors: bytes / SECTOR, entries })
    }

    /// The GUID of the disk.
    pub fn guid(&self) -> Uuid {
        self.guid
    }

    /// The partitions, the first as number 1.
    pub fn partitions(&self) -> &[Placed] {
        &self.partitions
    }

    /// Length of the disk in bytes.
    pub fn bytes(&self) -> u64 {
        self.sectors * SECTOR
    }

    /// The whole disk, of the disks in its partitions. [`head`](Self::head), and right behind it
    /// [`tail`](Self::tail), are in the file `table` from byte `at` on.
    ///
    /// # Errors
    /// [`Error::Partitions`] for more disks or fewer than there are partitions, [`Error::Length`]
    /// for one of another length; [`Error::TooLarge`].
    pub fn extents<F: PartialEq + Clone>(
        &self,
        disks: Vec<FileExtents<F>>,
        table: F,
        at: u64,
    ) -> Result<FileExtents<F>, Error> {
        let (count, limit) = (disks.len(), self.partitions.len());
        if count != limit {
            return Err(Error::Partitions { count, limit });
        }
        let (head, tail) = ((2 + self.entries) * SECTOR, (1 + self.entries) * SECTOR);
        let tail_at = at.checked_add(head).ok_or(Error::TooLarge { bytes: head })?;
        let mut whole = FileExtents::default();
        whole.push(head, table.clone(), at)?;
        for (place, disk) in self.partitions.iter().zip(disks) {
            if disk.bytes() != place.bytes {
                return Err(Error::Length { bytes: disk.bytes(), expected: place.bytes });
            }
            whole.push_zeros(place.offset - whole.bytes())?;
            whole.append(disk)?;
        }
        whole.push(tail, table, tail_at)?;
        Ok(whole)
    }
}
