//! The blobs of a manifest, checked against their digests and diffIDs, as layers.

use std::cell::RefCell;
use std::io::Read;
use std::path::{Path, PathBuf};

use erofs_tarfs::limits::Limits;
use erofs_tarfs::tree::Identity;

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::{self, Progress, Stage};
use crate::cli::reading_options::ReadingOptions;
use crate::files::digest_reader::{self, DigestReader};
use crate::files::kind::Kind;
use crate::files::{digest, stream};
use crate::layers::images::config::Config;
use crate::layers::images::descriptor::Descriptor;
use crate::layers::images::manifest::{self, Manifest};
use crate::layers::images::several::{self, Begun, Stream, Unpacked};
use crate::layers::images::store::Store;
use crate::layers::images::words;
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;
use crate::layers::{begun, from_tar};

/// The layers of an image, lowest first.
pub(crate) fn load(
    store: &Store,
    manifest: &Manifest,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    let Manifest { path, document } = manifest;
    let (config_path, config) = manifest::config(store, path, document)?;
    let platform = manifest::fits(&config_path, &config, how.platform)?;
    let layers = document.layers.as_deref().unwrap_or_default();
    for (index, layer) in layers.iter().enumerate() {
        is_usable(store, path, index, layer)?;
    }
    let diff_ids = as_many(path, layers.len(), &config)?;
    let layers = layers.iter().zip(diff_ids).filter(|(_, diff_id)| !how.passes_over(diff_id));
    let layers: Vec<(&Descriptor, &String)> = layers.collect();
    let bytes = total(layers.iter().map(|(descriptor, _)| descriptor.size));
    if store.reads_again() {
        // Those that are not compressed are read where they lie, and checked before.
        let plain =
            layers.iter().filter(|(descriptor, _)| manifest::is_plain(&descriptor.media_type));
        let bytes = total(plain.map(|(descriptor, _)| descriptor.size));
        progress::expect_checks(bytes.unwrap_or_default());
    }
    spool.expect(layers.len());
    let open = |(descriptor, diff_id): (_, &String)| open(store, path, descriptor, diff_id, how);
    let give_up = || store.give_up();
    let layers = each(layers.into_iter(), bytes, how, spool, open, &give_up)?;
    Ok(layers.into_iter().map(|layer| Loaded { platform: platform.clone(), ..layer }).collect())
}

/// The diffIDs of layers, one for each.
pub(crate) fn as_many<'a>(path: &Path, layers: usize, config: &'a Config) -> Done<&'a [String]> {
    let diff_ids = config.diff_ids();
    match diff_ids.len() {
        ids if ids == layers => Ok(diff_ids),
        ids => Err(Fail::of(path, format_args!("has {layers} layers, but {ids} diffIDs"))),
    }
}

/// Refuses what is no layer, or not there, and says by its media type what it is.
fn is_usable(store: &Store, manifest: &Path, index: usize, layer: &Descriptor) -> Done {
    let media_type = layer.media_type.as_str();
    let named = |what: &str| {
        let number = index + 1;
        Fail::of(
            manifest,
            format_args!("layer {number} {what} (media type {})", words::quoted(media_type)),
        )
    };
    if media_type.contains("+encrypted") {
        return Err(named("is encrypted"));
    }
    if !manifest::is_tar(media_type) {
        return Err(named("is no tar"));
    }
    let foreign = media_type.contains("nondistributable") || media_type.contains(".foreign.");
    if foreign && !store.has(&store.blob_name(layer, manifest)?) {
        let from = layer.urls.first().map(|url| format!(", but at {}", words::quoted(url)));
        let from = from.unwrap_or_default();
        return Err(named(&format!("is foreign: it is not with the image{from}")));
    }
    Ok(())
}

/// A layer of an image that was opened.
pub(crate) enum Source<'a> {
    /// It is there.
    Layer(Box<Loaded>),
    /// It is to be unpacked.
    Blob(Packed<'a>),
}

