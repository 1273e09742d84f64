//! `tarfs verity format`: a hash tree made of a file.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use clap::Args as Group;
use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::Image;
use erofs_tarfs::verity::{Geometry, HashPlacement, Params};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::{self, Sealing};
use crate::cli::{quote, warn};
use crate::files::durable::Durability;
use crate::files::kind::{self, Kind};
use crate::files::output::Output;
use crate::files::{durable, open, partition, place, protected, unchanged};
use crate::hash_tree::unfinished::{self, Growing};
use crate::hash_tree::{seal, search, sidecar};
use crate::layers::needed_tars;
use crate::show::hash_tree_report::HashTreeReport;
use crate::show::print;

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs verity format disk                       # 512/4096, no salt, no superblock: as Nydus
  tarfs verity format --preset containerd --hash disk.verity disk
  tarfs verity format --preset containerd --sidecar layer.erofs    # and layer.erofs.dmverity, for containerd")]
pub(crate) struct VerityFormat {
    #[command(flatten)]
    pub(crate) sealing: Sealing,
    /// Where the tree goes; behind the data if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) hash: Option<PathBuf>,
    /// Map DATA into memory instead of reading it: up to a fifth faster where it is cached. Nobody
    /// else may write to it meanwhile; if it is made shorter, this program is killed by SIGBUS.
    #[arg(long)]
    pub(crate) map: bool,
    #[command(flatten)]
    pub(crate) durability: Durability,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// The file to seal.
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,
}

pub(crate) fn run(args: &VerityFormat) -> Done {
    args.durability.set();
    let params = hash_tree_options::params(&args.sealing.tree.preset)?;
    let options = hash_tree_options::threads(&args.sealing.tree.hashing);
    if args.sealing.sidecar.is_some() && args.hash.is_some() {
        let why =
            "--sidecar is of a tree behind its data: containerd takes none in a file of its own";
        return Err(Fail::Usage(why.to_owned()));
    }
    let path = &args.data;
    let failed = |error: io::Error| Fail::of(path, error);
    let (data, lock) = to_seal(path, args.hash.is_some(), &params)?;
    let keeps = keeps_its_length(&data)?;
    if keeps && args.hash.is_none() {
        let why = "cannot grow by a hash tree: say --hash FILE";
        return Err(Fail::of(path, format_args!("is a block device or a partition, and {why}")));
    }
    // If two ran at once, each would take the other's tree for data.
    if flock(data.file(), lock) == Err(Errno::WOULDBLOCK) {
        return Err(Fail::of(path, "is being sealed by somebody else"));
    }
    if let Some(before) = unfinished::found(&data)? {
        warn::say(path, "has a part of a hash tree behind it, of a run that was ended: made anew");
        data.set_bytes(before)?;
    }
    let before = data.bytes()?;
    let data_bytes = before + params.data_padding(before);
    if keeps && data_bytes > before {
        let block = params.data_block();
        let why = "is a block device or a partition, and is not of whole data blocks of";
        return Err(Fail::of(path, format_args!("{why} {block} bytes: it has {before}")));
    }
    let place =
        if args.hash.is_some() { HashPlacement::OwnFile } else { HashPlacement::BehindData };
    let geometry =
        Geometry::new(&params, data_bytes, place).map_err(|error| Fail::of(path, error))?;
    refuse_unfit(&data, &geometry, &args.sealing)?;
    let sidecar = sidecar::wanted(&args.sealing, &params, path)?;
    let sealed = match &args.hash {
        Some(hash) => {
            protected::opened(path, data.file());
            needed_tars::bootstrap(path)?;
            let out = Output::new(&place::named(hash)?)?;
            let undo = Undo::grow(&data, before, data_bytes)?;
            unchanged::watch(data.path(), &data).map_err(failed)?;
            let end = geometry.end();
            let sealed = seal::seal(&data, &out.file()?, geometry, &options, args.map)?;
            out.file()?.set_bytes(end)?;
            if data_bytes != before {
                // The tree is of data of that length.
                durable::sync(data.path(), data.file())?;
            }
            out.finish()?;
            undo.keep();
            sealed
        }
        None => {
            let growing = Growing::new(&data, before, &geometry)?;
            let sealed = seal::seal(&data, &data, geometry.clone(), &options, args.map)?;
            // A run that is ended from here on has left the mark: the next one makes both anew.
            let named = sidecar.as_ref().map(|sidecar| sidecar.path().to_owned());
            if let Some(sidecar) = sidecar {
                sidecar::write(&sidecar, &sealed)?;
                sidecar.finish()?;
            }
            let done = growing.finish(&geometry);
            done.inspect_err(|_| named.iter().for_each(|file| drop(fs::remove_file(file))))?;
            sealed
        }
    };
    let made = HashTreeReport {
        sidecar: sidecar::name(&args.sealing, path),
        ..HashTreeReport::new(&sealed, path, args.hash.as_ref().unwrap_or(path))
    };
    let output = args.hash.as_deref().map(place::named).transpose()?;
    let out = print::stream(&output.unwrap_or_default().display().to_string());
    print::made(out, &made, args.json, |out| made.write(out))
}

