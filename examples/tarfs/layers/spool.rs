//! Streams of tars that are written to files, because devices of images must be files.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::tree::LayerOptions;
use erofs_tarfs::{export, ingest};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::files::output::Output;
use crate::files::{digest, durable, place};
use crate::layers::begun::Begun;
use crate::layers::from_tar;
use crate::layers::loaded::Loaded;

/// Where uncompressed tars go, which an image needs as devices.
#[derive(Debug)]
pub(crate) enum Spool {
    /// To files without names in this directory, which are gone when the program ends.
    Temporary(PathBuf),
    /// To files in this directory that stay, named by their tags.
    Kept(PathBuf, Vec<Output>),
    /// To their places in the disk that is made of them.
    InPlace(Begun),
    /// They would stay, but there is nowhere to put them: beside standard output.
    Nowhere,
}

/// A place for an uncompressed tar, which any thread may fill.
#[derive(Debug)]
pub(crate) struct Room {
    file: NamedFile,
    /// Where in the file it starts, if it is one that ends where the tar does.
    start: Option<u64>,
    /// What it becomes if it stays.
    output: Option<Output>,
}

impl Room {
    /// A file for itself.
    fn of(file: NamedFile) -> Self {
        Self { file, start: None, output: None }
    }

    /// Writes a tar there as it streams by, to its end. [`Fail::Longer`] is one that has no room there.
    pub(crate) fn fill(
        &self,
        name: &Path,
        reader: impl Read,
        options: ingest::IngestOptions,
    ) -> Done<ingest::Ingested> {
        let to = (&self.file, self.start.unwrap_or_default());
        let done = tarfs_io::ingest(name, reader, options, Some(to), &mut |_| {});
        done.map_err(|error| match &error {
            tarfs_io::Error::Write { error: why, .. }
                if self.file.is_range() && why.kind() == ErrorKind::UnexpectedEof =>
            {
                Fail::Longer(Fail::from(error).to_string())
            }
            _ => error.into(),
        })
    }
}

impl Spool {
    /// Files that stay beside this output.
    pub(crate) fn kept(out: &Path) -> Self {
        match place::is_stdout(out) {
            true => Self::Nowhere,
            false => Self::Kept(place::directory(out).to_owned(), Vec::new()),
        }
    }

    /// Files that are gone when this output is whole.
    pub(crate) fn temporary(out: &Path) -> Self {
        Self::Temporary(place::beside(out))
    }

    /// Places in this output, a disk with its data first.
    pub(crate) fn begun_in(out: &Path) -> Done<Self> {
        Ok(Self::InPlace(Begun::new(place::beside(out))?))
    }

    /// Writes a tar to a file as it streams by, and makes a layer of it; gives that, and the
    /// SHA-256 of the tar.
    ///
    /// The device's tag is `tag`, or that SHA-256. A file that stays is named by it.
    pub(crate) fn take(
        &mut self,
        name: &Path,
        reader: &mut dyn Read,
        layer: LayerOptions,
        tag: Option<&str>,
    ) -> Done<(Loaded, String)> {
        self.take_with(name, reader, from_tar::ingest_options(layer, tag), tag)
    }

    /// The same with other choices of how the tar is read.
    pub(crate) fn take_with(
        &mut self,
        name: &Path,
        reader: &mut dyn Read,
        options: ingest::IngestOptions,
        tag: Option<&str>,
    ) -> Done<(Loaded, String)> {
        let room = self.next_room(name)?;
        let done = room.fill(name, reader, options)?;
        self.keep(name, room, done, tag)
    }

    /// So many tars come next.
    pub(crate) fn expect(&mut self, tars: usize) {
        if let Self::InPlace(begun) = self {
            begun.expect(tars);
        }
    }

    /// A place for a tar that ends before the next one begins.
    fn next_room(&mut self, name: &Path) -> Done<Room> {
        if let Self::InPlace(begun) = self
            && let Some((file, start)) = begun.open_end()?
        {
            return Ok(Room { file, start: Some(start), output: None });
        }
        self.room(name)
    }

