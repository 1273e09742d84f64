//! Where the files of an image are: in a directory, or in a tar.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{Buffer, NamedFile, Ratio};
use erofs_tarfs::limits::{Limit, Limits};
use erofs_tarfs::tree::{Body, Content, InodeId};
use sha2::{Digest, Sha256};

use crate::cli::fail::{Done, Fail};
use crate::cli::numbers;
use crate::cli::progress::{Progress, Stage};
use crate::cli::reading_options::ReadingOptions;
use crate::files::digest_reader::{self, DigestReader};
use crate::files::{open, stream};
use crate::layers::file_data::FileData;
use crate::layers::images::descriptor::Descriptor;
use crate::layers::images::document::Document;
use crate::layers::images::image_name::ImageName;
use crate::layers::images::reference::Reference;
use crate::layers::images::repository::Repository;
use crate::layers::images::{archive, json};
use crate::layers::loaded::{Backing, Loaded};

/// The files of an image.
pub(crate) struct Store {
    path: PathBuf,
    place: Place,
    blob_names: BlobNames,
    /// How long a file of an archive may be for the bytes of it that are stored, and a document of JSON.
    limits: Limits,
}

enum Place {
    Directory,
    Archive(Box<Loaded>),
    Registry(Box<Repository>),
}

/// How blobs are named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BlobNames {
    /// `blobs/sha256/HEX`.
    Layout,
    /// `HEX`, and `HEX.manifest.json`.
    Flat,
    /// `blobs/sha256:HEX`, and `manifests/sha256:HEX`.
    Registry,
}

/// A blob as a stream, and the file that it is, if it is one of its own.
pub(crate) struct Blob<'a> {
    pub(crate) reader: Box<dyn Read + Send + 'a>,
    pub(crate) bytes: u64,
    pub(crate) file: Option<NamedFile>,
}

impl Store {
    /// An OCI image layout.
    pub(crate) fn layout(dir: &Path, limits: Limits) -> Self {
        Self::directory(dir, BlobNames::Layout, limits)
    }

    /// A directory as skopeo writes it.
    pub(crate) fn flat(dir: &Path, limits: Limits) -> Self {
        Self::directory(dir, BlobNames::Flat, limits)
    }

    fn directory(dir: &Path, blob_names: BlobNames, limits: Limits) -> Self {
        Self { path: dir.to_owned(), place: Place::Directory, blob_names, limits }
    }

    /// A tar, compressed or not, or one on standard input. What must be unpacked goes to a file
    /// without a name in `dir`.
    pub(crate) fn archive(path: &Path, dir: &Path, how: &ReadingOptions<'_>) -> Done<Self> {
        let archive = archive::open(path, dir, how)?;
        Ok(Self {
            path: archive.name.clone(),
            place: Place::Archive(Box::new(archive)),
            blob_names: BlobNames::Layout,
            limits: how.limits,
        })
    }

