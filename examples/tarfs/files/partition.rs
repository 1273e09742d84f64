//! Partitions of disks: `DISK:2` is the second of a disk, and `DISK` its only one with EROFS.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, NamedFile, Partitions};
use erofs_tarfs::outputs::{FoundPartition, Role, Volume};

use crate::cli::fail::{Done, Fail};
use crate::cli::{quote, warn};
use crate::files::kind::{self, Kind};

/// An argument as a file and the number of a partition in it. A file of that name comes first.
pub(crate) fn split(arg: &Path) -> (PathBuf, Option<u32>) {
    let bytes = arg.as_os_str().as_bytes();
    let at =
        bytes.iter().rposition(|byte| *byte == b':').filter(|_| arg.symlink_metadata().is_err());
    let Some(at) = at else { return (arg.to_owned(), None) };
    let path = Path::new(OsStr::from_bytes(&bytes[..at]));
    let number = arg.to_str().and_then(|text| text[at + 1..].parse().ok());
    match number.filter(|_| path.symlink_metadata().is_ok()) {
        Some(number) => (path.to_owned(), Some(number)),
        None => (arg.to_owned(), None),
    }
}

/// How a partition is named on a command line.
pub(crate) fn name(disk: &Path, partition: &FoundPartition) -> PathBuf {
    called(disk, partition.number)
}

/// The same of its number.
pub(crate) fn called(disk: &Path, number: u32) -> PathBuf {
    let mut name = disk.as_os_str().to_owned();
    name.push(format!(":{number}"));
    name.into()
}

/// The partitions of a disk, and a warning if its tables are not what they should be.
pub(crate) fn read(disk: &Path, file: &NamedFile) -> Done<Partitions> {
    let found = tarfs_io::read_partitions(file)?;
    for problem in problems(&found) {
        warn::say(disk, problem);
    }
    Ok(found)
}

/// What is wrong with the tables of a disk that has one that is not damaged.
pub(crate) fn problems(found: &Partitions) -> Vec<String> {
    let first = found.first.iter().map(|error| {
        format!("its partition table is damaged, and the one at its end is taken: {error}")
    });
    let second = found.second.iter().map(|error| format!("its second partition table: {error}"));
    first.chain(second).collect()
}

/// The bytes of a partition.
pub(crate) fn open(file: &NamedFile, partition: &FoundPartition) -> Done<NamedFile> {
    Ok(file.try_clone()?.range(partition.offset, partition.bytes)?)
}

/// The partition with a number.
pub(crate) fn numbered(arg: &Path, disk: &Path, file: &NamedFile, number: u32) -> Done<NamedFile> {
    let found = read(disk, file)?;
    let mut partitions = found.table.partitions.iter();
    match partitions.find(|partition| partition.number == number) {
        Some(partition) => open(file, partition),
        None => {
            let all = List(disk, &found.table.partitions);
            Err(Fail::of(arg, format_args!("is no partition of the disk: it has {all}")))
        }
    }
}

/// The partition with EROFS in it, if there is no other.
pub(crate) fn only(disk: &Path, file: &NamedFile) -> Done<NamedFile> {
    let found = read(disk, file)?;
    let mut with = with_erofs(file, &found.table.partitions)?;
    match with.len() {
        1 => open(file, with.remove(0)),
        0 => {
            let all = List(disk, &found.table.partitions);
            Err(Fail::of(disk, format_args!("has no partition with EROFS in it: it has {all}")))
        }
        _ => {
            let all: Vec<FoundPartition> = with.into_iter().cloned().collect();
            let all = List(disk, &all);
            Err(Fail::of(disk, format_args!("has several partitions: say which of {all}")))
        }
    }
}

/// Those with EROFS in them.
pub(crate) fn with_erofs<'p>(
    file: &NamedFile,
    partitions: &'p [FoundPartition],
) -> Done<Vec<&'p FoundPartition>> {
    let mut with = Vec::new();
    for partition in partitions {
        if kind::of(&open(file, partition)?)? == Kind::Erofs {
            with.push(partition);
        }
    }
    Ok(with)
}

/// What a partition is for, in words.
pub(crate) fn kind(partition: &FoundPartition) -> String {
    let volume = |volume| match volume {
        Volume::Root => "root file system",
        Volume::Usr => "/usr",
    };
    match partition.role() {
        Some(Role::Data) => "Linux data".to_owned(),
        Some(Role::Volume(of, architecture)) => format!("{}, {architecture}", volume(of)),
        Some(Role::Tree(of, architecture)) => {
            format!("hash tree of the {}, {architecture}", volume(of))
        }
        _ => format!("type {}", partition.partition_type),
    }
}

/// Partitions as a user names them.
pub(crate) struct List<'a>(pub(crate) &'a Path, pub(crate) &'a [FoundPartition]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(disk, partitions) = self;
        if partitions.is_empty() {
            return f.write_str("none");
        }
        for (index, partition) in partitions.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let name = name(disk, partition);
            write!(f, "{comma}{} ({:?})", quote::name(&name), partition.name)?;
        }
        Ok(())
    }
}
