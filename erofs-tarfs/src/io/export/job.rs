//! What is wanted of an export.

use alloc::borrow::Cow;
use core::fmt;
use core::sync::atomic::AtomicBool;
use std::path::{Path, PathBuf};

use super::layer::{Input, Layer};
use super::run::Job;
use super::settings::Settings;
use super::{Backing, Exported, Made, Step};
use crate::export::{Form, Mode, Options, Partitioning};
use crate::io::Error;
use crate::io::verity::Options as Hashing;
use crate::tree::{MergeOptions, Note, Tree};
use crate::verity::{Leaves, Sealed};

/// Makes disks and hash trees of layers in one of the six [modes](Mode).
///
/// # Examples
/// Three tars, lowest first, become one sealed disk:
/// ```no_run
/// use erofs_tarfs::export::Mode;
/// use erofs_tarfs::io::Export;
///
/// let tars = ["base.tar", "app.tar", "fix.tar"];
/// let made = Export::new(Mode::ImageBlockWithVerity).tars(tars).write("image.disk")?;
/// let sealed = made[0].sealed().expect("the mode has a hash tree");
/// println!("{}", sealed.root());
/// println!("{}", sealed.open_command("image.disk", "image", "image.disk"));
/// println!("mount -t erofs /dev/mapper/image /mnt");
/// # Ok::<(), erofs_tarfs::io::Error>(())
/// ```
///
/// A layer that was indexed already, as a VMDK descriptor over its tar, stopped by another thread:
/// ```no_run
/// use core::sync::atomic::AtomicBool;
/// use erofs_tarfs::export::{Form, Mode};
/// use erofs_tarfs::io::{Export, NamedFile, index_file};
/// use erofs_tarfs::tree::LayerOptions;
///
/// static STOP: AtomicBool = AtomicBool::new(false);
/// let tar = NamedFile::open("layer.tar")?;
/// let layer = index_file(&tar, LayerOptions::default(), &mut |_| {})?;
/// let export = Export::new(Mode::LayerBlock).form(Form::Vmdk).cancel(&STOP);
/// let made = export.layer(layer.tree, vec![tar.into()], vec![]).write("layer.vmdk")?;
/// assert_eq!(made[0].files, ["layer.vmdk.metadata", "layer.tar"]);
/// # Ok::<(), erofs_tarfs::io::Error>(())
/// ```
pub struct Export<'a>(Settings<'a>);

