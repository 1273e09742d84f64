//! Blobs and manifests that a registry is given.
//!
//! # References
//! OCI distribution specification 1.1, "Pushing blobs" and "Pushing manifests".

use std::io::Read;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::ReadAt;
use ureq::http::{Response, StatusCode};
use ureq::{Body, SendBody};

use super::connection::{Connection, unanswered};
use super::error::Error;
use super::places::{absolute, origin};

/// The bytes of a blob. They may be sent several times, so they are no stream.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'a> {
    /// A few.
    Few(&'a [u8]),
    /// All of a file.
    File(&'a NamedFile, u64),
}

impl Bytes<'_> {
    fn len(self) -> u64 {
        match self {
            Self::Few(bytes) => bytes.len() as u64,
            Self::File(_, bytes) => bytes,
        }
    }
}

/// Gives a repository a blob by its digest, `sha256:` and hex digits, unless it has it; answers whether it was
/// sent. The registry computes the digest of what it gets, and refuses another. `observer` is told of bytes of a
/// file that are sent: again, where all is sent once more.
pub(crate) fn blob(
    connection: &Connection,
    digest: &str,
    bytes: Bytes<'_>,
    observer: &dyn Fn(u64),
) -> Result<bool, Error> {
    if has_blob(connection, digest)? {
        return Ok(false);
    }
    connection.ask(&|connection| send(connection, digest, bytes, observer))?;
    Ok(true)
}

/// Whether a repository has a blob.
fn has_blob(connection: &Connection, digest: &str) -> Result<bool, Error> {
    let url = connection.url(&format!("blobs/{digest}"));
    let asked = connection.ask(&|connection| {
        connection.authorized(connection.agent().head(&url)).call().map_err(unanswered)
    });
    match asked {
        Ok(_) => Ok(true),
        Err(Error::Absent(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Begins an upload, and sends all bytes in one request.
fn send(
    connection: &Connection,
    digest: &str,
    bytes: Bytes<'_>,
    observer: &dyn Fn(u64),
) -> Result<Response<Body>, Error> {
    let begin = connection.agent().post(connection.url("blobs/uploads/"));
    let begun = connection.authorized(begin).send_empty().map_err(unanswered)?;
    if !begun.status().is_success() {
        return Ok(begun);
    }
    if begun.status() != StatusCode::ACCEPTED {
        let why = format!("the registry answers {} where an upload begins", begun.status());
        return Err(Error::Refused(why));
    }
    let place = begun.headers().get("Location").and_then(|place| place.to_str().ok());
    let nowhere = || Error::Refused("the registry does not say where an upload goes".to_owned());
    let place = absolute(&connection.url(""), place.ok_or_else(nowhere)?);
    let sign = if place.contains('?') { '&' } else { '?' };
    // The colon of a digest may stand in a query as it is.
    let put = connection.agent().put(format!("{place}{sign}digest={digest}"));
    // A login is for the registry itself, not for wherever it leads.
    let is_its_own = origin(&place) == origin(&connection.url(""));
    let put = if is_its_own { connection.authorized(put) } else { put };
    let put = put.header("Content-Type", "application/octet-stream");
    let put = put.header("Content-Length", bytes.len().to_string());
    match bytes {
        Bytes::Few(bytes) => put.send(bytes),
        Bytes::File(file, end) => {
            put.send(SendBody::from_reader(&mut Reader { file, at: 0, end, observer }))
        }
    }
    .map_err(unanswered)
}

/// Gives a repository a manifest or an index, under a tag or its digest. Answers whether the registry says
/// that it lists it as a referrer of its subject.
pub(crate) fn document(
    connection: &Connection,
    version: &str,
    media_type: &str,
    bytes: &[u8],
) -> Result<bool, Error> {
    let url = connection.url(&format!("manifests/{version}"));
    let answer = connection.ask(&|connection| {
        let put = connection.authorized(connection.agent().put(&url));
        put.header("Content-Type", media_type).send(bytes).map_err(unanswered)
    })?;
    Ok(answer.headers().contains_key("OCI-Subject"))
}

/// The bytes of a file.
struct Reader<'a> {
    file: &'a NamedFile,
    at: u64,
    end: u64,
    observer: &'a dyn Fn(u64),
}

impl Read for Reader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = (self.end - self.at).min(buf.len() as u64) as usize;
        ReadAt::read_exact_at(self.file, &mut buf[..n], self.at)?;
        self.at += n as u64;
        (self.observer)(n as u64);
        Ok(n)
    }
}
