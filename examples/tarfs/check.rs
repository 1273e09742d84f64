//! `tarfs check`.

use std::path::{Path, PathBuf};

use crate::args::Check;
use crate::fail::{Done, Fail};
use crate::image_verdict::{self, Tree};
use crate::input::{self, Kind};
use crate::verdict::Verdict;
use crate::{inspect, partition, partitions};

pub(crate) fn run(args: &Check) -> Done {
    // After --against, the image is the last of many arguments.
    let (path, layers) = match (&args.image, &args.against[..]) {
        (Some(image), layers) => (image, layers),
        (None, [layers @ .., image]) if !layers.is_empty() => (image, layers),
        (None, _) => return Err(Fail::Usage("which IMAGE is to be checked?".to_owned())),
    };
    if args.quick && (args.verity.is_set() || args.hashing.threads.is_some()) {
        let why = "--quick reads no hash tree: its options say nothing then";
        return Err(Fail::Usage(why.to_owned()));
    }
    let verdict = verdict(path, layers, args)?;
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

fn verdict(path: &Path, layers: &[PathBuf], args: &Check) -> Done<Verdict> {
    match input::whole(path)? {
        (disk, Kind::Gpt) => partitions::verdict(path, &disk, layers, args),
        (file, Kind::Erofs) => {
            let tree = partition::tree_beside(path)?.map(|(file, root)| Tree { file, root });
            image_verdict::image(path, file, tree.as_ref(), layers, args)
        }
        _ => Err(Fail::of(path, inspect::NO_EROFS)),
    }
}
