//! Whether all of an image is there: disks that were cut short, and files whose last bytes are gone.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::read::Image;

use crate::cli::fail::{Done, Fail};

const SECTOR: u64 = 512;

/// Refuses an image that was cut short; `bytes` are its file's, zeros for what is in devices.
pub(crate) fn check(file: &NamedFile, image: &Image<'_>, bytes: &[u8]) -> Done {
    let len = bytes.len() as u64;
    let cut = |end: u64, what: &str| {
        let why = format_args!("was cut short: {what} of {end} bytes, of which {len} are there");
        Err(Fail::of(file.path(), why))
    };
    if let Some(end) = image.disk_bytes().filter(|end| len < *end) {
        return cut(end, "a disk");
    }
    let block = u64::from(image.block_size().bytes());
    if let Some(end) = image.own_bytes().filter(|end| *end > len) {
        return cut(end, "a filesystem");
    }
    // Old disks do not say that they are disks. But a bootstrap has no tar in it.
    let devices = image.devices();
    let end = devices.iter().map(|device| device.uniaddr.saturating_add(device.blocks)).max();
    let end = end.unwrap_or(0).saturating_mul(block);
    if !image.holds_devices(len)
        && devices.iter().any(|device| is_tar(file, device.uniaddr * block))
    {
        return cut(end, "a disk");
    }
    Ok(())
}

/// Whether a tar begins at a byte of a file.
fn is_tar(file: &NamedFile, at: u64) -> bool {
    let mut magic = [0; 5];
    at > 0 && file.read_exact_at(&mut magic, at.saturating_add(257)).is_ok() && magic == *b"ustar"
}

/// Refuses a file that ends before the last byte of file data in it. The device starts at `base` in
/// the file, and file data ends at `data_end` in the device.
pub(crate) fn refuse_short_file(file: &NamedFile, base: u64, data_end: u64) -> Done {
    let (has, needed) = (file.bytes()?, base.saturating_add(data_end));
    match data_end > 0 && has < needed {
        true => {
            let why = format_args!("was cut short: {has} bytes, but files in it end at {needed}");
            Err(Fail::of(file.path(), why))
        }
        false => Ok(()),
    }
}

/// Why a tar of `bytes`, in which file data ends at `data_end`, can't be a device, if that is so: Linux
/// reads only whole sectors, of loop devices as of files that are mounted directly.
pub(crate) fn beyond_whole_sectors(bytes: u64, data_end: u64) -> Option<String> {
    let read = bytes / SECTOR * SECTOR;
    (data_end > read).then(|| {
        let lost = bytes - read;
        format!(
            "has {bytes} bytes, of which Linux can't read the last {lost} over a bootstrap, as they are no \
             whole sector of 512, and files end in them: a disk has all, or a copy that zeros fill up \
             (truncate -s %512)"
        )
    })
}
