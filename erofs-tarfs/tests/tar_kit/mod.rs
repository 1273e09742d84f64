//! What the tests of the tar parser share: a writer that can be told to write nonsense, a reader
//! that owns what it read, and the tools that serve as oracles.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "test code; each binary uses a part"
)]

use erofs_tarfs::tar::{End, Error, Event, Kind, ParseOptions, Parser, Segment};
use erofs_tarfs::units::{DeviceNumber, Timestamp};

/// Two zero blocks.
pub const END: [u8; 1024] = [0; 1024];

/// A header block in the making.
#[derive(Clone)]
pub struct Header([u8; 512]);

impl Header {
    /// A ustar header, mode 0644, owner 0:0, time 1.
    pub fn new(kind: u8, name: &str, size: u64) -> Self {
        let mut header = Self([0; 512]);
        header.0[156] = kind;
        header
            .set(0, name.as_bytes())
            .set(100, b"0000644\0")
            .set(108, b"0000000\0")
            .set(116, b"0000000\0")
            .set(124, format!("{size:011o}\0").as_bytes())
            .set(136, b"00000000001\0")
            .set(257, b"ustar\x0000")
    }

    /// Puts bytes at an offset.
    pub fn set(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub fn link(self, target: &str) -> Self {
        self.set(157, target.as_bytes())
    }

    /// Old GNU magic.
    pub fn gnu(self) -> Self {
        self.set(257, b"ustar  \0")
    }

    /// No magic.
    pub fn v7(self) -> Self {
        self.set(257, &[0; 8])
    }

    pub fn device(self, major: &[u8], minor: &[u8]) -> Self {
        self.set(329, major).set(337, minor)
    }

    /// Runs at a slot offset: 386 in a header.
    pub fn sparse(mut self, runs: &[(u64, u64)], real_size: u64, extended: bool) -> Self {
        for (i, (offset, len)) in runs.iter().enumerate() {
            let slot = format!("{offset:011o}\0{len:011o}\0");
            self = self.set(386 + 24 * i, slot.as_bytes());
        }
        self.set(482, &[u8::from(extended)]).set(483, format!("{real_size:011o}\0").as_bytes())
    }

    /// The block, with its checksum.
    pub fn block(&self) -> Vec<u8> {
        let mut block = self.0;
        block[148..156].copy_from_slice(b"        ");
        let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block.to_vec()
    }
}

/// `data` padded to blocks.
pub fn padded(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    data.resize(data.len().next_multiple_of(512), 0);
    data
}

/// A header with a body.
pub fn with_body(header: &Header, body: &[u8]) -> Vec<u8> {
    let size = format!("{:011o}\0", body.len());
    let mut out = header.clone().set(124, size.as_bytes()).block();
    out.extend(padded(body));
    out
}

pub fn file(name: &str, body: &[u8]) -> Vec<u8> {
    with_body(&Header::new(b'0', name, 0), body)
}

pub fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while len != rest + len.to_string().len() {
        len += 1;
    }
    let mut out = format!("{len} {key}=").into_bytes();
    out.extend(value);
    out.push(b'\n');
    out
}

/// An extension header of any type.
pub fn extension(kind: u8, body: &[u8]) -> Vec<u8> {
    with_body(&Header::new(kind, "ext", 0), body)
}

pub fn pax(records: &[(&str, &[u8])]) -> Vec<u8> {
    extension(b'x', &records.iter().flat_map(|(k, v)| record(k, v)).collect::<Vec<_>>())
}

pub fn global(records: &[(&str, &[u8])]) -> Vec<u8> {
    extension(b'g', &records.iter().flat_map(|(k, v)| record(k, v)).collect::<Vec<_>>())
}

/// What the parser said of one entry, with its stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub offset: u64,
    pub kind: Kind,
    pub path: Vec<u8>,
    pub link: Vec<u8>,
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    pub uname: Vec<u8>,
    pub gname: Vec<u8>,
    pub mtime: Timestamp,
    pub device: DeviceNumber,
    pub size: u64,
    pub data_offset: u64,
    pub stored: u64,
    pub sparse: Option<Vec<Segment>>,
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Read {
    pub fn path(&self) -> &str {
        std::str::from_utf8(&self.path).unwrap()
    }

    /// The file's content, holes as zeros.
    pub fn content(&self) -> Vec<u8> {
        let Some(runs) = &self.sparse else { return self.body.clone() };
        let mut content = vec![0; self.size as usize];
        let mut stored = &self.body[..];
        for run in runs {
            let (bytes, rest) = stored.split_at(run.len as usize);
            content[run.offset as usize..][..bytes.len()].copy_from_slice(bytes);
            stored = rest;
        }
        assert!(stored.is_empty());
        content
    }
}

