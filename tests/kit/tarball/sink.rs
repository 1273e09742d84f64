//! Where a tar goes: memory, or a file with holes.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

#[derive(Debug)]
pub(super) enum Sink {
    Memory(Vec<u8>),
    File { out: BufWriter<File>, len: u64, error: Option<io::Error> },
}

impl Sink {
    pub(super) fn memory() -> Self {
        Self::Memory(Vec::new())
    }

    pub(super) fn file(file: File) -> Self {
        Self::File { out: BufWriter::with_capacity(1 << 20, file), len: 0, error: None }
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { len, .. } => *len,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Memory(all) => all.extend_from_slice(bytes),
            Self::File { out, len, error } => {
                *len += bytes.len() as u64;
                if error.is_none() {
                    *error = out.write_all(bytes).err();
                }
            }
        }
    }

    /// Zeros: small ones are written, large ones jumped over.
    pub(super) fn hole(&mut self, count: u64) {
        const SMALL: u64 = 1 << 16;
        match self {
            Self::Memory(all) => {
                let count = usize::try_from(count).expect("a hole in memory fits memory");
                all.resize(all.len() + count, 0);
            }
            Self::File { .. } if count <= SMALL => {
                self.write(&[0; SMALL as usize][..count as usize])
            }
            Self::File { out, len, error } => {
                *len += count;
                if error.is_none() {
                    *error = out.seek(SeekFrom::Start(*len)).err();
                }
            }
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Memory(bytes) => bytes,
            Self::File { .. } => panic!("a tar in a file ends with finish_file"),
        }
    }

    pub(super) fn close(self) -> io::Result<u64> {
        match self {
            Self::Memory(_) => panic!("a tar in memory ends with finish"),
            Self::File { error: Some(error), .. } => Err(error),
            Self::File { out, len, error: None } => {
                out.into_inner()?.set_len(len)?;
                Ok(len)
            }
        }
    }
}
