//! What a record of a pax header says: a value, or that what came before holds no longer.

use core::ops::Range;

use super::ErrorKind;
use super::error::bounded;
use super::number::NumberError;
use super::pax::Record;

/// What a pax header says of one thing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Said<T> {
    /// Nothing.
    #[default]
    Unsaid,
    /// That what came before holds no longer: an empty value, which takes back records before
    /// it and global ones.
    Unset,
    /// This.
    Set(T),
}

impl<T> Said<T> {
    /// What holds, given the entry's own word (`self`) and the global one.
    pub(super) fn or(self, global: Self) -> Option<T> {
        match (self, global) {
            (Self::Set(value), _) | (Self::Unsaid, Self::Set(value)) => Some(value),
            _ => None,
        }
    }
}

/// The text of an arena.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Text {
    pub(super) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A value, or nothing where the record takes back what was said.
pub(super) fn said<T>(
    record: &Record<'_>,
    read: fn(&[u8]) -> Result<T, NumberError>,
) -> Result<Said<T>, ErrorKind> {
    if record.value.is_empty() {
        return Ok(Said::Unset);
    }
    read(record.value).map(Said::Set).map_err(|error| match error {
        NumberError::Malformed => wrong(record, "the value is a number"),
        NumberError::Overflow => wrong(record, "the number fits 64 bits"),
    })
}

#[cold]
pub(super) fn wrong(record: &Record<'_>, rule: &'static str) -> ErrorKind {
    ErrorKind::PaxValue { key: bounded(record.key), value: bounded(record.value), rule }
}
