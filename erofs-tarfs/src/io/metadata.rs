//! The metadata of an image in a file.

use super::{Error, NamedFile};
use crate::read::{DeviceInfo, Image};

/// Superblock and device table, whatever they have: 65535 slots of 128 bytes behind the first page.
const HEAD: usize = 9 << 20;

/// Reads the bytes of an image for [`Image::new`]: all of the file, but zeros for what its device
/// slots say is in devices, and for what a block device has behind the filesystem. Pages that are zeros take no memory where the system gives them lazily.
///
/// What is no image comes back as far as it was read, for [`Image::new`] to say why.
///
/// # Errors
/// [`Error::Open`], [`Error::Read`], [`Error::TooLong`].
pub fn read_metadata(file: &NamedFile) -> Result<Vec<u8>, Error> {
    let end = file.bytes()?;
    let too_long = || Error::TooLong { file: file.path().to_owned(), bytes: end };
    let len = usize::try_from(end).map_err(|_| too_long())?;
    // Asks first: `vec!` would end the process.
    Vec::<u8>::new().try_reserve_exact(len).map_err(|_| too_long())?;
    let mut bytes = vec![0; len];
    let head = len.min(HEAD);
    file.read_exact_at(&mut bytes[..head], 0)?;
    let Ok(image) = Image::new(&bytes) else {
        bytes.truncate(head);
        return Ok(bytes);
    };
    let block = u64::from(image.block_size().bytes());
    let range = |device: &DeviceInfo| {
        let first = device.uniaddr.saturating_mul(block);
        (first, first.saturating_add(device.blocks.saturating_mul(block)))
    };
    let mut bodies: Vec<_> = image.devices().iter().map(range).filter(|(at, _)| *at != 0).collect();
    bodies.sort_unstable();
    // A device may be much longer than what is on it.
    let rest = if file.is_device() { image.end(end).min(end) } else { end };
    bodies.push((rest, end));
    let mut at = head as u64;
    for (first, last) in bodies {
        let first = first.min(end);
        if at < first {
            file.read_exact_at(&mut bytes[at as usize..first as usize], at)?;
        }
        at = at.max(last.min(end));
    }
    Ok(bytes)
}
