//! `tarfs mount-args`: commands for a shell.

mod arguments;
mod devices;
mod plain;
mod sealed;
mod subject;
mod words;

use std::io::{self, Write};

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::Image;

pub(crate) use self::arguments::MountArgs;
use self::subject::Subject;
use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options;
use crate::cli::{quote, warn};
use crate::files::kind::{self, Kind};
use crate::files::{hash_tree_partition, open, partition};
use crate::hash_tree::search;
use crate::layers::cut_short;

pub(crate) fn run(args: &MountArgs) -> Done {
    let mut named = vec![&args.image, &args.mount_point];
    named.extend(args.devices.iter().chain(&args.hash));
    named.into_iter().try_for_each(|path| words::text(path).map(drop))?;
    let (file, kind) = open::input_or_disk(&args.image)?;
    let lines = match kind {
        Kind::Gpt => disk(args, &file)?,
        Kind::Erofs => {
            let (name, mount_point) = (args.image.clone(), args.mount_point.clone());
            let subject = Subject { args, name, file, mount_point };
            match hash_tree_partition::tree_beside(&args.image)?.filter(|_| args.hash.is_none()) {
                Some((tree, root)) => sealed::pair(&subject, tree, root)?,
                None => image(&subject)?,
            }
        }
        _ => return Err(Fail::of(&args.image, kind::NO_EROFS)),
    };
    let mut out = io::stdout().lock();
    lines.iter().try_for_each(|line| writeln!(out, "{line}")).map_err(Fail::stdout)
}

/// Of each partition with EROFS in it, at places of their own.
fn disk(args: &MountArgs, disk: &NamedFile) -> Done<Vec<String>> {
    let all = partition::read(&args.image, disk)?.table.partitions;
    let with = partition::with_erofs(disk, &all)?;
    let of_one = args.root.is_some() || args.hash.is_some() || !args.devices.is_empty();
    if with.len() != 1 && (of_one || with.is_empty()) {
        // It says which there are.
        partition::only(&args.image, disk)?;
    }
    let mut lines = Vec::new();
    for one in with.iter().copied() {
        let name = partition::name(&args.image, one);
        let mount_point = match with.len() {
            1 => args.mount_point.clone(),
            _ => args.mount_point.join(one.number.to_string()),
        };
        if with.len() > 1 {
            // A line break would end the comment.
            let label = quote::Line(&format!("{:?}", one.name)).to_string();
            lines.push(format!("# partition {}: {label}", one.number));
            lines.push(format!("mkdir -p {}", words::shown(&mount_point)));
        }
        let subject = Subject { args, name, file: partition::open(disk, one)?, mount_point };
        match hash_tree_partition::tree_of(one, &all).filter(|_| args.hash.is_none()) {
            Some(tree) => {
                let root = hash_tree_partition::root_of(one, tree);
                lines.extend(sealed::pair(&subject, partition::open(disk, tree)?, root)?);
            }
            None => lines.extend(image(&subject)?),
        }
    }
    Ok(lines)
}

fn image(subject: &Subject<'_>) -> Done<Vec<String>> {
    let Subject { args, name, file, .. } = subject;
    let bytes = tarfs_io::read_metadata(file)?;
    let image = Image::new(&bytes).map_err(|error| Fail::of(name, error))?;
    cut_short::check(file, &image, &bytes)?;
    let len = file.bytes()?;
    if let Some(root) = args.root {
        return sealed::sealed(subject, &image, len, root);
    }
    let params = hash_tree_options::params(&args.verity)?;
    if search::find(file, image.end(len), &params)?.is_some() {
        warn::say(name, "is sealed: --root ROOT mounts it through its hash tree");
    }
    plain::plain(subject, &image)
}
