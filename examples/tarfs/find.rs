//! The tars of a bootstrap, found by their tags.

use std::fs;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::tree::Device;

use crate::fail::{Done, Fail};
use crate::{quote, spare, spool};

/// Opens the tar of a device of `image`, from the directory `dir`; an image with this device
/// `only` may have it beside it by its own name.
pub(crate) fn tar(
    image: &Path,
    dir: &Path,
    device: &Device,
    block: u64,
    only: bool,
) -> Done<NamedFile> {
    maybe(image, dir, device, block, only)?.ok_or_else(|| {
        let tag = String::from_utf8_lossy(&device.tag);
        let dir = quote::name(dir);
        Fail::of(image, format_args!("the tar of device {tag:?} is not in {dir} (--tars DIR)"))
    })
}

/// The same, or nothing if it is not there. One that is there by its name, and is not what it
/// should be, is an error.
pub(crate) fn maybe(
    image: &Path,
    dir: &Path,
    device: &Device,
    block: u64,
    only: bool,
) -> Done<Option<NamedFile>> {
    let tag = String::from_utf8_lossy(&device.tag).into_owned();
    let needed = device.base_offset.saturating_add(device.bytes);
    let found = by_name(dir, &tag).or_else(|| from_image_name(image).filter(|_| only));
    let mut wrong = None;
    if let Some(path) = found {
        let file = spare::open(&path)?;
        let has = file.bytes()?;
        let named_so = path.file_name().is_some_and(|name| name.to_string_lossy().contains(&tag));
        // The image counts whole blocks.
        if has.next_multiple_of(block) < needed {
            // What is shorter could be the bare tar of a device that has something in front of it:
            // it would be read at the wrong places, and yet nothing is wrong with it.
            if !(is_digest(&tag) && is_tagged(&file, &tag)?) {
                let image = quote::name(image);
                let why = format_args!("has {has} bytes, but {image} needs {needed}");
                wrong = Some(Fail::of(path, why));
            }
        } else if named_so && !tag.is_empty() || is_tagged(&file, &tag)? {
            return Ok(Some(file));
        } else {
            let image = quote::name(image);
            let why = format_args!("does not have the SHA-256 that {image} was made of, {tag}");
            wrong = Some(Fail::of(path, why));
        }
    }
    match by_content(dir, &tag, needed, block)? {
        Some(file) => Ok(Some(file)),
        None => wrong.map_or(Ok(None), Err),
    }
}

fn by_name(dir: &Path, tag: &str) -> Option<PathBuf> {
    names(dir, tag).into_iter().find(|path| path.is_file())
}

/// What the tar of a device may be called.
pub(crate) fn names(dir: &Path, tag: &str) -> Vec<PathBuf> {
    if tag.is_empty() || tag.contains('/') {
        return Vec::new();
    }
    let names =
        [tag.to_owned(), format!("{tag}.tar"), format!("sha256-{tag}"), spool::file_name(tag)];
    names.iter().map(|name| dir.join(name)).collect()
}

fn from_image_name(image: &Path) -> Option<PathBuf> {
    names_from(image).into_iter().find(|path| path != image && path.is_file())
}

/// `layer.tar` of `layer.tar.erofs` or of `layer.erofs`.
pub(crate) fn names_from(image: &Path) -> [PathBuf; 2] {
    let stem = image.with_extension("");
    [stem.with_extension("tar"), stem]
}

/// Whether the tag says nothing of the content, or says what it is.
fn is_tagged(file: &NamedFile, tag: &str) -> Done<bool> {
    Ok(!is_digest(tag) || spool::digest(file, &mut |_| {})? == tag)
}

/// Whether a tag is a SHA-256.
pub(crate) fn is_digest(tag: &str) -> bool {
    tag.len() == 64 && tag.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
}

fn by_content(dir: &Path, tag: &str, needed: u64, block: u64) -> Done<Option<NamedFile>> {
    if !is_digest(tag) {
        return Ok(None);
    }
    let entries = fs::read_dir(dir).map_err(|error| Fail::of(dir, error))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let fits = |bytes: u64| bytes.next_multiple_of(block) == needed;
        if fs::metadata(&path).is_ok_and(|found| found.is_file() && fits(found.len())) {
            let file = NamedFile::open(&path)?;
            if spool::digest(&file, &mut |_| {})? == tag {
                spare::opened(&path, file.file());
                return Ok(Some(file));
            }
        }
    }
    Ok(None)
}
