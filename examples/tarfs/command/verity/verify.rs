//! `tarfs verity verify`: a file held against its hash tree.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args as Group;
use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::{self, HashingOptions};
use erofs_tarfs::verity::{Digest, Error, Fault, HashPlacement, Sealed};
use serde::Serialize;

use super::of_sidecar;
use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::{self, Hashing, Preset};
use crate::cli::progress::Progress;
use crate::cli::quote;
use crate::files::kind::Kind;
use crate::files::{hash_tree_partition, open, unchanged};
use crate::hash_tree::sought::{self, Extent, Sought};
use crate::hash_tree::{sidecar, unfinished};
use crate::show::print;

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs verity verify image.disk ROOT            # a sealed disk
  tarfs verity verify --sidecar layer.erofs      # by layer.erofs.dmverity, as containerd leaves it
  tarfs verity verify --hash-offset 1052672 layer.erofs ROOT     # where the superblock is not found
  tarfs verity verify --data-blocks 379918 FILE ROOT
  tarfs verity verify --hash disk.verity disk ROOT")]
pub(crate) struct VerityVerify {
    #[command(flatten)]
    pub(crate) params: Preset,
    #[command(flatten)]
    pub(crate) hashing: Hashing,
    /// Where the tree is, from byte 0 on; behind the data if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) hash: Option<PathBuf>,
    /// How many data blocks there are; without it all of DATA is data, or with the tree behind
    /// the data what the filesystem in DATA says.
    #[arg(long, value_name = "N")]
    pub(crate) data_blocks: Option<u64>,
    /// Byte offset of the hash area, where it is not right behind the data.
    #[arg(long, value_name = "N")]
    pub(crate) hash_offset: Option<u64>,
    /// Root hash and place of the hash area are those in containerd's sidecar: in FILE, or in the file
    /// beside DATA with .dmverity behind its name.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
          conflicts_with_all = ["hash", "data_blocks", "hash_offset"])]
    pub(crate) sidecar: Option<Option<PathBuf>>,
    /// Say that it is right as one line of JSON.
    #[arg(long)]
    json: bool,
    /// The sealed file.
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,
    /// The root hash, 64 hex digits; with --sidecar that of the sidecar must be this one.
    #[arg(value_name = "ROOT")]
    pub(crate) root: Option<erofs_tarfs::verity::Digest>,
}

pub(super) fn run(args: &VerityVerify) -> Done {
    let sidecar = args.sidecar.clone().map(|file| file.unwrap_or(sidecar::beside(&args.data)));
    let (sought, sealed) = match (&sidecar, args.root) {
        (Some(sidecar), root) => of_sidecar::sought(&args.data, &args.params, sidecar, root)?,
        (None, Some(root)) => {
            let sought = open(args, root)?;
            let geometry = sought.geometry(&args.params)?;
            (sought, Sealed::new(geometry, root))
        }
        (None, None) => return Err(of_sidecar::no_root(&args.data)),
    };
    if sealed.geometry().same_file() {
        unfinished::refuse(&sought.data)?;
    }
    sought.is_whole(&sealed)?;
    check(&sought, &sealed, &hash_tree_options::threads(&args.hashing))?;
    unchanged::check()?;
    let bytes = sealed.geometry().data_bytes();
    let report = Verified {
        path: args.data.display().to_string(),
        verified: true,
        bytes,
        root_hash: sealed.root().to_string(),
        sidecar: sidecar.as_ref().map(|sidecar| sidecar.display().to_string()),
    };
    let (data, root) = (quote::name(&args.data), sealed.root());
    let of = sidecar.filter(|_| args.root.is_none());
    print::report(io::stdout().lock(), &report, args.json, |out| match of {
        Some(sidecar) => {
            let of = quote::name(&sidecar);
            writeln!(out, "{data}: verified, {bytes} bytes, by the root hash of {of}: {root}")
        }
        None => writeln!(out, "{data}: verified, {bytes} bytes"),
    })
}

/// What was verified: all of `bytes`, and the tree. What does not match is an error instead.
#[derive(Debug, Serialize)]
struct Verified {
    path: String,
    verified: bool,
    bytes: u64,
    root_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sidecar: Option<String>,
}

fn open(args: &VerityVerify, root: Digest) -> Done<Sought> {
    let (data, kind) = open::input_or_disk(&args.data)?;
    let elsewhere = args.hash.is_some() || args.data_blocks.is_some() || args.hash_offset.is_some();
    if kind == Kind::Gpt && !elsewhere {
        let (data, hashes) = hash_tree_partition::pair(&args.data, &data, root)?;
        return apart(data, hashes);
    }
    if !elsewhere && let Some((tree, _)) = hash_tree_partition::tree_beside(&args.data)? {
        return apart(data, tree);
    }
    let place = match (args.hash_offset, &args.hash) {
        (Some(offset), None) => HashPlacement::At(offset),
        (None, None) => HashPlacement::BehindData,
        (None | Some(0), Some(_)) => HashPlacement::OwnFile,
        (Some(_), Some(_)) => {
            return Err(Fail::Usage("--hash-offset is for a tree behind the data".to_owned()));
        }
    };
    let hashes = open::input_or_disk(args.hash.as_ref().unwrap_or(&args.data))?.0;
    let end = sought::filesystem(&data);
    let (extent, least) = match (args.data_blocks, &args.hash) {
        (Some(blocks), _) => (Extent::Blocks(blocks), 0),
        (None, Some(_)) => {
            let bytes = data.bytes()?;
            (Extent::Bytes(bytes), end.unwrap_or(bytes))
        }
        (None, None) => match end {
            Ok(end) => (Extent::Bytes(end), end),
            Err(_) if args.hash_offset.is_some() && !args.params.is_set() => (Extent::Unknown, 0),
            Err(fail) => return Err(fail),
        },
    };
    Ok(Sought { data, extent, least, hashes, place })
}

/// A volume, and its hash tree in another partition.
fn apart(data: NamedFile, hashes: NamedFile) -> Done<Sought> {
    let end = sought::filesystem(&data)?;
    Ok(Sought::of_filesystem(data, end, hashes, HashPlacement::OwnFile))
}

/// Verifies all; errors name the file.
fn check(sought: &Sought, sealed: &Sealed, options: &HashingOptions) -> Done {
    let verified = {
        let _progress = Progress::new("verifying", None);
        verity::verify(&sought.data, &sought.hashes, sealed, options)
    };
    let (data, hashes) = (sought.data.path(), sought.hashes.path());
    match verified {
        Ok(()) => Ok(()),
        Err(Fault::Verity(error)) => {
            let file: &Path = if is_of_tree(&error) { hashes } else { data };
            match sought.other(sealed)? {
                Some(why) if error.is_mismatch() => Err(Fail::of(file, why)),
                _ => Err(Fail::of(file, error)),
            }
        }
        Err(Fault::Caller(error)) => Err(Fail::of(hashes, error)),
    }
}

/// Whether an error is about the tree, not the data.
fn is_of_tree(error: &Error) -> bool {
    matches!(error, Error::HashMismatch { .. } | Error::SpareNotZero { .. })
}