/// A tar, compressed or not, that becomes a file.
pub(crate) struct Packed<'a> {
    /// What it is called in errors.
    pub(crate) path: PathBuf,
    pub(crate) reader: Box<dyn Read + Send + 'a>,
    /// The tag of its device, if it is not to be the digest of the tar.
    pub(crate) tag: Option<String>,
    /// The digest that the tar must have, if something says it.
    pub(crate) diff_id: Option<String>,
    /// How long the tar says to be, if it can be read `again`.
    pub(crate) bytes: Option<u64>,
    /// Begins anew. Where the blob has another digest than it should, that is the error.
    pub(crate) again: Option<Again<'a>>,
}

/// Opens a blob once more that could not be unpacked, if that is not for its digest.
type Again<'a> = Box<dyn FnOnce() -> Done<Box<dyn Read + Send + 'a>> + 'a>;

/// What is known of a blob before it is unpacked, as [`Packed`] has it.
struct Known<'a> {
    path: PathBuf,
    tag: Option<String>,
    diff_id: Option<String>,
    again: Option<Again<'a>>,
}

/// Opens a layer. A tar that is read where it lies was checked before; else the end of the blob says whether it has
/// its digest.
fn open<'a>(
    store: &'a Store,
    manifest: &'a Path,
    descriptor: &'a Descriptor,
    diff_id: &str,
    how: &ReadingOptions<'_>,
) -> Done<Source<'a>> {
    let (path, blob) = store.sized(descriptor, manifest)?;
    let hex = descriptor.hex(manifest)?;
    let (mut reader, mut bytes) = (blob.reader, None);
    if let Some(file) = blob.file {
        let (_, kind) =
            stream::with_kind(stream::reader(&file)?).map_err(|error| Fail::of(&path, error))?;
        if kind == Kind::Tar {
            let progress = Progress::new(Stage::Checking, Some(blob.bytes));
            digest_reader::check(&digest::sha256(&file, &mut progress.observer())?, hex)
                .map_err(|why| Fail::of(&path, why))?;
            // The blob is the device, and its digest, just checked, is of its bytes.
            let identity = Identity::of_checked_tag(hex.as_bytes());
            let layer = from_tar::indexed(file, how.layer.clone().tag(hex).identity(identity))?;
            let layer = checked(&path, layer, hex, diff_id)?;
            return Ok(Source::Layer(Box::new(layer)));
        }
        if kind == Kind::Gzip {
            bytes = begun::length_of_gzip(&file);
        }
        reader = Box::new(stream::reader(&file)?);
    }
    let mut again: Option<Again<'a>> = None;
    if store.reads_again() {
        again = Some(Box::new(move || {
            store.check(descriptor, manifest)?;
            Ok(store.sized(descriptor, manifest)?.1.reader)
        }));
        reader = Box::new(DigestReader::new(reader, hex));
    }
    let tag = how.tag_blobs.then(|| hex.to_owned());
    let diff_id = Some(diff_id.to_owned());
    Ok(Source::Blob(Packed { path, reader, tag, diff_id, bytes, again }))
}

/// How long all layers are together, if it is known of each. What says it may be anybody's.
pub(crate) fn total(bytes: impl IntoIterator<Item = Option<u64>>) -> Option<u64> {
    bytes.into_iter().try_fold(0, |all: u64, bytes| Some(all.saturating_add(bytes?)))
}

