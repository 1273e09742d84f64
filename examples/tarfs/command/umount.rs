//! `tarfs umount`.

use std::path::PathBuf;

use clap::Args as Group;
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use crate::cli::fail::{Done, Fail};
use crate::mount::{placed, table};

#[derive(Debug, Group)]
pub(crate) struct Umount {
    /// Take it out of sight now, and end it when nobody uses it any more.
    #[arg(long)]
    lazy: bool,
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
    for _ in 0..table::ours(&directory)? {
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
    Ok(())
}
