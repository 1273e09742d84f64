//! The body of an entry: its length, its map if it is sparse, and where it starts.

use super::error::bounded;
use super::fields::{field, padding};
use super::header::{BLOCK, Format, Header, SparseSlots};
use super::parser::{Deliver, Parser, State};
use super::part::first;
use super::pending::{Pending, Source};
use super::sparse::{BodyMap, PaxVersion};
use super::{Error, ErrorKind, Kind, number};

impl Parser {
    /// Size, map and body. Whether the entry is complete.
    pub(super) fn body_of(
        &mut self,
        header: Header<'_>,
        pending: &mut Pending,
    ) -> Result<bool, ErrorKind> {
        let size = self.size(header)?;
        let kind = pending.kind;
        let version = if self.local.used { self.local.sparse.version()? } else { None };
        let gnu_sparse = header.type_flag() == b'S';
        if version.is_some() && (gnu_sparse || kind != Kind::Regular) {
            return Err(self.local.sparse.runs.fault("pax sparse files are regular files"));
        }
        if kind != Kind::Regular {
            if header.type_flag() == b'D' {
                // GNU tar's incremental dumps: a directory whose body lists its names.
                self.finish_entry(header.0, pending, size, Deliver::Never)?;
                return Ok(true);
            }
            // No body follows, whatever size is stated: POSIX says so, and GNU tar when it
            // extracts (not when it lists) and Go do so.
            self.claims(pending.offset, size, pending.path, header.0);
            self.finish_entry(header.0, pending, 0, Deliver::No)?;
            return Ok(true);
        }
        (pending.size, pending.stored) = (size, size);
        if gnu_sparse {
            if header.format() != Format::Gnu {
                return Err(self.local.sparse.runs.fault("type S has GNU's magic"));
            }
            pending.sparse = true;
            let real_size = field("realsize", header.real_size())?;
            pending.size = u64::try_from(real_size).map_err(|_| ErrorKind::OutOfRange {
                field: "realsize",
                value: real_size.into(),
                max: i64::MAX as u64,
            })?;
            self.local.used = true;
            self.local.sparse.runs.clear();
            let slots = header.sparse();
            self.slots(&slots)?;
            if slots.extended {
                self.header = *header.0;
                pending.source = Source::Kept;
                self.state = State::SparseBlocks(*pending);
                return Ok(false);
            }
        } else if let Some(version) = version {
            pending.sparse = true;
            pending.size = self.local.sparse.real_size()?;
            if version == PaxVersion::InBody {
                self.local.sparse.runs.clear();
                self.header = *header.0;
                pending.source = Source::Kept;
                self.state = State::SparseMap(*pending, BodyMap::default());
                return Ok(false);
            }
        }
        self.finish_entry(header.0, pending, pending.stored, Deliver::No)?;
        Ok(true)
    }

    /// Takes a block of runs that extends an old GNU sparse header.
    pub(super) fn sparse_block(
        &mut self,
        mut pending: Pending,
        block: &[u8; BLOCK],
    ) -> Result<Option<Pending>, Error> {
        let slots = Header(block).sparse_extension();
        pending.data_offset = self.position;
        let kept = self.header;
        let result = self.slots(&slots).and_then(|()| {
            if slots.extended {
                self.state = State::SparseBlocks(pending);
                return Ok(None);
            }
            self.finish_entry(&kept, &pending, pending.stored, Deliver::No)?;
            Ok(Some(pending))
        });
        result.map_err(|kind| Error::new(pending.offset, self.resolve(pending.path, &kept), kind))
    }

    /// Takes a block of a map at the start of a body.
    pub(super) fn sparse_map(
        &mut self,
        mut pending: Pending,
        mut map: BodyMap,
        block: &[u8; BLOCK],
    ) -> Result<Option<Pending>, Error> {
        let kept = self.header;
        let runs = &mut self.local.sparse.runs;
        let fed = match pending.stored.checked_sub(BLOCK as u64) {
            None => Err(runs.fault("a map of version 1.0 lies within the body")),
            Some(left) => {
                (pending.stored, pending.data_offset) = (left, self.position);
                map.feed(block, runs, &self.options)
            }
        };
        let result = fed.and_then(|()| {
            if !map.is_done() {
                self.state = State::SparseMap(pending, map);
                return Ok(None);
            }
            self.finish_entry(&kept, &pending, pending.stored, Deliver::No)?;
            Ok(Some(pending))
        });
        result.map_err(|kind| Error::new(pending.offset, self.resolve(pending.path, &kept), kind))
    }

    fn slots(&mut self, slots: &SparseSlots<'_>) -> Result<(), ErrorKind> {
        let runs = &mut self.local.sparse.runs;
        let mut ended = false;
        for (offset, len) in slots.iter() {
            // GNU tar ends the map at a blank length, Go at a blank offset.
            match (offset.first() == Some(&0), len.first() == Some(&0)) {
                (true, true) => ended = true,
                (false, false) if !ended => {
                    let numbers = (number::field(offset), number::field(len));
                    let (Ok(offset), Ok(len)) = numbers else {
                        return Err(runs.fault("offset and length are octal or base-256"));
                    };
                    let (Ok(offset), Ok(len)) = (u64::try_from(offset), u64::try_from(len)) else {
                        return Err(runs.fault("offset and length are not negative"));
                    };
                    runs.push(offset, len, &self.options)?;
                }
                _ => return Err(runs.fault("no run follows a blank one")),
            }
        }
        Ok(())
    }

    /// Checks what only the whole sparse map can tell, and expects the body.
    fn finish_entry(
        &mut self,
        header: &[u8; BLOCK],
        pending: &Pending,
        body: u64,
        deliver: Deliver,
    ) -> Result<(), ErrorKind> {
        if pending.sparse {
            self.local.sparse.runs.finish(pending.size, pending.stored)?;
        }
        self.local.finish_entry(&self.global, &self.options)?;
        let mut start = core::mem::take(&mut self.body_path);
        start.clear();
        if body > 0 {
            let path = self.resolve(pending.path, header);
            start.extend_from_slice(first(path, 256));
        }
        self.body_path = start;
        self.start_body(pending.offset, body, deliver)?;
        self.totals.entries = self.totals.entries.saturating_add(1);
        Ok(())
    }

    /// Passes over a body that is no entry's.
    pub(super) fn pass_over(&mut self, offset: u64, path: &[u8], left: u64) -> Result<(), Error> {
        self.extension_bytes = 0;
        self.body_path = bounded(path);
        self.start_body(offset, left, Deliver::Never).map_err(|kind| Error::new(offset, path, kind))
    }

    /// Expects a body next, whose entry's path is in `body_path`.
    pub(super) fn start_body(
        &mut self,
        offset: u64,
        left: u64,
        deliver: Deliver,
    ) -> Result<(), ErrorKind> {
        let padding = padding(left);
        let max = (i64::MAX as u64).saturating_sub(self.position);
        if left > max.saturating_sub(padding) {
            return Err(ErrorKind::OutOfRange { field: "size", value: left.into(), max });
        }
        self.entry_offset = offset;
        self.state = State::Body { left, padding, deliver };
        Ok(())
    }

    pub(super) fn reset_extension_bytes(&mut self) {
        self.extension_bytes = 0;
    }
}
