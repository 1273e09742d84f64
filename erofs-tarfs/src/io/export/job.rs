//! What is wanted of an export.

use alloc::borrow::Cow;
use core::fmt;
use core::sync::atomic::AtomicBool;
use std::path::PathBuf;

use super::choices::Choices;
use super::layer::{Input, Layer};
use super::watch::Watch;
use super::{Backing, Step};
use crate::export::{ExportOptions, Form, Mode, Partitioning};
use crate::io::Output;
use crate::io::verity::HashingOptions as Hashing;
use crate::limits::Limits;
use crate::tree::{Changes, MergeOptions, Note, Tree};
use crate::verity::Leaves;

/// Makes disks and hash trees of layers in one of the six [modes](Mode).
///
/// Say which layers there are, the lowest first, and what is wanted of them; then
/// [`write`](Self::write). Three tars become one sealed disk:
///
/// ```no_run
/// use erofs_tarfs::export::Mode;
/// use erofs_tarfs::io::Export;
///
/// let tars = ["base.tar", "app.tar", "fix.tar"];
/// let made = Export::new(Mode::ImageBlockWithVerity).tars(tars).write("image.disk")?;
/// let sealed = made[0].sealed().ok_or("a mode without a hash tree")?;
/// println!("{}", sealed.root());
/// println!("{}", sealed.open_command("image.disk", "image", "image.disk"));
/// println!("mount -t erofs -o ro /dev/mapper/image /mnt");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Export<'a> {
    pub(super) mode: Mode,
    pub(super) options: ExportOptions,
    pub(super) merge: MergeOptions,
    pub(super) changes: Changes,
    pub(super) choices: Choices<'a>,
    pub(super) hashing: Hashing,
    pub(super) form: Form,
    pub(super) partitioning: Option<Partitioning>,
    pub(super) layers: Vec<Input<'a>>,
    pub(super) watch: Watch<'a>,
    pub(super) notes: Box<dyn FnMut(Note) + 'a>,
    pub(super) beside: Option<PathBuf>,
    pub(super) begun: Option<Output>,
    pub(super) synced: bool,
    pub(super) limits: Option<Limits>,
}

