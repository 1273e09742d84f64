//! Images: layers that belong together, in layouts and archives as other tools write them.
//!
//! | file | duty |
//! |---|---|
//! | `reference` | what an argument such as `oci:DIR:NAME` names |
//! | `store`, `archive` | where the files of an image are: a directory, or a tar |
//! | `json` | the few fields of indexes, manifests and configurations that are used |
//! | `platform` | which of several platforms is meant |
//! | `pick` | names, digests and numbers of images |
//! | `listed`, `choice` | an index, down to the one manifest |
//! | `layers` | a manifest's blobs, checked, to layers |
//! | `oci`, `directory`, `docker`, `before` | the forms |
//! | `saved` | an archive that is taken for a layer |

mod archive;
mod before;
mod choice;
mod directory;
mod docker;
mod json;
mod layers;
mod listed;
mod oci;
mod pick;
mod platform;
mod reference;
mod saved;
mod store;

pub(crate) use self::platform::Platform;
pub(crate) use self::reference::Reference;
pub(crate) use self::saved::warn;

use self::reference::Transport;
use self::store::Store;
use crate::fail::Done;
use crate::load::{How, Loaded};
use crate::spool::Spool;

/// Loads the layers of an image, lowest first.
pub(crate) fn load(image: &Reference, how: &How<'_>, spool: &mut Spool) -> Done<Vec<Loaded>> {
    let archive = |spool: &Spool| Store::archive(&image.path, &spool.dir());
    match image.transport {
        Transport::Oci => oci::load(&Store::layout(&image.path), &image.pick, how, spool),
        Transport::OciArchive => oci::load(&archive(spool)?, &image.pick, how, spool),
        Transport::DockerArchive => docker::load(&archive(spool)?, &image.pick, how, spool),
        Transport::Directory => directory::load(&Store::flat(&image.path), how, spool),
    }
}
