//! Maps of sparse files: old GNU, and pax versions 0.0, 0.1 and 1.0.
//!
//! Formats: GNU tar manual, "Storing Sparse Files". The runs with data are stored back to back;
//! GNU tar 1.34 rounds a run that is not the last up to 512 bytes when it extracts, but never
//! writes such a run, and Go, Python and libarchive do not: neither do we.

use alloc::vec::Vec;

use super::number::{self, NumberError};
use super::pax::Record;
use super::said::{Said, Text, said, wrong};
use super::{ErrorKind, ParseOptions};
use crate::limits::Limit;

/// A run of a sparse file that has data; what lies between runs reads as zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// Where the run starts in the file, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
}

/// The runs of a map as they are read: ascending, disjoint, empty ones dropped.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub(super) list: Vec<Segment>,
    /// Runs read, empty ones too.
    count: u64,
    /// Where the last one ends in the file.
    end: u64,
    /// Bytes of all.
    stored: u64,
}

impl Runs {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        (self.count, self.end, self.stored) = (0, 0, 0);
    }

    pub(super) fn push(
        &mut self,
        offset: u64,
        len: u64,
        o: &ParseOptions,
    ) -> Result<(), ErrorKind> {
        o.limits.check(Limit::SparseSegments, self.count.saturating_add(1))?;
        if offset < self.end {
            return Err(self.fault("runs are in order and do not overlap"));
        }
        let end = offset.checked_add(len).filter(|&end| end <= i64::MAX as u64);
        self.end = end.ok_or_else(|| self.fault("a run ends below 2^63"))?;
        // The runs do not overlap and end below 2^63, so all of them together are shorter than that.
        self.stored = self.stored.saturating_add(len);
        self.count = self.count.saturating_add(1);
        if len > 0 {
            self.list.push(Segment { offset, len });
        }
        Ok(())
    }

    /// Checks the whole against the file's length and the bytes stored.
    pub(super) fn finish(&self, size: u64, stored: u64) -> Result<(), ErrorKind> {
        if self.end > size {
            return Err(self.fault("runs lie within the file's length"));
        }
        if self.stored != stored {
            return Err(self.fault("the lengths of the runs add up to the body's"));
        }
        Ok(())
    }

    #[cold]
    pub(super) fn fault(&self, rule: &'static str) -> ErrorKind {
        ErrorKind::Sparse { run: self.count, rule }
    }
}

/// How a pax header tells of a sparse file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PaxVersion {
    /// 0.0 and 0.1: the map is in the header.
    InHeader,
    /// 1.0: the map is at the start of the body.
    InBody,
}

/// The `GNU.sparse.` records before an entry.
#[derive(Debug, Default)]
pub(super) struct PaxSparse {
    major: Said<u64>,
    minor: Said<u64>,
    pub(super) name: Said<Text>,
    size: Said<u64>,
    real_size: Said<u64>,
    count: Said<u64>,
    has_map: bool,
    /// In version 0.0, the offset of a run whose length is in the next record.
    offset: Option<u64>,
    /// Whether the header being read has given a run.
    begun: bool,
    pub(super) runs: Runs,
}

impl PaxSparse {
    pub(super) fn clear(&mut self) {
        let mut runs = core::mem::take(&mut self.runs);
        runs.clear();
        *self = Self { runs, ..Self::default() };
    }