impl fmt::Debug for Export<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("mode", &self.mode)
            .field("options", &self.options)
            .field("merge", &self.merge)
            .field("changes", &self.changes)
            .field("choices", &self.choices)
            .field("hashing", &self.hashing)
            .field("form", &self.form)
            .field("partitioning", &self.partitioning)
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Export<'a> {
    /// Starts an export that has no layer yet. It has the [default options](ExportOptions::default), and
    /// makes raw disks without partitions.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            options: ExportOptions::default(),
            merge: MergeOptions::default(),
            changes: Changes::default(),
            choices: Choices::default(),
            hashing: Hashing::default(),
            form: Form::default(),
            partitioning: None,
            layers: Vec::new(),
            watch: Watch { observer: Box::new(|_, _| {}), cancel: None },
            notes: Box::new(|_| {}),
            beside: None,
            begun: None,
            synced: true,
            limits: None,
        }
    }

    /// Sets how disks are laid out and hashed.
    ///
    /// ```
    /// use erofs_tarfs::export::{Mode, ExportOptions};
    /// use erofs_tarfs::io::Export;
    /// use erofs_tarfs::layout::LayoutOptions;
    /// use erofs_tarfs::units::BlockSize;
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
    /// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
    ///
    /// // Bodies are copied to the grid of these blocks.
    /// let options = ExportOptions::new().layout(LayoutOptions::disk().block_size(BlockSize::B4096));
    /// let made = Export::new(Mode::LayerBlock).options(options).tar(tar).write(disk)?;
    /// assert_eq!(made[0].disks[0].block_size, BlockSize::B4096);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn options(self, options: ExportOptions) -> Self {
        Self { options, ..self }
    }

    /// Sets how layers are merged. Modes by layer merge nothing.
    #[must_use]
    pub fn merging(self, merge: MergeOptions) -> Self {
        Self { merge, ..self }
    }

    /// Sets what is made otherwise than the layers say, as owners and times, when they are merged; in modes
    /// by layer in each. By default nothing.
    ///
    /// ```
    /// use erofs_tarfs::export::Mode;
    /// use erofs_tarfs::io::{Export, Output};
    /// use erofs_tarfs::read::Image;
    /// use erofs_tarfs::tree::Changes;
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
    /// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
    ///
    /// let changes = Changes::new().uid_offset(100_000).exclude("var/cache");
    /// Export::new(Mode::LayerBlock).changes(changes).tar(tar).write(&disk)?;
    /// let bytes = std::fs::read(disk)?;
    /// let image = Image::new(&bytes)?;
    /// let motd = image.lookup(b"etc/motd")?.ok_or("it is not there")?;
    /// assert_eq!(image.inode(motd)?.attributes().uid, 100_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn changes(self, changes: Changes) -> Self {
        Self { changes, ..self }
    }

    /// Sets how many threads hash, and the backend. No byte of an output depends on it.
    #[must_use]
    pub fn hashing(self, hashing: Hashing) -> Self {
        Self { hashing, ..self }
    }

    /// Sets what a disk comes out as. A form over files names those of the layers, which have to stay,
    /// and one beside the output, `OUTPUT.metadata`, that has all the rest.
    ///
    /// ```
    /// use erofs_tarfs::export::{Form, Mode};
    /// use erofs_tarfs::io::Export;
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
    /// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
    ///
    /// let script = dir.path().join("base.sh"); // sh base.sh base: makes /dev/mapper/base
    /// let made = Export::new(Mode::LayerBlock).form(Form::DmLinear).tar(tar).write(&script)?;
    /// assert_eq!(made[0].files, ["base.sh.metadata", "base.tar"]);
    /// assert!(std::fs::read_to_string(script)?.contains("loop base.tar"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Puts the disks into one disk, a partition each.
    ///
    /// ```
    /// use erofs_tarfs::export::{Mode, Partitioning};
    /// use erofs_tarfs::io::Export;
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
    /// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
    ///
    /// let layers = Export::new(Mode::LayerBlock).tars([&tar, &tar]);
    /// let made = layers.partitions(Partitioning::Data).write(disk)?;
    /// let gpt = made[0].gpt.as_ref().ok_or("no partitions")?;
    /// assert_eq!(gpt.partitions().len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn partitions(self, partitioning: Partitioning) -> Self {
        Self { partitioning: Some(partitioning), ..self }
    }

    /// Sets a function that is told how many bytes each step dealt with since it was last told. Any
    /// thread of the export may call it.
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU64, Ordering};
    /// use erofs_tarfs::export::Mode;
    /// use erofs_tarfs::io::{Export, Step};
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
    /// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
    ///
    /// let written = AtomicU64::new(0); // bytes
    /// let export = Export::new(Mode::LayerBlock).tar(tar).observer(|step, bytes| {
    ///     if step == Step::Writing {
    ///         written.fetch_add(bytes, Ordering::Relaxed);
    ///     }
    /// });
    /// let made = export.write(disk)?;
    /// assert_eq!(written.into_inner(), made[0].bytes);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(Step, u64) + Sync + 'a) -> Self {
        self.watch.observer = Box::new(observer);
        self
    }

    /// Sets a flag by which another thread ends the work: soon after it is true, with
    /// [`Error::Cancelled`](crate::io::Error::Cancelled), and without an output.
    ///
    /// ```
    /// use core::sync::atomic::AtomicBool;
    /// use erofs_tarfs::export::Mode;
    /// use erofs_tarfs::io::{Error, Export};
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
    /// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
    ///
    /// let stop = AtomicBool::new(true);
    /// let made = Export::new(Mode::LayerBlock).tar(tar).cancel(&stop).write(&disk);
    /// assert!(matches!(made, Err(Error::Cancelled)) && !disk.exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cancel(mut self, cancel: &'a AtomicBool) -> Self {
        self.watch.cancel = Some(cancel);
        self
    }

    /// Sets a function that is told what the merge decided where readers of layers differ.
    ///
    /// ```
    /// use erofs_tarfs::export::Mode;
    /// use erofs_tarfs::io::Export;
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    ///
    /// let tars = [dir.path().join("base.tar"), dir.path().join("app.tar")];
    /// std::fs::write(&tars[0], tar_of(&[("usr/lib/", ""), ("lib@", "usr/lib")]))?;
    /// std::fs::write(&tars[1], tar_of(&[("lib/libapp.so", "")]))?;
    /// let mut notes = Vec::new();
    /// let export = Export::new(Mode::ImageBlock).tars(tars);
    /// let noting = export.notes(|note| notes.push(note.to_string()));
    /// noting.write(dir.path().join("image.disk"))?;
    /// assert!(notes[0].starts_with("layer 2: \"lib\" is a symbolic link"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn notes(self, note: impl FnMut(Note) + 'a) -> Self {
        Self { notes: Box::new(note), ..self }
    }

    /// Sets the directory of the files that have no names yet, on the filesystem of the outputs; by
    /// default the one in which the outputs will be.
    #[must_use]
    pub fn beside(self, directory: impl Into<PathBuf>) -> Self {
        Self { beside: Some(directory.into()), ..self }
    }

    /// Sets whether outputs are brought to the disk, so that they survive a power cut as soon as they are
    /// reported; by default they are. Without it they may be empty, or not whole, after one.
    #[must_use]
    pub fn synced(self, synced: bool) -> Self {
        Self { synced, ..self }
    }

    /// Sets how much all of it may cost: each tar, the layers merged, and each image. By default tars are taken as
    /// layers of strangers are, and of the rest the limits in its options count.
    ///
    /// ```
    /// use erofs_tarfs::export::Mode;
    /// use erofs_tarfs::io::Export;
    /// use erofs_tarfs::limits::Limits;
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
    /// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
    ///
    /// let export = Export::new(Mode::LayerBlock).limits(Limits::new().max_inodes(2)).tar(tar);
    /// let error = export.write(&disk).unwrap_err().to_string(); // the root, etc, etc/motd
    /// assert!(error.ends_with("3 inodes are over the limit max_inodes of 2"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits: Some(limits), ..self }
    }

    /// Adds the layer of a tar above those that are there. It is read once, for its entries and its
    /// SHA-256, which is the tag of its device; in a mode with a hash tree also for the digests of its
    /// data blocks, 1/16 of its size in memory at 512 bytes a block.
    #[must_use]
    pub fn tar(mut self, path: impl Into<PathBuf>) -> Self {
        self.layers.push(Input::Tar(path.into()));
        self
    }

    /// Adds the layers of [tars](Self::tar), the lowest first.
    #[must_use]
    pub fn tars(self, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        paths.into_iter().fold(self, Self::tar)
    }

    /// Adds a layer that was indexed already, above those that are there: its tree, where the bytes of
    /// its devices are, in their order, and the digests kept of them, none or one for each.
    ///
    /// ```
    /// use erofs_tarfs::export::Mode;
    /// use erofs_tarfs::io::{Export, NamedFile, index_file};
    /// use erofs_tarfs::tree::LayerOptions;
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
    /// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
    ///
    /// let tar = NamedFile::open(tar)?;
    /// let layer = index_file(&tar, LayerOptions::default(), &mut |_| {})?;
    /// let export = Export::new(Mode::LayerBlock).layer(layer.tree, vec![tar.into()], vec![]);
    /// assert_eq!(export.write(disk)?[0].bytes, 6144);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn layer(
        mut self,
        tree: impl Into<Cow<'a, Tree>>,
        backings: Vec<Backing<'a>>,
        leaves: Vec<Option<Cow<'a, Leaves>>>,
    ) -> Self {
        let layer = Layer::new(tree.into(), backings, leaves);
        self.layers.push(Input::Layer(layer));
        self
    }

    /// Sets layers that are merged already, in place of all that was added, for an `image_` mode. The
    /// arguments are those of [`layer`](Self::layer).
    #[must_use]
    pub fn image(
        self,
        tree: impl Into<Cow<'a, Tree>>,
        backings: Vec<Backing<'a>>,
        leaves: Vec<Option<Cow<'a, Leaves>>>,
    ) -> Self {
        let layer = Layer::new(tree.into(), backings, leaves);
        Self { layers: vec![Input::Image(layer)], ..self }
    }
}
