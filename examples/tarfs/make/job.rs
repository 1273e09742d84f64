//! What a mode makes of one tree.

use std::path::Path;

use erofs_tarfs::export::{self, Options, Plan, Product};
use erofs_tarfs::io::verity::Options as Hashing;
use erofs_tarfs::io::{NamedFile, Step, write_plan};
use erofs_tarfs::tree::Tree;

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::Steps;
use crate::files::output::Output;
use crate::layers::loaded::{Loaded, Origin};
use crate::make::disk_form::DiskForm;
use crate::make::image;
use crate::show::hash_tree_report::HashTreeReport;
use crate::show::report::Report;

/// What is made of each tree, and how.
pub(crate) struct Job {
    pub(crate) product: Product,
    pub(crate) options: Options,
    pub(crate) hashing: Hashing,
    pub(crate) form: DiskForm,
}

impl Job {
    pub(crate) fn file_name(&self, layer: &Loaded, index: usize) -> String {
        let extension = match self.product {
            Product::HashTree => self.product.extension(),
            _ => self.form.extension(),
        };
        format!("{}.{extension}", export::stem(&layer.tree, index))
    }

    /// Makes the output of a tree. `origins` say where each of its devices is.
    pub(crate) fn make(&self, out: &Output, tree: &Tree, origins: &[Origin<'_>]) -> Done<Report> {
        let (path, file) = (out.path(), out.file()?);
        let tree = &*image::fitted(path, tree, &self.options.layout)?;
        let plan = Plan::new(tree, self.product, &self.options);
        let plan = plan.map_err(|error| match error {
            export::Error::Layout(error) => image::unfit(path, error),
            error => Fail::of(path, error),
        })?;
        let sources = origins.iter().map(|(layer, index)| layer.source(*index));
        let sources: Vec<NamedFile> = sources.collect::<Done<_>>()?;
        let kept: Vec<_> = origins.iter().map(|(layer, _)| layer.leaves.as_deref()).collect();
        let steps = Steps::new(plan.disk().bytes);
        let observer = &|step, bytes| steps.inc(step == Step::Hashing, bytes);
        let written = write_plan(&plan, &sources, &kept, &file, &self.hashing, observer)?;
        let mut report = Report::new(path, plan.bytes(), plan.layout(), plan.disk().bytes);
        report.made.copied = written.copied.map(Into::into);
        let data = if self.product == Product::HashTree { Path::new("DISK") } else { path };
        report.verity = written.sealed.map(|sealed| HashTreeReport::new(&sealed, data, path));
        Ok(report)
    }
}
