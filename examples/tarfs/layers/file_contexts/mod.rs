//! The file_contexts of an SELinux policy: which label a path has, as libselinux finds it (selabel_file(5)).
//!
//! Files of the same name with `.homedirs` and `.local` behind it have more lines, those with `.subs_dist` and
//! `.subs` other names of directories. What is compiled (`.bin`) is not read, as it says nothing else.

mod aliases;
mod spec;

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use erofs_tarfs::tree::NodeKind;

use self::aliases::Aliases;
use self::spec::Spec;
use crate::cli::fail::{Done, Fail};
use crate::files::argument_files;

/// The longest file that is read, in bytes: that of Fedora's policy has half a megabyte.
const MAX: u64 = 64 << 20;

/// All of a policy's lines about files.
pub(crate) struct FileContexts {
    /// Patterns, then paths without any: the last that matches says the label.
    specs: Vec<Spec>,
    aliases: Aliases,
}

impl FileContexts {
    /// Reads a file, and those beside it that belong to it.
    pub(crate) fn read(path: &Path) -> Done<Self> {
        argument_files::protect(&[path]);
        let text = contents(path)?.ok_or_else(|| Fail::of(path, "is not there"))?;
        let mut specs = specs(path, &text)?;
        for more in ["homedirs", "local"] {
            let path = beside(path, more);
            if let Some(text) = contents(&path)? {
                specs.extend(self::specs(&path, &text)?);
            }
        }
        // A path says more than a pattern, wherever it stands.
        let (paths, patterns): (Vec<_>, Vec<_>) = specs.into_iter().partition(Spec::is_path);
        let specs = [patterns, paths].concat();
        let mut aliases = Aliases::default();
        for (more, dist) in [("subs_dist", true), ("subs", false)] {
            let path = beside(path, more);
            if let Some(text) = contents(&path)? {
                aliases.add(&path, &text, dist)?;
            }
        }
        Ok(Self { specs, aliases })
    }

    /// The label of a path, which has no slash in front, and of what is there.
    pub(crate) fn label(&self, path: &[u8], kind: NodeKind) -> Option<Vec<u8>> {
        let path = self.aliases.resolved([b"/", path].concat());
        let found = self.specs.iter().rev().find(|spec| spec.matches(&path, kind))?;
        found.label().map(<[u8]>::to_vec)
    }
}

/// The lines of a file.
fn specs(path: &Path, text: &[u8]) -> Done<Vec<Spec>> {
    let lines = (1..).zip(text.split(|b| *b == b'\n'));
    let specs = lines.filter_map(|(number, line)| Spec::of(line).map(|spec| (number, spec)));
    specs
        .map(|(number, spec)| {
            spec.map_err(|why| Fail::of(path, format_args!("line {number}: {why}")))
        })
        .collect()
}

/// What is in a file; nothing if it is not there.
fn contents(path: &Path) -> Done<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fail::of(path, error)),
    };
    let mut text = Vec::new();
    file.take(MAX + 1).read_to_end(&mut text).map_err(|error| Fail::of(path, error))?;
    match text.len() as u64 > MAX {
        true => Err(Fail::of(path, format_args!("is over {MAX} bytes: no file_contexts"))),
        false => Ok(Some(text)),
    }
}

/// The file whose name is longer by this.
fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(more);
    name.into()
}
