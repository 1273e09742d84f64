//! From the command line to the library's options.

use erofs_tarfs::export::{self, Product};
use erofs_tarfs::layout::{self, Artifact, BodyForm, WhiteoutForm};
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::{Params, SuperblockMode};

use crate::args::{Hashing, Layout, Placement, Preset, Sealing};
use crate::fail::{Done, Fail};

/// The options of an image.
pub(crate) fn options(args: &Layout, disk: bool) -> Done<layout::Options> {
    let block = u32::try_from(args.block_size).ok().and_then(BlockSize::new);
    let Some(block) = block.filter(|block| block.bytes() <= 4096) else {
        let text = format!("--block-size {}: 512, 1024, 2048 or 4096", args.block_size);
        return Err(Fail::Usage(text));
    };
    if let Some(why) = without_effect(args, disk) {
        return Err(Fail::Usage(why.to_owned()));
    }
    if let Some(align) = args.align.filter(|align| *align == 0 || !block.divides(*align)) {
        let block = block.bytes();
        return Err(Fail::Usage(format!(
            "--align {align}: not a multiple of --block-size {block}"
        )));
    }
    let mut options = layout::Options::default();
    options.block_size = block;
    options.uuid = args.uuid.map(|uuid| uuid.0);
    if args.aufs_whiteouts {
        options.whiteouts = WhiteoutForm::Aufs;
    }
    options.bodies = match (args.chunk_indexes, args.plain_bodies) {
        (true, _) => BodyForm::Chunks,
        (_, true) => BodyForm::Plain,
        _ => BodyForm::Auto,
    };
    options.checksum = args.checksum.then_some(true);
    options.compact = args.compact;
    options.artifact = match (disk, args.placement) {
        (false, _) => Artifact::Bootstrap,
        (true, Some(Placement::DataFirst)) => Artifact::Disk(layout::Placement::DataFirst),
        (true, Some(Placement::MetadataFirst) | None) => Artifact::Disk(match args.align {
            Some(align) => layout::Placement::MetadataFirst { align },
            None => layout::Placement::default(),
        }),
    };
    Ok(options)
}

/// What to say of an option that would change nothing.
fn without_effect(args: &Layout, disk: bool) -> Option<&'static str> {
    match args.placement {
        Some(_) if !disk => Some("--placement is for disks: a bootstrap has no tars in it"),
        _ if args.align.is_some() && !disk => {
            Some("--align is for disks: the devices of a bootstrap have no bytes between them")
        }
        Some(Placement::DataFirst) if args.align.is_some() => Some(
            "--align is for --placement metadata-first: with the data first nothing is aligned",
        ),
        _ => None,
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
    let superblock = match args.superblock {
        true => SuperblockMode::Derived,
        false => preset.superblock(),
    };
    let data_block = size(args.data_block_size, preset.data_block().bytes())?;
    let hash_block = size(args.hash_block_size, preset.hash_block().bytes())?;
    Params::new(data_block, hash_block, salt, superblock).map_err(usage)
}

/// The parameters of a hash tree over a filesystem, which must be such that Linux mounts it: a
/// device-mapper device has the data block for its logical block, and no smaller one of a filesystem
/// can be set then.
pub(crate) fn mountable(args: &Sealing, block: BlockSize) -> Done<Params> {
    let (data, size) = (params(&args.preset)?.data_block().bytes(), block.bytes());
    sealable(args, block, &format!("--data-block-size {size}, or --block-size {data}, or"))
}

/// The same; `ways` are what is to be said besides --any-data-block.
pub(crate) fn sealable(args: &Sealing, block: BlockSize, ways: &str) -> Done<Params> {
    let mut options = export::Options::default();
    options.layout.block_size = block;
    options.verity = params(&args.preset)?;
    options.any_data_block = args.any_data_block;
    options.check(Product::SealedDisk).map_err(|error| {
        Fail::Usage(format!("{error}. {ways} --any-data-block if it is not for a mount"))
    })?;
    Ok(options.verity)
}

/// How hashing goes about it.
pub(crate) fn threads(args: &Hashing) -> erofs_tarfs::io::verity::Options {
    args.threads.map_or_else(Default::default, erofs_tarfs::io::verity::Options::threads)
}
