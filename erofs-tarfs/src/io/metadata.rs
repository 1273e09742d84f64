//! The metadata of an image in a file.

use super::{Error, NamedFile};
use crate::read::{DeviceInfo, Image};

/// Superblock and device table, whatever they have: 65535 slots of 128 bytes behind the first page.
const HEAD: u64 = 9 << 20;

/// Reads the bytes of an image for [`Image::new`]: all of the filesystem, but zeros for what its device
/// slots say is in devices. What the file has behind the filesystem, such as a hash tree or the rest
/// of a partition, is not among them. Pages that are zeros take no memory where the system gives them
/// lazily.
///
/// What is no image comes back as far as it was read, for [`Image::new`] to say why.
///
/// ```
/// use erofs_tarfs::{io, layout, read::Image};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let file = io::NamedFile::new("base.erofs", tempfile::tempfile()?);
/// io::write_metadata(&layout::plan(&tree, &layout::LayoutOptions::default())?, &file)?;
/// let bytes = io::read_metadata(&file)?;
/// assert!(Image::new(&bytes)?.lookup(b"etc/motd")?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Open`], [`Error::Read`], [`Error::TooLong`].
pub fn read_metadata(file: &NamedFile) -> Result<Vec<u8>, Error> {
    let len = file.bytes()?;
    let mut head = vec![0; len.min(HEAD) as usize];
    file.read_exact_at(&mut head, 0)?;
    let Ok(image) = Image::new(&head) else { return Ok(head) };
    let end = image.end(len).min(len);
    let block = u64::from(image.block_size().bytes());
    let range = |device: &DeviceInfo| {
        let first = device.uniaddr.saturating_mul(block);
        (first, first.saturating_add(device.blocks.saturating_mul(block)))
    };
    let mut bodies: Vec<_> = image.devices().iter().map(range).filter(|(at, _)| *at != 0).collect();
    bodies.sort_unstable();
    bodies.push((end, end));
    let too_long = || Error::TooLong { file: file.path().to_owned(), bytes: end };
    let size = usize::try_from(end).map_err(|_| too_long())?;
    if size <= head.len() {
        head.truncate(size);
        return Ok(head);
    }
    // Whether there is memory is asked first: without enough, `vec!` would end the process.
    Vec::<u8>::new().try_reserve_exact(size).map_err(|_| too_long())?;
    let mut bytes = vec![0; size];
    let mut at = head.len() as u64;
    bytes[..head.len()].copy_from_slice(&head);
    for (first, last) in bodies {
        let first = first.min(end);
        if at < first {
            file.read_exact_at(&mut bytes[at as usize..first as usize], at)?;
        }
        at = at.max(last.min(end));
    }
    Ok(bytes)
}
