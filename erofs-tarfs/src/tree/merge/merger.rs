//! Layers become one tree, all at once or one after the other.

use super::devices::Devices;
use super::layers::Merge;
use super::{MergeOptions, Note, follow};
use crate::tree::builder::Builder;
use crate::tree::error::Error;
use crate::tree::model::Tree;
use alloc::collections::BTreeMap;

/// The filesystem that layers make together, lowest first: no whiteouts are left in it.
///
/// Whiteouts act on lower layers only, in the form of overlayfs (character device 0:0, opaque
/// marks, `overlay.whiteout` attributes) or of aufs (`.wh.` names). An implied directory keeps the
/// attributes of a lower directory; it replaces a lower file or symbolic link, as overlayfs shows
/// it. The root's attributes are those of the topmost layer that lists it.
///
/// Devices are in layer order. Two become one where they are shown to have the same bytes
/// ([`Device::is_same`](crate::tree::Device::is_same)), or where one tree is given twice; tags alone show
/// nothing. [`Tree::origins`] says which layer's device each is: sources are found by that.
///
/// Takes time linear in the names of all layers.
///
/// ```
/// use erofs_tarfs::tree::{MergeOptions, merge};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let base = layer_of(&[("etc/motd", "hello\n"), ("etc/old", "")]);
/// let fix = layer_of(&[("etc/.wh.old", ""), ("etc/new", "")]);
/// let image = merge(&[&base, &fix], &MergeOptions::default())?;
/// assert!(image.lookup(b"etc/motd").is_some() && image.lookup(b"etc/new").is_some());
/// assert_eq!(image.lookup(b"etc/old"), None, "a whiteout of the upper layer hides it");
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
///
/// # Errors
/// [`Error::MissingTarget`] and [`Error::LinkToDirectory`] of hard links into lower layers,
/// [`Error::BadWhiteout`], [`Error::Limit`], [`Error::TooMany`]; with `follow_lower_links` also
/// [`Error::LinkNotFollowed`], [`Error::LinksTooDeep`] and [`Error::TwoPaths`].
///
/// # References
/// OCI image-spec, `layer.md`, "Applying Changesets"; Linux, `Documentation/filesystems/overlayfs.rst`.
pub fn merge(layers: &[&Tree], options: &MergeOptions) -> Result<Tree, Error> {
    merge_noting(layers, options, &mut |_| {})
}

/// As [`merge`]. Where readers of layers differ, `note` is told what was decided.
///
/// ```
/// use erofs_tarfs::tree::{MergeOptions, merge_noting};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let base = layer_of(&[("usr/lib/", ""), ("lib@", "usr/lib")]);
/// let app = layer_of(&[("lib/libapp.so", "")]);
/// let mut notes = Vec::new();
/// merge_noting(&[&base, &app], &MergeOptions::default(), &mut |note| notes.push(note.to_string()))?;
/// assert!(notes[0].starts_with("layer 2: \"lib\" is a symbolic link to \"usr/lib\" in a lower layer"));
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
///
/// # Errors
/// As [`merge`].
pub fn merge_noting(
    layers: &[&Tree],
    options: &MergeOptions,
    note: &mut dyn FnMut(Note),
) -> Result<Tree, Error> {
    let mut merger = Merger::new(options);
    // They are all there at the same time, so one that is given twice is known by its address in memory.
    let mut known = BTreeMap::new();
    for (number, &layer) in layers.iter().enumerate() {
        let address = core::ptr::from_ref(layer) as usize;
        let first = *known.entry(address).or_insert(number);
        merger = merger.put(layer, Some(first).filter(|first| *first != number), note)?;
    }
    merger.finish()
}

/// As [`merge`], for whoever has the layers one after the other: each can be dropped as soon as it is in, or be
/// merged while the next one is still read. The result is the same.
///
/// ```
/// use erofs_tarfs::tree::{MergeOptions, Merger};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let mut merger = Merger::new(&MergeOptions::new());
/// for entries in [&[("etc/motd", "hello\n"), ("etc/old", "")][..], &[("etc/.wh.old", "")]] {
///     merger = merger.push(&layer_of(entries), &mut |note| eprintln!("{note}"))?;
/// }
/// let image = merger.finish()?;
/// assert!(image.lookup(b"etc/motd").is_some() && image.lookup(b"etc/old").is_none());
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Debug)]
pub struct Merger {
    options: MergeOptions,
    out: Builder,
    devices: Devices,
    layers: usize,
}

impl Merger {
    /// Without a layer.
    pub fn new(options: &MergeOptions) -> Self {
        let mut out = Builder::new();
        out.keep_devices(options.keep_devices || options.device_per_layer);
        out.limit_inodes(&options.limits);
        Self { options: options.clone(), out, devices: Devices::default(), layers: 0 }
    }

    /// Puts a layer on top of those that are there. `note` is told what was decided where readers of layers differ.
    ///
    /// # Errors
    /// As [`merge`].
    pub fn push(self, layer: &Tree, note: &mut dyn FnMut(Note)) -> Result<Self, Error> {
        self.put(layer, None, note)
    }

    /// How many layers are in it: the number of the next one in notes, errors and [`Tree::origins`].
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// The same of a layer that may be another one, of that number, once more.
    fn put(
        mut self,
        layer: &Tree,
        again: Option<usize>,
        note: &mut dyn FnMut(Note),
    ) -> Result<Self, Error> {
        let number = self.layers;
        let devices = self.devices.of(&mut self.out, layer, number, again, &self.options)?;
        let moved = match self.options.follow_lower_links {
            true => follow::moved(layer, number, &mut self.out, note)?,
            false => None,
        };
        let layer = moved.as_ref().unwrap_or(layer);
        let merged = Merge::new(&mut self.out, layer, number, devices, note);
        merged.run(&self.options.limits).map_err(|error| match error {
            Error::Limit { over, .. } => Error::Limit { layer: number, over },
            error => error,
        })?;
        self.layers = number.saturating_add(1);
        Ok(self)
    }

    /// The filesystem that the layers make together.
    ///
    /// # Errors
    /// As [`merge`].
    pub fn finish(self) -> Result<Tree, Error> {
        self.out.finish()
    }
}
