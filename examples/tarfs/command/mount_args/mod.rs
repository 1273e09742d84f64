//! `tarfs mount-args`: commands for a shell.

mod arguments;
mod plain;
mod sealed;
mod words;

use std::io::{self, Write};
use std::path::Path;

use erofs_tarfs::verity::Sealed;
use serde::Serialize;

pub(crate) use self::arguments::MountArgs;
use crate::cli::fail::{Done, Fail};
use crate::cli::{quote, warn};
use crate::files::partition;
use crate::mount::plan::{Plan, Planned};
use crate::mount::planning;
use crate::show::print;

pub(crate) fn run(args: &MountArgs) -> Done {
    let source = &args.source;
    let mut named = vec![&source.image, &args.mount_point];
    named.extend(source.devices.iter().chain(&source.hash));
    named.into_iter().try_for_each(|path| words::text(path).map(drop))?;
    let plans = planning::all(source)?;
    let mut lines = Vec::new();
    for Planned { plan, partition } in &plans {
        let (mut name, mut mount_point) = (source.image.clone(), args.mount_point.clone());
        if let Some((number, label)) = partition {
            name = partition::called(&source.image, *number);
            if plans.len() > 1 {
                mount_point.push(number.to_string());
                lines.extend(heading(*number, label, &mount_point));
            }
        }
        lines.extend(commands(args, plan, &name, &mount_point)?);
    }
    let commands = Commands { commands: &lines };
    print::report(io::stdout().lock(), &commands, args.json, |out| {
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))
    })
}

/// Lines for a shell, comments among them.
#[derive(Debug, Serialize)]
struct Commands<'a> {
    commands: &'a [String],
}

/// What comes before the commands of one of several partitions.
fn heading(number: u32, label: &str, mount_point: &Path) -> [String; 2] {
    // A line break would end the comment.
    let label = quote::Line(&format!("{label:?}")).to_string();
    let comment = format!("# partition {number}: {label}");
    [comment, format!("mkdir -p {}", words::shown(mount_point))]
}

/// The commands of one image, which is called `name` in what is said of it.
fn commands(args: &MountArgs, plan: &Plan, name: &Path, mount_point: &Path) -> Done<Vec<String>> {
    match plan {
        Plan::Plain { image, devices, has_tree } => {
            if *has_tree {
                warn::say(name, "is sealed: --root ROOT mounts it through its hash tree");
            }
            plain::commands(image, devices, mount_point)
        }
        Plan::Sealed { data, tree, sealed, root_given } => {
            if args.kata {
                return kata(sealed, name, tree.is_some());
            }
            if !root_given {
                let why =
                    "the root hash is that of the partitions' GUIDs: --root ROOT makes sure of it";
                warn::say(name, why);
            }
            sealed::commands(data, tree.as_ref(), sealed, mount_point)
        }
    }
}

/// The options by which Kata's agent mounts it.
fn kata(sealed: &Sealed, name: &Path, apart: bool) -> Done<Vec<String>> {
    if apart {
        let why = "--kata is of a disk with its hash tree behind it, not in another partition";
        return Err(Fail::Usage(why.to_owned()));
    }
    let options = sealed.kata_options().map_err(|error| Fail::of(name, error))?;
    Ok(vec![options.join(",")])
}
