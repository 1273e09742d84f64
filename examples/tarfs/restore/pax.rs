//! The header of a tar's entry, and the records in front of it: what the header has no room for.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use erofs_tarfs::tree::Attributes;
use tar::Header;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;

/// The largest time that 11 octal digits of a header hold, in seconds.
const LAST_TIME: i64 = 0o77_777_777_777;
/// Bytes of the fields for names.
const NAME: usize = 100;

/// A header and its records.
pub(crate) struct Entry {
    pub(crate) header: Header,
    pub(crate) records: Vec<(String, Vec<u8>)>,
}

impl Entry {
    /// Of something with these attributes.
    pub(crate) fn new(attributes: &Attributes) -> Self {
        let mut header = Header::new_ustar();
        header.set_mode(u32::from(attributes.mode) & 0o7777);
        header.set_uid(attributes.uid.into());
        header.set_gid(attributes.gid.into());
        header.set_size(0);
        let mtime = attributes.mtime;
        header.set_mtime(mtime.secs.clamp(0, LAST_TIME).unsigned_abs());
        let mut records = Vec::new();
        if mtime.nanos != 0 || !(0..=LAST_TIME).contains(&mtime.secs) {
            let text = decimal(mtime.secs, mtime.nanos);
            records.push(("mtime".to_owned(), text.into_bytes()));
        }
        Self { header, records }
    }

    /// What it is called.
    pub(crate) fn path(&mut self, name: &[u8]) {
        let field = &mut self.header.as_old_mut().name;
        Self::text(&mut self.records, field, "path", name);
    }

    /// What a link leads to, or the first name of a file.
    pub(crate) fn link(&mut self, target: &[u8]) {
        let field = &mut self.header.as_old_mut().linkname;
        Self::text(&mut self.records, field, "linkpath", target);
    }

    /// A text in its field, and in a record if it is too long for that.
    fn text(records: &mut Vec<(String, Vec<u8>)>, field: &mut [u8; NAME], key: &str, text: &[u8]) {
        let bytes = text.len().min(NAME);
        field[..bytes].copy_from_slice(&text[..bytes]);
        if text.len() > NAME {
            records.push((key.to_owned(), text.to_vec()));
        }
    }

    /// An extended attribute, by the key that GNU tar, star and containerd use.
    pub(crate) fn xattr(&mut self, path: &[u8], name: &[u8], value: &[u8]) -> Done {
        let text = str::from_utf8(name).ok().filter(|text| !text.contains('='));
        let Some(text) = text else {
            let shown = quote::name(OsStr::from_bytes(name));
            let why = format_args!("extended attribute {shown}: a tar can't have its name");
            return Err(Fail::of(OsStr::from_bytes(path), why));
        };
        self.records.push((format!("SCHILY.xattr.{text}"), value.to_vec()));
        Ok(())
    }

    /// Records of a sparse file of GNU tar's form 1.0, whose body begins with its map; gives that.
    pub(crate) fn sparse(&mut self, path: &[u8], size: u64, runs: &[(u64, u64)]) -> Vec<u8> {
        let mut record = |key: &str, value: Vec<u8>| self.records.push((key.to_owned(), value));
        record("GNU.sparse.major", b"1".to_vec());
        record("GNU.sparse.minor", b"0".to_vec());
        record("GNU.sparse.name", path.to_vec());
        record("GNU.sparse.realsize", size.to_string().into_bytes());
        let end = runs.last().map_or(0, |(start, len)| start + len);
        // A hole at the end ends with a run of nothing.
        let last = (end < size).then_some((size, 0));
        let all = || runs.iter().copied().chain(last);
        let mut map = format!("{}\n", all().count());
        all().for_each(|(start, len)| map.push_str(&format!("{start}\n{len}\n")));
        let mut map = map.into_bytes();
        map.resize(map.len().next_multiple_of(512), 0);
        map
    }
}

/// Seconds and nanoseconds as the number that pax has: a fraction counts away from zero.
fn decimal(secs: i64, nanos: u32) -> String {
    match (secs, nanos) {
        (secs, 0) => secs.to_string(),
        (secs, nanos) if secs >= 0 => format!("{secs}.{nanos:09}"),
        (secs, nanos) => format!("-{}.{:09}", (secs + 1).unsigned_abs(), 1_000_000_000 - nanos),
    }
}
