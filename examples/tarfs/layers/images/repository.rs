//! A repository of a registry, as a store of an image's files.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use erofs_tarfs::limits::Limits;

use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::layers::images::image_name::ImageName;
use crate::layers::images::reference::Reference;
use crate::registry::connection::Connection;
use crate::registry::content::{self, Blob};
use crate::registry::error::Error;
use crate::registry::name::Name;

/// A repository, and the manifests and indexes that were asked for.
pub(crate) struct Repository {
    connection: Connection,
    limits: Limits,
    documents: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Repository {
    /// The one that a reference names, and the image in it by the digest that it has now.
    pub(crate) fn open(image: &Reference, how: &ReadingOptions<'_>) -> Done<(Self, ImageName)> {
        let text = image.path.to_str().unwrap_or_default();
        let name =
            Name::parse(text).map_err(|why| Fail::Usage(format!("docker://{text}: {why}")))?;
        let connection = Connection::new(name, how.registry);
        let repository = Self { connection, limits: how.limits, documents: RefCell::default() };
        let name = repository.connection.name();
        let digest = repository.fetch(&name.version);
        let digest = digest.map_err(|error| Fail::of(name.to_string(), error))?;
        Ok((repository, ImageName { digest: Some(digest), ..ImageName::default() }))
    }

    /// What it is called in errors, which go on with the name of a blob or document.
    pub(crate) fn path(&self) -> PathBuf {
        let Name { host, repository, .. } = self.connection.name();
        format!("docker://{host}/{repository}").into()
    }

    /// Asks for a manifest or an index, and keeps it; answers its digest.
    fn fetch(&self, version: &str) -> Result<String, Error> {
        let (bytes, digest) = content::document(&self.connection, version, self.limits)?;
        self.documents.borrow_mut().insert(digest.clone(), bytes);
        Ok(digest)
    }

    /// Whether there is a manifest or an index of this name.
    pub(crate) fn has_document(&self, name: &str) -> Done<bool> {
        let Some(digest) = name.strip_prefix("manifests/") else { return Ok(false) };
        if self.documents.borrow().contains_key(digest) {
            return Ok(true);
        }
        match self.fetch(digest) {
            Ok(_) => Ok(true),
            Err(Error::Absent(_)) => Ok(false),
            Err(error) => Err(Fail::of(self.path().join(name), error)),
        }
    }

    /// A manifest or an index, if the name is that of one.
    pub(crate) fn document(&self, name: &str) -> Done<Option<Vec<u8>>> {
        let Some(digest) = name.strip_prefix("manifests/") else { return Ok(None) };
        if !self.has_document(name)? {
            return Err(Fail::of(self.path().join(name), "is not in the registry"));
        }
        Ok(self.documents.borrow().get(digest).cloned())
    }

    /// Nobody waits for it any more.
    pub(crate) fn give_up(&self) {
        self.connection.give_up();
    }

    /// A blob, from its beginning on.
    pub(crate) fn blob(&self, name: &str) -> Done<Blob<'_>> {
        let digest = name.strip_prefix("blobs/").unwrap_or(name);
        let blob = Blob::open(&self.connection, digest.to_owned());
        blob.map_err(|error| Fail::of(self.path().join(name), error))
    }
}
