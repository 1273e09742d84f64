//! Streams written to files, and hashed on the way.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use sha2::{Digest, Sha256};

use crate::fail::{Done, Fail};
use crate::output::Output;
use crate::sizes::to_hex;

/// Where uncompressed tars go, which an image needs as devices.
#[derive(Debug)]
pub(crate) enum Spool {
    /// To files without names in this directory, which are gone when the program ends.
    Temporary(PathBuf),
    /// To files in this directory that stay, named by their tags.
    Kept(PathBuf, Vec<Output>),
}

impl Spool {
    /// Writes a stream to a file; gives the file and the SHA-256 of its bytes.
    ///
    /// `tag` is what the file is named by if it stays, its SHA-256 if there is none.
    pub(crate) fn take(
        &mut self,
        name: &Path,
        reader: &mut dyn Read,
        tag: Option<&str>,
    ) -> Done<(NamedFile, String)> {
        match self {
            Self::Temporary(dir) => {
                let file = tempfile::tempfile_in(&*dir);
                let file = file.map_err(|error| Fail::of(&*dir, error))?;
                let digest = copy(name, reader, dir, &file)?;
                Ok((NamedFile::new(name, file), digest))
            }
            Self::Kept(dir, outputs) => {
                // Its name follows from its bytes: renamed when they are known.
                let mut output = Output::new(&dir.join("uncompressed tar"))?;
                let file = output.file()?;
                let digest = copy(name, reader, dir, file.file())?;
                let path = dir.join(file_name(tag.unwrap_or(&digest)));
                output.rename(&path)?;
                outputs.push(output);
                Ok((NamedFile::new(path, clone(&file)?), digest))
            }
        }
    }

    /// The directory of the files.
    pub(crate) fn dir(&self) -> &Path {
        match self {
            Self::Temporary(dir) | Self::Kept(dir, _) => dir,
        }
    }

    /// Gives names to the files that stay.
    pub(crate) fn finish(self) -> Done {
        match self {
            Self::Temporary(_) => Ok(()),
            Self::Kept(_, outputs) => outputs.into_iter().try_for_each(Output::finish),
        }
    }
}

/// The name of a file that holds what is tagged so.
pub(crate) fn file_name(tag: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+=@".contains(c);
    let name: String = tag.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    if name.starts_with('.') { format!("tar{name}") } else { name }
}

fn clone(file: &NamedFile) -> Done<File> {
    file.file().try_clone().map_err(|error| Fail::of(file.path(), error))
}

fn copy(name: &Path, reader: &mut dyn Read, out_name: &Path, mut out: &File) -> Done<String> {
    let mut hasher = Sha256::new();
    let mut buf = vec![0; 256 << 10];
    let mut at: u64 = 0;
    loop {
        let n = match reader.read(&mut buf) {
            Ok(0) => return Ok(to_hex(&hasher.finalize())),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let why = format_args!("cannot read at offset {at} of its bytes: {error}");
                return Err(Fail::of(name, why));
            }
        };
        hasher.update(&buf[..n]);
        let written = out.write_all(&buf[..n]);
        written.map_err(|error| {
            Fail::of(out_name, format_args!("cannot write the tar at offset {at}: {error}"))
        })?;
        at += n as u64;
    }
}

/// The SHA-256 of a file, in hex.
pub(crate) fn digest(file: &NamedFile, observer: &mut dyn FnMut(u64)) -> Done<String> {
    let (mut at, end) = (0, file.bytes()?);
    let mut hasher = Sha256::new();
    let mut buf = vec![0; 256 << 10];
    while at < end {
        let piece = &mut buf[..(end - at).min(256 << 10) as usize];
        file.read_exact_at(piece, at)?;
        hasher.update(&*piece);
        at += piece.len() as u64;
        observer(piece.len() as u64);
    }
    Ok(to_hex(&hasher.finalize()))
}
