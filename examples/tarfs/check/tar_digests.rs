//! The tars of an image held against the digests that their tags say.

use erofs_tarfs::io::{Buffer, NamedFile};
use erofs_tarfs::read::DeviceInfo;
use erofs_tarfs::tree::Device;
use sha2::{Digest, Sha256};

use crate::check::options::Options;
use crate::cli::fail::Done;
use crate::cli::progress::{Progress, Stage};
use crate::cli::{numbers, quote};
use crate::files::digest;
use crate::layers::loaded::{Backing, Loaded};

/// A tar ends somewhere in the last of its blocks, and the image does not say where.
const BLOCK: u64 = 4096;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Tags that say what is there.
    pub(crate) right: Vec<String>,
    pub(crate) problems: Vec<String>,
    pub(crate) unread: Vec<String>,
    /// Devices of which no digest is known. They were not read.
    pub(crate) no_digest: Vec<String>,
}

/// Checks the devices in the table of an image; whether they are there only, where `options` say so.
pub(crate) fn check(image: &Loaded, table: &[DeviceInfo], options: &Options) -> Done<Found> {
    let mut found = Found::default();
    for (index, DeviceInfo { tag, blocks, .. }) in table.iter().enumerate() {
        if *blocks == 0 {
            continue;
        }
        let tag = String::from_utf8_lossy(tag).into_owned();
        let name = match tag.is_empty() {
            true => format!("device {}, which has no tag", index + 1),
            false => format!("device {}, {}", index + 1, quote::name(&tag)),
        };
        let tar = match (&image.backing, image.tar(index)) {
            (Backing::File(_) | Backing::Layers(_), _) => None,
            (Backing::Tars { .. }, Ok(Some(tar))) => Some(tar),
            (Backing::Tars { .. }, Ok(None)) => {
                found.unread.push(format!("{name}: its tar is not found"));
                continue;
            }
            (Backing::Tars { .. }, Err(fail)) => {
                found.problems.push(fail.to_string());
                continue;
            }
        };
        if options.quick {
            found.unread.push(format!("{name}: its bytes (--quick)"));
            continue;
        }
        if options.at.tags_are_names || !digest::is_digest(&tag) {
            let why = if tag.is_empty() { "" } else { ", as its tag is no SHA-256 of it" };
            found.no_digest.push(format!("{name}: its bytes{why}"));
            continue;
        }
        let device = &image.tree.devices()[index];
        let digest = match (&tar, &image.backing) {
            (Some(tar), _) => Some(digest::of(tar)?).filter(|digest| *digest != tag),
            (None, Backing::File(file)) => differs(file, device, &tag)?,
            (None, Backing::Tars { .. } | Backing::Layers(_)) => None,
        };
        match digest {
            None => found.right.push(tag),
            Some(digest) => {
                let file = tar.map_or(name, |tar| quote::name(tar.path()));
                found.problems.push(format!("{file}: its SHA-256 is {digest}, not {tag}"));
            }
        }
    }
    Ok(found)
}

/// The SHA-256 of a device within a file, if it is not `sha256`. The tar may end anywhere in the zeros
/// at the end of the device, so all those ends are tried.
fn differs(file: &NamedFile, device: &Device, sha256: &str) -> Done<Option<String>> {
    let progress = Progress::new(Stage::Checking, Some(device.bytes));
    let observe = progress.observer();
    let last = device.bytes.saturating_sub(1) / BLOCK * BLOCK;
    let mut hasher = Sha256::new();
    let (mut at, mut buf) = (0, Buffer::new(256 << 10));
    while at < last {
        let part = &mut buf[..(last - at).min(256 << 10) as usize];
        file.read_exact_at(part, device.base_offset + at)?;
        hasher.update(&*part);
        at += part.len() as u64;
        observe(part.len() as u64);
    }
    let tail = &mut buf[..(device.bytes - last) as usize];
    file.read_exact_at(tail, device.base_offset + last)?;
    let whole = numbers::to_hex(&hasher.clone().chain_update(&*tail).finalize());
    let data = tail.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    let right = (data..=tail.len()).rev().any(|len| {
        numbers::to_hex(&hasher.clone().chain_update(&tail[..len]).finalize()) == sha256
    });
    Ok((!right).then_some(whole))
}
