//! What extension headers say of the entries after them.
//!
//! pax headers (types `x` and `g`) and GNU long names (`L` and `K`) come in any order and number
//! before an entry. Where they name the same thing, pax wins over GNU, the later record of a pax
//! header over the earlier, and the entry's own over the global (POSIX pax, "pax Header Block").
//! Of two `x` headers before one entry the last alone counts, as GNU tar and Go's `archive/tar`
//! have it: what the first says is gone.

use alloc::vec::Vec;
use core::ops::Range;

use super::number;
use super::part::part;
use super::pax::{Malformed, Record, Records};
use super::said::{Said, Text, said, wrong};
use super::sparse::PaxSparse;
use super::xattr::{self, Pair};
use super::{ErrorKind, ParseOptions};
use crate::limits::Limit;
use crate::units::Timestamp;

/// What a global attribute counts for besides its name and value: each entry goes over all.
const GLOBAL_XATTR_COST: usize = 16;

/// What the headers of one scope say: those before one entry, or the global ones.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    /// Every text below, back to back.
    pub(super) arena: Vec<u8>,
    pub(super) path: Said<Text>,
    pub(super) link: Said<Text>,
    pub(super) uname: Said<Text>,
    pub(super) gname: Said<Text>,
    pub(super) acl_access: Said<Text>,
    pub(super) acl_default: Said<Text>,
    pub(super) selinux: Said<Text>,
    pub(super) size: Said<u64>,
    pub(super) uid: Said<u64>,
    pub(super) gid: Said<u64>,
    pub(super) mtime: Said<Timestamp>,
    pub(super) gnu_path: Option<Text>,
    pub(super) gnu_link: Option<Text>,
    pub(super) sparse: PaxSparse,
    pub(super) xattrs: Vec<Pair>,
    order: Vec<u32>,
    /// Whether anything was said since the last entry.
    pub(super) used: bool,
}

impl Extensions {
    /// Forgets all, keeping the memory.
    pub(super) fn clear(&mut self) {
        if !self.used {
            return;
        }
        let (mut arena, mut xattrs, order) = (
            core::mem::take(&mut self.arena),
            core::mem::take(&mut self.xattrs),
            core::mem::take(&mut self.order),
        );
        let mut sparse = core::mem::take(&mut self.sparse);
        arena.clear();
        xattrs.clear();
        sparse.clear();
        *self = Self { arena, xattrs, order, sparse, ..Self::default() };
    }

    /// Takes the body of an `L` header: the path up to the first NUL.
    pub(super) fn gnu_path(&mut self, body: &[u8]) {
        self.used = true;
        self.gnu_path = Some(self.keep(until_nul(body)));
    }

    /// Takes the body of a `K` header: the link's target up to the first NUL.
    pub(super) fn gnu_link(&mut self, body: &[u8]) {
        self.used = true;
        self.gnu_link = Some(self.keep(until_nul(body)));
    }

    /// Takes the body of a pax header.
    pub(super) fn pax(
        &mut self,
        body: &[u8],
        global: bool,
        o: &ParseOptions,
    ) -> Result<(), ErrorKind> {
        if self.used && !global {
            self.forget_pax();
        }
        self.used = true;
        for record in Records::new(body) {
            let record = record
                .map_err(|Malformed { at, rule }| ErrorKind::PaxRecord { at: at as u64, rule })?;
            self.record(&record, global, o)?;
        }
        Ok(())
    }

    /// Forgets what a pax header before has said; long names in headers of GNU tar stay.
    fn forget_pax(&mut self) {
        let (arena, gnu_path, gnu_link) =
            (core::mem::take(&mut self.arena), self.gnu_path, self.gnu_link);
        let (mut xattrs, order) =
            (core::mem::take(&mut self.xattrs), core::mem::take(&mut self.order));
        let mut sparse = core::mem::take(&mut self.sparse);
        xattrs.clear();
        sparse.clear();
        *self = Self {
            arena,
            xattrs,
            order,
            sparse,
            gnu_path,
            gnu_link,
            used: true,
            ..Self::default()
        };
    }

