//! The files that hold bodies, and what shows that two of them are one.

use crate::units::digest_of_hex;
use alloc::vec::Vec;

/// A file that holds bodies: a tar as a rule, or an image that has one inside.
///
/// ```
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
/// let layer = layer_of(&[("etc/motd", "hello\n")]);
/// let tar = &layer.devices()[0]; // the only one of a layer
/// assert_eq!((tar.bytes, tar.base_offset), (2048, 0));
/// assert!(tar.tag.is_empty(), "LayerOptions::tag gives it one");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// Free text of at most 64 bytes, usually the hex digest of the blob. It is a name for people
    /// and for whoever looks for the file; it never makes two devices one.
    pub tag: Vec<u8>,
    /// Length in bytes of what the addresses reach, from `base_offset` on.
    pub bytes: u64,
    /// Where in the file byte 0 of the addresses lies.
    pub base_offset: u64,
    /// What is known of the bytes themselves.
    pub identity: Identity,
}

/// What shows that two devices have the same bytes: [`merge()`](super::merge()) then makes one of
/// them.
///
/// Tags do not show it: two layers may be given one tag by mistake, and the files of the one would
/// read the bytes of the other.
///
/// ```
/// use erofs_tarfs::tree::{Identity, LayerBuilder, LayerOptions, MergeOptions, merge};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let layer = |identity| {
///     let mut builder = LayerBuilder::new(LayerOptions::default());
///     builder.push(&tar_of(&[("etc/motd", "hello\n")]))?;
///     builder.set_identity(identity);
///     Ok::<_, erofs_tarfs::tree::Error>(builder.finish()?.tree)
/// };
/// // One layer, twice in an image: of which it is known has one device.
/// for (identity, devices) in [(Identity::Sha256([7; 32]), 1), (Identity::Unknown, 2)] {
///     let image = merge(&[&layer(identity)?, &layer(identity)?], &MergeOptions::new().keep_devices(true))?;
///     assert_eq!(image.devices().len(), devices);
/// }
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Identity {
    /// Nothing is known: the device is like no other.
    #[default]
    Unknown,
    /// The SHA-256 of its bytes, which somebody has computed or checked.
    Sha256([u8; 32]),
    /// The file, as the system tells files apart: devices in one file at one offset are one.
    File {
        /// Number of the volume (`st_dev`).
        volume: u64,
        /// Number of the file in it (`st_ino`).
        number: u64,
    },
}

impl Device {
    /// Whether it is shown that both have the same bytes.
    ///
    /// ```
    /// use erofs_tarfs::tree::{Device, Identity};
    ///
    /// let one = Device { tag: b"layer".to_vec(), bytes: 10_240, ..Device::default() };
    /// assert!(!one.is_same(&one.clone()), "the same tag and length show nothing");
    /// let known = Device { identity: Identity::Sha256([7; 32]), ..one };
    /// assert!(known.is_same(&known.clone()));
    /// ```
    pub fn is_same(&self, other: &Self) -> bool {
        self.key().is_some_and(|key| Some(key) == other.key())
    }

    /// What is equal of devices that are the same; `None` of one that is like no other.
    pub(super) fn key(&self) -> Option<(Identity, u64, u64)> {
        match self.identity {
            Identity::Unknown => None,
            // The same bytes, wherever they lie in their files.
            Identity::Sha256(_) => Some((self.identity, self.bytes, 0)),
            Identity::File { .. } => Some((self.identity, self.bytes, self.base_offset)),
        }
    }
}

impl Identity {
    /// The digest that a tag of 64 hex digits in lower case says, which the caller has checked.
    ///
    /// ```
    /// use erofs_tarfs::tree::Identity;
    ///
    /// assert_eq!(Identity::of_checked_tag(&[b'0'; 64]), Identity::Sha256([0; 32]));
    /// assert_eq!(Identity::of_checked_tag(&[b'A'; 64]), Identity::Unknown);
    /// assert_eq!(Identity::of_checked_tag(b"layer"), Identity::Unknown);
    /// ```
    pub fn of_checked_tag(tag: &[u8]) -> Self {
        match digest_of_hex(tag) {
            Some(digest) if !tag.iter().any(u8::is_ascii_uppercase) => Self::Sha256(digest),
            _ => Self::Unknown,
        }
    }
}

/// Where a device of a merged tree comes from.
///
/// ```
/// use erofs_tarfs::tree::{MergeOptions, Origin, merge};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let layers = [layer_of(&[("a", "1")]), layer_of(&[("b", "2")])];
/// let image = merge(&[&layers[0], &layers[1]], &MergeOptions::default())?;
/// // The image's second device is the first one of layer 1, counted from 0, the lowest.
/// assert_eq!(image.origins()[1], Origin { layer: 1, device: 0 });
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Number of the layer in the call of [`merge()`](super::merge()), from 0, the lowest.
    pub layer: usize,
    /// Number of the device in that layer's tree.
    pub device: usize,
}
