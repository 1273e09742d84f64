//! Records of a pax extended header: what the header of an entry has no room for, or no field.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{lgetxattr, llistxattr};
use rustix::io::Errno;

use crate::fail::{Done, Fail};

/// The most bytes of a list of names, and of a value: what Linux hands out (XATTR_LIST_MAX,
/// XATTR_SIZE_MAX).
const MOST: usize = 65536;

/// The largest time that 11 octal digits of a header hold.
const LAST_TIME: i64 = 0o77_777_777_777;

/// Bytes of the fields for names.
pub(crate) const NAME: usize = 100;

/// Records that stand in front of one entry.
#[derive(Debug, Default)]
pub(crate) struct Records(Vec<(String, Vec<u8>)>);

impl Records {
    /// Puts a name into a field of the header, and into a record if it is too long for that.
    pub(crate) fn name(&mut self, key: &str, name: &[u8], field: &mut [u8; NAME]) {
        let bytes = name.len().min(NAME);
        field[..bytes].copy_from_slice(&name[..bytes]);
        if name.len() > NAME {
            self.0.push((key.to_owned(), name.to_vec()));
        }
    }

    /// The time of a file, to be had from a record if it has a fraction or is out of range; answers what
    /// the header says.
    pub(crate) fn time(&mut self, secs: i64, nanos: i64) -> u64 {
        if nanos != 0 || !(0..=LAST_TIME).contains(&secs) {
            self.0.push(("mtime".to_owned(), decimal(secs, nanos).into_bytes()));
        }
        secs.clamp(0, LAST_TIME) as u64
    }

    /// The extended attributes of a file, by the keys that GNU tar, star and containerd use.
    pub(crate) fn xattrs(&mut self, path: &Path) -> Done {
        let failed = |error: Errno| Fail::of(path, format_args!("extended attributes: {error}"));
        let mut list = vec![0; MOST];
        let bytes = match llistxattr(path, &mut list[..]) {
            Err(Errno::NOTSUP) => return Ok(()),
            done => done.map_err(failed)?,
        };
        let mut value = vec![0; MOST];
        for name in list[..bytes].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let text = str::from_utf8(name).ok().filter(|text| !text.contains('='));
            let text = text.ok_or_else(|| {
                let shown = String::from_utf8_lossy(name);
                Fail::of(
                    path,
                    format_args!("extended attribute {shown}: a tar can't have its name"),
                )
            })?;
            let bytes = lgetxattr(path, text, &mut value[..]).map_err(failed)?;
            self.0.push((format!("SCHILY.xattr.{text}"), value[..bytes].to_vec()));
        }
        Ok(())
    }

    /// Keys and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_slice()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Seconds and nanoseconds as the number that pax has: a fraction counts away from zero.
fn decimal(secs: i64, nanos: i64) -> String {
    match (secs, nanos) {
        (secs, 0) => secs.to_string(),
        (secs, nanos) if secs >= 0 => format!("{secs}.{nanos:09}"),
        (secs, nanos) => format!("-{}.{:09}", -(secs + 1), 1_000_000_000 - nanos),
    }
}

/// The time of a file, as [`Records::time`] takes it.
pub(crate) fn time_of(metadata: &impl MetadataExt) -> (i64, i64) {
    (metadata.mtime(), metadata.mtime_nsec())
}