    fn record(
        &mut self,
        record: &Record<'_>,
        global: bool,
        o: &ParseOptions,
    ) -> Result<(), ErrorKind> {
        let wrong = |rule| wrong(record, rule);
        match record.key {
            b"path" => self.path = self.text(record, o)?,
            b"linkpath" => self.link = self.text(record, o)?,
            b"uname" => self.uname = self.text(record, o)?,
            b"gname" => self.gname = self.text(record, o)?,
            b"size" => {
                self.size = said(record, number::decimal)?;
                if matches!(self.size, Said::Set(size) if size > i64::MAX as u64) {
                    return Err(wrong("a size is below 2^63"));
                }
            }
            b"uid" => self.uid = said(record, number::decimal)?,
            b"gid" => self.gid = said(record, number::decimal)?,
            b"mtime" => self.mtime = said(record, number::time)?,
            b"SCHILY.acl.access" => self.acl_access = self.value(record),
            b"SCHILY.acl.default" => self.acl_default = self.value(record),
            b"RHT.security.selinux" => self.selinux = self.value(record),
            key => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    // The bytes of the key, as Go's `archive/tar` and so containerd takes them.
                    // GNU tar reads `%3D` and `%25` back, which it alone writes.
                    let name = self.keep(name);
                    let value = self.keep(record.value);
                    self.xattr(record, name, value)?;
                } else if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
                    let name = self
                        .keep_with(|arena| xattr::url_name(name, arena))
                        .ok_or_else(|| wrong("two hex digits follow a percent sign"))?;
                    let value = self
                        .keep_with(|arena| xattr::base64(record.value, arena))
                        .ok_or_else(|| wrong("the value is base64"))?;
                    self.xattr(record, name, value)?;
                } else if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    if global {
                        return Err(wrong("a sparse map belongs to one file, not to all"));
                    }
                    if key == b"name" {
                        let text = self.text(record, o)?;
                        self.sparse.name = text;
                    } else {
                        self.sparse.record(key, record, o)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn xattr(&mut self, record: &Record<'_>, name: Text, value: Text) -> Result<(), ErrorKind> {
        if name.range().is_empty() {
            return Err(wrong(record, "an extended attribute has a name"));
        }
        if part(&self.arena, name.range()).contains(&0) {
            return Err(wrong(record, "an attribute's name has no NUL"));
        }
        self.xattrs.push((name.range(), value.range()));
        Ok(())
    }

    /// Drops the values that later ones replaced.
    fn settle_xattrs(&mut self) {
        xattr::keep_last(&mut self.xattrs, &self.arena, &mut self.order);
    }

    /// Settles the attributes of an entry, `global`'s before its own.
    pub(super) fn finish_entry(
        &mut self,
        global: &Self,
        o: &ParseOptions,
    ) -> Result<(), ErrorKind> {
        // Global ones alone were counted when they came.
        if self.xattrs.is_empty()
            && self.texts_of_attributes().iter().all(|text| !matches!(text, Said::Set(_)))
        {
            return Ok(());
        }
        if !self.xattrs.is_empty() && !global.xattrs.is_empty() {
            let mut copy = |range: &Range<usize>| {
                let start = self.arena.len();
                self.arena.extend_from_slice(part(&global.arena, range.clone()));
                start..self.arena.len()
            };
            let copied = global.xattrs.iter().map(|(name, value)| (copy(name), copy(value)));
            self.xattrs.splice(0..0, copied);
        }
        self.settle_xattrs();
        let pairs = if self.xattrs.is_empty() { global } else { &*self };
        let texts = self.texts_of_attributes().into_iter().zip(global.texts_of_attributes());
        let texts: usize =
            texts.map(|(own, global)| own.or(global).map_or(0, |t| t.range().len())).sum();
        let bytes = pairs.xattr_bytes().saturating_add(texts);
        Ok(o.limits.check(Limit::XattrBytes, bytes as u64)?)
    }

    /// The texts of which attributes are made: access control lists, and SELinux's label.
    fn texts_of_attributes(&self) -> [Said<Text>; 3] {
        [self.acl_access, self.acl_default, self.selinux]
    }

    /// Settles global attributes, and moves what holds to a fresh arena once most of this one is
    /// replaced: a stream of global headers holds no more than what is in force.
    pub(super) fn finish_global(&mut self, o: &ParseOptions) -> Result<(), ErrorKind> {
        self.settle_xattrs();
        let bytes = self.xattr_bytes();
        let held = |text: &Said<Text>| if let Said::Set(t) = text { t.range().len() } else { 0 };
        let others: usize = self.texts_of_attributes().iter().map(held).sum();
        let each = GLOBAL_XATTR_COST.saturating_mul(self.xattrs.len());
        let cost = bytes.saturating_add(each).saturating_add(others);
        o.limits.check(Limit::GlobalXattrBytes, cost as u64)?;
        // Each entry that follows has them.
        o.limits.check(Limit::XattrBytes, bytes.saturating_add(others) as u64)?;
        for path in [&self.path, &self.link] {
            o.limits.check(Limit::GlobalPathBytes, held(path) as u64)?;
        }

        let texts = [
            &mut self.path,
            &mut self.link,
            &mut self.uname,
            &mut self.gname,
            &mut self.acl_access,
            &mut self.acl_default,
            &mut self.selinux,
        ];
        let live = texts.iter().fold(bytes, |live, text| live.saturating_add(held(text)));
        if self.arena.len() < live.saturating_mul(2).saturating_add(4096) {
            return Ok(());
        }
        let old = core::mem::take(&mut self.arena);
        let arena = &mut self.arena;
        let mut move_text = |range: Range<usize>| {
            let start = arena.len();
            arena.extend_from_slice(part(&old, range));
            start..arena.len()
        };
        for text in texts {
            if let Said::Set(text) = text {
                let Range { start, end } = move_text(text.range());
                *text = Text { start, end };
            }
        }
        for (name, value) in &mut self.xattrs {
            *name = move_text(name.clone());
            *value = move_text(value.clone());
        }
        Ok(())
    }

    fn xattr_bytes(&self) -> usize {
        self.xattrs.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum()
    }

    /// The text of a record which becomes a C string.
    fn text(&mut self, record: &Record<'_>, o: &ParseOptions) -> Result<Said<Text>, ErrorKind> {
        if record.value.is_empty() {
            return Ok(Said::Unset);
        }
        if record.value.contains(&0) {
            return Err(wrong(record, "the value has no NUL"));
        }
        o.limits.check(Limit::PathBytes, record.value.len() as u64)?;
        Ok(Said::Set(self.keep(record.value)))
    }

    /// The bytes of a record's value.
    fn value(&mut self, record: &Record<'_>) -> Said<Text> {
        if record.value.is_empty() { Said::Unset } else { Said::Set(self.keep(record.value)) }
    }

    fn keep(&mut self, bytes: &[u8]) -> Text {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        Text { start, end: self.arena.len() }
    }

    fn keep_with(&mut self, append: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<Text> {
        let start = self.arena.len();
        append(&mut self.arena)?;
        Some(Text { start, end: self.arena.len() })
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}
