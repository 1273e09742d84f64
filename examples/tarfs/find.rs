//! The tars of a bootstrap, found by their tags.
//!
//! A tag is what somebody wrote into the bootstrap. It names a file only if that file is bound to
//! be the right one, because the tag is its digest, or if the user said in which directory such
//! files are.

use std::fs;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::tree::Device;

use crate::fail::{Done, Fail};
use crate::progress::Progress;
use crate::{input, output, spool, unmoved};

/// Which tars must have the SHA-256 that is their tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verify {
    /// All.
    All,
    /// Those that are not named by it.
    OtherNames,
    /// None: who looks for them compares.
    Nothing,
}

/// Where tars are looked for.
#[derive(Clone, Debug)]
pub(crate) struct Tars {
    dir: PathBuf,
    /// Whether the user named the directory.
    given: bool,
    pub(crate) verify: Verify,
}

impl Tars {
    /// In the directory that the user named, or beside the image.
    pub(crate) fn of(image: &Path, given: Option<&Path>) -> Self {
        let dir = given.unwrap_or_else(|| output::directory(image)).to_owned();
        Self { dir, given: given.is_some(), verify: Verify::All }
    }

    /// Opens the tar of a device of `image`; `only` if that has one only.
    pub(crate) fn find(
        &self,
        image: &Path,
        device: &Device,
        only: bool,
        block: u64,
    ) -> Done<NamedFile> {
        let tag = String::from_utf8_lossy(&device.tag).into_owned();
        let needed = device.base_offset.saturating_add(device.bytes);
        let by_name = self.by_name(&tag);
        let found = by_name.clone().or_else(|| only.then(|| from_image_name(image)).flatten());
        let mut wrong = None;
        if let Some(path) = found {
            let (file, _) = input::open(&path)?;
            // The image counts whole blocks. What is shorter could be the bare tar of a device that
            // has something in front of it, and would be read at the wrong places.
            let has = file.bytes()?;
            if has.next_multiple_of(block) < needed {
                let why = format_args!("has {has} bytes, but {} needs {needed}", image.display());
                return Err(Fail::of(path, why));
            }
            let verify = match self.verify {
                Verify::All => true,
                Verify::OtherNames => by_name.is_none(),
                Verify::Nothing => false,
            };
            if !is_digest(&tag) || !verify {
                return Ok(file);
            }
            let digest = digest(&file)?;
            if digest == tag {
                return Ok(file);
            }
            let why = format_args!("does not have the digest {tag}, but {digest}");
            let why = Fail::of(path, why);
            if by_name.is_some() {
                return Err(why);
            }
            wrong = Some(why);
        }
        match (self.by_content(&tag, needed, block)?, wrong) {
            (Some(file), _) => Ok(file),
            (None, Some(wrong)) => Err(wrong),
            (None, None) => {
                let dir = self.dir.display();
                let hint = match self.given {
                    true => "",
                    false if is_digest(&tag) => " (--tars DIR)",
                    false => ", where a tag that is no digest names no file (--tars DIR)",
                };
                let why = format_args!("the tar of device {tag:?} is not in {dir}{hint}");
                Err(Fail::of(image, why))
            }
        }
    }

    /// A file that is named by the tag.
    fn by_name(&self, tag: &str) -> Option<PathBuf> {
        let plain = spool::file_name(tag);
        if tag.is_empty() || !self.given && !is_digest(tag) {
            return None;
        }
        // Of a tag with other characters only what `tarfs layer` makes of them is a name.
        let names = match plain == tag {
            true => vec![tag.to_owned(), format!("{tag}.tar"), format!("sha256-{tag}")],
            false => vec![plain.clone(), format!("{plain}.tar")],
        };
        names.iter().map(|name| self.dir.join(name)).find(|path| path.is_file())
    }

    /// A file with the digest that the tag is.
    fn by_content(&self, tag: &str, needed: u64, block: u64) -> Done<Option<NamedFile>> {
        if !is_digest(tag) {
            return Ok(None);
        }
        let entries = fs::read_dir(&self.dir).map_err(|error| Fail::of(&self.dir, error))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let fits = |bytes: u64| bytes.next_multiple_of(block) == needed;
            if fs::metadata(&path).is_ok_and(|found| found.is_file() && fits(found.len())) {
                // Of those that are not meant, some may not be readable.
                let Ok((file, _)) = input::open(&path) else { continue };
                if digest(&file)? == tag {
                    return Ok(Some(file));
                }
                unmoved::forget(&path);
            }
        }
        Ok(None)
    }
}

/// The SHA-256 of a file, which may take a while.
fn digest(file: &NamedFile) -> Done<String> {
    let progress = Progress::new("verifying", Some(file.bytes()?));
    spool::digest(file, &mut progress.observer())
}

/// `layer.tar` of `layer.tar.erofs` or of `layer.erofs`.
fn from_image_name(image: &Path) -> Option<PathBuf> {
    let stem = image.with_extension("");
    let candidates = [stem.with_extension("tar"), stem];
    candidates.into_iter().find(|path| path != image && path.is_file())
}

/// Whether a tag is a SHA-256.
pub(crate) fn is_digest(tag: &str) -> bool {
    tag.len() == 64 && tag.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
}
