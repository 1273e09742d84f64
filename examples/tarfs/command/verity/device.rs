//! `tarfs verity open` and `close`: devices of dm-verity, by `veritysetup`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args as Group;
use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::TreeDigest;
use serde::Serialize;

use super::place::Place;
use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::hash_tree::unfinished;
use crate::mount::verity_device;
use crate::show::print;

/// The longest file with a root hash that is read, in bytes: 128 hex digits, and a line's end.
const MOST: u64 = 256;

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs verity open image.disk image ROOT        # then: mount -t erofs -o ro /dev/mapper/image /mnt
  tarfs verity open --root-hash-file image.root --root-hash-signature image.p7s image.disk image
  tarfs verity close image")]
pub(crate) struct VerityOpen {
    #[command(flatten)]
    at: Place,
    /// What the device is called: /dev/mapper/NAME.
    #[arg(value_name = "NAME", value_parser = device_name)]
    name: String,
    /// The root hash, 64 hex digits, or 128 of SHA-512.
    #[arg(value_name = "ROOT", required_unless_present = "root_hash_file")]
    root: Option<TreeDigest>,
    /// The root hash is the text of this file.
    #[arg(long, value_name = "FILE", conflicts_with = "root")]
    root_hash_file: Option<PathBuf>,
    /// Handed on: Linux opens the device only if this signature (PKCS#7, DER) of the root hash is of a key that
    /// it trusts.
    #[arg(long, value_name = "FILE")]
    root_hash_signature: Option<PathBuf>,
    /// Print one JSON object: the device's path, what it is of, and its root hash.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Group)]
pub(crate) struct VerityClose {
    /// Remove it when nobody uses it any more, if somebody does now.
    #[arg(long)]
    deferred: bool,
    /// Print one JSON object: the device's path, and whether its end was deferred.
    #[arg(long)]
    json: bool,
    /// What the device is called.
    #[arg(value_name = "NAME", value_parser = device_name)]
    name: String,
}

/// What was opened.
#[derive(Debug, Serialize)]
struct Opened {
    device: String,
    data: String,
    hash_tree: String,
    root_hash: String,
}

/// What was closed.
#[derive(Debug, Serialize)]
struct Closed {
    device: String,
    deferred: bool,
}

pub(super) fn open(args: &VerityOpen) -> Done {
    let root = match (&args.root_hash_file, args.root) {
        (Some(file), _) => root_of(file)?,
        (None, Some(root)) => root,
        (None, None) => return Err(Fail::Usage("a root hash is wanted".to_owned())),
    };
    let (sought, sealed) = args.at.sealed(root)?;
    let same_file = sealed.geometry().same_file();
    if same_file {
        unfinished::refuse(&sought.data)?;
    }
    sought.is_whole(&sealed)?;
    sought.has_root(&sealed)?;
    let mut more = Vec::new();
    if let Some(file) = &args.root_hash_signature {
        // What cannot be opened is said by us, and by its name.
        drop(NamedFile::open(file)?);
        let mut option = OsString::from("--root-hash-signature=");
        option.push(file);
        more.push(option);
    }
    let tree = (!same_file).then_some(&sought.hashes);
    verity_device::open(&sought.data, tree, &sealed, &args.name, &more)?;
    if !args.json {
        return Ok(());
    }
    let opened = Opened {
        device: verity_device::path(&args.name).display().to_string(),
        data: sought.data.path().display().to_string(),
        hash_tree: tree.unwrap_or(&sought.data).path().display().to_string(),
        root_hash: root.to_string(),
    };
    print::json_line(&mut io::stdout().lock(), &opened).map_err(Fail::stdout)
}

pub(super) fn close(args: &VerityClose) -> Done {
    let deferred = if args.deferred { &["close", "--deferred"][..] } else { &["close"] };
    verity_device::call(deferred, &args.name)?;
    if !args.json {
        return Ok(());
    }
    let device = verity_device::path(&args.name).display().to_string();
    let closed = Closed { device, deferred: args.deferred };
    print::json_line(&mut io::stdout().lock(), &closed).map_err(Fail::stdout)
}

/// The root hash in a file, as others write it: hex digits, and perhaps a line's end.
fn root_of(path: &Path) -> Done<TreeDigest> {
    let file = NamedFile::open(path)?;
    let bytes = file.bytes()?;
    if bytes > MOST {
        let why = format_args!("has {bytes} bytes: a root hash has 64 or 128 hex digits");
        return Err(Fail::of(path, why));
    }
    let mut text = vec![0; bytes as usize];
    file.read_exact_at(&mut text, 0)?;
    let text = String::from_utf8_lossy(&text);
    text.trim().parse().map_err(|error| Fail::of(path, error))
}

/// A name that the device mapper takes as it is.
pub(super) fn device_name(name: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+:#=@".contains(&byte);
    match name.len() {
        1..=127 if name.bytes().all(is_plain) && !name.starts_with(['-', '.']) => {
            Ok(name.to_owned())
        }
        _ => Err(format!(
            "{}: no name of a device: 1 to 127 of letters, digits and -_.+:#=@, the first no - or .",
            quote::name(name)
        )),
    }
}
