//! A compressed stream, cut where members or frames seem to begin.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::ops::Range;
use std::io::{ErrorKind, Read, Result};

use super::super::Compression;
use super::pool::{Pool, Room};

/// Where beginnings were found, a part has this many bytes at least, and ends at the next one behind them: so what a
/// part costs beside its bytes is little.
const LEAST: usize = 256 << 10;

/// So many bytes without a beginning are enough: the stream has no more, or its parts would take too much memory.
const MOST: usize = 4 << 20;

/// So many false beginnings, and half as many as true ones, end the search.
const FALSE: usize = 4;

/// Bytes by which a beginning is told.
const HEAD: usize = 10;

/// Bytes that are looked at together.
const LINE: usize = 64;

/// Some compressed bytes. A copy of it has the same memory.
#[derive(Clone)]
pub(super) struct Part {
    slices: VecDeque<Slice>,
    /// Where in the stream they are.
    pub(super) at: u64,
    /// Whether a member or frame seems to begin with them: who has decoded what is before them knows.
    pub(super) begins: bool,
}

/// Some bytes of a piece that was read.
#[derive(Clone)]
struct Slice {
    room: Arc<Room>,
    range: Range<usize>,
}

impl Slice {
    fn bytes(&self) -> &[u8] {
        &self.room[self.range.clone()]
    }
}

impl Part {
    /// How many bytes it has that were not passed.
    pub(super) fn len(&self) -> usize {
        self.slices.iter().map(|slice| slice.range.len()).sum()
    }

    /// The next bytes; none where all were passed.
    pub(super) fn bytes(&self) -> &[u8] {
        self.slices.front().map_or(&[], Slice::bytes)
    }

    /// Passes so many bytes, which are no more than the next ones. Memory that is passed can be used again.
    pub(super) fn pass(&mut self, bytes: usize) {
        if let Some(slice) = self.slices.front_mut() {
            slice.range.start += bytes;
            if slice.range.is_empty() {
                self.slices.pop_front();
            }
        }
    }
}

/// Cuts a stream.
pub(super) struct Cutter {
    compression: Compression,
    pool: Pool,
    /// Bytes that were read with the last part and are behind it.
    rest: Option<Slice>,
    /// What the reader said behind them, where it has no more: until that was passed on it is not asked again.
    stopped: Option<Result<()>>,
    at: u64,
    /// Whether the next part seems to begin with a member or frame.
    begins: bool,
    /// Bytes since the last beginning; how many were found, and how many of them were none.
    vain: usize,
    found: usize,
    falsely: usize,
}

impl Cutter {
    /// Of a stream from its beginning on.
    pub(super) fn new(compression: Compression, pool: Pool) -> Self {
        let (rest, stopped) = (None, None);
        let (vain, found, falsely) = (0, 0, 0);
        Self { compression, pool, rest, stopped, at: 0, begins: true, vain, found, falsely }
    }

    /// Whether more beginnings are to be expected, so that reading ahead is of use.
    pub(super) fn is_promising(&self) -> bool {
        self.found > 0 && self.searches()
    }

    /// Notes that a beginning was none.
    pub(super) fn was_false(&mut self) {
        self.falsely += 1;
    }

    fn searches(&self) -> bool {
        self.vain < MOST && self.falsely < FALSE + self.found / 2
    }

    /// The next part; an empty one is the end.
    pub(super) fn next(&mut self, reader: &mut impl Read) -> Result<Part> {
        let begins = core::mem::take(&mut self.begins);
        let (mut slices, mut len) = (VecDeque::new(), 0);
        // Where no beginnings are expected, whoever decodes need not wait for more than was read at once.
        let is_promising = self.is_promising();
        let (least, enough) = if is_promising { (LEAST, MOST) } else { (1, 1) };
        while len < enough {
            let Some(mut slice) = self.slice(reader, is_promising) else { break };
            if self.searches() {
                let found =
                    beginning(self.compression, slice.bytes(), usize::saturating_sub(least, len));
                if let Some(end) = found {
                    let cut = slice.range.start + end;
                    self.rest = Some(Slice { range: cut..slice.range.end, ..slice.clone() });
                    slice.range.end = cut;
                    (self.begins, self.vain) = (true, 0);
                    self.found += 1;
                }
            }
            len += slice.range.len();
            slices.push_back(slice);
            if self.begins {
                break;
            }
        }
        if len == 0 {
            self.stopped.take().unwrap_or(Ok(()))?;
        }
        if !self.begins {
            self.vain = self.vain.saturating_add(len);
        }
        let at = self.at;
        self.at = at.saturating_add(len as u64);
        Ok(Part { slices, at, begins })
    }

    /// What is left of what was read, or what is read next: all that there is room for, or what comes at once.
    fn slice(&mut self, reader: &mut impl Read, all: bool) -> Option<Slice> {
        if let Some(rest) = self.rest.take() {
            return Some(rest);
        }
        let (mut room, mut len) = (self.pool.take(), 0);
        while len < room.len() && self.stopped.is_none() {
            match reader.read(&mut room[len..]) {
                Ok(0) => self.stopped = Some(Ok(())),
                Ok(more) => len += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => self.stopped = Some(Err(error)),
            }
            if !all {
                break;
            }
        }
        (len > 0).then(|| Slice { room: Arc::new(room), range: 0..len })
    }
}

/// Where a member or frame seems to begin, at `from` or behind it.
fn beginning(compression: Compression, bytes: &[u8], from: usize) -> Option<usize> {
    let seems: fn(&[u8]) -> bool = match compression {
        // The flags that are not known are not set; speed and system are such as RFC 1952 has.
        Compression::Gzip => |head| {
            matches!(head, [0x1f, 0x8b, 8, 0..=0x1f, _, _, _, _, 0 | 2 | 4, 0..=13 | 255, ..])
        },
        // The bit that is reserved is not set.
        Compression::Zstd => |head| matches!(head, [0x28, 0xb5, 0x2f, 0xfd, of, ..] if of & 8 == 0),
        _ => return None,
    };
    let first = match compression {
        Compression::Gzip => [0x1f, 0x8b],
        _ => [0x28, 0xb5],
    };
    let mut at = from;
    // Line by line, which compilers make vectors of: two bytes that are right are rare.
    while let Some(line) = bytes.get(at..).and_then(<[u8]>::first_chunk::<{ LINE + 1 }>) {
        let is_right = |n: usize| (line[n] == first[0]) & (line[n + 1] == first[1]);
        if (0..LINE).fold(false, |any, n| any | is_right(n)) {
            let heads = &bytes[at..bytes.len().min(at + LINE + HEAD - 1)];
            if let Some(found) = heads.windows(HEAD).position(seems) {
                return Some(at + found);
            }
        }
        at += LINE;
    }
    bytes.get(at..)?.windows(HEAD).position(seems).map(|found| at + found)
}
