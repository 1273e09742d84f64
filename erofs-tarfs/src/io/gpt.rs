//! The partition tables of a disk, read from both of its ends.

use super::{Error, NamedFile};
use crate::outputs::{PartitionTable, TableError, TableHeader};

/// What the tables count in, in bytes.
const SECTOR: u64 = 512;

/// What a disk says of its partitions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Partitions {
    /// The table at the disk's beginning, or that at its end if the first is damaged.
    pub table: PartitionTable,
    /// What is wrong with the first table, if it is damaged.
    pub first: Option<TableError>,
    /// What is wrong with the second.
    pub second: Option<TableError>,
}

/// Reads the partition table of a disk with sectors of 512 bytes: as Linux does, the second one only
/// where the first one is damaged. Both are looked at.
///
/// ```
/// use erofs_tarfs::io::{NamedFile, read_partitions};
/// use erofs_tarfs::outputs::{Gpt, Partition};
///
/// let (name, bytes) = ("base".to_owned(), 8192);
/// let gpt = Gpt::new(vec![Partition { name, bytes, ..Partition::default() }], Gpt::ALIGN)?;
/// let disk = NamedFile::new("image.raw", tempfile::tempfile()?);
/// disk.write_all_at(&gpt.head(), 0)?;
/// disk.write_all_at(&gpt.tail(), gpt.bytes() - gpt.tail().len() as u64)?;
///
/// let found = read_partitions(&disk)?;
/// assert!(found.first.is_none() && found.second.is_none(), "both tables are sound");
/// let base = &found.table.partitions[0];
/// let filesystem = disk.range(base.offset, base.bytes)?; // read as a file of its own
/// assert_eq!(filesystem.bytes()?, 8192);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Table`] if both are damaged; [`Error::Open`], [`Error::Read`].
pub fn read_partitions(disk: &NamedFile) -> Result<Partitions, Error> {
    let sectors = disk.bytes()? / SECTOR;
    let last = sectors.saturating_sub(1);
    let first = read(disk, 1, sectors)?;
    let at = first.as_ref().map_or(last, |(_, other)| *other);
    let second = match at < sectors {
        true => read(disk, at, sectors)?,
        false => Err(TableError::NotLast { own: at, last }),
    };
    let damaged = |error| Error::Table { file: disk.path().to_owned(), error };
    match (first, second) {
        (Ok((table, _)), Ok((other, _))) => {
            let second = if table != other {
                Some(TableError::Differ)
            } else {
                (at != last).then_some(TableError::NotLast { own: at, last })
            };
            Ok(Partitions { table, first: None, second })
        }
        (Ok((table, _)), Err(second)) => {
            Ok(Partitions { table, first: None, second: Some(second) })
        }
        (Err(first), Ok((table, _))) => Ok(Partitions { table, first: Some(first), second: None }),
        (Err(first), Err(_)) => Err(damaged(first)),
    }
}

/// The table whose header is in sector `own`, and the sector of the other's.
fn read(
    disk: &NamedFile,
    own: u64,
    sectors: u64,
) -> Result<Result<(PartitionTable, u64), TableError>, Error> {
    if own >= sectors {
        return Ok(Err(TableError::NoHeader));
    }
    let mut sector = [0; SECTOR as usize];
    disk.read_exact_at(&mut sector, own * SECTOR)?;
    let header = match TableHeader::parse(&sector, own, sectors) {
        Ok(header) => header,
        Err(error) => return Ok(Err(error)),
    };
    let range = header.entries();
    let mut entries = vec![0; (range.end - range.start) as usize];
    disk.read_exact_at(&mut entries, range.start)?;
    Ok(header.read(&entries).map(|table| (table, header.other())))
}
