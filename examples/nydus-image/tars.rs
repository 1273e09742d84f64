//! The tars of a bootstrap, found by blob ID in the directory that is given.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use erofs_tarfs::io::verity::ReadAt;
use erofs_tarfs::io::{Backing, NamedFile};
use erofs_tarfs::tree::{Device, Tree};

use crate::fail::{Done, Fail};

/// What a device is counted in.
const BLOCK: u64 = 512;

/// Opens the tar of each device, in their order.
pub(crate) fn open(directory: &Path, bootstrap: &Path, tree: &Tree) -> Done<Vec<NamedFile>> {
    tree.devices().iter().map(|device| tar(directory, bootstrap, device)).collect()
}

/// Opens the tar of a device. One of another length is not the one that was indexed.
fn tar(directory: &Path, bootstrap: &Path, device: &Device) -> Done<NamedFile> {
    let name = Path::new(OsStr::from_bytes(&device.tag));
    let mut parts = name.components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
    {
        let why = format!("has a device whose blob ID {name:?} names no file");
        return Err(Fail::of(bootstrap, why));
    }
    let file = NamedFile::open(directory.join(name))?;
    let (has, needed) = (file.bytes()?, device.bytes);
    // Ours count a last block that is not full, Nydus's do not.
    if has.next_multiple_of(BLOCK) != needed && has / BLOCK * BLOCK != needed {
        let bootstrap = bootstrap.display();
        let why = format!("has {has} bytes, but {bootstrap} was made of {needed}");
        return Err(Fail::of(file.path(), why));
    }
    Ok(file)
}

/// A tar as the bytes of its device. One that ends within a block is filled up with zeros, as what is
/// behind its end is no file's.
pub(crate) fn backing(tar: NamedFile) -> Done<Backing<'static>> {
    let bytes = tar.bytes()?;
    if bytes.is_multiple_of(BLOCK) {
        return Ok(Backing::File(tar));
    }
    let name = tar.path().to_owned();
    Ok(Backing::reader(name, move |offset, buf| {
        let there = bytes.saturating_sub(offset).min(buf.len() as u64) as usize;
        buf[there..].fill(0);
        ReadAt::read_exact_at(&tar, &mut buf[..there], offset)
    }))
}
