//! One entry: its fields, and the records they become.

use super::{pax, sink::Sink};

/// The unit that everything in a tar is rounded up to, and the length of a header.
pub const RECORD: usize = 512;

/// The dialect of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// No magic: names of 100 bytes, octal numbers.
    V7,
    /// POSIX 1988: names of 255 bytes, octal numbers.
    Ustar,
    /// GNU: `L` and `K` entries for long names, base-256 for large numbers. What GNU headers
    /// cannot hold (xattrs, nanoseconds) still goes into a pax header before them.
    Gnu,
    /// POSIX 2001: an `x` header for all that ustar cannot hold.
    Pax,
}

/// How a header is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// The sum of the bytes, as it should be.
    Unsigned,
    /// The sum of the bytes taken as signed, as some old writers had it.
    Signed,
    /// The right sum and one.
    Wrong,
    /// Whatever the tweaks put there.
    Untouched,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) format: Format,
    pub(super) checksum: Checksum,
    pub(super) flag: u8,
    pub(super) path: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) mtime: (i64, u32),
    pub(super) size: Option<u64>,
    pub(super) device: Option<(u32, u32)>,
    pub(super) records: Vec<(Vec<u8>, Vec<u8>)>,
    /// Bytes that follow the header at once, before the body (GNU sparse maps).
    pub(super) annex: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) hole: u64,
    pub(super) tweaks: Vec<(usize, Vec<u8>)>,
}

impl Entry {
    pub(super) fn new(format: Format, flag: u8, path: &[u8], mode: u32) -> Self {
        Self {
            format,
            checksum: Checksum::Unsigned,
            flag,
            path: path.to_vec(),
            link: Vec::new(),
            mode,
            uid: 0,
            gid: 0,
            mtime: (0, 0),
            size: None,
            device: None,
            records: Vec::new(),
            annex: Vec::new(),
            body: Vec::new(),
            hole: 0,
            tweaks: Vec::new(),
        }
    }

    pub(super) fn write(mut self, sink: &mut Sink) {
        let header = self.header();
        if !self.records.is_empty() {
            let body: Vec<u8> = self.records.iter().flat_map(|(k, v)| pax::record(k, v)).collect();
            self.extension(b'x', b"PaxHeaders/entry", body).write(sink);
        }
        if self.format == Format::Gnu {
            if self.link.len() > 100 {
                self.extension(b'K', b"././@LongLink", [&self.link[..], b"\0"].concat())
                    .write(sink);
            }
            if self.path.len() > 100 {
                self.extension(b'L', b"././@LongLink", [&self.path[..], b"\0"].concat())
                    .write(sink);
            }
        }
        sink.write(&header);
        sink.write(&self.annex);
        sink.write(&self.body);
        sink.hole(self.hole);
        let len = self.body.len() as u64 + self.hole;
        sink.hole(len.next_multiple_of(RECORD as u64) - len);
    }

    fn extension(&self, flag: u8, name: &[u8], body: Vec<u8>) -> Self {
        Self { body, ..Self::new(self.format, flag, name, 0o644) }
    }

