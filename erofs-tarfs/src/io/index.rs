//! Tars to layers: from files, whose bodies are passed over, and from streams.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use super::ahead::{PIECE, Pieces};
use super::{Buffer, Error, NamedFile};
use crate::tree::{Identity, Layer, LayerBuilder, LayerOptions};

/// A body is passed over rather than read from this many bytes on: less costs more than reading.
const FAR: u64 = 64 << 10;

/// Makes a layer of a tar file. Bodies are not read, but they must be there: one that reaches
/// past the end of the file is an error, as it is in a stream.
///
/// Where bodies are small, another thread reads ahead.
///
/// The [identity](LayerOptions::identity) of the layer's device is the file, unless it is given.
///
/// `observer` is told how many bytes were dealt with, read or not.
///
/// ```
/// use erofs_tarfs::{io, tree::LayerOptions};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let tar = io::NamedFile::new("base.tar", tempfile::tempfile()?); // or `NamedFile::open`
/// tar.write_all_at(&tar_of(&[("etc/motd", "hello\n")]), 0)?;
/// let layer = io::index_file(&tar, LayerOptions::default(), &mut |_| {})?;
/// assert!(layer.tree.lookup(b"etc/motd").is_some());
/// assert_eq!(layer.tree.devices()[0].identity, tar.identity()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Open`], [`Error::Read`], [`Error::Layer`].
pub fn index_file(
    tar: &NamedFile,
    options: LayerOptions,
    observer: &mut dyn FnMut(u64),
) -> Result<Layer, Error> {
    let layer = |error| Error::Layer { file: tar.path().to_owned(), error };
    let end = tar.bytes()?;
    let unknown = options.identity == Identity::Unknown;
    let mut builder = LayerBuilder::new(options);
    if unknown {
        builder.set_identity(tar.identity()?);
    }
    std::thread::scope(|scope| {
        let mut pieces = Pieces::new(tar, end, scope);
        let mut at = 0;
        while at < end {
            let far = builder.skippable();
            // At most to the end of the file: what is missing then, `finish` finds.
            let n = if far > FAR {
                let n = far.min(end - at);
                pieces.jump(n);
                builder.skip(n).map_err(layer)?;
                n
            } else {
                let piece = pieces.at(at)?;
                builder.push(piece).map_err(layer)?;
                piece.len() as u64
            };
            at += n;
            observer(n);
        }
        Ok(())
    })?;
    builder.finish().map_err(layer)
}

/// Makes a layer of a tar that streams by. It is read to its end, padding included, and `tee`
/// gets every byte.
///
/// Errors call the stream `name` and the file behind `tee` `tee_name`.
///
/// ```
/// use erofs_tarfs::{io, tree::LayerOptions};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let stream = &tar_of(&[("etc/motd", "hello\n")])[..]; // anything that reads
/// let (mut copy, mut bytes) = (Vec::new(), 0);
/// let tee = Some(("copy.tar".as_ref(), &mut copy as &mut dyn std::io::Write));
/// let observer = &mut |more| bytes += more;
/// io::index_reader("a stream".as_ref(), stream, LayerOptions::default(), tee, observer)?;
/// assert_eq!((&copy[..], bytes), (stream, 2048));
/// # Ok::<(), io::Error>(())
/// ```
///
/// # Errors
/// [`Error::Read`], [`Error::Write`], [`Error::Layer`].
pub fn index_reader(
    name: &Path,
    mut reader: impl Read,
    options: LayerOptions,
    mut tee: Option<(&Path, &mut dyn Write)>,
    observer: &mut dyn FnMut(u64),
) -> Result<Layer, Error> {
    let layer = |error| Error::Layer { file: name.to_owned(), error };
    let mut builder = LayerBuilder::new(options);
    let mut buf = Buffer::new(PIECE);
    loop {
        let offset = builder.position();
        let n = match reader.read(&mut buf) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::Read { file: name.to_owned(), offset, error }),
        };
        if let Some((tee_name, tee)) = &mut tee {
            let write = |error| Error::Write { file: tee_name.to_owned(), offset, error };
            tee.write_all(&buf[..n]).map_err(write)?;
        }
        builder.push(&buf[..n]).map_err(layer)?;
        observer(n as u64);
    }
    builder.finish().map_err(layer)
}
