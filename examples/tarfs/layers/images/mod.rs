//! Images: layers that belong together, in layouts and archives as other tools write them.
//!
//! | file | duty |
//! |---|---|
//! | `reference`, `image_name` | what an argument such as `oci:DIR:NAME` names |
//! | `store`, `archive` | where the files of an image are: a directory, or a tar |
//! | `descriptor`, `document`, `config` | the few fields of JSON documents that are used |
//! | `json`, `words` | how JSON is read, and how errors quote it |
//! | `index`, `choose` | an index, down to the one manifest that is meant |
//! | `manifest` | a manifest, and the configuration of its image |
//! | `opened` | an image with its documents and blobs as they are |
//! | `blobs` | a manifest's blobs, checked, become layers |
//! | `several` | layers that are unpacked at the same time |
//! | `repository` | the same of a registry |
//! | `oci`, `directory`, `docker`, `old_docker` | the forms that images come in |
//! | `mistaken` | an archive of an image that is taken for a layer |

mod archive;
mod blobs;
mod choose;
mod config;
pub(crate) mod descriptor;
mod directory;
mod docker;
mod document;
mod image_name;
mod index;
pub(crate) mod json;
mod manifest;
pub(crate) mod mistaken;
mod oci;
mod old_docker;
pub(crate) mod opened;
pub(crate) mod reference;
mod repository;
mod several;
pub(crate) mod store;
mod words;

use crate::cli::fail::Done;
use crate::cli::reading_options::ReadingOptions;
use crate::layers::images::reference::{Reference, Transport};
use crate::layers::images::store::Store;
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;

/// Loads the layers of an image, lowest first.
pub(crate) fn load(
    image: &Reference,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    let archive = |spool: &Spool| Store::archive(&image.path, &spool.dir(), how);
    match image.transport {
        Transport::Oci => {
            oci::load(&Store::layout(&image.path, how.limits), &image.pick, how, spool)
        }
        Transport::OciArchive => oci::load(&archive(spool)?, &image.pick, how, spool),
        Transport::DockerArchive => docker::load(&archive(spool)?, &image.pick, how, spool),
        Transport::Directory => directory::load(&Store::flat(&image.path, how.limits), how, spool),
        Transport::Registry => {
            let (store, pick) = Store::registry(image, how)?;
            oci::load(&store, &pick, how, spool)
        }
    }
}
