//! The short way for most entries: a file, directory or link whose header lies whole in the input,
//! has nothing odd, and no extension header before it.
//!
//! What it does not take it leaves untouched for the general way, which says what is wrong with
//! it, if anything is. Both ways make the same entries: `tests/tar_robust.rs` compares them.

use super::fields::padding;
use super::header::{BLOCK, Header, Verdict, verify};
use super::parser::{Deliver, Parser, State};
use super::part::{first, from, part};
use super::pending::Name;
use super::prefetch::prefetch;
use super::{Entry, Kind, Xattrs, number};
use crate::units::{DeviceNumber, Timestamp};

/// A plain entry, its texts not borrowed yet.
pub(super) struct Plain {
    /// Where in the input its header is.
    at: usize,
    offset: u64,
    kind: Kind,
    path: Name,
    mode: u16,
    uid: u32,
    gid: u32,
    mtime: i64,
    size: u64,
}

impl Parser {
    /// Passes over the body before, and takes the header after it, if that is plain.
    #[inline]
    pub(super) fn plain(&mut self, input: &[u8]) -> Option<Plain> {
        let at = match self.state {
            State::Header if self.filled == 0 && !self.zero_block => 0,
            State::Body { left, padding, deliver } if left == 0 || deliver != Deliver::Yes => {
                usize::try_from(left.saturating_add(padding)).ok()?
            }
            _ => return None,
        };
        let block: &[u8; BLOCK] = input.get(at..)?.first_chunk()?;
        if self.emitted {
            self.emitted = false;
            self.local.clear();
        }
        if self.local.used || self.global.used || verify(block) != Verdict::Sound {
            return None;
        }
        let header = Header(block);
        let kind = match header.type_flag() {
            b'0' => Kind::Regular,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'5' => Kind::Directory,
            _ => return None,
        };
        let size = u64::try_from(number::field(header.size()).ok()?).ok()?;
        let mtime = number::field(header.mtime()).ok()?;
        let mode = (number::field(header.mode()).ok()? & 0o7777) as u16;
        let uid = u32::try_from(number::field(header.uid()).ok()?).ok()?;
        let gid = u32::try_from(number::field(header.gid()).ok()?).ok()?;

        let path = self.path(header);
        let text = self.resolve(path, block);
        let file = kind == Kind::Regular;
        let fits = |text: &[u8]| {
            !text.is_empty() && text.len() as u64 <= self.options.limits.max_path_bytes
        };
        if !fits(text) || file && text.last() == Some(&b'/') {
            return None;
        }
        if matches!(kind, Kind::HardLink | Kind::Symlink) && !fits(part(block, header.link())) {
            return None;
        }
        let body = if file { size } else { 0 };
        let offset = self.position.saturating_add(at as u64);
        let end = offset.saturating_add(BLOCK as u64);
        if body > (i64::MAX as u64).saturating_sub(end).saturating_sub(BLOCK as u64) {
            return None;
        }

        // Up to here `None` leaves the parser as it was. From here on the entry is taken.
        self.body_path.clear();
        if body > 0 {
            let text = match path {
                Name::Joined => &self.joined,
                _ => part(block, header.name()),
            };
            self.body_path.extend_from_slice(text);
        }
        self.position = end;
        self.entry_offset = offset;
        self.state = State::Body { left: body, padding: padding(body), deliver: Deliver::No };
        self.reset_extension_bytes();
        self.emitted = true;
        // Fetches the next header into the cache while the caller deals with this entry.
        let next =
            body.saturating_add(padding(body)).saturating_add(at.saturating_add(BLOCK) as u64);
        if let Some(header) = usize::try_from(next).ok().and_then(|next| input.get(next..)) {
            prefetch(first(header, BLOCK));
        }
        self.totals.entries = self.totals.entries.saturating_add(1);
        if !file {
            self.claims(offset, size, path, block);
        }
        Some(Plain { at, offset, kind, path, mode, uid, gid, mtime, size: body })
    }

    /// Lends the texts of a plain entry, and tells how many bytes of the input were taken.
    #[inline]
    pub(super) fn plain_entry<'a>(&'a self, plain: &Plain, input: &'a [u8]) -> (usize, Entry<'a>) {
        let block = from(input, plain.at).first_chunk().unwrap_or(&self.header);
        let header = Header(block);
        let link = matches!(plain.kind, Kind::HardLink | Kind::Symlink);
        let entry = Entry {
            offset: plain.offset,
            kind: plain.kind,
            path: self.resolve(plain.path, block),
            link: if link { part(block, header.link()) } else { &[] },
            mode: plain.mode,
            uid: plain.uid,
            gid: plain.gid,
            uname: part(block, header.uname()),
            gname: part(block, header.gname()),
            mtime: Timestamp { secs: plain.mtime, nanos: 0 },
            device: DeviceNumber::default(),
            size: plain.size,
            data_offset: plain.offset.saturating_add(BLOCK as u64),
            stored: plain.size,
            sparse: None,
            xattrs: Xattrs::default(),
            extensions: None,
        };
        (plain.at.saturating_add(BLOCK), entry)
    }
}
