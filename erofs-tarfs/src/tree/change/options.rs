//! What of a tree is made otherwise.

use crate::units::Timestamp;
use alloc::vec::Vec;

/// What of a tree is made otherwise than its layers say. By default nothing. The names are those of
/// `mkfs.erofs` and GNU tar.
///
/// ```
/// use erofs_tarfs::tree::Changes;
/// use erofs_tarfs::units::Timestamp;
///
/// let changes = Changes::new()
///     .all_root()
///     .uid_offset(100_000) // of a user namespace
///     .clamp_mtime(Timestamp { secs: 1_700_000_000, nanos: 0 })
///     .exclude("var/cache");
/// assert_eq!((changes.force_uid, changes.uid_offset), (Some(0), 100_000));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// The owner of all files, before the offset is added. `None`, the default, keeps each its own.
    pub force_uid: Option<u32>,
    /// The group of all files, before the offset is added. `None`, the default, keeps each its own.
    pub force_gid: Option<u32>,
    /// Added to the owner of every file; 0 by default.
    pub uid_offset: i64,
    /// Added to the group of every file; 0 by default.
    pub gid_offset: i64,
    /// Modification times later than this become it. `None`, the default, keeps all.
    pub clamp_mtime: Option<Timestamp>,
    /// Paths that are left out, with all that is below them: from the root on, `/` between names. Nothing
    /// by default.
    ///
    /// Of a file with several names the others stay, also where the one left out is that of which the tar has
    /// the data. The root can't be left out, and a path that is not there changes nothing. In a layer that is
    /// not merged, a whiteout is a name too: lower layers show then what it hid.
    ///
    /// The tar keeps the bytes: a disk of 512-byte blocks has all of it, so nothing is hidden by this.
    pub exclude: Vec<Vec<u8>>,
}

impl Changes {
    /// The default: nothing is changed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes root owner and group of all files: 0, before offsets are added.
    #[must_use]
    pub fn all_root(self) -> Self {
        self.force_uid(0).force_gid(0)
    }

    /// Sets the owner of all files; by default each keeps its own.
    #[must_use]
    pub fn force_uid(self, uid: impl Into<Option<u32>>) -> Self {
        Self { force_uid: uid.into(), ..self }
    }

    /// Sets the group of all files; by default each keeps its own.
    #[must_use]
    pub fn force_gid(self, gid: impl Into<Option<u32>>) -> Self {
        Self { force_gid: gid.into(), ..self }
    }

    /// Sets what is added to the owner of every file; 0 by default.
    #[must_use]
    pub fn uid_offset(self, uid_offset: i64) -> Self {
        Self { uid_offset, ..self }
    }

    /// Sets what is added to the group of every file; 0 by default.
    #[must_use]
    pub fn gid_offset(self, gid_offset: i64) -> Self {
        Self { gid_offset, ..self }
    }

    /// Sets the latest modification time: later ones become it. By default all stay.
    #[must_use]
    pub fn clamp_mtime(self, latest: impl Into<Option<Timestamp>>) -> Self {
        Self { clamp_mtime: latest.into(), ..self }
    }

    /// Adds a path that is left out, with all that is below it.
    #[must_use]
    pub fn exclude(mut self, path: impl Into<Vec<u8>>) -> Self {
        self.exclude.push(path.into());
        self
    }
}
