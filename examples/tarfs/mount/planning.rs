//! An argument as plans of mounts.

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::Image;

use super::plan::{Plan, Planned};
use super::source::Source;
use super::subject::Subject;
use super::{devices, sealed};
use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options;
use crate::files::kind::{self, Kind};
use crate::files::{hash_tree_partition, open, partition};
use crate::hash_tree::search;
use crate::layers::cut_short;

/// The plans of all that an argument names: of a disk with partitions, of each with EROFS in it.
pub(crate) fn all(args: &Source) -> Done<Vec<Planned>> {
    let (file, kind) = open::input_or_disk(&args.image)?;
    match kind {
        Kind::Gpt => disk(args, &file, false),
        Kind::Erofs => one(args, file),
        _ => Err(Fail::of(&args.image, kind::NO_EROFS)),
    }
}

/// The plan of the only image that an argument names.
pub(crate) fn only(args: &Source) -> Done<Plan> {
    let (file, kind) = open::input_or_disk(&args.image)?;
    let all = match kind {
        Kind::Gpt => disk(args, &file, true)?,
        Kind::Erofs => one(args, file)?,
        _ => return Err(Fail::of(&args.image, kind::NO_EROFS)),
    };
    let first = all.into_iter().next().map(|planned| planned.plan);
    first.ok_or_else(|| Fail::of(&args.image, kind::NO_EROFS))
}

/// Of an image, or of a partition that was named.
fn one(args: &Source, file: NamedFile) -> Done<Vec<Planned>> {
    let subject = Subject { args, name: args.image.clone(), file };
    let plan = match hash_tree_partition::tree_beside(&args.image)?.filter(|_| args.hash.is_none())
    {
        Some((tree, root)) => sealed::pair(&subject, tree, root)?,
        None => image(&subject)?,
    };
    Ok(vec![Planned { plan, partition: None }])
}

/// Of each partition with EROFS in it.
fn disk(args: &Source, disk: &NamedFile, only: bool) -> Done<Vec<Planned>> {
    let all = partition::read(&args.image, disk)?.table.partitions;
    let with = partition::with_erofs(disk, &all)?;
    let of_one = only || args.root.is_some() || args.hash.is_some() || !args.devices.is_empty();
    if with.len() != 1 && (of_one || with.is_empty()) {
        // It says which there are.
        partition::only(&args.image, disk)?;
    }
    let mut plans = Vec::new();
    for one in with.iter().copied() {
        let name = partition::name(&args.image, one);
        let subject = Subject { args, name, file: partition::open(disk, one)? };
        let plan = match hash_tree_partition::tree_of(one, &all).filter(|_| args.hash.is_none()) {
            Some(tree) => {
                let root = hash_tree_partition::root_of(one, tree);
                sealed::pair(&subject, partition::open(disk, tree)?, root)?
            }
            None => image(&subject)?,
        };
        plans.push(Planned { plan, partition: Some((one.number, one.name.clone())) });
    }
    Ok(plans)
}

fn image(subject: &Subject<'_>) -> Done<Plan> {
    let Subject { args, name, file } = subject;
    let bytes = tarfs_io::read_metadata(file)?;
    let image = Image::new(&bytes).map_err(|error| Fail::of(name, error))?;
    cut_short::check(file, &image, &bytes)?;
    let len = file.bytes()?;
    if let Some(root) = args.root {
        return sealed::sealed(subject, &image, len, root);
    }
    let params = hash_tree_options::params(&args.verity)?;
    let has_tree = search::find(file, image.end(len), &params)?.is_some();
    if image.holds_devices(len) && (!args.devices.is_empty() || args.tars.is_some()) {
        let why = "--device and --tars are for bootstraps: a disk has all in it";
        return Err(Fail::Usage(why.to_owned()));
    }
    let devices = match args.devices.is_empty() {
        true => devices::found(subject)?,
        false => devices::named(subject, &image)?,
    };
    Ok(Plan::Plain { image: file.try_clone()?, devices, has_tree })
}
