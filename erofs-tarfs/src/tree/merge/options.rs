//! How layers are merged.

use crate::limits::Limits;

/// How layers are merged.
///
/// ```
/// use erofs_tarfs::tree::{MergeOptions, merge};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let base = layer_of(&[("usr/lib/", ""), ("lib@", "usr/lib")]);
/// let app = layer_of(&[("lib/libapp.so", "")]);
/// let options = MergeOptions::new().follow_lower_links(true);
/// let image = merge(&[&base, &app], &options)?;
/// assert!(image.lookup(b"usr/lib/libapp.so").is_some());
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MergeOptions {
    /// Keep devices in which no file of the result has any bytes. By default they are dropped.
    pub keep_devices: bool,
    /// Take devices for one whose tags are the same SHA-256 in hex, and whose lengths are the same:
    /// the caller has checked that the files have these digests. By default a tag shows nothing,
    /// and only [`Device::identity`](crate::tree::Device::identity) makes two devices one.
    pub trust_tags: bool,
    /// Give each layer's devices slots of their own, also where two have the same bytes or no file
    /// refers to one: for callers who pass a `device=` for each layer. A layer without any data has
    /// a device only if it was made with
    /// [`keep_empty_device`](crate::tree::LayerOptions::keep_empty_device).
    pub device_per_layer: bool,
    /// Where a layer has something below a path that a lower layer has as a symbolic link, follow
    /// the link inside the root, as containerd, moby and umoci do when they extract layers one over
    /// the other. By default a directory takes the link's place, as overlayfs shows it. The two
    /// differ on images whose `/lib` is a link, and a layer that has `lib/x` without listing `lib`.
    pub follow_lower_links: bool,
    /// How much all layers together may cost: asked for inodes and for depth.
    pub limits: Limits,
}

impl MergeOptions {
    /// The default: what overlayfs shows, with the devices that are needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether devices are kept in which no file has bytes; off by default.
    #[must_use]
    pub fn keep_devices(self, keep_devices: bool) -> Self {
        Self { keep_devices, ..self }
    }

    /// Sets whether equal digests as tags make devices one; off by default.
    #[must_use]
    pub fn trust_tags(self, trust_tags: bool) -> Self {
        Self { trust_tags, ..self }
    }

    /// Sets whether each layer's devices have slots of their own; off by default.
    #[must_use]
    pub fn device_per_layer(self, device_per_layer: bool) -> Self {
        Self { device_per_layer, ..self }
    }

    /// Sets whether symbolic links of lower layers are followed; off by default.
    #[must_use]
    pub fn follow_lower_links(self, follow_lower_links: bool) -> Self {
        Self { follow_lower_links, ..self }
    }

    /// Sets how much all layers together may cost; for layers of strangers by default.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}
