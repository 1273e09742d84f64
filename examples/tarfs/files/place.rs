//! Where an output goes: to a file, through links, or to standard output.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use rustix::fs::statfs;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::files::kind::{self, Kind};
use crate::files::partition;

/// What stands for standard output. A file of this name is `./-`.
pub(crate) const STDOUT: &str = "-";

/// The type of procfs.
const PROC: u64 = 0x9fa0;

/// Links on the way to a file, as many as the kernel follows.
const LINKS: usize = 40;

/// Where an output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// To this file, which may be there or not; no link.
    File(PathBuf),
    /// To standard output, when all is there.
    Stdout,
}

/// Whether an output goes to standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path == Path::new(STDOUT)
}

/// The output as it was named, or `-` if that is any name of standard output.
pub(crate) fn named(path: &Path) -> Done<PathBuf> {
    match place(path)? {
        Place::Stdout if io::stdout().is_terminal() => {
            let why = "standard output is a terminal: say -o FILE, or put it into a pipe";
            Err(Fail::Usage(why.to_owned()))
        }
        Place::Stdout => Ok(STDOUT.into()),
        Place::File(_) => Ok(path.to_owned()),
    }
}

/// Follows links to the regular file that would be replaced. A link stays what it is.
pub(crate) fn place(path: &Path) -> Done<Place> {
    if is_stdout(path) {
        return Ok(Place::Stdout);
    }
    if let (disk, Some(_)) = partition::split(path)
        && NamedFile::open(&disk).is_ok_and(|disk| kind::of(&disk).is_ok_and(Kind::is_disk))
    {
        let why = "names a partition, and would be a file that hides it: ./ in front does not help, \
                   another name does";
        return Err(Fail::Usage(format!("{}: {why}", quote::name(path))));
    }
    let mut at = path.to_owned();
    for _ in 0..LINKS {
        let Ok(found) = fs::symlink_metadata(&at) else {
            if at == path {
                return Ok(Place::File(at));
            }
            let why = format_args!("is a link to {}, which is not there", quote::name(&at));
            return Err(Fail::of(path, why));
        };
        if found.is_file() {
            return Ok(Place::File(at));
        }
        if !found.is_symlink() {
            return Err(Fail::of(path, "is there, and is not a regular file"));
        }
        if is_procfs(directory(&at)) {
            return open_file(path, &at);
        }
        let target = fs::read_link(&at).map_err(|error| Fail::of(path, error))?;
        at = directory(&at).join(target);
    }
    Err(Fail::of(path, "is a link to a link, and so on"))
}

fn is_procfs(directory: &Path) -> bool {
    statfs(directory).is_ok_and(|found| found.f_type as u64 == PROC)
}

/// Where an output goes that is named by a link in procfs to an open file. Such a file is not replaced:
/// whoever has it open would go on with the old one.
fn open_file(path: &Path, link: &Path) -> Done<Place> {
    let own = PathBuf::from(std::process::id().to_string()).join("fd");
    let ours = fs::canonicalize(directory(link)).is_ok_and(|found| found.ends_with(own));
    match ours && link.file_name().is_some_and(|name| name == "1") {
        true => Ok(Place::Stdout),
        // `/proc/self` itself, and the like.
        false if link.is_dir() => Err(Fail::of(path, "is there, and is not a regular file")),
        false => {
            let why = "is a file that is open: name the file itself, or - for standard output";
            Err(Fail::Usage(format!("{}: {why}", quote::name(path))))
        }
    }
}

/// The directory for temporary files: that of the file where the output goes, as a link may lead to
/// another filesystem. An output that is refused later has none of its own.
pub(crate) fn beside(path: &Path) -> PathBuf {
    match place(path) {
        Ok(Place::File(file)) => directory(&file).to_owned(),
        Ok(Place::Stdout) => std::env::temp_dir(),
        Err(_) => directory(path).to_owned(),
    }
}

/// The directory that a file is in.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}
