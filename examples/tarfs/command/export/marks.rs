//! What `--print` asks for of each disk that an export makes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use erofs_tarfs::export::{Mode, Product};
use erofs_tarfs::io::{Exported, Output};
use erofs_tarfs::verity::Params;

use super::Export;
use crate::cli::fail::{Done, Fail};
use crate::cli::marks::Mark;
use crate::files::digest;
use crate::files::target::Target;
use crate::show::marked::{self, Marked};

/// SHA-256 digests of outputs, by the names that the user knows.
pub(super) type Digests = BTreeMap<PathBuf, String>;

/// Refuses what cannot be said of outputs.
pub(super) fn check(args: &Export, product: Product, params: &Params) -> Done {
    let is_disk = args.forms.are_plain() && product != Product::HashTree;
    if !is_disk && !args.marks.print.is_empty() {
        let why = "--print is of a disk in one file: no --form, no --gpt, no mode *_verity_only";
        return Err(Fail::Usage(why.to_owned()));
    }
    args.marks.check((product == Product::SealedDisk).then_some(params))
}

/// The digests of outputs, if they are asked for.
pub(super) fn digests(args: &Export, target: &Target, outputs: &[Output]) -> Done<Digests> {
    let wanted = outputs.iter().filter(|_| args.marks.has(Mark::ErofsAnnotations));
    let digest = |output: &Output| {
        let name = target.name(output.path()).to_owned();
        Ok((name, digest::sha256(output.file(), &mut |_| {})?))
    };
    wanted.map(digest).collect()
}

/// What is asked for of an output, which the user calls so.
pub(super) fn of(args: &Export, name: &Path, made: &Exported, digests: &Digests) -> Done<Marked> {
    let role = if Mode::from(args.mode).is_by_layer() { marked::LAYER } else { None };
    let sha256 = || Ok(digests.get(name).cloned().unwrap_or_default());
    Marked::new(&args.marks, role, made.sealed(), sha256)
}