impl fmt::Debug for Export<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a> Export<'a> {
    /// No layer yet; options of [`Options::default`], a raw disk without partitions.
    pub fn new(mode: Mode) -> Self {
        Self(Settings::new(mode))
    }

    /// How disks are laid out and hashed.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.0.options = options;
        self
    }

    /// How layers become one.
    #[must_use]
    pub fn merging(mut self, merge: MergeOptions) -> Self {
        self.0.merge = merge;
        self
    }

    /// How hashing goes about it: no byte depends on it.
    #[must_use]
    pub fn hashing(mut self, hashing: Hashing) -> Self {
        self.0.hashing = hashing;
        self
    }

    /// What a disk comes out as. A form over files names those of the layers, which have to stay, and
    /// one beside the output, `OUTPUT.metadata`, that has all the rest.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.0.form = form;
        self
    }

    /// Puts the disks into one, a partition each.
    #[must_use]
    pub fn partitions(mut self, partitioning: Partitioning) -> Self {
        self.0.partitioning = Some(partitioning);
        self
    }

    /// Is told how many bytes each step dealt with, by any thread.
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(Step, u64) + Sync + 'a) -> Self {
        self.0.watch.observer = Box::new(observer);
        self
    }

    /// Ends the work, with [`Error::Cancelled`] and without an output, soon after this is true.
    #[must_use]
    pub fn cancel(mut self, cancel: &'a AtomicBool) -> Self {
        self.0.watch.cancel = Some(cancel);
        self
    }

    /// Is told where the merge decides what not every reader of layers does.
    #[must_use]
    pub fn notes(mut self, note: impl FnMut(Note) + 'a) -> Self {
        self.0.notes = Box::new(note);
        self
    }

    /// Where files are until they have names, if not in the directory that they will be in.
    #[must_use]
    pub fn beside(mut self, directory: impl Into<PathBuf>) -> Self {
        self.0.beside = Some(directory.into());
        self
    }

    /// Adds the layer of a tar above those that are there. It is read once, for its entries and its
    /// SHA-256, which is the tag of its device; in a mode with a hash tree also for the digests of its
    /// data blocks, 1/16 of its size in memory at 512 bytes a block.
    #[must_use]
    pub fn tar(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.layers.push(Input::Tar(path.into()));
        self
    }

    /// Adds the layers of [tars](Self::tar), the lowest first.
    #[must_use]
    pub fn tars(self, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        paths.into_iter().fold(self, Self::tar)
    }

    /// Adds a layer above those that are there: its tree, where the bytes of its devices are, in their
    /// order, and the digests kept of them, none or one for each.
    #[must_use]
    pub fn layer(
        mut self,
        tree: impl Into<Cow<'a, Tree>>,
        backings: Vec<Backing<'a>>,
        leaves: Vec<Option<Cow<'a, Leaves>>>,
    ) -> Self {
        let layer = Layer { tree: tree.into(), backings, leaves };
        self.0.layers.push(Input::Layer(layer));
        self
    }

    /// The same of layers that are merged already: all that there is, for an `image_` mode.
    #[must_use]
    pub fn image(
        mut self,
        tree: impl Into<Cow<'a, Tree>>,
        backings: Vec<Backing<'a>>,
        leaves: Vec<Option<Cow<'a, Leaves>>>,
    ) -> Self {
        let layer = Layer { tree: tree.into(), backings, leaves };
        self.0.layers = vec![Input::Image(layer)];
        self
    }

    /// Makes all outputs, one after the other; answers them in the order of the layers.
    ///
    /// `path` is the file, in place of what has that name. A mode by layer with several layers, or if
    /// `path` is a directory, writes a file for each into that directory, which is made if it is not
    /// there, named by the layer's tag: `TAG.disk`, or as the [form](Form::extension) says. With
    /// [partitions](Self::partitions) it is one file in any case.
    ///
    /// Files have no name until all are whole and on the disk: an error leaves nothing.
    ///
    /// # Errors
    /// [`Error::Export`] for what cannot be planned, [`Error::Layer`], [`Error::Merge`],
    /// [`Error::IsInput`], [`Error::SameName`]; [`Error::NoFile`] and [`Error::Name`] for forms over
    /// files; [`Error::Cancelled`]; those of reading and writing.
    pub fn write(self, path: impl AsRef<Path>) -> Result<Vec<Exported>, Error> {
        self.make(path)?.finish()
    }

    /// Hashes what would be made, in a mode with a hash tree, and writes nothing: geometry and root hash
    /// of each filesystem, in the order of the layers. They are those of the raw disk, whatever the
    /// form.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    ///
    /// # Examples
    /// ```no_run
    /// use erofs_tarfs::export::Mode;
    /// use erofs_tarfs::io::Export;
    ///
    /// let tars = ["base.tar", "app.tar"];
    /// let sealed = Export::new(Mode::ImageBlockWithVerity).tars(tars).hash()?;
    /// println!("{}", sealed[0].root());
    /// # Ok::<(), erofs_tarfs::io::Error>(())
    /// ```
    pub fn hash(self) -> Result<Vec<Sealed>, Error> {
        let name = Path::new(self.0.mode.name());
        Job::new(self.0, name)?.hash(name)
    }

    /// Makes all outputs, and lets the caller give them their names, or copy them to elsewhere.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn make(self, path: impl AsRef<Path>) -> Result<Made, Error> {
        Job::new(self.0, path.as_ref())?.run(path.as_ref())
    }
}
