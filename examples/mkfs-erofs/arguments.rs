//! The command line: the options of `mkfs.erofs` of erofs-utils 1.9 that are understood.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};

const HELP: &str = "\
This is mkfs.erofs of erofs-tarfs, not of erofs-utils. It makes container layers, for containerd and
whoever else calls mkfs.erofs for them, and it never compresses.

  mkfs.erofs --tar=f [OPTIONS] OUT < TAR    a layer's filesystem with its data: mount it as it is
  mkfs.erofs --tar=i [OPTIONS] OUT < TAR    the metadata alone: append the tar, then mount the file
  mkfs.erofs [OPTIONS] OUT DIRECTORY        a directory, such as the upper one of a container

Where it differs from erofs-utils:
  * Whiteouts of the tar (.wh.NAME, .wh..wh..opq) become those of overlayfs, with --aufs and without it.
  * With --tar=f the block size is 512 unless -b says otherwise: file data stays where it lies in the tar,
    and the file is written in one pass. With -b 1024 and more, which containerd asks for by -b4096 unless
    its mkfs_options have a -b, file data is copied to blocks of that size, and a tar from standard input
    is kept in a file without a name until then. dm-verity with data blocks of 4096 needs -b4096.
  * Of a directory the block size is 4096 unless -b says otherwise.
  * With --tar=i the block size is always 512, as with erofs-utils. The file ends where the tar begins.
  * Without -U the UUID is made of the content: the same input gives the same bytes.
  * No clock is read: -T with --mkfs-time changes nothing, and --sort changes nothing.
  * The output gets its name when it is whole, on the disk. After an error there is none.
  * --exclude-path counts for tars too. Other names of the same file stay, and the tar keeps its bytes.
  * An owner that is none after --uid-offset or --gid-offset is an error, not a file less.
  * Sockets in a directory are skipped, as GNU tar does.

Refused: compression (-z, -C, -m), compressed tars (--ungzip, --unxz), extra devices, several sources, -T
for all files of a tar, and every -E but noinline_data, nosbcrc, xattr-name-filter, force-inode-compact and
force-inode-extended. Inodes are short wherever nothing is lost by it. Exit code: 0, or 1 for any error.";

/// Make an EROFS filesystem of a container layer.
#[derive(Debug, Parser)]
#[command(
    name = "mkfs.erofs",
    bin_name = "mkfs.erofs",
    version = concat!("(erofs-tarfs) ", env!("CARGO_PKG_VERSION")),
    args_override_self = true,
    max_term_width = 110,
    after_help = HELP
)]
pub(crate) struct Arguments {
    /// What is made of a tar: f, the filesystem with its data, or i, its index alone.
    #[arg(long, value_name = "f|i", require_equals = true)]
    pub(crate) tar: Option<Tar>,
    /// Whiteouts of the tar become those of overlayfs: so they do anyway.
    #[arg(long)]
    pub(crate) aufs: bool,
    /// Print nothing to standard output.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// UUID of the filesystem, `clear` for zeros, or `random`.
    #[arg(short = 'U', value_name = "UUID")]
    pub(crate) uuid: Option<String>,
    /// Block size in bytes.
    #[arg(short = 'b', value_name = "N")]
    pub(crate) block_size: Option<u32>,
    /// A time in seconds: of the build with --mkfs-time, else of all files, too.
    #[arg(short = 'T', value_name = "N", allow_negative_numbers = true)]
    pub(crate) time: Option<i64>,
    /// The time of -T is that of the build alone.
    #[arg(long, overrides_with = "all_time")]
    pub(crate) mkfs_time: bool,
    /// The time of -T is that of all files: the default.
    #[arg(long)]
    pub(crate) all_time: bool,
    /// Order of file data, which here is that of the tar.
    #[arg(long, value_name = "none|path", require_equals = true)]
    pub(crate) sort: Option<Sort>,
    /// Extended options.
    #[arg(short = 'E', value_name = "X,…", value_delimiter = ',')]
    pub(crate) extended: Vec<String>,
    /// Label of the volume, at most 15 bytes.
    #[arg(short = 'L', value_name = "LABEL")]
    pub(crate) label: Option<String>,
    #[command(flatten)]
    pub(crate) changed: Changed,
    /// How much is printed: accepted, and without effect.
    #[arg(short = 'd', value_name = "0-9", hide = true)]
    pub(crate) verbosity: Option<u8>,
    /// Threads: accepted, and without effect.
    #[arg(long, value_name = "N", hide = true)]
    pub(crate) workers: Option<u32>,
    /// Do not wait until OUT is on the disk: after a power cut it may be empty, or not whole.
    #[arg(long)]
    pub(crate) no_sync: bool,
    #[command(flatten)]
    pub(crate) refused: Refused,
    /// The file to make.
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// A tar with --tar, standard input if there is none; a directory without --tar.
    #[arg(value_name = "SOURCE")]
    pub(crate) sources: Vec<PathBuf>,
}

/// What is made otherwise than the source says.
#[derive(Debug, Args)]
pub(crate) struct Changed {
    /// Owner and group of all files are root.
    #[arg(long)]
    pub(crate) all_root: bool,
    /// The owner of all files.
    #[arg(long, value_name = "UID")]
    pub(crate) force_uid: Option<u32>,
    /// The group of all files.
    #[arg(long, value_name = "GID")]
    pub(crate) force_gid: Option<u32>,
    /// Added to the owner of every file.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) uid_offset: i64,
    /// Added to the group of every file.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    #[arg(allow_negative_numbers = true)]
    pub(crate) gid_offset: i64,
    /// Leave out this path, and all that is below it. May be given again.
    #[arg(long, value_name = "PATH")]
    pub(crate) exclude_path: Vec<OsString>,
}

/// Options of erofs-utils that are known, so that a refusal can say what they are about.
#[derive(Debug, Args)]
pub(crate) struct Refused {
    #[arg(short = 'z', value_name = "X", hide = true)]
    pub(crate) compress: Option<String>,
    #[arg(short = 'C', value_name = "N", hide = true)]
    pub(crate) cluster: Option<String>,
    #[arg(short = 'm', value_name = "N", hide = true)]
    pub(crate) metadata: Option<String>,
    #[arg(long, num_args = 0..=1, require_equals = true, hide = true)]
    pub(crate) ungzip: Option<Option<String>>,
    #[arg(long, num_args = 0..=1, require_equals = true, hide = true)]
    pub(crate) unxz: Option<Option<String>>,
    #[arg(long, hide = true)]
    pub(crate) blobdev: Option<String>,
    #[arg(long, hide = true)]
    pub(crate) chunksize: Option<String>,
}

/// What is made of a tar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tar {
    /// The filesystem with its data.
    #[value(name = "f")]
    Full,
    /// The metadata alone.
    #[value(name = "i")]
    Index,
}

/// Orders of file data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// As they come.
    None,
    /// By path.
    Path,
}