    /// Takes a record; `key` is what follows `GNU.sparse.`.
    pub(super) fn record(
        &mut self,
        key: &[u8],
        record: &Record<'_>,
        o: &ParseOptions,
    ) -> Result<(), ErrorKind> {
        match key {
            b"major" => self.major = said(record, number::decimal)?,
            b"minor" => self.minor = said(record, number::decimal)?,
            b"size" => self.size = said(record, number::decimal)?,
            b"realsize" => self.real_size = said(record, number::decimal)?,
            b"numblocks" => self.count = said(record, number::decimal)?,
            b"offset" => {
                let offset = required(record)?;
                self.begin_runs();
                if self.offset.replace(offset).is_some() {
                    return Err(wrong(record, "a run's length follows its offset"));
                }
            }
            b"numbytes" => {
                let len = required(record)?;
                let offset = self.offset.take().filter(|_| self.begun);
                let offset =
                    offset.ok_or_else(|| wrong(record, "a run's offset precedes its length"))?;
                self.runs.push(offset, len, o)?;
            }
            b"map" => {
                self.begun = false;
                self.begin_runs();
                self.has_map = !record.value.is_empty();
                let mut numbers = record.value.split(|&b| b == b',');
                while let Some(offset) = numbers.next().filter(|_| self.has_map) {
                    let pair = numbers
                        .next()
                        .ok_or(NumberError::Malformed)
                        .and_then(|len| Ok((number::decimal(offset)?, number::decimal(len)?)));
                    let (offset, len) = pair.map_err(|_| wrong(record, MAP_RULE))?;
                    self.runs.push(offset, len, o)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn begin_runs(&mut self) {
        if !self.begun {
            self.runs.clear();
            self.offset = None;
        }
        self.begun = true;
        self.has_map = true;
    }

    /// Which kind of sparse file the records tell of, if any.
    pub(super) fn version(&self) -> Result<Option<PaxVersion>, ErrorKind> {
        let get = |said: Said<u64>| said.or(Said::Unsaid);
        match (get(self.major), get(self.minor)) {
            (None, None) if self.has_map || get(self.count).is_some() => {}
            (None, None) => {
                let named = self.name.or(Said::Unsaid).is_some();
                if named || get(self.size).or(get(self.real_size)).is_some() {
                    return Err(self.runs.fault("a sparse file has a map"));
                }
                return Ok(None);
            }
            (Some(0), Some(0 | 1)) => {}
            (Some(1), Some(0)) if self.has_map => {
                return Err(self.runs.fault("a map of version 1.0 is in the body only"));
            }
            (Some(1), Some(0)) => return Ok(Some(PaxVersion::InBody)),
            _ => return Err(self.runs.fault("versions are 0.0, 0.1 and 1.0")),
        }
        if self.offset.is_some() {
            return Err(self.runs.fault("a run's length follows its offset"));
        }
        if get(self.count).is_some_and(|count| count != self.runs.count) {
            return Err(self.runs.fault("the map has as many runs as GNU.sparse.numblocks says"));
        }
        Ok(Some(PaxVersion::InHeader))
    }

    /// The file's length, holes included.
    pub(super) fn real_size(&self) -> Result<u64, ErrorKind> {
        let size = self.size.or(self.real_size);
        let size = size.filter(|&size| size <= i64::MAX as u64);
        size.ok_or_else(|| self.runs.fault("a sparse file has a length below 2^63"))
    }
}

const MAP_RULE: &str = "a map is offset and length of each run, in decimal, with commas between";

fn required(record: &Record<'_>) -> Result<u64, ErrorKind> {
    match said(record, number::decimal)? {
        Said::Set(value) => Ok(value),
        _ => Err(wrong(record, "the value is a number")),
    }
}

/// Reads the map of version 1.0: decimals, each with a newline after it; how many runs, then
/// offset and length of each.
#[derive(Debug, Default)]
pub(super) struct BodyMap {
    number: u64,
    digits: u32,
    /// Numbers that are still to come, once their count is known.
    left: Option<u64>,
    offset: u64,
}

impl BodyMap {
    /// Whether the map is complete.
    pub(super) fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    /// Takes the next bytes; what follows the map in them is ignored.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        runs: &mut Runs,
        o: &ParseOptions,
    ) -> Result<(), ErrorKind> {
        for &byte in bytes {
            if self.is_done() {
                break;
            }
            match byte {
                b'0'..=b'9' if self.digits < 20 => {
                    let number = self.number.checked_mul(10);
                    let number = number.and_then(|n| n.checked_add(u64::from(byte & 15)));
                    self.number = number.ok_or_else(|| runs.fault("a number fits 64 bits"))?;
                    self.digits = self.digits.saturating_add(1);
                }
                b'\n' if self.digits > 0 => self.number(runs, o)?,
                _ => return Err(runs.fault("a newline follows each number")),
            }
        }
        Ok(())
    }

    fn number(&mut self, runs: &mut Runs, o: &ParseOptions) -> Result<(), ErrorKind> {
        let number = core::mem::take(&mut self.number);
        self.digits = 0;
        match &mut self.left {
            None => {
                o.limits.check(Limit::SparseSegments, number)?;
                // An offset and a length for each run. If that overflows, the largest number will
                // do: no stream brings as many.
                self.left = Some(number.saturating_mul(2));
            }
            Some(left) => {
                *left = left.saturating_sub(1);
                if *left % 2 == 1 {
                    self.offset = number;
                } else {
                    runs.push(self.offset, number, o)?;
                }
            }
        }
        Ok(())
    }
}
