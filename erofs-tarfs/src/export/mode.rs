//! What is made of layers.

use core::fmt;
use core::str::FromStr;

/// The six modes, by the names that nydus-snapshotter has for them.
///
/// ```
/// use erofs_tarfs::export::{Mode, Product};
///
/// let mode: Mode = "image_block_with_verity".parse()?;
/// assert_eq!(mode.product(), Product::SealedDisk);
/// assert!(!mode.is_by_layer(), "one disk of all layers merged");
/// # Ok::<(), erofs_tarfs::export::Error>(())
/// ```
///
/// # References
/// nydus-snapshotter, `docs/tarfs.md`: `export_mode` in its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "each layer or all, times three products")]
pub enum Mode {
    /// A disk of each layer.
    LayerBlock,
    /// A disk of the merged layers.
    ImageBlock,
    /// A disk of each layer, a hash tree behind it.
    LayerBlockWithVerity,
    /// A disk of the merged layers, a hash tree behind it.
    ImageBlockWithVerity,
    /// The hash tree alone of each layer's disk.
    LayerVerityOnly,
    /// The hash tree alone of the merged layers' disk.
    ImageVerityOnly,
}

/// What is made of one tree.
///
/// ```
/// use erofs_tarfs::export::{ExportOptions, Plan, Product};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let bytes = |product| Plan::new(&tree, product, &ExportOptions::default()).map(|plan| plan.bytes());
/// assert_eq!(bytes(Product::Disk)?, 6144);
/// assert_eq!(bytes(Product::HashTree)?, 4096);
/// assert_eq!(bytes(Product::SealedDisk)?, 8192 + 4096); // the tree begins on its own grid
/// # Ok::<(), erofs_tarfs::export::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "data, hashes, or both")]
pub enum Product {
    /// A disk.
    Disk,
    /// A disk, and behind it its hash tree.
    SealedDisk,
    /// The hash tree that its disk has, alone.
    HashTree,
}

impl Mode {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::LayerBlock,
        Self::ImageBlock,
        Self::LayerBlockWithVerity,
        Self::ImageBlockWithVerity,
        Self::LayerVerityOnly,
        Self::ImageVerityOnly,
    ];

    /// Its name, for example `image_block`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LayerBlock => "layer_block",
            Self::ImageBlock => "image_block",
            Self::LayerBlockWithVerity => "layer_block_with_verity",
            Self::ImageBlockWithVerity => "image_block_with_verity",
            Self::LayerVerityOnly => "layer_verity_only",
            Self::ImageVerityOnly => "image_verity_only",
        }
    }

    /// Whether layers stay apart, an output for each.
    pub const fn is_by_layer(self) -> bool {
        matches!(self, Self::LayerBlock | Self::LayerBlockWithVerity | Self::LayerVerityOnly)
    }

    /// What is made of each tree.
    pub const fn product(self) -> Product {
        match self {
            Self::LayerBlock | Self::ImageBlock => Product::Disk,
            Self::LayerBlockWithVerity | Self::ImageBlockWithVerity => Product::SealedDisk,
            Self::LayerVerityOnly | Self::ImageVerityOnly => Product::HashTree,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = super::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|mode| mode.name() == name);
        found.ok_or(super::Error::Mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_one_mode_each() {
        for mode in Mode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
            assert_eq!(mode.is_by_layer(), mode.name().starts_with("layer_"));
            assert_eq!(mode.product() == Product::HashTree, mode.name().ends_with("_only"));
        }
        assert_eq!("layer".parse::<Mode>(), Err(super::super::Error::Mode));
    }
}
