//! `tarfs check`.

use std::path::{Path, PathBuf};

use clap::Args as Group;

use crate::check::image::{self, TreePartition};
use crate::check::options::Options;
use crate::check::partitions;
use crate::check::verdict::Verdict;
use crate::cli::fail::{Done, Fail};
use crate::files::kind::{self, Kind};
use crate::files::{hash_tree_partition, open};

#[derive(Debug, Group)]
#[command(after_help = "\
All that can be is read: the tars in a disk, or those of a bootstrap that are found, against the
SHA-256 that their tags say; a hash tree behind the filesystem, and all data under it. What was not
checked is listed: tars that are not found, tags that are no digest, bytes behind the filesystem that
are no tree of these parameters. It is no fault, unless --strict makes it one.

Of a disk with partitions both tables are read, each EROFS in it, and what is between. A volume as systemd
finds it is held against the hash tree in its other partition; their UUIDs say the root hash, but they
are in the disk too: --root makes sure.

A sealed disk that was cut where its filesystem ends is a disk like any other: --root tells.

Examples:
  tarfs check image.erofs                        # and its tars, if they are found
  tarfs check --root $ROOT image.disk            # and all data against the root hash
  tarfs check --against base.tar app.tar image.disk")]
pub(crate) struct Check {
    /// Layers that the image must be the merge of, lowest first; any LAYER of merge.
    #[arg(long, value_name = "TAR", num_args = 1..)]
    pub(crate) against: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) options: Options,
    /// What is not checked is a fault.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// A bootstrap or a disk; may be the last of --against's arguments.
    #[arg(value_name = "IMAGE", required_unless_present = "against")]
    pub(crate) image: Option<PathBuf>,
}

pub(crate) fn run(args: &Check) -> Done {
    // After --against, the image is the last of many arguments.
    let (path, layers) = match (&args.image, &args.against[..]) {
        (Some(image), layers) => (image, layers),
        (None, [layers @ .., image]) if !layers.is_empty() => (image, layers),
        (None, _) => return Err(Fail::Usage("which IMAGE is to be checked?".to_owned())),
    };
    let options = &args.options;
    if options.quick && (options.verity.is_set() || options.hashing.threads.is_some()) {
        let why = "--quick reads no hash tree: its options say nothing then";
        return Err(Fail::Usage(why.to_owned()));
    }
    let verdict = verdict(path, layers, options)?;
    verdict.print(args.json)?;
    let mut faults = verdict.all(|verdict| &verdict.problems);
    if args.strict {
        faults.extend(verdict.all(|verdict| &verdict.unread));
    }
    match faults[..] {
        [] => Ok(()),
        [(path, first), ref more @ ..] => {
            let more = match more.len() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            Err(Fail::of(Path::new(path), format_args!("{first}{more}")))
        }
    }
}

fn verdict(path: &Path, layers: &[PathBuf], options: &Options) -> Done<Verdict> {
    match open::input_or_disk(path)? {
        (disk, Kind::Gpt) => partitions::verdict(path, &disk, layers, options),
        (file, Kind::Erofs) => {
            let tree = hash_tree_partition::tree_beside(path)?
                .map(|(file, root)| TreePartition { file, root });
            image::verdict(path, file, tree.as_ref(), layers, options)
        }
        _ => Err(Fail::of(path, kind::NO_EROFS)),
    }
}
