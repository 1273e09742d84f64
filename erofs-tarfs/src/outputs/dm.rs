//! Tables of the device mapper.

use super::{Error, Extents, NameRule};
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
/// # Errors
/// [`Error::Sectors`] for a range that is not whole sectors: a loop device ends with the last whole
/// sector of its file, so the bytes behind it are out of reach. [`Error::Name`] for names that are
/// empty or have control characters.
///
/// # References
/// Linux `Documentation/admin-guide/device-mapper/linear.rst`, `zero.rst`
pub fn dm_linear<F: AsRef<str>>(extents: &Extents<F>) -> Result<String, Error> {
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
