//! The command line of hash trees.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args as Group, Subcommand};
use erofs_tarfs::verity::Params;

use crate::sizes::{self, Salt};

#[derive(Debug, Group)]
pub(crate) struct Preset {
    /// Block sizes, salt and superblock as others have them [default: nydus].
    #[arg(long, value_name = "NAME", value_parser = Params::NAMES)]
    pub(crate) preset: Option<String>,
    /// Data block size in bytes, instead of the preset's.
    #[arg(long, value_name = "N", value_parser = sizes::bytes)]
    pub(crate) data_block_size: Option<u64>,
    /// Hash block size in bytes, instead of the preset's.
    #[arg(long, value_name = "N", value_parser = sizes::bytes)]
    pub(crate) hash_block_size: Option<u64>,
    /// Salt as hex digits, or - for none, instead of the preset's.
    #[arg(long, value_name = "HEX", value_parser = sizes::hex)]
    pub(crate) salt: Option<Salt>,
    /// Put a superblock before the tree; its UUID is derived from the root hash.
    #[arg(long)]
    pub(crate) superblock: bool,
}

/// How hashing goes about it.
#[derive(Debug, Group)]
pub(crate) struct Hashing {
    /// How many threads hash; as many as the machine has if not given.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZero<usize>>,
}

/// Of trees that are made.
#[derive(Debug, Group)]
pub(crate) struct Sealing {
    #[command(flatten)]
    pub(crate) preset: Preset,
    /// Take data blocks that are larger than the filesystem's: the disk is not for a mount by Linux,
    /// which refuses it.
    #[arg(long)]
    pub(crate) any_data_block: bool,
    #[command(flatten)]
    pub(crate) hashing: Hashing,
}

impl Sealing {
    /// Whether any of it was given.
    pub(crate) fn is_set(&self) -> bool {
        self.preset.is_set() || self.any_data_block || self.hashing.threads.is_some()
    }
}

impl Preset {
    /// Whether the user says what parameters a tree has.
    pub(crate) fn is_set(&self) -> bool {
        let Self { preset, data_block_size, hash_block_size, salt, superblock, .. } = self;
        let sizes = data_block_size.is_some() || hash_block_size.is_some();
        preset.is_some() || sizes || salt.is_some() || *superblock
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verity {
    /// Append a hash tree to DATA, or write it to a file of its own.
    ///
    /// DATA is padded with zeros to whole blocks first.
    ///
    /// A run that is killed leaves DATA as it was, or with a mark at its end that the next run knows:
    /// it puts DATA back as it was, and begins anew.
    Format(VerityFormat),
    /// Verify all of DATA and its tree.
    ///
    /// The parameters are those of --preset and the options; if none is given, those of a verity
    /// superblock before the tree, and without one those of the preset nydus. Where the tree lies
    /// behind the data, --data-blocks says how much is data; in a disk with EROFS it is found by itself.
    Verify(VerityVerify),
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs verity format disk                       # 512/4096, no salt, no superblock: as Nydus
  tarfs verity format --preset containerd --hash disk.verity disk")]
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
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// The file to seal.
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs verity verify image.disk ROOT            # a sealed disk
  tarfs verity verify --hash-offset 1052672 layer.erofs ROOT     # as containerd's sidecar says
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
    /// The sealed file.
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,
    /// The root hash, 64 hex digits.
    #[arg(value_name = "ROOT")]
    pub(crate) root: erofs_tarfs::verity::Digest,
}