/// Loads layers, lowest first: each is opened, and unpacked if it must be. `bytes` is how long all are
/// together, if that is known; `give_up` is called when one has failed.
pub(crate) fn each<'a, J>(
    layers: impl Iterator<Item = J>,
    bytes: Option<u64>,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
    mut open: impl FnMut(J) -> Done<Source<'a>>,
    give_up: &dyn Fn(),
) -> Done<Vec<Loaded>> {
    let progress = Progress::new(Stage::Unpacking, bytes);
    let spool = RefCell::new(spool);
    let streams = layers.size_hint().1.unwrap_or(usize::MAX);
    let begin = |layer: J| {
        let Packed { path, reader, tag, diff_id, bytes, again } = match open(layer)? {
            Source::Layer(layer) => return Ok(Begun::Ready(layer)),
            Source::Blob(packed) => packed,
        };
        let (reader, name, limits) = (progress.reader(reader), path.clone(), how.limits);
        let tar = Box::new(move || uncompressed(&name, reader, limits, streams));
        let options = from_tar::reading(how, tag.as_deref());
        let place = spool.borrow_mut().place(bytes)?;
        let room = place.map_or_else(|| spool.borrow().room(&path), Ok)?;
        let known = Known { path: path.clone(), tag, diff_id, again };
        let stream = Stream { path, tar, options, room };
        Ok(Begun::Stream(Box::new(stream), known))
    };
    let end = |known: Known<'a>, unpacked: Done<Unpacked>| {
        let Known { path, tag, diff_id, again } = known;
        let Unpacked { path, room, done } = unpacked.or_else(|fail| {
            let Some(again) = again else { return Err(fail) };
            let reader = again()?;
            // Whatever else is wrong with it is wrong a second time.
            let Fail::Longer(_) = fail else { return Err(fail) };
            let room = spool.borrow().room(&path)?;
            let options = from_tar::reading(how, tag.as_deref());
            let done = room.fill(&path, uncompressed(&path, reader, how.limits, 1)?, options)?;
            Ok(Unpacked { path, room, done })
        })?;
        let (layer, digest) = spool.borrow_mut().keep(&path, room, done, tag.as_deref())?;
        match diff_id {
            Some(diff_id) => checked(&path, layer, &digest, &diff_id),
            None => Ok(layer),
        }
    };
    several::each(layers, begin, end, give_up)
}

/// What a blob is, unpacked, one of so many `streams` at the same time.
fn uncompressed<'a>(
    path: &Path,
    reader: impl Read + Send + 'a,
    limits: Limits,
    streams: usize,
) -> Done<Box<dyn Read + Send + 'a>> {
    let failed = |error| Fail::of(path, error);
    let (reader, kind) = stream::with_kind(reader).map_err(failed)?;
    if kind == Kind::Erofs {
        return Err(Fail::of(path, "is an EROFS image, not a tar"));
    }
    Ok(Box::new(stream::uncompressed(kind, reader, limits, streams).map_err(failed)?))
}

/// A layer whose SHA-256, uncompressed, is what the configuration says. So it was not cut short,
/// however it ends.
fn checked(path: &Path, layer: Loaded, digest: &str, diff_id: &str) -> Done<Loaded> {
    match diff_id.strip_prefix("sha256:") {
        Some(expected) if expected == digest => {
            Ok(Loaded { end: None, diff_id: Some(digest.to_owned()), ..layer })
        }
        _ => {
            let diff_id = words::quoted(diff_id);
            let why = format_args!("uncompressed it has the digest {digest}, not {diff_id}");
            Err(Fail::of(path, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts what is read of a blob that is opened again.
    struct Counted<'a>(&'a [u8], Arc<AtomicUsize>);

    impl Read for Counted<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = self.0.read(buf)?;
            self.1.fetch_add(n, Ordering::Relaxed);
            Ok(n)
        }
    }

    /// Of a tar that is longer than it says, another place is the cure; of nothing else.
    #[test]
    fn what_is_broken_is_unpacked_once() {
        let dir = tempfile::tempdir().unwrap();
        for (tar, is_tar) in [([0; 2048], true), ([7; 2048], false)] {
            let read = Arc::new(AtomicUsize::new(0));
            let counted = Counted(&tar, Arc::clone(&read));
            let again: Again<'_> = Box::new(move || Ok(Box::new(counted)));
            let packed = Packed {
                path: "a layer".into(),
                reader: Box::new(&tar[..]),
                tag: None,
                diff_id: None,
                bytes: Some(1024),
                again: Some(again),
            };
            let mut spool = Spool::begun_in(&dir.path().join("out")).ok().unwrap();
            let open = |packed| Ok(Source::Blob(packed));
            let how = ReadingOptions::default();
            let all = each([packed].into_iter(), None, &how, &mut spool, open, &|| {});
            assert_eq!(all.is_ok(), is_tar);
            assert_eq!(read.load(Ordering::Relaxed), if is_tar { tar.len() } else { 0 });
        }
    }

    #[test]
    fn lengths_of_a_manifest_may_be_any() {
        assert_eq!(total([Some(1), Some(2)]), Some(3));
        assert_eq!(total([Some(u64::MAX), Some(u64::MAX)]), Some(u64::MAX));
        assert_eq!(total([Some(1), None]), None);
    }
}
