//! Tables of the device mapper.

use super::{Error, FileExtents, NameRule};
use alloc::string::String;
use core::fmt::Write;

/// The table that makes a disk of block devices: what `dmsetup create NAME --readonly` reads.
///
/// Each line is a range of sectors of 512 bytes: `START COUNT linear DEVICE FROM`, or
/// `START COUNT zero`. Files are called by their loop devices, at paths or as `MAJOR:MINOR`; spaces
/// and backslashes in names are escaped, as `dm_split_args` in the kernel undoes. For dm-verity on
/// top, [`Sealed::table_line`](crate::verity::Sealed::table_line) makes the table of a second
/// device over this one.
///
/// ```
/// use erofs_tarfs::outputs::{FileExtents, dm_linear};
///
/// let mut disk = FileExtents::default();
/// disk.push(4096, "/dev/loop0", 0)?;
/// disk.push_zeros(512)?;
/// disk.push(2048, "/dev/loop1", 512)?;
/// // Sectors of 512 bytes.
/// assert_eq!(dm_linear(&disk)?, "0 8 linear /dev/loop0 0\n8 1 zero\n9 4 linear /dev/loop1 1\n");
/// # Ok::<(), erofs_tarfs::outputs::Error>(())
/// ```
///
/// # Errors
/// [`Error::Sectors`] for a range that is not whole sectors: a loop device ends with the last whole
/// sector of its file, so the bytes behind it are out of reach. [`Error::Name`] for names that are
/// empty or have control characters.
///
/// # References
/// Linux `Documentation/admin-guide/device-mapper/linear.rst`, `zero.rst`
pub fn dm_linear<F: AsRef<str>>(extents: &FileExtents<F>) -> Result<String, Error> {
    let mut table = String::new();
    extents.sectors(&mut |start, count, source| {
        let line = match source {
            None => writeln!(table, "{start} {count} zero"),
            Some((device, from)) => {
                NameRule::check(device)?;
                let device = device.replace('\\', "\\\\").replace(' ', "\\ ");
                writeln!(table, "{start} {count} linear {device} {from}")
            }
        };
        debug_assert!(line.is_ok(), "writing to a string");
        Ok(())
    })?;
    Ok(table)
}
