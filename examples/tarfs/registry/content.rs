//! Blobs and manifests as they come, checked against their digests.

use std::io::{self, Read};

use erofs_tarfs::limits::{Limit, Limits};
use sha2::{Digest, Sha256};
use ureq::http::{Response, StatusCode};
use ureq::{Body, BodyReader};

use super::connection::{Connection, What, wait};
use super::error::Error;
use crate::cli::{fail, numbers};

/// A connection that brings so much was worth having: it does not count as one that failed.
const WORTH: u64 = 1 << 20;

/// A manifest or an index, by its tag or digest: its bytes, of which there are as many as JSON may have, and their
/// digest, `sha256:` and hex digits.
pub(crate) fn document(
    connection: &Connection,
    version: &str,
    limits: Limits,
) -> Result<(Vec<u8>, String), Error> {
    let mut answer = connection.get(What::Document(version))?;
    // The limit itself is within what may be read, and one byte more shows that it is over.
    let most = limits.max_json_bytes.saturating_add(1);
    let read = answer.body_mut().with_config().limit(u64::MAX).reader().take(most);
    let mut bytes = Vec::new();
    { read }.read_to_end(&mut bytes).map_err(|error| Error::Failed(error.to_string()))?;
    let within = limits.check(Limit::JsonBytes, bytes.len() as u64);
    within.map_err(|over| Error::Refused(fail::over(&over)))?;
    let digest = format!("sha256:{}", numbers::to_hex(&Sha256::digest(&bytes)));
    match version == digest || !version.contains(':') {
        true => Ok((bytes, digest)),
        false => Err(Error::Refused(format!("the registry gave {digest} for {version}"))),
    }
}

/// A blob as a stream. Where the registry cuts it off it is asked for the rest. At its end the digest is
/// checked, so that whoever reads to the end has read what was meant; else that is an error of kind
/// `InvalidData`.
pub(crate) struct Blob<'a> {
    connection: &'a Connection,
    digest: String,
    bytes: u64,
    /// How much has come.
    at: u64,
    hasher: Sha256,
    /// What comes, and how much of that has come before.
    body: Option<(BodyReader<'static>, u64)>,
    /// Connections that were not worth having, one after the other, and where the last one began.
    failures: u32,
    began: u64,
}

impl<'a> Blob<'a> {
    /// Asks for the blob with this digest, `sha256:` and hex digits.
    pub(crate) fn open(connection: &'a Connection, digest: String) -> Result<Self, Error> {
        let answer = connection.get(What::Blob(&digest, 0))?;
        let silent = || Error::Refused("the registry does not say how long it is".to_owned());
        let bytes = answer.body().content_length().ok_or_else(silent)?;
        let body = Some((reader(answer), 0));
        let hasher = Sha256::new();
        Ok(Self { connection, digest, bytes, at: 0, hasher, body, failures: 0, began: 0 })
    }

    /// How long it is, as the registry says.
    pub(crate) fn len(&self) -> u64 {
        self.bytes
    }

    /// Asks for what has not come yet.
    fn go_on(&mut self) -> Result<(), String> {
        let answer = self.connection.get(What::Blob(&self.digest, self.at));
        let answer = answer.map_err(|error| error.to_string())?;
        let range = answer.headers().get("Content-Range").and_then(|range| range.to_str().ok());
        let from = match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                range.and_then(first_byte).filter(|from| *from <= self.at).ok_or_else(|| {
                    format!("the registry gives other bytes than those from {} on", self.at)
                })?
            }
            // It does not know of ranges, and begins anew.
            _ => 0,
        };
        self.body = Some((reader(answer), self.at - from));
        self.began = self.at;
        Ok(())
    }

    /// Bytes that have not come yet, at least one.
    fn next(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some((body, known)) = &mut self.body else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        if *known > 0 && io::copy(&mut body.by_ref().take(*known), &mut io::sink())? < *known {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *known = 0;
        match body.read(buf)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n => Ok(n),
        }
    }

    fn given_up(&self, why: &str) -> io::Error {
        io::Error::other(format!("{why}, after {} of {} bytes", self.at, self.bytes))
    }

    /// Whether all of it was what was meant.
    fn check(&self) -> io::Result<()> {
        let found = format!("sha256:{}", numbers::to_hex(&self.hasher.clone().finalize()));
        match found == self.digest {
            true => Ok(()),
            false => {
                let why = format!("does not have its digest, but {found}");
                Err(io::Error::new(io::ErrorKind::InvalidData, why))
            }
        }
    }
}

impl Read for Blob<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at == self.bytes {
            return self.check().map(|()| 0);
        }
        let room = buf.len().min(usize::try_from(self.bytes - self.at).unwrap_or(usize::MAX));
        if room == 0 {
            return Ok(0);
        }
        loop {
            let error = match self.next(&mut buf[..room]) {
                Ok(n) => {
                    self.at += n as u64;
                    self.hasher.update(&buf[..n]);
                    return Ok(n);
                }
                Err(error) => error,
            };
            self.failures = if self.at - self.began >= WORTH { 1 } else { self.failures + 1 };
            let why = match error.kind() {
                io::ErrorKind::UnexpectedEof => "the registry sends no more".to_owned(),
                _ => error.to_string(),
            };
            if self.connection.is_last(self.failures) {
                return Err(self.given_up(&why));
            }
            wait(self.failures);
            self.go_on().map_err(|why| self.given_up(&why))?;
        }
    }
}

fn reader(answer: Response<Body>) -> BodyReader<'static> {
    answer.into_body().into_with_config().limit(u64::MAX).reader()
}

/// The first byte that an answer has, by its header `Content-Range: bytes FIRST-LAST/ALL`.
fn first_byte(range: &str) -> Option<u64> {
    range.trim().strip_prefix("bytes")?.trim_start().split_once('-')?.0.parse().ok()
}
