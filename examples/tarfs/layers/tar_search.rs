//! The tars of a bootstrap, found by their tags.
//!
//! A tag is what somebody wrote into the bootstrap. It names a file only if that file is bound to
//! be the right one, because the tag is its digest, or if the user said in which directory such
//! files are.

use std::fs;
use std::path::{Path, PathBuf};

use erofs_tarfs::export;
use erofs_tarfs::io::NamedFile;
use erofs_tarfs::tree::Device;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::files::{digest, open, place, protected, unchanged};

/// Which tars must have the SHA-256 that is their tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verify {
    /// All.
    All,
    /// Those whose file is not named by it.
    OtherNames,
}

/// Where tars are looked for.
#[derive(Clone, Debug)]
pub(crate) struct TarSearch {
    dir: PathBuf,
    /// Whether the user named the directory.
    given: bool,
    /// Whether a tag is a name and no more, although it may look like the tar's digest.
    names_only: bool,
    pub(crate) verify: Verify,
}

impl TarSearch {
    /// In the directory that the user named, or beside the image.
    pub(crate) fn of(image: &Path, given: Option<&Path>) -> Self {
        let dir = given.unwrap_or_else(|| place::directory(image)).to_owned();
        Self { dir, given: given.is_some(), names_only: false, verify: Verify::All }
    }

    /// The same, but a tag may be a name and no more.
    pub(crate) fn names_only(self, names_only: bool) -> Self {
        Self { names_only, ..self }
    }

    /// Whether a tag says which digest its tar has.
    pub(crate) fn is_digest(&self, tag: &str) -> bool {
        !self.names_only && digest::is_digest(tag)
    }

    /// Opens the tar of a device of `image`. `only` says whether that has no other device.
    pub(crate) fn find(
        &self,
        image: &Path,
        device: &Device,
        only: bool,
        block: u64,
    ) -> Done<NamedFile> {
        self.find_if_there(image, device, only, block)?.ok_or_else(|| {
            let tag = String::from_utf8_lossy(&device.tag);
            if tag.is_empty() {
                let why = "a device has no tag by which its file could be found";
                return Fail::of(image, format_args!("{why} (mount and mount-args take --device)"));
            }
            let dir = quote::name(&self.dir);
            let (why, tars) = match self.given {
                true => ("", ""),
                false if self.is_digest(&tag) => ("", "--tars DIR; "),
                false => (", where a tag that is no digest names no file", "--tars DIR; "),
            };
            // Over a layer's disk the tag is that of the tar in it.
            let disks = "a layer's disk is found by no tag: mount and mount-args take --device FILE, one for \
                         each device, in order";
            let what = format_args!("the tar of device {tag:?} is not in {dir}{why}");
            Fail::of(image, format_args!("{what} ({tars}{disks})"))
        })
    }

    /// The same, or nothing if it is not there. One that is there by its name, and is not what it
    /// should be, is an error.
    pub(crate) fn find_if_there(
        &self,
        image: &Path,
        device: &Device,
        only: bool,
        block: u64,
    ) -> Done<Option<NamedFile>> {
        let tag = String::from_utf8_lossy(&device.tag).into_owned();
        let needed = device.base_offset.saturating_add(device.bytes);
        let by_name = self.names(&tag).into_iter().find(|path| open::is_readable(path));
        let named = by_name.is_some();
        let found = by_name.or_else(|| from_image_name(image).filter(|_| only));
        let mut wrong = None;
        if let Some(path) = found {
            let file = open::candidate(&path)?;
            let has = file.bytes()?;
            let blocks = has.next_multiple_of(block);
            let is_short = blocks < needed;
            // If the tag is no digest, a file of another length is the wrong one. If there is no tag, a
            // longer file may be right: mkfs.erofs does not count what follows the end of a tar.
            let is_other = is_short || blocks > needed && !tag.is_empty() && !self.is_digest(&tag);
            let verify =
                self.is_digest(&tag) && (blocks != needed || !named || self.verify == Verify::All);
            let other = match verify {
                true => Some(digest::of(&file)?).filter(|digest| *digest != tag),
                false => None,
            };
            // The image counts whole blocks. A shorter file with the right digest may be the bare tar of a
            // device that begins with something else, as a layer's disk does. It is not used, because it
            // would be read at the wrong places; and it is no error.
            let why = match (is_other, other) {
                (true, None) if verify => None,
                (true, _) => {
                    let image = quote::name(image);
                    Some(format!("has {has} bytes, but {image} needs {needed}"))
                }
                (false, Some(digest)) => Some(format!(
                    "does not have the digest {tag}, but {digest} (--tags-are-names, where tags are those \
                         of compressed layers)"
                )),
                (false, None) => {
                    protected::opened(&path, file.file());
                    return Ok(Some(file));
                }
            };
            unchanged::forget(&path);
            wrong = why.map(|why| Fail::of(path, why));
        }
        match self.by_content(&tag, needed, block)? {
            Some(file) => Ok(Some(file)),
            None => wrong.map_or(Ok(None), Err),
        }
    }

    /// What the tar of a device may be called.
    pub(crate) fn names(&self, tag: &str) -> Vec<PathBuf> {
        let plain = export::plain(tag);
        if tag.is_empty() || !self.given && !self.is_digest(tag) {
            return Vec::new();
        }
        // Tags with characters that are bad in names: `tarfs layer` replaces those.
        let names = match plain == tag {
            true => vec![tag.to_owned(), format!("{tag}.tar"), format!("sha256-{tag}")],
            false => vec![plain.clone(), format!("{plain}.tar")],
        };
        names.iter().map(|name| self.dir.join(name)).collect()
    }

    /// A file with the digest that the tag is.
    fn by_content(&self, tag: &str, needed: u64, block: u64) -> Done<Option<NamedFile>> {
        if !self.is_digest(tag) {
            return Ok(None);
        }
        let entries = fs::read_dir(&self.dir).map_err(|error| Fail::of(&self.dir, error))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let fits = |bytes: u64| bytes.next_multiple_of(block) == needed;
            if fs::metadata(&path).is_ok_and(|found| found.is_file() && fits(found.len())) {
                // A file that can't be read is not the one: no error.
                let Ok(file) = open::candidate(&path) else { continue };
                if digest::of(&file)? == tag {
                    protected::opened(&path, file.file());
                    return Ok(Some(file));
                }
                unchanged::forget(&path);
            }
        }
        Ok(None)
    }
}

fn from_image_name(image: &Path) -> Option<PathBuf> {
    names_from(image).into_iter().find(|path| path != image && open::is_readable(path))
}

/// `layer.tar` of `layer.tar.erofs` or of `layer.erofs`.
pub(crate) fn names_from(image: &Path) -> [PathBuf; 2] {
    let stem = image.with_extension("");
    [stem.with_extension("tar"), stem]
}
