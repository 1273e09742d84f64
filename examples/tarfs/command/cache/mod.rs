//! `tarfs cache`: layers for containerd's EROFS snapshotter, so that it fetches and converts none.

mod arguments;

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use erofs_tarfs::units::BlockSize;

pub(crate) use self::arguments::Cache;
use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::{self, HashTree, Preset};
use crate::cli::reading_options::ReadingOptions;
use crate::cli::{image_options, progress, warn};
use crate::files::directory::NewDirectories;
use crate::files::{argument_files, digest, durable, output, place};
use crate::hash_tree::sidecar;
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;
use crate::layers::{load, warnings};
use crate::make::cache_entry::{self, Made, Wanted};
use crate::show::cache_report::CacheReport;

/// A layer of an image that was asked for, in the image's order.
struct Asked {
    diff_id: String,
    /// Whether its entry is kept, so that it is not read.
    kept: bool,
}

pub(crate) fn run(args: &Cache) -> Done {
    args.durability.set();
    let wanted = wanted(args)?;
    argument_files::protect(&args.inputs.layers);
    load::refuse_two_of_stdin(&args.inputs.layers)?;
    let mut directories = NewDirectories::default();
    directories.make(&args.cache)?;
    for arg in &args.inputs.layers {
        of_argument(args, arg, &wanted, &mut directories)?;
    }
    Ok(())
}

/// What the entries are to be.
fn wanted(args: &Cache) -> Done<Wanted> {
    let block_size = u32::try_from(args.block_size).ok().and_then(BlockSize::new);
    let Some(block_size) = block_size.filter(|block| block.bytes() <= 4096) else {
        return Err(Fail::Usage(image_options::block_sizes(args.block_size)));
    };
    let hashing = hash_tree_options::threads(&args.hashing);
    let sealing = |preset: &String| HashTree {
        preset: Preset { preset: Some(preset.clone()), ..Preset::default() },
        ..HashTree::default()
    };
    let params = args.verity.as_ref().map(|preset| {
        let ways = "--verity containerd, or --block-size 4096";
        hash_tree_options::sealable(&sealing(preset), block_size, ways)
    });
    let limits = args.inputs.how().limits;
    Ok(Wanted { block_size, params: params.transpose()?, hashing, limits })
}

/// Makes the entries of all layers that an argument names.
fn of_argument(
    args: &Cache,
    arg: &Path,
    wanted: &Wanted,
    directories: &mut NewDirectories,
) -> Done {
    let asked = RefCell::new(Vec::new());
    let needless = |diff_id: &str| {
        // What is no digest is refused where the layer is read.
        let Some(hex) = diff_id.strip_prefix("sha256:").filter(|hex| digest::is_digest(hex)) else {
            return false;
        };
        let kept = !args.force && matches!(state(args, hex, wanted), Ok(State::Right));
        asked.borrow_mut().push(Asked { diff_id: hex.to_owned(), kept });
        kept
    };
    let how = ReadingOptions { needless: Some(&needless), ..args.inputs.how() };
    progress::passes(1 + u64::from(wanted.params.is_some()));
    let layers = load::one(arg, &how, &mut Spool::Temporary(args.cache.clone()))?;
    warnings::all(&layers, args.inputs.strict)?;
    let (mut made, mut reports) = (Vec::<Made>::new(), Vec::new());
    let mut asked = asked.take().into_iter();
    for layer in &layers {
        let kept = asked.by_ref().take_while(|asked| asked.kept);
        for asked in kept {
            reports.push(kept_entry(args, &asked.diff_id, directories)?);
        }
        let (report, entry) = of_layer(args, layer, wanted, &made, directories)?;
        reports.push(report);
        made.extend(entry);
    }
    for asked in asked {
        reports.push(kept_entry(args, &asked.diff_id, directories)?);
    }
    finish(args, made)?;
    // What is reported is there after a power cut.
    std::mem::take(directories).keep()?;
    reports.iter().try_for_each(|report| report.print(args.json))
}

fn report_kept(args: &Cache, diff_id: &str) -> CacheReport {
    CacheReport::kept(diff_id, &cache_entry::path(&args.cache, diff_id))
}

/// An entry that is there already. Who made it may have been ended before it was on the disk.
fn kept_entry(args: &Cache, diff_id: &str, directories: &mut NewDirectories) -> Done<CacheReport> {
    let path = cache_entry::path(&args.cache, diff_id);
    let parent = within(args, &path, directories)?;
    let beside = sidecar::beside(&path);
    let sidecar = beside.symlink_metadata().is_ok().then_some(beside.as_path());
    [path.as_path(), parent].into_iter().chain(sidecar).try_for_each(durable::sync_path)?;
    Ok(report_kept(args, diff_id))
}

/// The directory of an entry, which is made where it is not there, and is kept with those above it.
fn within<'p>(args: &Cache, path: &'p Path, directories: &mut NewDirectories) -> Done<&'p Path> {
    let parent = place::directory(path);
    for directory in [place::directory(parent), parent] {
        if directory != args.cache {
            directories.make(directory)?;
        }
    }
    Ok(parent)
}

/// What is there of an entry.
enum State {
    Absent,
    Right,
    Wrong(String),
}

fn state(args: &Cache, diff_id: &str, wanted: &Wanted) -> Done<State> {
    let path = cache_entry::path(&args.cache, diff_id);
    if path.symlink_metadata().is_err() {
        return Ok(State::Absent);
    }
    Ok(match cache_entry::fault(&path, diff_id, wanted)? {
        None => State::Right,
        Some(why) => State::Wrong(why),
    })
}

/// Makes the entry of a layer, unless it is there, or was just made.
fn of_layer(
    args: &Cache,
    layer: &Loaded,
    wanted: &Wanted,
    made: &[Made],
    directories: &mut NewDirectories,
) -> Done<(CacheReport, Option<Made>)> {
    let Some(diff_id) = &layer.diff_id else {
        let why = "is an EROFS image, which does not say of which tar it was made: name the tar";
        return Err(Fail::of(&layer.name, why));
    };
    let path = cache_entry::path(&args.cache, diff_id);
    if made.iter().any(|made| made.blob.path() == path) {
        return Ok((report_kept(args, diff_id), None));
    }
    let remade = match state(args, diff_id, wanted)? {
        State::Right if !args.force => {
            return Ok((kept_entry(args, diff_id, directories)?, None));
        }
        State::Right => Some("--force".to_owned()),
        State::Wrong(why) => Some(why),
        State::Absent => None,
    };
    within(args, &path, directories)?;
    let (made, report) = cache_entry::make(layer, diff_id, &path, wanted)?;
    Ok((CacheReport::made(diff_id, &path, remade, report), Some(made)))
}

/// Gives all entries their names, the sidecars first.
fn finish(args: &Cache, made: Vec<Made>) -> Done {
    let (mut sidecars, mut blobs, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for Made { blob, sidecar, .. } in made {
        if sidecar.is_none() {
            bare.push(blob.path().to_owned());
        }
        sidecars.extend(sidecar);
        blobs.push(blob);
    }
    output::finish_in_order(sidecars, blobs)?;
    // One that was sealed before, and is not now: containerd would look for its hash tree.
    for blob in bare {
        let beside = sidecar::beside(&blob);
        if beside.symlink_metadata().is_ok() {
            warn::say(&blob, "was sealed, and is not any more: its sidecar is removed");
            fs::remove_file(&beside).map_err(|error| Fail::of(&beside, error))?;
            durable::sync_path(beside.parent().unwrap_or(&args.cache))?;
        }
    }
    Ok(())
}
