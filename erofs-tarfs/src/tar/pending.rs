//! An entry that is not lent out yet: where its header and its texts lie.

use super::Kind;
use super::said::{Said, Text};
use crate::units::{DeviceNumber, Timestamp};

/// Where an entry's header lies.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// In the input of the push.
    Input,
    /// In the parser.
    Kept,
}

/// Where a text of an entry lies.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Name {
    /// Nowhere: there is none.
    #[default]
    None,
    /// In its header, from one byte to another.
    Header(u16, u16),
    /// In the parser, joined of prefix and name.
    Joined,
    /// In an extension header right before the entry.
    Local(Text),
    /// In a global extension header.
    Global(Text),
}

impl Name {
    pub(super) fn header(range: core::ops::Range<usize>) -> Self {
        // 16 bits are enough: the range is inside a block of 512 bytes.
        Self::Header(range.start as u16, range.end as u16)
    }

    pub(super) fn pax(local: Said<Text>, global: Said<Text>) -> Option<Self> {
        match (local, global) {
            (Said::Set(text), _) => Some(Self::Local(text)),
            (Said::Unsaid, Said::Set(text)) => Some(Self::Global(text)),
            _ => None,
        }
    }
}

/// An entry whose texts are not borrowed yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) offset: u64,
    pub(super) path: Name,
    pub(super) source: Source,
    /// Where in the input the header lies, if there.
    pub(super) input_at: usize,
    pub(super) kind: Kind,
    pub(super) link: Name,
    pub(super) uname: Name,
    pub(super) gname: Name,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: Timestamp,
    pub(super) device: DeviceNumber,
    pub(super) size: u64,
    pub(super) data_offset: u64,
    pub(super) stored: u64,
    pub(super) sparse: bool,
}
