//! Where hash blocks go.
#![allow(unsafe_code, reason = "reads the callers' pointers")]

use erofs_tarfs::verity::HashSink;

use crate::abi::error::Error;
use crate::abi::sized;
use crate::streams::file::Shifted;
use crate::streams::sink::{Sink, Writer};

/// Where hash blocks go, if anywhere.
#[derive(Debug)]
pub(crate) struct Hashes(Option<Writer>);

impl Hashes {
    /// # Safety
    ///
    /// `sink` is NULL or as the header says.
    pub(crate) unsafe fn new(sink: *const Sink) -> Result<Self, Error> {
        if sink.is_null() {
            return Ok(Self(None));
        }
        // SAFETY: by the contract.
        Ok(Self(Some(Writer::new(unsafe { sized::required(sink, "sink")? })?)))
    }

    /// The file, or that there is none; `None` if it is something else.
    pub(crate) fn file(&self) -> Option<Option<Shifted<'_>>> {
        match &self.0 {
            None => Some(None),
            Some(out) => out.file().map(Some),
        }
    }
}

impl HashSink for Hashes {
    type Error = Error;

    fn put(&mut self, offset: u64, blocks: &[u8]) -> Result<(), Error> {
        self.0.as_ref().map_or(Ok(()), |out| out.write(offset, blocks))
    }
}
