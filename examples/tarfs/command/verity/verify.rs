//! `tarfs verity verify`: a file held against its hash tree.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args as Group;
use erofs_tarfs::io::verity::{self, HashingOptions};
use erofs_tarfs::verity::{Error, Fault, Sealed};
use serde::Serialize;

use super::of_sidecar;
use super::place::Place;
use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::{self, Hashing};
use crate::cli::progress::{Progress, Stage};
use crate::cli::quote;
use crate::files::unchanged;
use crate::hash_tree::sought::Sought;
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
    pub(crate) at: Place,
    #[command(flatten)]
    pub(crate) hashing: Hashing,
    /// Root hash and place of the hash area are those in containerd's sidecar: in FILE, or in the file
    /// beside DATA with .dmverity behind its name.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
          conflicts_with_all = ["hash", "data_blocks", "hash_offset"])]
    pub(crate) sidecar: Option<Option<PathBuf>>,
    /// Say that it is right as one line of JSON.
    #[arg(long)]
    json: bool,
    /// The root hash, 64 hex digits, or 128 of SHA-512; with --sidecar that of the sidecar must be this one.
    #[arg(value_name = "ROOT")]
    pub(crate) root: Option<erofs_tarfs::verity::TreeDigest>,
}

pub(super) fn run(args: &VerityVerify) -> Done {
    let sidecar = args.sidecar.clone().map(|file| file.unwrap_or(sidecar::beside(&args.at.data)));
    let (sought, sealed) = match (&sidecar, args.root) {
        (Some(sidecar), root) => of_sidecar::sought(&args.at.data, &args.at.params, sidecar, root)?,
        (None, Some(root)) => args.at.sealed(root)?,
        (None, None) => return Err(of_sidecar::no_root(&args.at.data)),
    };
    if sealed.geometry().same_file() {
        unfinished::refuse(&sought.data)?;
    }
    sought.is_whole(&sealed)?;
    check(&sought, &sealed, &hash_tree_options::threads(&args.hashing))?;
    unchanged::check()?;
    let bytes = sealed.geometry().data_bytes();
    let report = Verified {
        path: args.at.data.display().to_string(),
        verified: true,
        bytes,
        root_hash: sealed.root().to_string(),
        sidecar: sidecar.as_ref().map(|sidecar| sidecar.display().to_string()),
    };
    let (data, root) = (quote::name(&args.at.data), sealed.root());
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

/// Verifies all; errors name the file.
fn check(sought: &Sought, sealed: &Sealed, options: &HashingOptions) -> Done {
    let verified = {
        let bytes = sealed.geometry().data_bytes();
        let progress = Progress::new(Stage::Verifying, Some(bytes));
        verity::verify(&progress.file(&sought.data), &sought.hashes, sealed, options)
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