/// Reads a tar in pieces of `chunk` bytes, bodies and all.
pub fn read_in(
    tar: &[u8],
    chunk: usize,
    options: &ParseOptions,
) -> Result<(Vec<Read>, End), Error> {
    let mut parser = Parser::new(options.clone());
    let mut entries: Vec<Read> = Vec::new();
    for mut piece in tar.chunks(chunk) {
        loop {
            let step = parser.push(piece)?;
            piece = &piece[step.consumed..];
            match step.event {
                Event::NeedInput => {
                    assert!(piece.is_empty(), "NeedInput leaves nothing");
                    break;
                }
                Event::Data(data) => entries.last_mut().unwrap().body.extend(data),
                Event::Entry(e) => {
                    entries.push(Read {
                        offset: e.offset,
                        kind: e.kind,
                        path: e.path.to_vec(),
                        link: e.link.to_vec(),
                        mode: e.mode,
                        uid: e.uid,
                        gid: e.gid,
                        uname: e.uname.to_vec(),
                        gname: e.gname.to_vec(),
                        mtime: e.mtime,
                        device: e.device,
                        size: e.size,
                        data_offset: e.data_offset,
                        stored: e.stored,
                        sparse: e.sparse.map(<[Segment]>::to_vec),
                        xattrs: e.xattrs.iter().map(|x| (x.name.into(), x.value.into())).collect(),
                        body: Vec::new(),
                    });
                    parser.want_body();
                }
            }
        }
    }
    let end = parser.finish()?;
    for entry in &entries {
        let body = &tar[entry.data_offset as usize..][..entry.stored as usize];
        assert_eq!(entry.body, body, "data_offset and stored say where the body is");
    }
    Ok((entries, end))
}

/// Reads a tar in one piece, and again in odd ones, which must not differ.
pub fn read_with(tar: &[u8], options: &ParseOptions) -> Result<(Vec<Read>, End), Error> {
    let whole = read_in(tar, usize::MAX, options);
    for chunk in [1, 3, 511, 512, 513, 4096] {
        assert_eq!(read_in(tar, chunk, options), whole, "in pieces of {chunk}");
    }
    whole
}

pub fn read(tar: &[u8]) -> Result<(Vec<Read>, End), Error> {
    read_with(tar, &ParseOptions::default())
}

/// The entries of the parts and an end marker.
pub fn entries(parts: &[&[u8]]) -> Vec<Read> {
    read(&[&parts.concat()[..], &END].concat()).unwrap_or_else(|e| panic!("{e}")).0
}

/// The message of the error that the parts and an end marker give.
pub fn refused(parts: &[&[u8]]) -> String {
    let tar = [&parts.concat()[..], &END].concat();
    read(&tar).map(|_| ()).expect_err("is refused").to_string()
}

/// Runs a tool; `None`, said aloud, if it is not there. On CI a missing tool fails.
pub fn tool(command: &mut std::process::Command) -> Option<Vec<u8>> {
    let name = command.get_program().to_owned();
    match command.output() {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{command:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            Some(output.stdout)
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "oracle {name:?} is missing: {error}");
            eprintln!("skipped: no {name:?} ({error})");
            None
        }
    }
}

/// A directory that goes with its owner.
pub struct Scratch(pub std::path::PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let dir = dir.join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The line that the oracles print for an entry, as far as they all tell it.
pub fn line(e: &Read) -> String {
    let kind = match e.kind {
        Kind::Regular => 'f',
        Kind::HardLink => 'h',
        Kind::Symlink => 'l',
        Kind::CharDevice => 'c',
        Kind::BlockDevice => 'b',
        Kind::Directory => 'd',
        Kind::Fifo => 'p',
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let path = e.path.strip_suffix(b"/").unwrap_or(&e.path);
    let content = e.content();
    format!(
        "{kind} {} .{} {:o} {} {} .{} {} {}:{} {} {:08x}",
        hex(path),
        hex(&e.link),
        e.mode,
        e.uid,
        e.gid,
        hex(&e.uname),
        e.mtime.secs,
        e.device.major,
        e.device.minor,
        content.len(),
        crc32(&content)
    )
}

/// CRC-32 as zlib has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}
