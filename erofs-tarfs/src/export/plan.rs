//! One output, before it is written.

use super::{Error, Product};
use crate::disk;
use crate::image::{self, DiskPlan};
use crate::layout::{self, Artifact, Layout};
use crate::tree::Tree;
use crate::verity::{Fault, Geometry, HashPlacement, HashSink, Hasher, Leaves, Params, Sealed};

/// How disks are laid out, and how they are hashed.
///
/// ```
/// use erofs_tarfs::export::{Error, ExportOptions, Product};
/// use erofs_tarfs::layout::LayoutOptions;
/// use erofs_tarfs::units::BlockSize;
/// use erofs_tarfs::verity::Params;
///
/// let options = ExportOptions::new().verity(Params::containerd_4k()); // data blocks of 4096 bytes
/// let refused = Error::DataBlock { data_block: 4096, block: 512 };
/// assert_eq!(options.check(Product::SealedDisk), Err(refused), "Linux would refuse the mount");
/// let large = LayoutOptions::disk().block_size(BlockSize::B4096);
/// options.layout(large).check(Product::SealedDisk)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExportOptions {
    /// The disk's layout: metadata first by default.
    pub layout: layout::LayoutOptions,
    /// The hash tree's parameters: [`Params::nydus`] by default.
    pub verity: Params,
    /// Allow data blocks that are larger than the filesystem's: nothing that Linux mounts.
    pub any_data_block: bool,
}

impl Default for ExportOptions {
    fn default() -> Self {
        let layout = layout::LayoutOptions::disk();
        Self { layout, verity: Params::nydus(), any_data_block: false }
    }
}

impl ExportOptions {
    /// The default: metadata first, blocks of 512 bytes, a hash tree as [`Params::nydus`] has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the disk's layout, which begins with [`LayoutOptions::disk`](layout::LayoutOptions::disk): what
    /// is no disk is an error later on.
    #[must_use]
    pub fn layout(self, layout: layout::LayoutOptions) -> Self {
        Self { layout, ..self }
    }

    /// Sets the hash tree's parameters; [`Params::nydus`] by default.
    #[must_use]
    pub fn verity(self, verity: Params) -> Self {
        Self { verity, ..self }
    }

    /// Sets whether data blocks may be larger than the filesystem's; off by default.
    #[must_use]
    pub fn any_data_block(self, any_data_block: bool) -> Self {
        Self { any_data_block, ..self }
    }

    /// Refuses what cannot be mounted.
    ///
    /// # Errors
    /// [`Error::DataBlock`] for a product with a hash tree.
    pub fn check(&self, product: Product) -> Result<(), Error> {
        let (data_block, block) =
            (self.verity.data_block().bytes(), self.layout.block_size.bytes());
        if product != Product::Disk && data_block > block && !self.any_data_block {
            return Err(Error::DataBlock { data_block, block });
        }
        Ok(())
    }
}

/// What an output is made of, and where everything in it lies.
///
/// ```
/// use erofs_tarfs::export::{ExportOptions, Plan, Product};
/// use erofs_tarfs::verity::RootOnly;
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::{layer_of, tar_of};
///
/// let (tree, tar) = (layer_of(&[("etc/motd", "hello\n")]), tar_of(&[("etc/motd", "hello\n")]));
/// let plan = Plan::new(&tree, Product::SealedDisk, &ExportOptions::default())?;
/// // 4096 bytes of metadata and 2048 of the tar; the hash tree's one block, at the next 4096.
/// assert_eq!((plan.disk().bytes, plan.bytes()), (6144, 8192 + 4096));
/// let read = &mut |_device: usize, offset: u64, buf: &mut [u8]| {
///     buf.copy_from_slice(&tar[offset as usize..][..buf.len()]);
///     Ok(())
/// };
/// let sealed = plan.hash(&[], read, &mut RootOnly)?.ok_or("no hash tree")?;
/// println!("{}", sealed.root()); // without having written the disk
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Plan<'t> {
    layout: Layout<'t>,
    disk: DiskPlan,
    geometry: Option<Geometry>,
    product: Product,
}

impl<'t> Plan<'t> {
    /// Plans what is made of a tree, which must [fit](layout::fitted) the block size.
    ///
    /// # Errors
    /// [`Error::Bootstrap`], [`Error::DataBlock`], [`Error::Layout`], [`Error::Verity`].
    pub fn new(tree: &'t Tree, product: Product, options: &ExportOptions) -> Result<Self, Error> {
        if options.layout.artifact == Artifact::Bootstrap {
            return Err(Error::Bootstrap);
        }
        options.check(product)?;
        let layout = layout::plan(tree, &options.layout)?;
        let disk = image::disk(&layout);
        // A tree protects whole blocks only.
        let data_bytes = disk.bytes + options.verity.data_padding(disk.bytes);
        let geometry = match product {
            Product::Disk => None,
            Product::SealedDisk => Some(HashPlacement::BehindData),
            Product::HashTree => Some(HashPlacement::OwnFile),
        };
        let geometry = geometry.map(|place| Geometry::new(&options.verity, data_bytes, place));
        Ok(Self { layout, disk, geometry: geometry.transpose()?, product })
    }

    /// The filesystem's layout.
    pub fn layout(&self) -> &Layout<'t> {
        &self.layout
    }

    /// Where the bytes of the disk come from.
    pub fn disk(&self) -> &DiskPlan {
        &self.disk
    }

    /// Where the hash tree lies, if there is one.
    pub fn geometry(&self) -> Option<&Geometry> {
        self.geometry.as_ref()
    }

    /// What comes out.
    pub fn product(&self) -> Product {
        self.product
    }

    /// Length of the output in bytes.
    pub fn bytes(&self) -> u64 {
        self.geometry.as_ref().map_or(self.disk.bytes, Geometry::end)
    }

    /// Hashes the disk, which need not be written; the tree goes to `sink`. `read` gives bytes of a
    /// device's file, `leaves` are the digests kept of devices: see [`disk::hash`]. The answer is
    /// nothing for a disk without a hash tree.
    ///
    /// # Errors
    /// As [`disk::hash`].
    pub fn hash<S: HashSink>(
        &self,
        leaves: &[Option<&Leaves>],
        read: &mut impl FnMut(usize, u64, &mut [u8]) -> Result<(), S::Error>,
        sink: &mut S,
    ) -> Result<Option<Sealed>, Fault<S::Error>> {
        let Some(geometry) = &self.geometry else { return Ok(None) };
        let mut hasher = Hasher::new(geometry.clone());
        disk::hash(&self.disk, &self.layout, leaves, read, &mut hasher, sink)?;
        hasher.finish(sink).map(Some)
    }
}