    /// The header record. What does not fit it is added to the pax records.
    fn header(&mut self) -> [u8; RECORD] {
        let mut header = [0; RECORD];
        self.name(&mut header);
        self.text(&mut header, 157, 100, self.link.clone(), b"linkpath");
        self.number(&mut header, 100, 8, i128::from(self.mode), b"");
        self.number(&mut header, 108, 8, i128::from(self.uid), b"uid");
        self.number(&mut header, 116, 8, i128::from(self.gid), b"gid");
        let size = self.size.unwrap_or(self.body.len() as u64 + self.hole);
        self.number(&mut header, 124, 12, i128::from(size), b"size");
        self.time(&mut header);
        header[156] = self.flag;
        match self.format {
            Format::V7 => {}
            Format::Ustar | Format::Pax => header[257..265].copy_from_slice(b"ustar\x0000"),
            Format::Gnu => header[257..265].copy_from_slice(b"ustar  \0"),
        }
        if let Some((major, minor)) = self.device {
            self.number(&mut header, 329, 8, i128::from(major), b"SCHILY.devmajor");
            self.number(&mut header, 337, 8, i128::from(minor), b"SCHILY.devminor");
        }
        for (offset, bytes) in &self.tweaks {
            header[*offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        self.sum(&mut header);
        header
    }

    fn name(&mut self, header: &mut [u8; RECORD]) {
        let fits_prefix =
            matches!(self.format, Format::Ustar | Format::Pax) && self.path.len() > 100;
        let slash = self.path.iter().enumerate().position(|(at, &byte)| {
            byte == b'/' && at > 0 && at <= 155 && (1..=100).contains(&(self.path.len() - at - 1))
        });
        if let (true, Some(slash)) = (fits_prefix, slash) {
            header[345..345 + slash].copy_from_slice(&self.path[..slash]);
            let name = &self.path[slash + 1..];
            header[..name.len()].copy_from_slice(name);
        } else {
            self.text(header, 0, 100, self.path.clone(), b"path");
        }
    }

    /// Text that is cut where it is too long, and said in full elsewhere.
    fn text(
        &mut self,
        header: &mut [u8; RECORD],
        at: usize,
        width: usize,
        text: Vec<u8>,
        key: &[u8],
    ) {
        let cut = text.len().min(width);
        header[at..at + cut].copy_from_slice(&text[..cut]);
        if cut == text.len() {
            return;
        }
        match self.format {
            Format::Gnu => {} // L and K, in `write`
            Format::Pax => self.records.push((key.to_vec(), text)),
            Format::V7 | Format::Ustar => {
                panic!("{} bytes do not fit a {:?} header", text.len(), self.format)
            }
        }
    }

    fn number(
        &mut self,
        header: &mut [u8; RECORD],
        at: usize,
        width: usize,
        value: i128,
        key: &[u8],
    ) {
        let field = &mut header[at..at + width];
        if (0..1 << (3 * (width - 1))).contains(&value) {
            field[..width - 1].copy_from_slice(format!("{value:0w$o}", w = width - 1).as_bytes());
            return;
        }
        match self.format {
            Format::Gnu => {
                for (index, byte) in field.iter_mut().rev().enumerate() {
                    *byte = (value >> (8 * index)) as u8;
                }
                field[0] = if value < 0 { 0xff } else { 0x80 };
            }
            Format::Pax => {
                field[..width - 1].fill(b'0');
                self.records.push((key.to_vec(), value.to_string().into_bytes()));
            }
            Format::V7 | Format::Ustar => panic!("{value} does not fit a {:?} header", self.format),
        }
    }

    fn time(&mut self, header: &mut [u8; RECORD]) {
        let (secs, nanos) = self.mtime;
        assert!(nanos < 1_000_000_000, "nanoseconds are less than a second");
        if nanos == 0 {
            return self.number(header, 136, 12, i128::from(secs), b"mtime");
        }
        assert!(matches!(self.format, Format::Gnu | Format::Pax), "only pax holds nanoseconds");
        self.number(header, 136, 12, i128::from(secs.max(0)), b"mtime");
        self.records.retain(|(key, _)| key != b"mtime");
        self.records.push((b"mtime".to_vec(), pax::time(secs, nanos).into_bytes()));
    }

    fn sum(&self, header: &mut [u8; RECORD]) {
        if self.checksum == Checksum::Untouched {
            return;
        }
        header[148..156].fill(b' ');
        let sum: i64 = match self.checksum {
            Checksum::Signed => header.iter().map(|&byte| i64::from(byte.cast_signed())).sum(),
            _ => header.iter().map(|&byte| i64::from(byte)).sum(),
        };
        let sum = sum + i64::from(self.checksum == Checksum::Wrong);
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}
