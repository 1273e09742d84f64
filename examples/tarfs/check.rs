//! `tarfs check`.

use std::io::{self, Write};
use std::path::PathBuf;

use erofs_tarfs::read::Image;
use serde::Serialize;

use crate::args::Check;
use crate::compare::Comparison;
use crate::fail::{Done, Fail};
use crate::find::Verify;
use crate::load::{self, Backing, How, Loaded};
use crate::spool::{self, Spool};
use crate::{find, input, inspect, merge, report, unmoved};

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    path: String,
    ok: bool,
    inodes: usize,
    /// Tags of the tars that were found and have the SHA-256 that their tags say.
    tars: Vec<String>,
    problems: Vec<String>,
}

pub(crate) fn run(args: &Check) -> Done {
    // After --against, the image is the last of many arguments.
    let (path, layers) = match (&args.image, &args.against[..]) {
        (Some(image), layers) => (image, layers),
        (None, [layers @ .., image]) if !layers.is_empty() => (image, layers),
        (None, _) => return Err(Fail::Usage("which IMAGE is to be checked?".to_owned())),
    };
    let bytes = inspect::open(path)?;
    let image = Image::new(&bytes).map_err(|error| Fail::of(path, error))?;
    let len = bytes.len() as u64;
    let mut problems = Vec::new();
    if image.checksum() == Some(false) {
        problems.push("the checksum of the superblock is wrong".to_owned());
    }
    if image.holds_devices(len) && image.end(len) > len {
        let (end, has) = (image.end(len), len);
        problems.push(format!("the file ends at {has}, the filesystem at {end}"));
    }
    let (file, _) = input::open(path)?;
    let mut loaded = load::read_image(path, file, args.at.tars.as_deref(), true)?;
    // What they should be is a part of the report, not an error.
    loaded.verify(Verify::Nothing);
    let tars = check_tars(&loaded, &mut problems)?;
    if !layers.is_empty() {
        against(layers, &args.at.how(), &loaded, &mut problems)?;
    }
    unmoved::check()?;
    let report = Report {
        path: path.display().to_string(),
        ok: problems.is_empty(),
        inodes: loaded.tree.inode_count(),
        tars,
        problems,
    };
    report.print(args)?;
    match report.problems.first() {
        None => Ok(()),
        Some(first) => {
            let more = report.problems.len() - 1;
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            Err(Fail::of(path, format_args!("{first}{more}")))
        }
    }
}

/// Checks the tars that are there against their tags; those that are not are no problem.
fn check_tars(loaded: &Loaded, problems: &mut Vec<String>) -> Done<Vec<String>> {
    let Backing::Tars { slots, .. } = loaded.backing else { return Ok(Vec::new()) };
    let mut right = Vec::new();
    for (index, device) in loaded.tree.devices().iter().take(slots).enumerate() {
        let tag = String::from_utf8_lossy(&device.tag).into_owned();
        let Ok(tar) = loaded.source(index) else { continue };
        if !find::is_digest(&tag) {
            continue;
        }
        let digest = spool::digest(&tar, &mut |_| {})?;
        match digest == tag {
            true => right.push(tag),
            false => {
                problems.push(format!("{}: its SHA-256 is {digest}", tar.path().display()));
            }
        }
    }
    Ok(right)
}

/// Compares an image with what the layers make.
fn against(layers: &[PathBuf], how: &How<'_>, image: &Loaded, problems: &mut Vec<String>) -> Done {
    let mut spool = Spool::Temporary(std::env::temp_dir());
    let layers = load::all(layers, how, &mut spool)?;
    // An image of one layer may have kept its whiteouts.
    if let [layer] = &layers[..] {
        let sources = (image.sources()?, layer.sources()?);
        let as_layer = Comparison::of(&image.tree, &sources.0, &layer.tree, &sources.1);
        if as_layer.problems.is_empty() {
            return Ok(());
        }
        if has_marks(image) {
            problems.extend(as_layer.problems);
            return Ok(());
        }
    }
    let tree = merge::merged(&layers)?;
    let sources = (image.sources()?, merge::sources(&tree, &layers)?);
    let merged = Comparison::of(&image.tree, &sources.0, &tree, &sources.1);
    problems.extend(merged.problems);
    Ok(())
}

/// Whether a tree has what merging would have consumed.
fn has_marks(image: &Loaded) -> bool {
    use erofs_tarfs::tree::{InodeId, NodeKind, Tree};
    fn any(tree: &Tree, roots: Vec<InodeId>) -> bool {
        let mut todo = roots;
        while let Some(id) = todo.pop() {
            if tree.is_opaque(id) || tree.kind(id) == NodeKind::Whiteout {
                return true;
            }
            todo.extend(tree.children(id).map(|(_, child)| child));
        }
        false
    }
    any(&image.tree, vec![InodeId::ROOT])
}

impl Report {
    fn print(&self, args: &Check) -> Done {
        let mut out = io::stdout().lock();
        if args.json {
            return report::line(&mut out, self);
        }
        let written = (|| {
            for problem in &self.problems {
                writeln!(out, "{}: {problem}", self.path)?;
            }
            if self.ok {
                let (inodes, tars) = (self.inodes, self.tars.len());
                writeln!(out, "{}: good, {inodes} inodes, {tars} tars checked", self.path)?;
            }
            Ok(())
        })();
        written.map_err(Fail::stdout)
    }
}
