//! `tarfs verity verify`.

use std::io::{self, Write};
use std::path::Path;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::{self, Options};
use erofs_tarfs::verity::{Error, Fault, Placement, Sealed};

use super::sought::{Extent, Sought, filesystem};
use crate::args::VerityVerify;
use crate::fail::{Done, Fail};
use crate::input::{self, Kind};
use crate::progress::Progress;
use crate::{geometry, partition, quote, unfinished, unmoved};

pub(super) fn run(args: &VerityVerify) -> Done {
    let sought = open(args)?;
    let sealed = Sealed::new(sought.geometry(&args.params)?, args.root);
    if sealed.geometry().same_file() {
        unfinished::refuse(&sought.data)?;
    }
    sought.is_whole(&sealed)?;
    check(&sought, &sealed, &geometry::threads(&args.hashing))?;
    unmoved::check()?;
    let bytes = sealed.geometry().data_bytes();
    println(format_args!("{}: verified, {bytes} bytes", quote::name(&args.data)))
}

fn open(args: &VerityVerify) -> Done<Sought> {
    let (data, kind) = input::whole(&args.data)?;
    let elsewhere = args.hash.is_some() || args.data_blocks.is_some() || args.hash_offset.is_some();
    if kind == Kind::Gpt && !elsewhere {
        let (data, hashes) = partition::pair(&args.data, &data, args.root)?;
        return apart(data, hashes);
    }
    if !elsewhere && let Some((tree, _)) = partition::tree_beside(&args.data)? {
        return apart(data, tree);
    }
    let place = match (args.hash_offset, &args.hash) {
        (Some(offset), None) => Placement::At(offset),
        (None, None) => Placement::BehindData,
        (None | Some(0), Some(_)) => Placement::OwnFile,
        (Some(_), Some(_)) => {
            return Err(Fail::Usage("--hash-offset is for a tree behind the data".to_owned()));
        }
    };
    let hashes = input::whole(args.hash.as_ref().unwrap_or(&args.data))?.0;
    let end = filesystem(&data);
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
    let end = filesystem(&data)?;
    Ok(Sought::of_filesystem(data, end, hashes, Placement::OwnFile))
}

/// Verifies all; errors name the file.
fn check(sought: &Sought, sealed: &Sealed, options: &Options) -> Done {
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

fn println(text: std::fmt::Arguments<'_>) -> Done {
    writeln!(io::stdout().lock(), "{text}").map_err(Fail::stdout)
}
