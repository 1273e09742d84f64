//! The files of an OCI image layout: all get their names together, the index last.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{NamedFile, Output};
use erofs_tarfs::limits::Limits;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::fail::{Done, Fail};
use crate::cli::numbers;
use crate::cli::progress::{Progress, Stage};
use crate::files::output::Named;
use crate::files::{digest, durable, place, unchanged};
use crate::layers::images::json;
use crate::layers::images::store::{Blob, Store};
use crate::make::oci::documents::{BlobOf, REF_NAME};

const INDEX: &str = "index.json";
const LAYOUT: &str = "oci-layout";
const BLOBS: &str = "blobs/sha256";

/// A layout in the making, or one that is there and gets one image more.
pub(crate) struct LayoutWriter {
    dir: PathBuf,
    /// Directories that were made for it, the outermost first: empty ones go again.
    made: Vec<PathBuf>,
    outputs: Vec<Output>,
    /// Blobs that were there. Who made them may have been ended before they were on the disk.
    there: Vec<PathBuf>,
    /// The blobs among the outputs.
    blobs: BTreeSet<String>,
}

impl LayoutWriter {
    /// Begins it. A directory that is there must be a layout, or have nothing in it.
    pub(crate) fn new(dir: &Path) -> Done<Self> {
        let failed = |error| Fail::of(dir, error);
        let is_layout = || dir.join(LAYOUT).is_file();
        // Asked again, as another run may have given its files their names meanwhile: this one is the first.
        if !is_layout() && dir.exists() && !is_bare(dir).map_err(failed)? && !is_layout() {
            return Err(Fail::of(dir, "is there, and is no OCI image layout"));
        }
        let mut writer = Self {
            dir: dir.to_owned(),
            made: Vec::new(),
            outputs: Vec::new(),
            there: Vec::new(),
            blobs: BTreeSet::new(),
        };
        for part in [Path::new(""), Path::new("blobs"), Path::new(BLOBS)] {
            let part = dir.join(part);
            match fs::create_dir(&part) {
                Ok(()) => writer.made.push(part),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Fail::of(part, error)),
            }
        }
        if !is_layout() {
            let version = json!({ "imageLayoutVersion": "1.0.0" });
            writer.file(LAYOUT, version.to_string().as_bytes())?;
        }
        Ok(writer)
    }

    /// A small blob.
    pub(crate) fn document(&mut self, document: &Value) -> Done<BlobOf> {
        let bytes = document.to_string();
        let hex = numbers::to_hex(&Sha256::digest(bytes.as_bytes()));
        let blob = BlobOf { hex, bytes: bytes.len() as u64 };
        if self.wants(&blob, None)? {
            self.file(&format!("{BLOBS}/{}", blob.hex), bytes.as_bytes())?;
        }
        Ok(blob)
    }

    /// A blob that has this digest already, as the caller has checked.
    pub(crate) fn copy(&mut self, hex: &str, mut from: Blob<'_>) -> Done<BlobOf> {
        let blob = BlobOf { hex: hex.to_owned(), bytes: from.bytes };
        if !self.wants(&blob, from.file.as_ref())? {
            return Ok(blob);
        }
        let output = self.output(&format!("{BLOBS}/{hex}"))?;
        let failed = |error| Fail::of(output.path(), error);
        let progress = Progress::new(Stage::Copying, Some(from.bytes));
        if let Some(file) = &from.file {
            let (start, to) = ((file, 0), (output.file(), 0));
            erofs_tarfs::io::copy_range(start, to, from.bytes, &mut progress.observer())?;
        } else {
            let mut reader = progress.reader(from.reader.by_ref().take(blob.bytes));
            let copied = io::copy(&mut reader, &mut output.file().file()).map_err(failed)?;
            if copied != blob.bytes {
                return Err(failed(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        self.outputs.push(output);
        Ok(blob)
    }

    /// A blob that `write` makes.
    pub(crate) fn made(&mut self, write: impl FnOnce(&Output) -> Done) -> Done<BlobOf> {
        let mut output = self.output(BLOBS)?;
        write(&output)?;
        let hex = digest::sha256(output.file(), &mut |_| {})?;
        let blob = BlobOf { hex, bytes: output.file().bytes()? };
        if self.wants(&blob, None)? {
            output.rename(&self.dir.join(BLOBS).join(&blob.hex))?;
            self.outputs.push(output);
        }
        Ok(blob)
    }

    /// Whether a blob must be written: it is neither there nor among the outputs. One that is there has its
    /// digest; `checked` is a file of which that is known.
    fn wants(&mut self, blob: &BlobOf, checked: Option<&NamedFile>) -> Done<bool> {
        let path = self.dir.join(BLOBS).join(&blob.hex);
        match fs::metadata(&path) {
            Ok(found) if !found.is_file() => {
                return Err(Fail::of(path, "is there, and is not a regular file"));
            }
            Ok(_) => {}
            Err(_) => return Ok(self.blobs.insert(blob.hex.clone())),
        }
        let there = NamedFile::open(&path)?;
        self.there.push(path.clone());
        if let Some(checked) = checked
            && checked.identity()? == there.identity()?
        {
            return Ok(false);
        }
        let progress = Progress::new(Stage::Checking, Some(there.bytes()?));
        match digest::sha256(&there, &mut progress.observer())? {
            has if has == blob.hex => Ok(false),
            has => Err(Fail::of(path, format_args!("is there, and has the digest {has}"))),
        }
    }

    fn output(&self, name: &str) -> Done<Output> {
        let output = Output::within(&self.dir, &self.dir.join(name))?;
        Ok(output.synced(durable::is_wanted()))
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> Done {
        let output = self.output(name)?;
        let done = output.file().file().write_all(bytes);
        done.map_err(|error| Fail::of(output.path(), error))?;
        self.outputs.push(output);
        Ok(())
    }

    /// Puts an image into the index, in place of one of that name, and gives all files their names.
    pub(crate) fn finish(mut self, entry: Value) -> Done {
        let path = self.dir.join(INDEX);
        // Two runs would each write an index without the other's image. Locked until all has its name.
        let dir = File::open(&self.dir).and_then(|dir| dir.lock().map(|()| dir));
        let _dir = dir.map_err(|error| Fail::of(&self.dir, error))?;
        let mut index = match path.exists() {
            true => json::parse(
                &path,
                &Store::layout(&self.dir, Limits::new()).bytes(INDEX)?,
                "an index",
            )?,
            false => json!({ "schemaVersion": 2 }),
        };
        let no_list = || Fail::of(&path, "has no list of manifests");
        let list = index.as_object_mut().ok_or_else(no_list)?;
        let list = list.entry("manifests").or_insert_with(|| json!([]));
        // So umoci writes an empty list.
        if list.is_null() {
            *list = json!([]);
        }
        let list = list.as_array_mut().ok_or_else(no_list)?;
        let name = |entry: &Value| entry["annotations"][REF_NAME].as_str().map(str::to_owned);
        let new = name(&entry);
        list.retain(|old| match name(old) {
            Some(name) => Some(name) != new,
            None => old["digest"] != entry["digest"] || new.is_some(),
        });
        list.push(entry);
        self.file(INDEX, index.to_string().as_bytes())?;
        unchanged::check()?;
        self.put()
    }

    /// Gives all files their names. The index gets its own when all that it leads to is on the disk: a power
    /// cut leaves no index of an image that is not there.
    fn put(mut self) -> Done {
        let mut outputs = std::mem::take(&mut self.outputs);
        Output::sync(&outputs)?;
        let index = outputs.split_off(outputs.len() - 1);
        let is_new = |output: &&Output| output.path().symlink_metadata().is_err();
        let new: Vec<_> = outputs.iter().filter(is_new).map(|new| new.path().to_owned()).collect();
        Output::finish(outputs)?;
        let named = Named::of(index.iter());
        let done = self.sync().and_then(|()| Ok(Output::finish(index)?));
        done.inspect_err(|_| named.undo(&new))
    }

    /// Brings the blobs that were there to the disk, and the directories, which this run may have made, or one
    /// that was ended.
    fn sync(&self) -> Done {
        let (blobs, above) = (self.dir.join(BLOBS), place::directory(&self.dir));
        let directories = [&blobs, place::directory(&blobs), &self.dir];
        let there = self.there.iter().map(PathBuf::as_path);
        there.chain(directories).try_for_each(durable::sync_path)?;
        durable::sync_there(above)
    }
}

/// How the library begins names that files have for a moment.
const SPARE: &[u8] = b".tarfs-";

/// Whether there is nothing in a directory but those for blobs, empty: a run that was killed leaves them, and
/// where no file is without a name it leaves such files.
fn is_bare(dir: &Path) -> io::Result<bool> {
    let mut dir = dir.to_owned();
    for inner in ["blobs", "sha256"] {
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_name().as_bytes().starts_with(SPARE) {
                continue;
            }
            if entry.file_name() != inner || !entry.file_type()?.is_dir() {
                return Ok(false);
            }
        }
        dir.push(inner);
        if !dir.is_dir() {
            return Ok(true);
        }
    }
    Ok(fs::read_dir(&dir)?.next().is_none())
}

impl Drop for LayoutWriter {
    fn drop(&mut self) {
        self.outputs.clear();
        // Those with files in them stay.
        self.made.iter().rev().for_each(|dir| drop(fs::remove_dir(dir)));
    }
}
