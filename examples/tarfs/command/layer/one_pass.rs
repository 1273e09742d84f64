//! A disk with its data first, made while its tar goes by.

use std::io::Read;
use std::path::Path;

use erofs_tarfs::verity::Params;
use erofs_tarfs::{io as tarfs_io, layout};

use super::arguments::Layer;
use crate::cli::fail::Done;
use crate::files::output::Output;
use crate::layers::changed::Changer;
use crate::layers::images::mistaken;
use crate::layers::{from_tar, warnings};
use crate::make::image;
use crate::show::hash_tree_report;
use crate::show::report::Report;

/// What the disk is to be.
pub(super) struct Wanted<'a> {
    pub(super) args: &'a Layer,
    pub(super) options: &'a layout::LayoutOptions,
    pub(super) params: Option<&'a Params>,
    pub(super) changer: &'a Changer,
}

/// A disk with its data first, in one pass: the tar is written where it belongs in it, and hashed
/// as it goes by for all that it is hashed for.
pub(crate) fn one_pass(
    name: &Path,
    reader: &mut dyn Read,
    wanted: &Wanted<'_>,
    out: &Output,
) -> Done<Report> {
    let Wanted { args, options, params, changer } = *wanted;
    let tag = args.blob_id.as_deref();
    let ingest = from_tar::ingest_options(args.rules.options(args.strict), tag);
    let ingest = ingest.diff_id(tag.is_none()).leaves(params.cloned());
    let file = out.file()?;
    let offset = layout::data_first_offset(1, options.block_size);
    let done = tarfs_io::ingest(name, reader, ingest, Some((&file, offset)), &mut |_| {})?;
    let noted = warnings::of(name, &done.layer, args.strict)?;
    mistaken::warn(&args.input, &done.layer.tree);
    let tree = changer.tree(name, done.layer.tree)?;
    if tree.devices().is_empty() {
        // No file has any data: the disk does without the tar.
        file.set_bytes(0)?;
    }
    let layout = image::plan(out.path(), &tree, options)?;
    tarfs_io::write_metadata(&layout, &file)?;
    let bytes = layout.disk_bytes();
    let mut report = Report::new(out.path(), bytes, &layout, bytes);
    report.noted = noted;
    if let Some(params) = params {
        let leaves = vec![done.leaves.as_ref(); layout.devices().len()];
        let sealed = tarfs_io::seal_in_place(&layout, &leaves, params, &file)?;
        report.size = sealed.geometry().end();
        report.verity =
            Some(hash_tree_report::HashTreeReport::new(&sealed, out.path(), out.path()));
    }
    Ok(report)
}
