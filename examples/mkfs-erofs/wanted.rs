//! What a command line asks for, once all that is refused is out of the way.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use erofs_tarfs::layout::LayoutOptions;
use erofs_tarfs::tree::Changes;
use erofs_tarfs::units::BlockSize;

use crate::arguments::{Arguments, Changed, Refused, Tar};
use crate::fail::{Done, Fail};

/// Extended options that change nothing of what is in the filesystem.
const HARMLESS: &[&str] =
    &["noinline_data", "xattr-name-filter", "force-inode-compact", "force-inode-extended"];

/// Leaves the superblock without a checksum.
const NO_CHECKSUM: &str = "nosbcrc";

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A disk with the layer's data.
    Full,
    /// The disk without the tar at its end.
    Index,
}

/// Where the layer comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A tar on standard input.
    Stdin,
    /// A tar in a file.
    Tar(PathBuf),
    /// A directory, whose files all get this time, if there is one.
    Directory(PathBuf, Option<i64>),
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    pub(crate) source: Source,
    /// Options of the layout, but for what is made.
    pub(crate) layout: LayoutOptions,
    /// What is made otherwise than the source says.
    pub(crate) changes: Changes,
}

impl Wanted {
    /// Reads the command line, and refuses what this program does not do.
    pub(crate) fn of(arguments: &Arguments) -> Done<Self> {
        refuse(&arguments.refused)?;
        let mut layout = LayoutOptions::new()
            .uuid(arguments.uuid.as_deref().map(uuid).transpose()?.flatten())
            .volume_name(arguments.label.clone().unwrap_or_default().into_bytes());
        for option in &arguments.extended {
            match option.as_str() {
                NO_CHECKSUM => layout = layout.checksum(false),
                option if HARMLESS.contains(&option) => {}
                option => {
                    let known = HARMLESS.join(", ");
                    let why = format!("-E{option} is not supported: only {known}, {NO_CHECKSUM}");
                    return Err(Fail::refused(why));
                }
            }
        }
        let kind = match arguments.tar {
            Some(Tar::Index) => Kind::Index,
            Some(Tar::Full) | None => Kind::Full,
        };
        // The bodies of a tar lie on multiples of 512. Those of a directory have to be copied anyway: then to
        // blocks that dm-verity as containerd sets it up can have, which hashes 4096 bytes at a time.
        let asked =
            arguments.block_size.unwrap_or(if arguments.tar.is_some() { 512 } else { 4096 });
        let block_size = BlockSize::new(asked)
            .ok_or_else(|| Fail::refused(format!("-b {asked}: no block size of EROFS")))?;
        if kind == Kind::Full {
            layout = layout.block_size(block_size);
        }
        let (source, changes) = (source(arguments)?, changes(&arguments.changed));
        Ok(Self { kind, source, layout, changes })
    }
}

/// What is made otherwise than the source says.
fn changes(asked: &Changed) -> Changes {
    let changes = Changes::new()
        .force_uid(asked.force_uid)
        .force_gid(asked.force_gid)
        .uid_offset(asked.uid_offset)
        .gid_offset(asked.gid_offset);
    let changes = if asked.all_root { changes.all_root() } else { changes };
    let paths = asked.exclude_path.iter();
    paths.fold(changes, |changes, path| changes.exclude(path.as_encoded_bytes()))
}

/// Where the layer comes from.
fn source(arguments: &Arguments) -> Done<Source> {
    let all_times = arguments.time.filter(|_| !arguments.mkfs_time);
    match (arguments.tar, &arguments.sources[..]) {
        (Some(_), _) if all_times.is_some() => {
            let why = "-T would be the time of all files, but a tar's are kept: add --mkfs-time";
            Err(Fail::refused(why))
        }
        (Some(_), []) => Ok(Source::Stdin),
        (Some(_), [tar]) => Ok(Source::Tar(tar.clone())),
        (None, [source]) => match source.metadata() {
            Ok(found) if found.is_dir() => Ok(Source::Directory(source.clone(), all_times)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Fail::of(source, error)),
            _ => Err(Fail::of(source, "is no directory: a tar wants --tar=f or --tar=i")),
        },
        (None, []) => Err(Fail::refused("nothing to make it of: --tar=f, --tar=i or a directory")),
        (_, [_, _, ..]) => {
            Err(Fail::refused("several sources are not supported: `tarfs merge` merges layers"))
        }
    }
}

/// Refuses options of erofs-utils by name.
fn refuse(refused: &Refused) -> Done {
    let Refused { compress, cluster, metadata, ungzip, unxz, blobdev, chunksize } = refused;
    let compression = "compression is not supported: file data stays as it is in the tar";
    let compressed = "compressed tars are not supported: pipe the tar through gzip -d or xz -d";
    let devices = "extra devices are not supported: `tarfs layer` makes bootstraps over tars";
    for (given, option, why) in [
        (compress.is_some(), "-z", compression),
        (cluster.is_some(), "-C", compression),
        (metadata.is_some(), "-m", compression),
        (ungzip.is_some(), "--ungzip", compressed),
        (unxz.is_some(), "--unxz", compressed),
        (blobdev.is_some(), "--blobdev", devices),
        (chunksize.is_some(), "--chunksize", devices),
    ] {
        if given {
            return Err(Fail::refused(format!("{option}: {why}")));
        }
    }
    Ok(())
}

/// The UUID of `-U`.
fn uuid(text: &str) -> Done<Option<[u8; 16]>> {
    match text {
        "clear" => Ok(Some([0; 16])),
        "random" => random_uuid().map(Some),
        text => match parsed(text) {
            Some(uuid) => Ok(Some(uuid)),
            None => Err(Fail::refused(format!("-U {text}: a UUID, clear or random"))),
        },
    }
}

/// A UUID as it is written: 32 hex digits with four hyphens among them.
fn parsed(text: &str) -> Option<[u8; 16]> {
    let hyphens: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    let hex = text.replace('-', "");
    let is_hex = hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex || hyphens != [8, 13, 18, 23] {
        return None;
    }
    let mut uuid = [0; 16];
    for (at, byte) in uuid.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..][..2], 16).ok()?;
    }
    Some(uuid)
}

/// A UUID of version 4 (RFC 9562, section 5.4).
fn random_uuid() -> Done<[u8; 16]> {
    let mut uuid = [0; 16];
    File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut uuid))?;
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    Ok(uuid)
}
