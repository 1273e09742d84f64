//! How layers are exported.
#![allow(unsafe_code, reason = "reads the callers' structs")]

use core::ffi::c_char;

use erofs_tarfs::export::{ExportOptions, Form, Mode, Partitioning};
use erofs_tarfs::io::Export;
use erofs_tarfs::layout::Artifact;
use erofs_tarfs::limits::Limits;
use erofs_tarfs::outputs::Architecture;

use crate::abi::error::Error;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::images::layout_options::TarfsLayoutOptions;
use crate::trees::change::TarfsChanges;
use crate::trees::choose::Chooser;
use crate::trees::limits::TarfsLimits;
use crate::trees::merge::TarfsMergeOptions;
use crate::verity::params::VerityParams;
use crate::verity::threads;

/// What an export makes, and how. Only mode must be set.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsExportOptions {
    /// sizeof(tarfs_export_options).
    pub size: usize,
    /// One of the six modes by its name: "image_block" is a disk of the merged layers, "layer_block" one
    /// of each layer; with "_with_verity" behind it a hash tree follows; "image_verity_only" and
    /// "layer_verity_only" are that tree alone.
    pub mode: *const c_char,
    /// What a disk comes out as: "raw", "vmdk" (a descriptor over the files of the layers) or
    /// "dm-linear" (a script that makes a device over them); NULL for "raw". The last two name files,
    /// which have to stay, and one beside the output, PATH.metadata.
    pub form: *const c_char,
    /// Puts the disks into one, a GPT partition each: "linux", or one image as the Discoverable
    /// Partitions Specification has it, "dps" for a root, "dps-usr" for a /usr; NULL for no partitions.
    pub partitions: *const c_char,
    /// What a volume of "dps" or "dps-usr" is for, as "x86-64" or "amd64"; else NULL.
    pub architecture: *const c_char,
    /// The layout of disks; NULL for defaults. TARFS_BOOTSTRAP, which is no disk, stands for
    /// TARFS_DISK_METADATA_FIRST. Bodies that do not lie on block_size are copied in any case.
    pub layout: *const TarfsLayoutOptions,
    /// The parameters of hash trees; NULL for those of the preset "nydus". Where a tree lies the mode
    /// says: placement and hash_offset are not looked at.
    pub params: *const VerityParams,
    /// How layers are merged; NULL for defaults.
    pub merge: *const TarfsMergeOptions,
    /// How many threads hash; 0 for as many as the machine has.
    pub thread_count: u32,
    /// TARFS_EXPORT_ flags.
    pub flags: u32,
    /// What is made otherwise than the layers say, when they are merged; in layer_ modes in each. NULL for
    /// nothing.
    pub changes: *const TarfsChanges,
    /// How much all of it may cost: each tar, the layers merged, each image. NULL for defaults, and for those of layout
    /// and merge.
    pub limits: *const TarfsLimits,
}

/// Files are not brought to the disk: after a power cut they may be empty, or not whole.
pub const TARFS_EXPORT_NO_SYNC: u32 = 1;

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsExportOptions {}

impl TarfsExportOptions {
    /// An export of these options, without layers.
    ///
    /// # Safety
    ///
    /// The pointers in it are as the header says, while `'a` lasts.
    pub(crate) unsafe fn read<'a>(&self) -> Result<Export<'a>, Error> {
        if self.flags & !TARFS_EXPORT_NO_SYNC != 0 {
            return Err(Error::argument(format!("options: flags {:#x}: not known", self.flags)));
        }
        // SAFETY: by the contract.
        let word = |text: *const c_char, what| match text.is_null() {
            true => Ok::<_, Error>(None),
            // SAFETY: by the contract.
            false => unsafe { pointer::text(text, what) }.map(Some),
        };
        let mode = word(self.mode, "mode")?.ok_or_else(|| Error::null("mode"))?;
        let mode: Mode =
            mode.parse().map_err(|why| Error::argument(format!("mode {mode:?}: {why}")))?;
        let mut export = Export::new(mode).hashing(threads::options(self.thread_count));
        export = export.synced(self.flags & TARFS_EXPORT_NO_SYNC == 0);
        if let Some(name) = word(self.form, "form")? {
            let form = Form::named(name);
            let unknown = || Error::argument(format!("form {name:?}: not raw, vmdk or dm-linear"));
            export = export.form(form.ok_or_else(unknown)?);
        }
        let architecture = match word(self.architecture, "architecture")? {
            None => None,
            Some(name) => {
                let unknown = || Error::argument(format!("architecture {name:?}: not known"));
                Some(Architecture::named(name).ok_or_else(unknown)?)
            }
        };
        if let Some(name) = word(self.partitions, "partitions")? {
            let unknown = || {
                let why = "not linux, or dps or dps-usr with an architecture";
                Error::argument(format!("partitions {name:?}: {why}"))
            };
            let partitioning = Partitioning::named(name, architecture);
            export = export.partitions(partitioning.ok_or_else(unknown)?);
        }
        // SAFETY: by the contract.
        export = export.options(unsafe { self.options()? });
        // SAFETY: by the contract.
        export = export.changes(unsafe { sized::read(self.changes, "changes")?.read()? });
        // SAFETY: by the contract.
        let merge = unsafe { sized::read(self.merge, "merge")? };
        // SAFETY: the caller says what the callback may be called with.
        let note = move |note| unsafe { merge.tell(&note) };
        // SAFETY: by the contract.
        export = export.merging(unsafe { merge.options()? }).notes(note);
        if !self.limits.is_null() {
            // SAFETY: by the contract.
            export = export.limits(unsafe { TarfsLimits::read(self.limits, Limits::new())? });
        }
        Ok(export)
    }

    /// What the callbacks of the changes choose.
    ///
    /// # Safety
    ///
    /// As [`TarfsExportOptions::read`].
    pub(crate) unsafe fn chooser(&self) -> Result<Chooser, Error> {
        // SAFETY: by the contract.
        Ok(unsafe { sized::read(self.changes, "changes")? }.chooser())
    }

    /// How disks are laid out and hashed.
    ///
    /// # Safety
    ///
    /// As [`TarfsExportOptions::read`].
    unsafe fn options(&self) -> Result<ExportOptions, Error> {
        let mut options = ExportOptions::default();
        if !self.layout.is_null() {
            // SAFETY: by the contract.
            let given = unsafe { sized::read(self.layout, "layout")? };
            // SAFETY: by the contract.
            let mut layout = unsafe { given.read()? };
            if layout.artifact == Artifact::Bootstrap {
                layout = layout.artifact(options.layout.artifact);
            }
            options = options.layout(layout);
        }
        // SAFETY: by the contract.
        unsafe { VerityParams::export(self.params, options) }
    }
}
