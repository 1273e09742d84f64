//! `export`: a bootstrap and its tars become a disk.

use core::num::NonZero;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use erofs_tarfs::export::{ExportOptions, Mode};
use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::HashingOptions;
use erofs_tarfs::layout::{Artifact, DiskOrder, LayoutOptions};
use erofs_tarfs::tree::{MergeOptions, Tree, merge};
use erofs_tarfs::verity::Sealed;
use erofs_tarfs::{io as tarfs_io, verity};

use crate::bootstrap::Bootstrap;
use crate::fail::{Done, Fail, answer};
use crate::{target, tars};

/// Tars begin at multiples of so many bytes of a disk, as Nydus's program puts them.
const ALIGN: u64 = 512 << 10;

/// Of `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Make a raw disk: the only kind of output.
    #[arg(long, required = true)]
    block: bool,
    /// The bootstrap.
    #[arg(short = 'B', long, value_name = "FILE")]
    bootstrap: PathBuf,
    /// Where the tars lie, by their blob IDs.
    #[arg(short = 'D', long, value_name = "DIR")]
    localfs_dir: PathBuf,
    /// The disk; the bootstrap's name with .disk behind it, in the directory of the tars, if not given.
    #[arg(short = 'O', long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Put a dm-verity hash tree behind the data, and print its options.
    #[arg(long)]
    verity: bool,
    /// Do not wait until outputs are on the disk: after a power cut they may be empty, or not whole.
    #[arg(long)]
    no_sync: bool,
    /// Threads that hash; as many as the machine has, if not given.
    #[arg(long, value_name = "1-32", value_parser = clap::value_parser!(u16).range(1..=32))]
    threads: Option<u16>,
}

/// Makes the disk, which gets its name as the last step.
pub(crate) fn run(args: &Export) -> Done {
    let bootstrap = Bootstrap::read(&args.bootstrap)?;
    let mut tree = bootstrap.tree()?;
    let tars = tars::open(&args.localfs_dir, bootstrap.path(), &tree)?;
    let tars = once(&mut tree, tars, bootstrap.path())?;
    let output = target::path(&output(args)?, [bootstrap.path()])?;
    let mode = if args.verity { Mode::ImageBlockWithVerity } else { Mode::ImageBlock };
    let disk = Artifact::Disk(DiskOrder::MetadataFirst { align: ALIGN });
    let layout = LayoutOptions::new().artifact(disk);
    let options = ExportOptions::new().layout(layout).verity(verity::Params::nydus());
    let threads = args.threads.and_then(|threads| NonZero::new(threads.into()));
    let hashing = HashingOptions::new().threads(threads);
    let backings = tars.into_iter().map(tars::backing).collect::<Done<_>>()?;
    let export = tarfs_io::Export::new(mode).options(options).hashing(hashing);
    let export = export.synced(!args.no_sync);
    let made = export.image(tree, backings, Vec::new()).write(output)?;
    match made.first().and_then(tarfs_io::Exported::sealed) {
        Some(sealed) => answer(&verity_options(sealed)),
        None => Ok(()),
    }
}

/// A tar that is there for several layers is in the disk once, and one that no file is in is not.
///
/// Only the bootstrap of an image has several devices. Nothing lies below it, so to merge it with nothing
/// else changes no file: of Nydus's images the whiteouts of the lowest layer go, which hide nothing.
fn once(tree: &mut Tree, tars: Vec<NamedFile>, bootstrap: &Path) -> Done<Vec<NamedFile>> {
    if tars.len() < 2 {
        return Ok(tars);
    }
    for (device, tar) in tars.iter().enumerate() {
        tree.identify(device, tar.identity()?);
    }
    let merged = merge(&[tree], &MergeOptions::default());
    *tree = merged.map_err(|error| Fail::of(bootstrap, error))?;
    let of = |origin: &erofs_tarfs::tree::Origin| tars[origin.device].try_clone();
    Ok(tree.origins().iter().map(of).collect::<Result<_, _>>()?)
}

/// Where the disk goes.
fn output(args: &Export) -> Done<PathBuf> {
    if let Some(output) = &args.output {
        return Ok(output.clone());
    }
    let no_name = || Fail::of(&args.bootstrap, "has no name to name the disk by: --output FILE");
    let mut name = args.bootstrap.file_name().map(OsString::from).ok_or_else(no_name)?;
    name.push(".disk");
    Ok(args.localfs_dir.join(name))
}

/// The line that nydus-snapshotter reads, word for word, for the label of the disk.
fn verity_options(sealed: &Sealed) -> String {
    let geometry = sealed.geometry();
    let (data, hash) = (geometry.data_block(), geometry.hash_block());
    let (blocks, offset, root) = (geometry.data_blocks(), geometry.hash_offset(), sealed.root());
    format!(
        "dm-verity options: --no-superblock --format=1 -s \"\" --hash=sha256 \
         --data-block-size={data} --hash-block-size={hash} --data-blocks {blocks} \
         --hash-offset {offset} {root}"
    )
}
