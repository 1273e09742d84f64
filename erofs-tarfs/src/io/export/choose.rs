//! The functions of the caller's that choose what of a tree is left out, and labels.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::job::Export;
use crate::tree::NodeKind;

impl<'a> Export<'a> {
    /// Sets a function that is asked of every name whether it is left out, with all that is below it, as
    /// [`without`](crate::tree::without) asks, before the other [changes](Self::changes) are made. In modes by layer
    /// it is asked of each layer. It is called by the thread that calls [`write`](Self::write).
    ///
    /// ```
    /// use erofs_tarfs::export::Mode;
    /// use erofs_tarfs::io::Export;
    /// use erofs_tarfs::read::Image;
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
    /// # std::fs::write(&tar, tar_of(&[("lib/a.py", "x"), ("lib/a.pyc", "y")]))?;
    ///
    /// let export = Export::new(Mode::LayerBlock).exclude_if(|path, _| path.ends_with(b".pyc"));
    /// export.tar(tar).write(&disk)?;
    /// let bytes = std::fs::read(disk)?;
    /// let image = Image::new(&bytes)?;
    /// assert!(image.lookup(b"lib/a.py")?.is_some() && image.lookup(b"lib/a.pyc")?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn exclude_if(mut self, excluded: impl FnMut(&[u8], NodeKind) -> bool + 'a) -> Self {
        self.choices.excluded = Some(Box::new(excluded));
        self
    }

    /// Sets a function that is asked for the SELinux label of every file, as [`label`](crate::tree::label) asks, after
    /// all [changes](Self::changes) are made. In modes by layer it is asked of each layer. It is called by the
    /// thread that calls [`write`](Self::write).
    ///
    /// ```
    /// use erofs_tarfs::export::Mode;
    /// use erofs_tarfs::io::Export;
    /// use erofs_tarfs::read::{Image, TreeOptions};
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
    /// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
    ///
    /// let label = b"system_u:object_r:etc_t:s0";
    /// let export = Export::new(Mode::LayerBlock)
    ///     .label(|path, _| path.starts_with(b"etc").then(|| label.to_vec()));
    /// export.tar(tar).write(&disk)?;
    /// let bytes = std::fs::read(disk)?;
    /// let tree = Image::new(&bytes)?.tree(&TreeOptions::new())?;
    /// let motd = tree.lookup(b"etc/motd").ok_or("it is not there")?;
    /// assert_eq!(tree.xattrs(motd).next(), Some((&b"security.selinux"[..], &label[..])));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn label(mut self, label: impl FnMut(&[u8], NodeKind) -> Option<Vec<u8>> + 'a) -> Self {
        self.choices.label = Some(Box::new(label));
        self
    }
}