    /// A repository of a registry, and the image that is meant there.
    pub(crate) fn registry(image: &Reference, how: &ReadingOptions<'_>) -> Done<(Self, ImageName)> {
        let (repository, pick) = Repository::open(image, how)?;
        let (path, blob_names) = (repository.path(), BlobNames::Registry);
        let place = Place::Registry(Box::new(repository));
        Ok((Self { path, place, blob_names, limits: how.limits }, pick))
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &Path {
        &self.path
    }

    /// The names of the archive's files that are directly in a directory of it.
    pub(crate) fn archive_names(&self) -> Vec<String> {
        let Place::Archive(archive) = &self.place else { return Vec::new() };
        let names = archive.tree.children(InodeId::ROOT);
        names.filter_map(|(name, _)| String::from_utf8(name.to_vec()).ok()).collect()
    }

    /// What a file of it is called in errors.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The name of a blob.
    pub(crate) fn blob_name(&self, descriptor: &Descriptor, from: &Path) -> Done<String> {
        let hex = descriptor.hex(from)?;
        Ok(match self.blob_names {
            BlobNames::Layout => format!("blobs/sha256/{hex}"),
            BlobNames::Flat => hex.to_owned(),
            BlobNames::Registry => format!("blobs/sha256:{hex}"),
        })
    }

    /// The name of a manifest or index.
    fn document_name(&self, descriptor: &Descriptor, from: &Path) -> Done<String> {
        let name = self.blob_name(descriptor, from)?;
        Ok(match self.blob_names {
            BlobNames::Layout => name,
            BlobNames::Flat => name + ".manifest.json",
            BlobNames::Registry => name.replacen("blobs", "manifests", 1),
        })
    }

    /// Whether a file is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        match &self.place {
            Place::Directory => fs::metadata(self.path(name)).is_ok_and(|found| found.is_file()),
            Place::Archive(archive) => archive::find(archive, name).is_ok(),
            Place::Registry(repository) => repository.blob(name).is_ok(),
        }
    }

    /// Whether a manifest or index is there.
    pub(crate) fn has_document(&self, descriptor: &Descriptor, from: &Path) -> Done<bool> {
        if let Place::Registry(repository) = &self.place {
            return repository.has_document(&self.document_name(descriptor, from)?);
        }
        Ok(self.has(&self.document_name(descriptor, from)?))
    }

    /// What is read from somebody else need not be waited for any more.
    pub(crate) fn give_up(&self) {
        if let Place::Registry(repository) = &self.place {
            repository.give_up();
        }
    }

    /// Opens a file. One of an archive must not be much longer than what is stored of it.
    pub(crate) fn open(&self, name: &str) -> Done<Blob<'_>> {
        let (blob, stored) = self.found(name)?;
        match Ratio::from(self.limits).check(stored, blob.bytes) {
            Ok(()) => Ok(blob),
            Err(over) => Err(Fail::over_ratio(self.path(name), &over)),
        }
    }

    /// A file, and how many bytes of it are stored.
    fn found(&self, name: &str) -> Done<(Blob<'_>, u64)> {
        match &self.place {
            Place::Directory => {
                let (file, _) = open::input(&self.path(name))?;
                let reader = Box::new(stream::reader(&file)?);
                let bytes = file.bytes()?;
                Ok((Blob { reader, bytes, file: Some(file) }, bytes))
            }
            Place::Archive(archive) => {
                let Backing::File(source) = &archive.backing else {
                    return Err(Fail::of(&self.path, "is not one file"));
                };
                let id = archive::find(archive, name)?;
                let (bytes, stored) = match archive.tree.content(id) {
                    Content::Regular { size, body: Body::Contiguous(_) } => (size, size),
                    Content::Regular { size, body: Body::Extents(extents) } => {
                        (size, extents.iter().map(|extent| extent.len).sum())
                    }
                    _ => (0, 0),
                };
                let sources = vec![source.try_clone()?];
                let body = FileData::new(&archive.tree, id, sources, &archive.name)?;
                Ok((Blob { reader: Box::new(body), bytes, file: None }, stored))
            }
            Place::Registry(repository) => {
                let blob = repository.blob(name)?;
                let bytes = blob.len();
                Ok((Blob { reader: Box::new(blob), bytes, file: None }, bytes))
            }
        }
    }

    /// All bytes of a small file.
    pub(crate) fn bytes(&self, name: &str) -> Done<Vec<u8>> {
        if let Place::Registry(repository) = &self.place
            && let Some(document) = repository.document(name)?
        {
            return Ok(document);
        }
        let (Blob { mut reader, bytes, .. }, _) = self.found(name)?;
        let path = self.path(name);
        let within = self.limits.check(Limit::JsonBytes, bytes);
        within.map_err(|over| Fail::over_limit(&path, &over))?;
        let mut contents = Vec::new();
        // A file may grow; what was there when it was opened is enough.
        let read = reader.by_ref().take(bytes).read_to_end(&mut contents);
        read.map_err(|error| Fail::of(path, error))?;
        Ok(contents)
    }

    /// A manifest or index by its name alone.
    pub(crate) fn named_document(&self, name: &str) -> Done<Document> {
        json::parse(&self.path(name), &self.bytes(name)?, "an index or a manifest")
    }

    /// A manifest or index, checked; and its path.
    pub(crate) fn document(
        &self,
        descriptor: &Descriptor,
        from: &Path,
    ) -> Done<(PathBuf, Document)> {
        let name = self.document_name(descriptor, from)?;
        let path = self.path(&name);
        let document = json::parse(&path, &self.checked(&name, descriptor, from)?, "a manifest")?;
        Ok((path, document))
    }

    /// All bytes of a small blob, checked.
    pub(crate) fn checked(
        &self,
        name: &str,
        descriptor: &Descriptor,
        from: &Path,
    ) -> Done<Vec<u8>> {
        let (path, bytes) = (self.path(name), self.bytes(name)?);
        check_size(&path, bytes.len() as u64, descriptor)?;
        digest_reader::check(&numbers::to_hex(&Sha256::digest(&bytes)), descriptor.hex(from)?)
            .map_err(|why| Fail::of(&path, why))?;
        Ok(bytes)
    }

    /// Whether a blob can be read as often as one likes. Of a registry it comes once only: there its end says
    /// whether it has its digest.
    pub(crate) fn reads_again(&self) -> bool {
        self.blob_names != BlobNames::Registry
    }

    /// Opens a blob whose length was checked, and its digest not yet.
    pub(crate) fn sized(&self, descriptor: &Descriptor, from: &Path) -> Done<(PathBuf, Blob<'_>)> {
        let name = self.blob_name(descriptor, from)?;
        let path = self.path(&name);
        let blob = self.open(&name)?;
        check_size(&path, blob.bytes, descriptor)?;
        Ok((path, blob))
    }

    /// Reads a blob to see whether it has its digest.
    pub(crate) fn check(&self, descriptor: &Descriptor, from: &Path) -> Done {
        let (path, blob) = self.sized(descriptor, from)?;
        let progress = Progress::new(Stage::Checking, Some(blob.bytes));
        let mut reader = DigestReader::new(blob.reader, descriptor.hex(from)?);
        let mut buf = Buffer::new(256 << 10);
        loop {
            match reader.read(&mut buf).map_err(|error| Fail::of(&path, error))? {
                0 => return Ok(()),
                n => progress.observer()(n as u64),
            }
        }
    }
}

fn check_size(path: &Path, bytes: u64, descriptor: &Descriptor) -> Done {
    match descriptor.size {
        Some(expected) if expected != bytes => {
            Err(Fail::of(path, format_args!("has {bytes} bytes instead of {expected}")))
        }
        _ => Ok(()),
    }
}
