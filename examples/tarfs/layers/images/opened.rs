//! An image of which more is wanted than its layers: its documents and blobs as they are.

use std::path::{Path, PathBuf};

use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::layers::images::descriptor::Descriptor;
use crate::layers::images::manifest::{self, Manifest};
use crate::layers::images::reference::{Reference, Transport};
use crate::layers::images::store::{Blob, Store};
use crate::layers::images::{blobs, directory, oci};
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;

/// An image with a manifest.
pub(crate) struct Opened {
    store: Store,
    manifest: Manifest,
}

impl Opened {
    /// Finds the manifest. What of an archive must be unpacked goes to a file without a name in `dir`.
    pub(crate) fn new(image: &Reference, how: &ReadingOptions<'_>, dir: &Path) -> Done<Self> {
        let mut pick = image.pick.clone();
        let store = match image.transport {
            Transport::Registry => {
                let (store, digest) = Store::registry(image, how)?;
                pick = digest;
                store
            }
            Transport::Oci => Store::layout(&image.path, how.limits),
            Transport::OciArchive => Store::archive(&image.path, dir, how)?,
            Transport::Directory => Store::flat(&image.path, how.limits),
            Transport::DockerArchive => {
                let why = "has no manifest: `skopeo copy docker-archive:FILE oci:DIR:NAME` makes an \
                           image with one; a file of Docker 25 or later is an oci-archive: too";
                return Err(Fail::of(&image.path, why));
            }
        };
        let manifest = match image.transport {
            Transport::Directory => directory::manifest(&store, how)?,
            _ => oci::manifest(&store, &pick, how)?,
        };
        Ok(Self { store, manifest })
    }

    /// The layers, lowest first, checked.
    pub(crate) fn layers(&self, how: &ReadingOptions<'_>, spool: &mut Spool) -> Done<Vec<Loaded>> {
        blobs::load(&self.store, &self.manifest, how, spool)
    }

    /// What the manifest says of the layers.
    pub(crate) fn descriptors(&self) -> &[Descriptor] {
        self.manifest.document.layers.as_deref().unwrap_or_default()
    }

    /// The manifest, and where it stands.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bytes of the manifest: those that were read, of a registry, or that are there.
    pub(crate) fn manifest_bytes(&self) -> Done<Vec<u8>> {
        let path = &self.manifest.path;
        let name = path.strip_prefix(self.store.name()).ok().and_then(Path::to_str);
        self.store.bytes(name.ok_or_else(|| Fail::of(path, "is not in its image"))?)
    }

    /// Digests of the uncompressed layers, lowest first.
    pub(crate) fn diff_ids(&self) -> Done<Vec<String>> {
        let Manifest { path, document } = &self.manifest;
        Ok(manifest::config(&self.store, path, document)?.1.diff_ids().to_vec())
    }

    /// The bytes of the configuration, checked.
    pub(crate) fn config(&self) -> Done<Vec<u8>> {
        let Manifest { path, document } = &self.manifest;
        Ok(manifest::config_bytes(&self.store, path, document)?.1)
    }

    /// A blob, which the caller has checked or checks, and what errors call it.
    pub(crate) fn blob(&self, descriptor: &Descriptor) -> Done<(PathBuf, Blob<'_>)> {
        let name = self.store.blob_name(descriptor, &self.manifest.path)?;
        Ok((self.store.path(&name), self.store.open(&name)?))
    }
}