/// Opens what is to be sealed, and says which lock it wants. It is opened for writing only if it has to
/// grow: because its tree goes behind it, or because it has no whole blocks yet.
fn to_seal(arg: &Path, elsewhere: bool, params: &Params) -> Done<(NamedFile, FlockOperation)> {
    const READ: FlockOperation = FlockOperation::NonBlockingLockShared;
    let (path, number) = partition::split(arg);
    if number.is_some() {
        return Ok((open::input_or_disk(arg)?.0, READ));
    }
    let failed = |error: io::Error| Fail::of(arg, format_args!("cannot open it: {error}"));
    let found = fs::metadata(&path).map_err(failed)?.file_type();
    if !found.is_file() && !found.is_block_device() {
        return Err(Fail::of(arg, "is neither a regular file nor a block device"));
    }
    let read = NamedFile::open(&path)?;
    let is_whole = || -> Done<bool> {
        Ok(params.data_padding(read.bytes()?) == 0 && unfinished::found(&read)?.is_none())
    };
    if !found.is_file() || elsewhere && is_whole()? {
        return Ok((read, READ));
    }
    let file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
    Ok((NamedFile::new(path, file), FlockOperation::NonBlockingLockExclusive))
}

/// Whether a file can't become longer: a device, or a partition.
fn keeps_its_length(data: &NamedFile) -> Done<bool> {
    let found = data.file().metadata().map_err(|error| Fail::of(data.path(), error))?;
    Ok(!found.is_file() || data.is_range())
}

/// Refuses a filesystem that Linux would not mount through the tree; one that has a hash tree behind
/// it, which would be data; and a bootstrap that would be so long with its tree that its tars could
/// be in it, as in a disk.
fn refuse_unfit(data: &NamedFile, geometry: &Geometry, args: &Sealing) -> Done {
    match kind::of(data)? {
        Kind::Erofs => {}
        // The second partition table must be the last thing on the disk.
        Kind::Gpt if geometry.same_file() => {
            let why =
                "has partitions, whose second table ends it: say --hash, or a partition of it";
            return Err(Fail::of(data.path(), why));
        }
        _ => return Ok(()),
    }
    let bytes = tarfs_io::read_metadata(data)?;
    let Ok(image) = Image::new(&bytes) else { return Ok(()) };
    let block = image.block_size();
    let ways = format!("--data-block-size {}, or {}", block.bytes(), hash_tree_options::ANY);
    hash_tree_options::sealable(&args.tree, block, &ways).map_err(|fail| match fail {
        Fail::Usage(text) => Fail::Usage(format!("{}: {text}", quote::name(data.path()))),
        fail => fail,
    })?;
    let (len, sealed) = (data.bytes()?, geometry.end());
    if image.end(len) < len && search::find(data, image.end(len), geometry.params())?.is_some() {
        return Err(Fail::of(data.path(), "has a hash tree behind it already"));
    }
    if geometry.same_file() && image.holds_devices(sealed) && !image.holds_devices(len) {
        let why = "is a bootstrap, and would look like a disk with the tree behind it: say --hash";
        return Err(Fail::of(data.path(), why));
    }
    Ok(())
}

/// A file that gets its old length back if the command fails.
struct Undo<'a>(Option<(&'a NamedFile, u64)>);

impl<'a> Undo<'a> {
    fn grow(file: &'a NamedFile, before: u64, after: u64) -> Done<Self> {
        let undo = Self(Some((file, before)));
        if after != before {
            file.set_bytes(after)?;
        }
        Ok(undo)
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if let Some((file, before)) = self.0 {
            let _ = file.set_bytes(before);
        }
    }
}
