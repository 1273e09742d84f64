//! Disks that are not plain files: over files as they lie, or in partitions of one.

use alloc::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::parts::{Disk, Parts, Sealing};
use super::prepared::{Job, One, Wanted};
use super::{Exported, ExportedDisk, Step};
use crate::export::{Error as Why, Form, Partitioning, Product};
use crate::io::{Error, Mapped, NamedFile, Output};
use crate::layout;
use crate::outputs::{FileExtents, Gpt, Partition, Role, dm_script, vmdk};
use crate::verity::Sealed;

/// How many characters of a layer's name a partition's name holds.
const NAME: usize = 36;

impl Job<'_> {
    /// Makes one disk, or one with all of them in partitions.
    pub(super) fn over(&self, path: &Path, wanted: &[Wanted<'_>]) -> Result<One, Error> {
        let output = self.output(path)?;
        let mut outputs = Vec::new();
        let metadata = if self.export.form == Form::Raw {
            // All of it is copied, or shared, to the output: this file is dropped without ever having
            // a name.
            self.output(path)?
        } else {
            let metadata = metadata_path(path)?;
            self.spare(&metadata)?;
            self.output(&metadata)?
        };
        let mut parts = Parts::new(metadata.file().try_clone()?, &self.export.watch);
        let apart = matches!(self.export.partitioning, Some(Partitioning::Volume(..)));
        let (params, hashing) = (&self.export.options.verity, &self.export.hashing);
        let is_sealed = self.export.mode.product() == Product::SealedDisk;
        let sealing = is_sealed.then_some(Sealing { params, hashing, apart });
        let (mut parted, mut disks) = (Vec::new(), Vec::new());
        for one in wanted {
            let layout = layout::plan(one.tree, &self.export.options.layout);
            let layout = layout.map_err(|error| self.failed(path, error))?;
            let made = parts.add(&layout, &self.sources(one)?, sealing)?;
            let (bytes, sealed) = (made.extents.bytes(), made.sealed.clone());
            disks.push(ExportedDisk::of(&layout, bytes, made.filesystem_bytes, sealed));
            parted.push((one.name.as_str(), made));
        }
        let (extents, gpt, sealed) = match self.export.partitioning {
            Some(partitioning) => {
                let (extents, gpt) = self.partitioned(path, &mut parts, parted, partitioning)?;
                (extents, Some(gpt), None)
            }
            None => {
                let only = self.single(path, parted)?;
                (only.extents, None, only.sealed)
            }
        };
        let (bytes, path) = (extents.bytes(), path.to_owned());
        let mut exported = Exported { path, bytes, disks, gpt, files: Vec::new(), copied: None };
        let out = output.file();
        if self.export.form == Form::Raw {
            let mapped = Mapped::new(&extents, parts.files())?;
            let tell = &mut |bytes| self.export.watch.tell(Step::Writing, bytes);
            exported.copied = Some(mapped.write_telling(out, tell)?);
        } else {
            let path = &exported.path;
            let text = self.text(path, &mut parts, extents, sealed.as_ref())?;
            out.write_all_at(text.0.as_bytes(), 0)?;
            exported.files = text.1;
            outputs.push(metadata);
        }
        outputs.push(output);
        // The first one is that of metadata.
        let over = if self.export.form == Form::Raw {
            Vec::new()
        } else {
            parts.into_files().split_off(1)
        };
        Ok((outputs, exported, over))
    }

    /// The only disk.
    fn single(&self, path: &Path, parted: Vec<(&str, Disk)>) -> Result<Disk, Error> {
        debug_assert!(parted.len() <= 1, "several disks want partitions");
        let only = parted.into_iter().next();
        only.map(|(_, disk)| disk).ok_or_else(|| self.failed(path, Why::NoLayer))
    }

    /// All disks in partitions of one; a volume's hash tree is in another.
    fn partitioned(
        &self,
        path: &Path,
        parts: &mut Parts<'_>,
        parted: Vec<(&str, Disk)>,
        partitioning: Partitioning,
    ) -> Result<(FileExtents<usize>, Gpt), Error> {
        let (mut wanted, mut extents) = (Vec::new(), Vec::new());
        for (name, disk) in parted {
            let (role, tree_role, name) = match partitioning {
                Partitioning::Data => (Role::Data, None, name.chars().take(NAME).collect()),
                Partitioning::Volume(volume, architecture) => (
                    Role::Volume(volume, architecture),
                    Some(Role::Tree(volume, architecture)),
                    architecture.label(volume),
                ),
            };
            let (identity, bytes) = (disk.identity.clone(), disk.extents.bytes());
            wanted.push(Partition { name: name.clone(), identity, bytes, role });
            extents.push(disk.extents);
            if let (Some(tree), Some(role)) = (disk.tree, tree_role) {
                let (name, bytes) = (format!("{name}-verity"), tree.bytes());
                wanted.push(Partition { name, identity: disk.identity, bytes, role });
                extents.push(tree);
            }
        }
        let gpt = Gpt::new(wanted, Gpt::ALIGN).map_err(|error| self.failed(path, error))?;
        let at = parts.put(&[gpt.head(), gpt.tail()].concat())?;
        let extents = gpt.extents(extents, 0, at).map_err(|error| self.failed(path, error))?;
        Ok((extents, gpt))
    }

    /// The text of a form over files, and the files as they are named in it.
    fn text(
        &self,
        path: &Path,
        parts: &mut Parts<'_>,
        extents: FileExtents<usize>,
        sealed: Option<&Sealed>,
    ) -> Result<(String, Vec<String>), Error> {
        let files = parts.files().iter().map(|file| name(file, path));
        let mut files = files.collect::<Result<Vec<String>, Error>>()?;
        let text = if self.export.form == Form::Vmdk {
            let extents = parts.back_zeros(extents)?;
            vmdk(&extents.map(|index| files[index].as_str()))
        } else {
            dm_script(&files, extents, sealed)
        };
        let text = text.map_err(|error| self.failed(path, error))?;
        let mut seen = BTreeSet::new();
        files.retain(|file| seen.insert(file.clone()));
        Ok((text, files))
    }
}

/// Where all goes that is in no layer.
fn metadata_path(out: &Path) -> Result<PathBuf, Error> {
    let name = out.file_name().ok_or_else(|| Error::Name { file: out.to_owned() })?;
    let mut name = name.to_owned();
    name.push(".metadata");
    Ok(out.with_file_name(name))
}

/// What a file is called in an output: from the directory of the output on, or from the root.
fn name(file: &NamedFile, out: &Path) -> Result<String, Error> {
    // The file itself may not have its name yet, so its directory is resolved in its place. Nor may
    // that be there yet.
    let real = |path: &Path| match (fs::canonicalize(path), path.file_name()) {
        (Err(error), Some(last)) if error.kind() == ErrorKind::NotFound => {
            fs::canonicalize(Output::directory(path)).map(|parent| parent.join(last))
        }
        (found, _) => found,
    };
    let real =
        |path: &Path| real(path).map_err(|error| Error::Open { file: path.to_owned(), error });
    let path = file.path();
    let no_name = || Error::Name { file: path.to_owned() };
    let directory = real(Output::directory(out))?;
    let full = real(Output::directory(path))?.join(path.file_name().ok_or_else(no_name)?);
    let name = full.strip_prefix(&directory).unwrap_or(&full);
    name.to_str().map(str::to_owned).ok_or_else(no_name)
}
