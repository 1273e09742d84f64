//! A bootstrap or a disk made of one tree: planned, and written.

use std::borrow::Cow;
use std::path::Path;

use erofs_tarfs::image;
use erofs_tarfs::io::{self as tarfs_io, Copied, NamedFile};
use erofs_tarfs::layout::{self, Artifact, Layout};
use erofs_tarfs::tree::Tree;

use crate::cli::fail::{self, Done, Fail};
use crate::cli::progress::{Progress, Stage};
use crate::files::output::Output;
use crate::show::report::Report;

/// Plans a tree; errors name the output.
pub(crate) fn plan<'t>(
    out: &Path,
    tree: &'t Tree,
    options: &layout::LayoutOptions,
) -> Done<Layout<'t>> {
    layout::plan(tree, options).map_err(|error| unfit(out, error))
}

/// What to say of a tree that does not fit.
pub(crate) fn unfit(out: &Path, error: layout::Error) -> Fail {
    match error {
        error @ layout::Error::NotAligned { .. } => {
            let copies =
                "only a raw disk without --gpt has copies of bodies on the grid of larger blocks";
            Fail::of(out, format_args!("{error}: {copies}"))
        }
        layout::Error::Limit { path: None, over } => Fail::over_limit(out, &over),
        error @ layout::Error::Limit { over, .. } => {
            Fail::of(out, format_args!("{error}{}", fail::limit(&over)))
        }
        error => Fail::of(out, error),
    }
}

/// The tree, its bodies copied to the grid of the blocks if it is to be a disk of larger ones.
pub(crate) fn fitted<'t>(
    out: &Path,
    tree: &'t Tree,
    options: &layout::LayoutOptions,
) -> Done<Cow<'t, Tree>> {
    layout::fitted(tree, options).map_err(|error| Fail::of(out, error))
}

/// Writes a bootstrap, or a disk, whose sources are looked for only then.
pub(crate) fn write(
    path: &Path,
    tree: &Tree,
    options: &layout::LayoutOptions,
    out: &Output,
    sources: impl FnOnce() -> Done<Vec<NamedFile>>,
) -> Done<Report> {
    let tree = &*fitted(path, tree, options)?;
    let layout = plan(path, tree, options)?;
    if options.artifact == Artifact::Bootstrap {
        tarfs_io::write_metadata(&layout, &out.file()?)?;
        let bytes = layout.metadata_bytes();
        return Ok(Report::new(path, bytes, &layout, bytes));
    }
    let copied = disk(&layout, &sources()?, &out.file()?)?;
    let bytes = layout.disk_bytes();
    let mut report = Report::new(path, bytes, &layout, bytes);
    report.made.copied = Some(copied.into());
    Ok(report)
}

/// Writes a disk; answers how the bytes of the sources got into it.
fn disk(layout: &Layout<'_>, sources: &[NamedFile], out: &NamedFile) -> Done<Copied> {
    let plan = image::disk(layout);
    let progress = Progress::new(Stage::Writing, Some(plan.bytes));
    Ok(tarfs_io::write_disk(&plan, layout, sources, out, &mut progress.observer())?)
}
