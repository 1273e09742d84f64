//! Disks over the files that hold their bytes already: nothing is copied.
//!
//! ```text
//!                                       ┌─→ dm_linear ─→ a table for dmsetup
//! DiskPlan ─→ FileExtents ──────────────┼─→ vmdk ──────→ a descriptor for QEMU
//!             "bytes 4096 to 6143       └─→ Gpt ───────→ FileExtents of a disk with partitions
//!              are in base.tar"
//! ```
//!
//! [`FileExtents`] say which range of which file lies where in a disk. [`dm_linear`] makes a
//! device-mapper table of them, [`vmdk`] a VMDK descriptor for virtual machines, and a [`Gpt`] puts
//! several disks into one, a partition each. All of it is text and bytes: the files are named by the
//! caller, and none is opened.
//!
//! ```
//! use erofs_tarfs::outputs::{FileExtents, Held, dm_linear, vmdk};
//! use erofs_tarfs::{image, layout, tree::Builder};
//!
//! let tree = Builder::new().finish()?;
//! let options = layout::LayoutOptions::default();
//! let layout = layout::plan(&tree, &options)?;
//! let plan = image::disk(&layout);
//! let tars = ["/dev/loop1", "/dev/loop2"];
//! let extents = FileExtents::of_disk(&plan, &layout, |held| match held {
//!     Held::Metadata => ("/dev/loop0", 0),
//!     Held::Device(index) => (tars[index], 0),
//! })?;
//! assert_eq!(dm_linear(&extents)?, "0 8 linear /dev/loop0 0\n");
//! assert!(vmdk(&extents)?.contains("\nRW 8 FLAT \"/dev/loop0\" 0\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dm;
mod error;
mod extents;
mod gpt;
mod script;
mod vmdk;

pub use dm::dm_linear;
pub use error::{Error, NameRule};
pub use extents::{FileExtent, FileExtents, Held};
pub use gpt::{
    Architecture, FoundPartition, Gpt, Partition, PartitionTable, Placed, Role, TableError,
    TableHeader, Volume,
};
pub use script::dm_script;
pub use vmdk::vmdk;

/// The sectors that tables and descriptors count in, in bytes.
const SECTOR: u64 = 512;
