//! `tarfs umount`.

use std::io;
use std::path::PathBuf;

use clap::Args as Group;
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use serde::Serialize;

use crate::cli::fail::{Done, Fail};
use crate::mount::{placed, table};
use crate::show::print;

#[derive(Debug, Group)]
pub(crate) struct Umount {
    /// Take it out of sight now, and end it when nobody uses it any more.
    #[arg(long)]
    lazy: bool,
    /// Print one JSON object: the directory, and how many mounts were on it, two with an overlay.
    #[arg(long)]
    json: bool,
    /// The directory that `tarfs mount` has mounted on.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Unmounts an image, and its overlay; loop devices and those of dm-verity end with it.
pub(crate) fn run(args: &Umount) -> Done {
    let directory = placed::directory(&args.directory)?;
    let mut flags = UnmountFlags::NOFOLLOW;
    if args.lazy {
        flags |= UnmountFlags::DETACH;
    }
    let mounts = table::ours(&directory)?;
    for _ in 0..mounts {
        unmount(&directory, flags).map_err(|errno| {
            let hint = match errno {
                Errno::BUSY => {
                    ": a process has a file or its working directory there (fuser -vm names it; \
                                --lazy does not wait for it)"
                }
                Errno::PERM => ": unmounting needs root",
                _ => "",
            };
            let error = std::io::Error::from(errno);
            Fail::of(&args.directory, format_args!("cannot be unmounted: {error}{hint}"))
        })?;
    }
    if !args.json {
        return Ok(());
    }
    let mount_point = args.directory.display().to_string();
    let done = Unmounted { mount_point, unmounted: mounts, lazy: args.lazy };
    print::json_line(&mut io::stdout().lock(), &done).map_err(Fail::stdout)
}

/// What was unmounted.
#[derive(Debug, Serialize)]
struct Unmounted {
    mount_point: String,
    unmounted: usize,
    lazy: bool,
}
