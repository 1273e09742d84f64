//! Options of hash trees, as `--preset`, and the library's parameters that they become.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args as Group;
use erofs_tarfs::export::{self, Product};
use erofs_tarfs::layout::LayoutOptions;
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::{Algorithm, HashFormat, Params, SuperblockMode, Uuid};

use crate::cli::fail::{Done, Fail};
use crate::cli::numbers::{self, Salt};

/// The parameters of a hash tree.
#[derive(Debug, Default, Group)]
pub(crate) struct Preset {
    /// Block sizes, salt and superblock as others have them [default: nydus].
    #[arg(long, value_name = "NAME", value_parser = Params::NAMES)]
    pub(crate) preset: Option<String>,
    /// Data block size in bytes, instead of the preset's.
    #[arg(long, value_name = "N", value_parser = numbers::bytes)]
    pub(crate) data_block_size: Option<u64>,
    /// Hash block size in bytes, instead of the preset's.
    #[arg(long, value_name = "N", value_parser = numbers::bytes)]
    pub(crate) hash_block_size: Option<u64>,
    /// Salt as hex digits, or - for none, instead of the preset's.
    #[arg(long, value_name = "HEX", value_parser = numbers::hex)]
    pub(crate) salt: Option<Salt>,
    /// Put a superblock before the tree; its UUID is derived from the root hash.
    #[arg(long)]
    pub(crate) superblock: bool,
    /// UUID of the superblock, which there is then.
    #[arg(long, value_name = "UUID")]
    pub(crate) superblock_uuid: Option<Uuid>,
    /// Hash algorithm, as --hash of veritysetup [default: sha256]. Container runtimes take that alone.
    #[arg(long, value_name = "NAME", value_parser = Algorithm::NAMES)]
    pub(crate) hash_algorithm: Option<String>,
    /// Hash format, as --format of veritysetup: 1, or 0, that of Chrome OS, with the salt behind each block
    /// [default: 1].
    #[arg(long, value_name = "0|1", value_parser = clap::value_parser!(u32).range(..=1))]
    pub(crate) hash_format: Option<u32>,
}

/// Options of hashing.
#[derive(Debug, Default, Group)]
pub(crate) struct Hashing {
    /// How many threads hash; as many as the machine has if not given.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZero<usize>>,
}

/// Options of hash trees that are computed.
#[derive(Debug, Default, Group)]
pub(crate) struct HashTree {
    #[command(flatten)]
    pub(crate) preset: Preset,
    /// Take data blocks that are larger than the filesystem's: the disk is not for a mount by Linux,
    /// which refuses it.
    #[arg(long)]
    pub(crate) any_data_block: bool,
    #[command(flatten)]
    pub(crate) hashing: Hashing,
}

/// Options of hash trees that are written.
#[derive(Debug, Default, Group)]
pub(crate) struct Sealing {
    #[command(flatten)]
    pub(crate) tree: HashTree,
    /// Write containerd's sidecar too, JSON with the root hash and the byte where the superblock is: to
    /// FILE, or beside the sealed file, with .dmverity behind its name. It is there before that file is.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub(crate) sidecar: Option<Option<PathBuf>>,
}

impl Sealing {
    /// Whether any of it was given.
    pub(crate) fn is_set(&self) -> bool {
        let HashTree { preset, any_data_block, hashing } = &self.tree;
        let of_tree = *any_data_block || self.sidecar.is_some();
        preset.is_set() || of_tree || hashing.threads.is_some()
    }
}

impl Preset {
    /// Whether the user says what parameters a tree has.
    pub(crate) fn is_set(&self) -> bool {
        let Self { preset, data_block_size, hash_block_size, salt, superblock, .. } = self;
        let sizes = data_block_size.is_some() || hash_block_size.is_some();
        let hash = self.hash_algorithm.is_some() || self.hash_format.is_some();
        let superblock = *superblock || self.superblock_uuid.is_some();
        preset.is_some() || sizes || salt.is_some() || superblock || hash
    }
}

/// The parameters of a hash tree.
pub(crate) fn params(args: &Preset) -> Done<Params> {
    let usage = |error: erofs_tarfs::verity::Error| Fail::Usage(error.to_string());
    let name = args.preset.as_deref().unwrap_or("nydus");
    let preset =
        Params::named(name).ok_or_else(|| Fail::Usage(format!("--preset {name}: not known")))?;
    let size = |given: Option<u64>, preset: u32| match given.map(u32::try_from) {
        None => Ok(preset),
        Some(Ok(size)) => Ok(size),
        Some(Err(_)) => Err(Fail::Usage("a block size of at most 512 KiB is wanted".to_owned())),
    };
    let salt = args.salt.as_ref().map_or(preset.salt(), |salt| &salt.0);
    let superblock = match (args.superblock_uuid, args.superblock) {
        (Some(uuid), _) => SuperblockMode::Uuid(uuid),
        (None, true) => SuperblockMode::Derived,
        (None, false) => preset.superblock(),
    };
    let data_block = size(args.data_block_size, preset.data_block().bytes())?;
    let hash_block = size(args.hash_block_size, preset.hash_block().bytes())?;
    let params = Params::new(data_block, hash_block, salt, superblock).map_err(usage)?;
    let algorithm = args.hash_algorithm.as_deref().and_then(Algorithm::named);
    let format = args.hash_format.and_then(HashFormat::of_number);
    Ok(params.with_algorithm(algorithm.unwrap_or_default()).with_format(format.unwrap_or_default()))
}

/// The same parameters with a superblock, which a tree in a partition of its own has.
pub(crate) fn with_superblock(params: &Params) -> Done<Params> {
    match params.superblock() {
        SuperblockMode::None => params
            .clone()
            .with_superblock(SuperblockMode::Derived)
            .map_err(|error| Fail::Usage(error.to_string())),
        _ => Ok(params.clone()),
    }
}

/// The parameters of a hash tree over a filesystem, which must be such that Linux mounts it: a
/// device-mapper device has the data block for its logical block, and no smaller one of a filesystem
/// can be set then.
pub(crate) fn mountable(args: &HashTree, block: BlockSize) -> Done<Params> {
    let (data, size) = (params(&args.preset)?.data_block().bytes(), block.bytes());
    let ways = format!("--data-block-size {size}, or --block-size {data}, or {ANY}");
    sealable(args, block, &ways)
}

/// What may be said of a tree over a filesystem that is not to be mounted.
pub(crate) const ANY: &str = "--any-data-block if it is not for a mount";

/// The same; `ways` are what is to be said instead.
pub(crate) fn sealable(args: &HashTree, block: BlockSize, ways: &str) -> Done<Params> {
    let options = export::ExportOptions::new()
        .layout(LayoutOptions::disk().block_size(block))
        .verity(params(&args.preset)?)
        .any_data_block(args.any_data_block);
    options.check(Product::SealedDisk).map_err(|error| Fail::Usage(format!("{error}. {ways}")))?;
    Ok(options.verity)
}

/// The library's options of hashing.
pub(crate) fn threads(args: &Hashing) -> erofs_tarfs::io::verity::HashingOptions {
    erofs_tarfs::io::verity::HashingOptions::new().threads(args.threads)
}
