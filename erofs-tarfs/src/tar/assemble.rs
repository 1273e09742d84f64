//! A header and what extensions say of it, made one entry.

use super::error::bounded;
use super::fields::{field, own_size};
use super::header::{BLOCK, Format, Header};
use super::parser::Parser;
use super::part::{from, part};
use super::pending::{Name, Pending, Source};
use super::said::Said;
use super::{Entry, Error, ErrorKind, Kind, Xattrs};
use crate::limits::Limit;
use crate::units::{DeviceNumber, Timestamp};

impl Parser {
    /// Lends the texts of an entry.
    pub(super) fn entry<'a>(&'a self, pending: &Pending, input: &'a [u8]) -> Entry<'a> {
        let header = match pending.source {
            Source::Input => from(input, pending.input_at).first_chunk().unwrap_or(&self.header),
            Source::Kept => &self.header,
        };
        let xattrs = if self.local.xattrs.is_empty() { &self.global } else { &self.local };
        Entry {
            offset: pending.offset,
            kind: pending.kind,
            path: self.resolve(pending.path, header),
            link: self.resolve(pending.link, header),
            mode: pending.mode,
            uid: pending.uid,
            gid: pending.gid,
            uname: self.resolve(pending.uname, header),
            gname: self.resolve(pending.gname, header),
            mtime: pending.mtime,
            device: pending.device,
            size: pending.size,
            data_offset: pending.data_offset,
            stored: pending.stored,
            sparse: pending.sparse.then_some(&self.local.sparse.runs.list[..]),
            xattrs: Xattrs::new(&xattrs.xattrs, &xattrs.arena),
            extensions: Some([&self.local, &self.global]),
        }
    }

    pub(super) fn resolve<'a>(&'a self, name: Name, header: &'a [u8; BLOCK]) -> &'a [u8] {
        match name {
            Name::None => &[],
            Name::Header(start, end) => part(header, start.into()..end.into()),
            Name::Joined => &self.joined,
            Name::Local(text) => part(&self.local.arena, text.range()),
            Name::Global(text) => part(&self.global.arena, text.range()),
        }
    }

    /// Takes the header of an entry. `None` if more of the tar is needed, or if it is passed over.
    pub(super) fn entry_header(
        &mut self,
        header: Header<'_>,
        source: Source,
        offset: u64,
    ) -> Result<Option<Pending>, Error> {
        self.reset_extension_bytes();
        if matches!(source, Source::Kept) {
            self.header = *header.0;
        }
        let path = self.path(header);
        let fail = |parser: &Self, kind| Error::new(offset, parser.resolve(path, header.0), kind);
        let flag = header.type_flag();
        let Some(kind) = kind_of(flag) else {
            if !self.options.skip_unknown_types {
                return Err(fail(self, ErrorKind::UnknownType(flag)));
            }
            let size = self.size(header).map_err(|kind| fail(self, kind))?;
            self.totals.skipped_unknown = self.totals.skipped_unknown.saturating_add(1);
            let name = bounded(self.resolve(path, header.0));
            self.pass_over(offset, &name, size)?;
            self.local.clear();
            return Ok(None);
        };
        let (pending, done) = self
            .fields(header, kind, path)
            .and_then(|pending| {
                let mut pending = Pending { offset, source, ..pending };
                let done = self.body_of(header, &mut pending)?;
                Ok((pending, done))
            })
            .map_err(|kind| fail(self, kind))?;
        Ok(done.then_some(pending))
    }

