//! Tars that stream by, in one pass: written, hashed and indexed.

use std::io::{ErrorKind, Read};
use std::path::Path;

use super::{Error, NamedFile};
use crate::ingest::{Ingest, Ingested, Options};

/// Bytes read at a time.
const PIECE: usize = 256 << 10;

/// Reads a tar to its end, padding included, and does with it what `options` want. Every byte also
/// goes to the file of `tee`, from that byte offset of it on: where the tar belongs in a disk, or 0.
///
/// Errors call the stream `name`. `observer` is told how many bytes were dealt with.
///
/// # Errors
/// [`Error::Read`], [`Error::Write`], [`Error::Layer`].
///
/// # Examples
/// ```
/// use erofs_tarfs::{ingest::Options, io};
///
/// let mut options = Options::default();
/// options.tag_diff_id = true;
/// let tar = [0; 1024];
/// let done = io::ingest("a tar".as_ref(), &tar[..], options, None, &mut |_| {})?;
/// println!("diffID sha256:{}", done.diff_id.unwrap());
/// # Ok::<(), io::Error>(())
/// ```
pub fn ingest(
    name: &Path,
    mut reader: impl Read,
    options: Options,
    tee: Option<(&NamedFile, u64)>,
    observer: &mut dyn FnMut(u64),
) -> Result<Ingested, Error> {
    let layer = |error| Error::Layer { file: name.to_owned(), error };
    let mut ingest = Ingest::new(options);
    let mut buf = vec![0; PIECE];
    loop {
        let offset = ingest.position();
        let n = match reader.read(&mut buf) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::Read { file: name.to_owned(), offset, error }),
        };
        if let Some((out, base)) = tee {
            out.write_all_at(&buf[..n], base.saturating_add(offset))?;
        }
        ingest.push(&buf[..n]).map_err(layer)?;
        observer(n as u64);
    }
    ingest.finish().map_err(layer)
}
