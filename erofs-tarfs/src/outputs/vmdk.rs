//! VMDK descriptors over flat files.

use super::{Error, FileExtents, NameRule};
use alloc::format;
use alloc::string::String;
use core::fmt::Write;
use sha2::{Digest, Sha256};

/// No extent has more sectors: 2 GiB, as the type of the disk says.
const MAX_SECTORS: u64 = (2 << 30) / super::SECTOR;

/// QEMU reads this much of a descriptor, and passes over what follows without a word.
const MAX_BYTES: usize = (1 << 20) - 1;

/// QEMU reads this much of a name.
const MAX_NAME: usize = 511;

/// The descriptor of a disk over files as they lie, for QEMU and others that read VMDK
/// (`twoGbMaxExtentFlat`). Names are paths, absolute or from the directory of the descriptor on.
///
/// Its content ID follows from the extents. Extents are `RW`, or QEMU passes over them; open
/// the disk read-only, as the files are shared with others.
///
/// ```
/// use erofs_tarfs::outputs::{FileExtents, vmdk};
///
/// let mut disk = FileExtents::default();
/// disk.push(4096, "image.erofs", 0)?;
/// disk.push(2048, "base.tar", 0)?;
/// // Sectors of 512 bytes. qemu-system-x86_64 -drive file=image.vmdk,format=vmdk,readonly=on
/// assert!(vmdk(&disk)?.contains("RW 8 FLAT \"image.erofs\" 0\nRW 4 FLAT \"base.tar\" 0\n"));
/// # Ok::<(), erofs_tarfs::outputs::Error>(())
/// ```
///
/// # Errors
/// [`Error::Zeros`] for extents that no file backs: QEMU passes over a `ZERO` extent without a
/// word, and all that follows is shifted. [`FileExtents::back_zeros`] lets a file back them.
/// [`Error::Sectors`] for a range that is not whole sectors of 512 bytes; [`Error::Name`] for names
/// that are empty or too long, or have quotes or control characters; [`Error::Descriptor`] for
/// more extents than a reader takes; [`Error::Empty`] for a disk without a byte.
///
/// # References
/// VMware, "Virtual Disk Format 5.0"; `vmdk_parse_extents` in QEMU `block/vmdk.c`
pub fn vmdk<F: AsRef<str>>(extents: &FileExtents<F>) -> Result<String, Error> {
    let mut lines = String::new();
    extents.sectors(&mut |start, mut count, source| {
        let Some((file, mut from)) = source else {
            let (offset, bytes) = (start * super::SECTOR, count * super::SECTOR);
            return Err(Error::Zeros { offset, bytes });
        };
        check(file)?;
        while count > 0 {
            let part = count.min(MAX_SECTORS);
            let line = writeln!(lines, "RW {part} FLAT \"{file}\" {from}");
            debug_assert!(line.is_ok(), "writing to a string");
            if lines.len() > MAX_BYTES {
                return Err(Error::Descriptor { limit: MAX_BYTES });
            }
            from += part;
            count -= part;
        }
        Ok(())
    })?;
    let sectors = extents.bytes() / super::SECTOR;
    if sectors == 0 {
        return Err(Error::Empty);
    }
    // What the disk would have as an IDE disk of 16 heads and 63 sectors; nobody goes by it.
    let cylinders = sectors.div_ceil(16 * 63).min(16383);
    let text = format!(
        "# Disk DescriptorFile
version=1
encoding=\"UTF-8\"
CID={:08x}
parentCID=ffffffff
createType=\"twoGbMaxExtentFlat\"

# Extent description
{lines}
# The Disk Data Base
#DDB

ddb.virtualHWVersion = \"4\"
ddb.geometry.cylinders = \"{cylinders}\"
ddb.geometry.heads = \"16\"
ddb.geometry.sectors = \"63\"
ddb.adapterType = \"ide\"
",
        content_id(&lines)
    );
    if text.len() > MAX_BYTES {
        return Err(Error::Descriptor { limit: MAX_BYTES });
    }
    Ok(text)
}

/// Refuses names that cannot stand between double quotes, or that QEMU would cut.
fn check(name: &str) -> Result<(), Error> {
    NameRule::check(name)?;
    let rule = match name {
        _ if name.contains('"') => NameRule::Quote,
        _ if name.len() > MAX_NAME => NameRule::Long { limit: MAX_NAME },
        _ => return Ok(()),
    };
    Err(Error::Name { name: name.into(), rule })
}

/// The content ID: 31 bits of a hash, so that it is never ffffffff or fffffffe, which mean "none".
fn content_id(lines: &str) -> u32 {
    let hash = Sha256::digest(lines);
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) >> 1
}
