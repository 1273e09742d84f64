//! A hash tree behind a disk that is written.

use erofs_tarfs::io::verity::HashingOptions;
use erofs_tarfs::verity::{Geometry, HashPlacement, Params};

use crate::cli::fail::{Done, Fail};
use crate::files::output::Output;
use crate::hash_tree::seal;
use crate::show::hash_tree_report::HashTreeReport;
use crate::show::report::Report;

/// Seals a disk that was written to an output; gives the report on it with what is known of its tree.
pub(crate) fn seal(
    mut report: Report,
    params: &Params,
    hashing: &HashingOptions,
    out: &Output,
) -> Done<Report> {
    let (path, file) = (out.path(), out.file()?);
    let bytes = report.size + params.data_padding(report.size);
    let geometry = Geometry::new(params, bytes, HashPlacement::BehindData);
    let geometry = geometry.map_err(|error| Fail::of(path, error))?;
    report.size = geometry.end();
    file.set_bytes(report.size)?;
    let sealed = seal::seal(&file, &file, geometry, hashing, false)?;
    report.verity = Some(HashTreeReport::new(&sealed, path, path));
    Ok(report)
}
