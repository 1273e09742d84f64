//! Options of every image that is made, as `--block-size`, and the library's options that they become.

use clap::{Args as Group, ValueEnum};
use erofs_tarfs::layout::{self, Artifact, BodyForm, WhiteoutForm};
use erofs_tarfs::limits::Limits;
use erofs_tarfs::units::BlockSize;

use crate::cli::fail::{Done, Fail};
use crate::cli::numbers;

/// How a disk is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Placement {
    /// Metadata, then the tars, each at a multiple of --align.
    MetadataFirst,
    /// A head of 4096 bytes, the tars, then the metadata.
    DataFirst,
}

/// Choices of every image that is made.
#[derive(Debug, Group)]
pub(crate) struct Layout {
    /// Block size of the filesystem in bytes: 512, or up to 4096 where every file allows it.
    #[arg(long, value_name = "N", default_value = "512", value_parser = numbers::bytes)]
    pub(crate) block_size: u64,
    /// What comes first in a disk [default: metadata-first].
    #[arg(long, value_name = "P")]
    pub(crate) placement: Option<Placement>,
    /// In a disk, metadata first: each tar starts at a multiple of this [default: 4096]. Nydus uses
    /// 512KiB.
    #[arg(long, value_name = "N", value_parser = numbers::bytes)]
    pub(crate) align: Option<u64>,
    /// UUID of the filesystem, or blob:DIGEST for the one that containerd gives the layer with that
    /// digest (as blob:sha256:…); one that follows from its content if not given. An upper directory of
    /// overlayfs that is kept must not come over another image with the same UUID.
    #[arg(long, value_name = "UUID", value_parser = numbers::uuid)]
    pub(crate) uuid: Option<erofs_tarfs::verity::Uuid>,
    /// Label of the volume, at most 15 bytes: what blkid and /dev/disk/by-label call the filesystem.
    #[arg(short = 'L', long, value_name = "LABEL")]
    pub(crate) label: Option<String>,
    /// Write whiteouts as files named .wh.NAME, as Nydus does, instead of in overlayfs form.
    #[arg(long)]
    pub(crate) aufs_whiteouts: bool,
    /// Refer to all bodies by chunk indexes, 32 bytes a file: bootstraps do so anyway, except with
    /// --compact.
    #[arg(long, conflicts_with = "plain_bodies")]
    pub(crate) chunk_indexes: bool,
    /// In a bootstrap, 32 bytes a file less, but only kernels read it right: erofs-utils and
    /// go-erofs show other bytes without an error. Disks are of this form, for every reader.
    #[arg(long)]
    pub(crate) plain_bodies: bool,
    /// Times in short inodes, half the size, and plain bodies: only kernels from Linux 6.15 on read
    /// it right.
    #[arg(long)]
    pub(crate) compact: bool,
    /// A checksum in the superblock also where blocks are below 2048 bytes: libblkid 2.41 and 2.42,
    /// so `mount` without -t and udev, do not recognise such an image.
    #[arg(long)]
    pub(crate) checksum: bool,
}

/// Refuses for the disks of so many layers, one each, what is of one alone.
pub(crate) fn of_each(args: &Layout, layers: usize) -> Done {
    if layers > 1 && args.uuid.is_some() {
        let why = "--uuid is of one filesystem: those of several layers follow from their content";
        return Err(Fail::Usage(why.to_owned()));
    }
    Ok(())
}

/// The library's options, for a disk or for a bootstrap.
pub(crate) fn options(args: &Layout, disk: bool, limits: Limits) -> Done<layout::LayoutOptions> {
    let block = u32::try_from(args.block_size).ok().and_then(BlockSize::new);
    let Some(block) = block.filter(|block| block.bytes() <= 4096) else {
        return Err(Fail::Usage(block_sizes(args.block_size)));
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
    if let Some(label) = args.label.as_deref().filter(|label| !(1..=15).contains(&label.len())) {
        let bytes = label.len();
        return Err(Fail::Usage(format!("--label {label:?}: has {bytes} bytes, not 1 to 15")));
    }
    let whiteouts = match args.aufs_whiteouts {
        true => WhiteoutForm::Aufs,
        false => WhiteoutForm::Overlayfs,
    };
    let bodies = match (args.chunk_indexes, args.plain_bodies) {
        (true, _) => BodyForm::Chunks,
        (_, true) => BodyForm::Plain,
        _ => BodyForm::Auto,
    };
    let artifact = match (disk, args.placement) {
        (false, _) => Artifact::Bootstrap,
        (true, Some(Placement::DataFirst)) => Artifact::Disk(layout::DiskOrder::DataFirst),
        (true, Some(Placement::MetadataFirst) | None) => Artifact::Disk(match args.align {
            Some(align) => layout::DiskOrder::MetadataFirst { align },
            None => layout::DiskOrder::default(),
        }),
    };
    Ok(layout::LayoutOptions::new()
        .artifact(artifact)
        .block_size(block)
        .uuid(args.uuid.map(|uuid| uuid.0))
        .volume_name(args.label.as_deref().unwrap_or_default())
        .whiteouts(whiteouts)
        .bodies(bodies)
        .compact(args.compact)
        .checksum(args.checksum.then_some(true))
        .limits(limits))
}

/// What to say of a block size that is none.
pub(crate) fn block_sizes(given: u64) -> String {
    format!("--block-size {given}: 512, 1024, 2048 or 4096")
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
