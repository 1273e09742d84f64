//! A repository of a registry, as a store of an image's files.

use std::cell::{Cell, RefCell};
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

/// So many documents as long as one may be come together, as all that an index leads to are kept, and one of 4 MiB lists
/// 20,000; or 16 MiB of them, where one may not be as long.
const DOCUMENTS: u64 = 4;
const DOCUMENTS_FREE: u64 = 16 << 20;

/// A repository, and the manifests and indexes that were asked for.
pub(crate) struct Repository {
    connection: Connection,
    limits: Limits,
    documents: RefCell<BTreeMap<String, Vec<u8>>>,
    /// How many bytes those are.
    kept: Cell<u64>,
}

impl Repository {
    /// The one that a reference names, and the image in it by the digest that it has now.
    pub(crate) fn open(image: &Reference, how: &ReadingOptions<'_>) -> Done<(Self, ImageName)> {
        let text = image.path.to_str().unwrap_or_default();
        let name =
            Name::parse(text).map_err(|why| Fail::Usage(format!("docker://{text}: {why}")))?;
        let connection = Connection::new(name, how.registry);
        let (documents, kept) = (RefCell::default(), Cell::default());
        let repository = Self { connection, limits: how.limits, documents, kept };
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
        self.is_within(0)?;
        let (bytes, digest) = content::document(&self.connection, version, self.limits)?;
        self.kept.set(self.is_within(bytes.len() as u64)?);
        self.documents.borrow_mut().insert(digest.clone(), bytes);
        Ok(digest)
    }

    /// How many bytes of manifests and indexes are kept with so many more; an error if they are too many.
    fn is_within(&self, more: u64) -> Result<u64, Error> {
        let most = self.limits.max_json_bytes.saturating_mul(DOCUMENTS).max(DOCUMENTS_FREE);
        let all = self.kept.get().saturating_add(more);
        if all <= most {
            return Ok(all);
        }
        let what = format!("{all} bytes of manifests and indexes are over {most}");
        let why = format!(
            "{what}, or {DOCUMENTS} times max_json_bytes (--limit max_json_bytes=N sets it)"
        );
        Err(Error::Refused(why))
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