    /// Everything but the body.
    fn fields(&mut self, header: Header<'_>, kind: Kind, path: Name) -> Result<Pending, ErrorKind> {
        let text = self.resolve(path, header.0);
        self.options.limits.check(Limit::PathBytes, text.len() as u64)?;
        let kind = match (text.last(), kind, header.type_flag()) {
            (None, ..) => return Err(ErrorKind::EmptyPath),
            (Some(b'/'), Kind::Regular, 0) => Kind::Directory,
            (Some(b'/'), Kind::Regular, _) => return Err(ErrorKind::TrailingSlash),
            _ => kind,
        };
        let (local, global) = (&self.local, &self.global);
        let pax = Name::pax;
        let link = if matches!(kind, Kind::HardLink | Kind::Symlink) {
            pax(local.link, global.link)
                .or(local.gnu_link.map(Name::Local))
                .unwrap_or(Name::header(header.link()))
        } else {
            Name::None
        };
        if !matches!(link, Name::None) {
            let text = self.resolve(link, header.0);
            self.options.limits.check(Limit::PathBytes, text.len() as u64)?;
            if text.is_empty() {
                return Err(ErrorKind::EmptyLink);
            }
        }
        let mtime = match local.mtime.or(global.mtime) {
            Some(time) => time,
            None => Timestamp { secs: field("mtime", header.mtime())?, nanos: 0 },
        };
        let mode = field("mode", header.mode())?;
        Ok(Pending {
            offset: 0,
            path,
            source: Source::Kept,
            input_at: 0,
            kind,
            link,
            uname: pax(local.uname, global.uname).unwrap_or(Name::header(header.uname())),
            gname: pax(local.gname, global.gname).unwrap_or(Name::header(header.gname())),
            mode: (mode & 0o7777) as u16,
            uid: id("uid", local.uid.or(global.uid), header.uid())?,
            gid: id("gid", local.gid.or(global.gid), header.gid())?,
            mtime,
            device: device(header, kind)?,
            size: 0,
            data_offset: self.position,
            stored: 0,
            sparse: false,
        })
    }

    /// Where the path is: a sparse file's true name, then pax, then GNU, then the header.
    pub(super) fn path(&mut self, header: Header<'_>) -> Name {
        if let Said::Set(text) = self.local.sparse.name {
            return Name::Local(text);
        }
        if let Some(name) = Name::pax(self.local.path, self.global.path) {
            return name;
        }
        if let Some(text) = self.local.gnu_path {
            return Name::Local(text);
        }
        let (prefix, name) = (header.prefix(), header.name());
        if prefix.is_empty() {
            return Name::header(name);
        }
        self.joined.clear();
        self.joined.extend_from_slice(part(header.0, prefix));
        self.joined.push(b'/');
        self.joined.extend_from_slice(part(header.0, name));
        Name::Joined
    }

    /// The size: pax wins over the header.
    pub(super) fn size(&self, header: Header<'_>) -> Result<u64, ErrorKind> {
        self.local.size.or(self.global.size).map_or_else(|| own_size(header), Ok)
    }
}

/// What a type makes; `None` if we do not know it.
fn kind_of(flag: u8) -> Option<Kind> {
    Some(match flag {
        0 | b'0' | b'7' | b'S' => Kind::Regular,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::CharDevice,
        b'4' => Kind::BlockDevice,
        b'5' | b'D' => Kind::Directory,
        b'6' => Kind::Fifo,
        _ => return None,
    })
}

fn id(name: &'static str, pax: Option<u64>, bytes: &[u8]) -> Result<u32, ErrorKind> {
    let max = u64::from(u32::MAX);
    let out = |value| ErrorKind::OutOfRange { field: name, value, max };
    match pax {
        Some(value) => u32::try_from(value).map_err(|_| out(value.into())),
        None => {
            let value = field(name, bytes)?;
            u32::try_from(value).map_err(|_| out(value.into()))
        }
    }
}

/// The device number of a device; the fields of other entries are not looked at.
fn device(header: Header<'_>, kind: Kind) -> Result<DeviceNumber, ErrorKind> {
    let device = matches!(kind, Kind::CharDevice | Kind::BlockDevice);
    if !device || header.format() == Format::V7 {
        return Ok(DeviceNumber::default());
    }
    let part = |name, number_name, bytes, max: u32| {
        let value = field(number_name, bytes)?;
        match u32::try_from(value) {
            Ok(part) if part <= max => Ok(part),
            _ => Err(ErrorKind::Device { field: name, value, max }),
        }
    };
    Ok(DeviceNumber {
        major: part("major", "devmajor", header.major(), DeviceNumber::MAX_MAJOR)?,
        minor: part("minor", "devminor", header.minor(), DeviceNumber::MAX_MINOR)?,
    })
}
