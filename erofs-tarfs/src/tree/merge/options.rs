//! How layers are merged.

/// How layers are merged.
///
/// ```
/// use erofs_tarfs::tree::{MergeOptions, merge};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let base = layer_of(&[("usr/lib/", ""), ("lib@", "usr/lib")]);
/// let app = layer_of(&[("lib/libapp.so", "")]);
/// let mut options = MergeOptions::default();
/// options.follow_lower_links = true;
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
}
