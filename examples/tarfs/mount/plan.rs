//! The plan of a mount: which files, of what kind, it is made of.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::Sealed;

/// How one image is mounted.
pub(crate) enum Plan {
    /// As it is, over the files of its devices.
    Plain {
        image: NamedFile,
        /// In the order of the device table; none of a disk, which has all in it.
        devices: Vec<NamedFile>,
        /// Whether there is a hash tree behind it, which is passed over.
        has_tree: bool,
    },
    /// Through dm-verity.
    Sealed {
        data: NamedFile,
        /// Where the hash tree is, if it is not behind the data.
        tree: Option<NamedFile>,
        sealed: Box<Sealed>,
        /// Whether the user gave the root hash; else it is what the GUIDs of two partitions say.
        root_given: bool,
    },
}

/// The plan of one image, of which a disk may have several in partitions.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    /// The number and the name of its partition, if it was not named.
    pub(crate) partition: Option<(u32, String)>,
}
