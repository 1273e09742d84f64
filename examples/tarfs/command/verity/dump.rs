//! `tarfs verity dump`: what a verity superblock says.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args as Group;
use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::{HashPlacement, Superblock};
use serde::Serialize;

use crate::cli::fail::{Done, Fail};
use crate::cli::{numbers, quote};
use crate::files::kind::Kind;
use crate::files::open;
use crate::hash_tree::{search, sought};
use crate::show::print;

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs verity dump image.disk                   # behind the filesystem
  tarfs verity dump image.verity                 # a hash tree in a file of its own
  tarfs verity dump --hash-offset 1052672 layer.erofs")]
pub(crate) struct VerityDump {
    /// Byte offset of the superblock.
    #[arg(long, value_name = "N")]
    hash_offset: Option<u64>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// A file with a hash tree.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: &VerityDump) -> Done {
    let (file, kind) = open::input_or_disk(&args.file)?;
    let (superblock, place) = found(args, &file, kind)?;
    let failed = |error| Fail::of(&args.file, format_args!("its verity superblock: {error}"));
    let geometry = superblock.geometry(place).map_err(failed)?;
    let params = superblock.params();
    let dump = Dump {
        path: args.file.display().to_string(),
        uuid: superblock.uuid().to_string(),
        hash_type: params.format().number(),
        data_blocks: superblock.data_blocks(),
        data_block_size: params.data_block().bytes(),
        hash_blocks: geometry.tree_bytes() >> params.hash_block().bits(),
        hash_block_size: params.hash_block().bytes(),
        hash_algorithm: params.algorithm().name(),
        salt: match params.salt() {
            [] => "-".to_owned(),
            salt => numbers::to_hex(salt),
        },
        hash_offset: geometry.hash_offset(),
        hash_device_size: geometry.end(),
    };
    print::report(io::stdout().lock(), &dump, args.json, |out| dump.write(out))
}

/// The superblock, and where it is.
fn found(args: &VerityDump, file: &NamedFile, kind: Kind) -> Done<(Superblock, HashPlacement)> {
    let (place, end) = match (args.hash_offset, kind) {
        (Some(offset), _) => (HashPlacement::At(offset), None),
        (None, Kind::Erofs) => (HashPlacement::BehindData, Some(sought::filesystem(file)?)),
        (None, _) => (HashPlacement::OwnFile, None),
    };
    let Some((read, place)) = search::superblocks(file, end, place)?.into_iter().next() else {
        let place = match (place, end) {
            (HashPlacement::At(offset), _) => format!("at byte {offset}"),
            (_, Some(end)) => format!("behind its filesystem, which ends at byte {end}"),
            _ => "at byte 0".to_owned(),
        };
        let why = format!("has no verity superblock {place}: --hash-offset says where it is");
        return Err(Fail::of(&args.file, why));
    };
    let failed = |error| Fail::of(&args.file, format_args!("its verity superblock: {error}"));
    Ok((read.map_err(failed)?, place))
}

/// What it says; sizes in bytes.
#[derive(Debug, Serialize)]
struct Dump {
    path: String,
    uuid: String,
    hash_type: u32,
    data_blocks: u64,
    data_block_size: u32,
    hash_blocks: u64,
    hash_block_size: u32,
    hash_algorithm: &'static str,
    /// Hex digits, or `-`.
    salt: String,
    hash_offset: u64,
    hash_device_size: u64,
}

impl Dump {
    /// As `veritysetup dump` has it.
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "VERITY header information for {}", quote::name(&self.path))?;
        writeln!(out, "UUID:            \t{}", self.uuid)?;
        writeln!(out, "Hash type:       \t{}", self.hash_type)?;
        writeln!(out, "Data blocks:     \t{}", self.data_blocks)?;
        writeln!(out, "Data block size: \t{}", self.data_block_size)?;
        writeln!(out, "Hash blocks:     \t{}", self.hash_blocks)?;
        writeln!(out, "Hash block size: \t{}", self.hash_block_size)?;
        writeln!(out, "Hash algorithm:  \t{}", self.hash_algorithm)?;
        writeln!(out, "Salt:            \t{}", self.salt)?;
        // Where the area does not begin the device, its end is no size.
        match self.hash_offset {
            0 => writeln!(out, "Hash device size: \t{} [bytes]", self.hash_device_size),
            _ => Ok(()),
        }
    }
}