    /// A place for a tar of so many bytes and no more, where the disk will have it, if there is such a one.
    pub(crate) fn place(&mut self, bytes: Option<u64>) -> Done<Option<Room>> {
        let Self::InPlace(begun) = self else { return Ok(None) };
        let Some(bytes) = bytes else {
            begun.give_up();
            return Ok(None);
        };
        Ok(begun.place(bytes)?.map(Room::of))
    }

    /// A place for a tar.
    pub(crate) fn room(&self, name: &Path) -> Done<Room> {
        match self {
            Self::InPlace(begun) => {
                Ok(Room::of(tarfs_io::Output::scratch(begun.dir(), begun.dir())?))
            }
            Self::Nowhere => {
                let why = "its uncompressed tar would be beside standard output: say -o FILE";
                Err(Fail::Usage(format!("{}: {why}", quote::name(name))))
            }
            Self::Temporary(dir) => {
                let file = tarfs_io::Output::scratch(dir, dir)?;
                Ok(Room::of(file))
            }
            Self::Kept(dir, _) => {
                // Its name follows from its digest, so it is renamed when that is known.
                let output = Output::new(&dir.join("uncompressed tar"))?;
                let room = Room::of(output.file()?);
                Ok(Room { output: Some(output), ..room })
            }
        }
    }

    /// Takes a tar that is in its place, and makes a layer of it; gives that, and the SHA-256 of the tar.
    pub(crate) fn keep(
        &mut self,
        name: &Path,
        room: Room,
        done: ingest::Ingested,
        tag: Option<&str>,
    ) -> Done<(Loaded, String)> {
        let Room { file, start, output } = room;
        let (dir, outputs, mut output) = match (self, output) {
            (Self::Kept(dir, outputs), Some(output)) => (dir, outputs, output),
            (Self::InPlace(begun), None) if let Some(start) = start => {
                let device = done.layer.tree.devices().first();
                let bytes = device.map_or(0, |device| device.base_offset + device.bytes);
                begun.behind(start + bytes);
                let file = file.named(name).range(start, bytes)?;
                return Ok(from_tar::ingested(file, done));
            }
            _ => return Ok(from_tar::ingested(file.named(name), done)),
        };
        let digest = done.diff_id.map(|digest| digest.to_string()).unwrap_or_default();
        let path = dir.join(export::plain(tag.unwrap_or(&digest)));
        let file = file.named(&path);
        // The same tar may be a layer that is read, or one that is kept already.
        let kept = outputs.iter().any(|kept| kept.path() == path);
        let there = kept || is_there(&path, &digest)?;
        if there && !kept {
            // A run that was ended may have left it before it was on the disk.
            durable::sync_path(&path)?;
            durable::sync_path(dir)?;
        }
        if !there {
            output.rename(&path)?;
            // A name that is a digest is that of this tar. One that the user gave may be that of any file.
            if tag.is_some() && path.symlink_metadata().is_ok() {
                let why = "is there, and is not the uncompressed tar, which would get that name";
                return Err(Fail::of(path, format_args!("{why} (--blob-id)")));
            }
            outputs.push(output);
        }
        Ok(from_tar::ingested(file, done))
    }

    /// The directory of the files.
    pub(crate) fn dir(&self) -> PathBuf {
        match self {
            Self::Temporary(dir) | Self::Kept(dir, _) => dir.clone(),
            Self::InPlace(begun) => begun.dir().clone(),
            Self::Nowhere => std::env::temp_dir(),
        }
    }

    /// The disk that was begun.
    pub(crate) fn begun(&mut self) -> Option<tarfs_io::Output> {
        match std::mem::replace(self, Self::Nowhere) {
            Self::InPlace(begun) => begun.output(),
            other => {
                *self = other;
                None
            }
        }
    }

    /// The files that stay, which have no names yet.
    pub(crate) fn outputs(self) -> Vec<Output> {
        match self {
            Self::Temporary(_) | Self::Nowhere | Self::InPlace(_) => Vec::new(),
            Self::Kept(_, outputs) => outputs,
        }
    }
}

/// Whether there is a file that has this digest.
fn is_there(path: &Path, sha256: &str) -> Done<bool> {
    Ok(path.is_file() && digest::sha256(&NamedFile::open(path)?, &mut |_| {})? == sha256)
}
