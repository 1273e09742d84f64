//! containerd's sidecar of a sealed file, `layer.erofs.dmverity`: JSON with the root hash and the byte where
//! the verity superblock is.
//!
//! containerd mounts a layer through dm-verity if its sidecar is there, and as it is if not (unless
//! `dmverity_mode` says otherwise). So a sidecar gets its name before the file that it is about.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::{Algorithm, HashFormat, Params, Sealed, TreeDigest};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::Sealing;
use crate::cli::numbers;
use crate::files::output::Output;
use crate::files::{open, place};

/// What containerd puts behind a file's name for that of its sidecar.
const SUFFIX: &str = ".dmverity";

/// More bytes than any sidecar has.
const MOST: u64 = 4096;

/// What a sidecar says.
#[derive(Debug)]
pub(crate) struct Sidecar {
    pub(crate) root: TreeDigest,
    /// The byte where the superblock is, or the tree if there is none.
    pub(crate) hash_offset: u64,
    /// Kata reads a salt there too.
    pub(crate) salt: Option<Vec<u8>>,
}

/// The fields, and what else there is.
#[derive(Debug, Deserialize)]
struct Fields {
    roothash: String,
    hashoffset: u64,
    #[serde(default)]
    salt: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

/// Where containerd looks for the sidecar of a file.
pub(crate) fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(SUFFIX);
    name.into()
}

/// The sidecar of an output, if one is asked for; it has no name yet.
pub(crate) fn wanted(sealing: &Sealing, params: &Params, output: &Path) -> Done<Option<Output>> {
    let path = path(sealing, params, output)?;
    path.map(|path| Output::new(&path)).transpose()
}

/// The file that it will be.
pub(crate) fn path(sealing: &Sealing, params: &Params, output: &Path) -> Done<Option<PathBuf>> {
    let Some(named) = &sealing.sidecar else { return Ok(None) };
    check(params)?;
    place(named.as_deref(), output).map(Some)
}

/// What the sidecar of an output is called, if one is asked for.
pub(crate) fn name(sealing: &Sealing, output: &Path) -> Option<String> {
    let named = sealing.sidecar.as_ref()?;
    Some(named.clone().unwrap_or_else(|| beside(output)).display().to_string())
}

/// Where the sidecar of an output goes: to the file that was named, or beside the output.
fn place(named: Option<&Path>, output: &Path) -> Done<PathBuf> {
    match named {
        Some(named) if place::is_stdout(&place::named(named)?) => {
            let why =
                "--sidecar=-: a sidecar is a file, which gets its name before the output does";
            Err(Fail::Usage(why.to_owned()))
        }
        Some(named) => Ok(named.to_owned()),
        None if place::is_stdout(output) => {
            let why = "standard output has no name to name a sidecar by: --sidecar=FILE";
            Err(Fail::Usage(why.to_owned()))
        }
        None => Ok(beside(output)),
    }
}

/// Refuses parameters of a tree that containerd could not open by a sidecar.
pub(crate) fn check(params: &Params) -> Done {
    if (params.algorithm(), params.format()) != (Algorithm::Sha256, HashFormat::Normal) {
        let why = "--sidecar: containerd has hash trees of SHA-256 in format 1 alone";
        return Err(Fail::Usage(why.to_owned()));
    }
    match params.has_superblock() {
        true => Ok(()),
        false => {
            let why = "--sidecar: containerd reads the parameters of a hash tree in its superblock: \
                       --preset containerd or containerd-4k, or --superblock";
            Err(Fail::Usage(why.to_owned()))
        }
    }
}

/// Writes the sidecar of sealed data.
pub(crate) fn write(sidecar: &Output, sealed: &Sealed) -> Done {
    Ok(sidecar.file()?.write_all_at(sealed.containerd_sidecar().as_bytes(), 0)?)
}

/// Reads a sidecar that the user names.
pub(crate) fn read(path: &Path) -> Done<Sidecar> {
    parse(path, &open::input(path)?.0)
}

/// Reads an open sidecar.
pub(crate) fn parse(path: &Path, file: &NamedFile) -> Done<Sidecar> {
    let failed = |why: &dyn std::fmt::Display| Fail::of(path, format_args!("is no sidecar: {why}"));
    let fields: Fields = serde_json::from_slice(&contents(path, file)?).map_err(|e| failed(&e))?;
    // Go, in which containerd is written, takes names of fields in any case, and the last one counts. The
    // long s (U+017F) is an s in another case to it. What it would read otherwise is refused.
    let names = ["roothash", "hashoffset", "salt"];
    let is_one = |name: &&String| {
        let name = name.replace('\u{17f}', "s");
        names.iter().any(|known| known.eq_ignore_ascii_case(&name))
    };
    if let Some(other) = fields.others.keys().find(is_one) {
        return Err(failed(&format_args!("two readers would read {other:?} in two ways")));
    }
    let salt = fields.salt.as_deref().filter(|salt| !salt.is_empty());
    let salt = salt.map(numbers::hex).transpose();
    Ok(Sidecar {
        root: fields.roothash.parse().map_err(|e: erofs_tarfs::verity::Error| failed(&e))?,
        hash_offset: fields.hashoffset,
        salt: salt.map_err(|why| failed(&format_args!("salt: {why}")))?.map(|salt| salt.0),
    })
}

/// All bytes of a sidecar, if they are as few as those of one.
fn contents(path: &Path, file: &NamedFile) -> Done<Vec<u8>> {
    let bytes = file.bytes()?;
    if bytes > MOST {
        let why = format_args!("is no sidecar: it has {bytes} bytes, and {MOST} are the most");
        return Err(Fail::of(path, why));
    }
    let mut contents = vec![0; bytes as usize];
    file.read_exact_at(&mut contents, 0)?;
    Ok(contents)
}
