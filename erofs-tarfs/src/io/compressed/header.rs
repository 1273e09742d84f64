//! The header of a member of gzip (RFC 1952, 2.3), in pieces of any size. Nothing of it is kept.

use alloc::borrow::ToOwned;

use zlib_rs::crc32::crc32;

use super::StreamFault;

/// Flags of a header.
const CHECKED: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xe0;

/// Bytes that every header has.
const FIXED: usize = 10;

/// A header on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    part: Part,
    flags: u8,
    /// Of all bytes so far: the lower half may stand at the end.
    crc: u32,
}

/// What comes next of it.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// The byte of the fixed fields with this number.
    Fixed(usize),
    /// The length of the extra field: this many bytes of it are there, of this value.
    ExtraLength(usize, u16),
    /// So many bytes of the extra field.
    Extra(u16),
    /// A text up to its zero byte.
    Name,
    Comment,
    /// The checksum of the header: this many bytes of it are there, of this value.
    Check(usize, u16),
    Ended,
}

impl Default for Part {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

impl Header {
    /// Takes the next bytes, up to the header's end; answers how many, also where one of them is wrong.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, (usize, StreamFault)> {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
            if self.has_ended() {
                break;
            }
            let taken = self.step(rest).map_err(|fault| (used, fault))?;
            used += taken;
        }
        Ok(used)
    }

    /// Whether the compressed bytes are next.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.part, Part::Ended)
    }

    /// Takes bytes of one part, of which there is at least one.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, StreamFault> {
        let byte = bytes[0];
        let (used, next) = match self.part {
            Part::Ended => return Ok(0),
            Part::Fixed(number) => {
                self.fixed(number, byte)?;
                let next = number + 1;
                (1, if next < FIXED { Part::Fixed(next) } else { self.behind_fixed() })
            }
            Part::ExtraLength(0, _) => (1, Part::ExtraLength(1, u16::from(byte))),
            Part::ExtraLength(_, low) => match low | u16::from(byte) << 8 {
                0 => (1, self.behind_extra()),
                length => (1, Part::Extra(length)),
            },
            Part::Extra(left) => {
                let used = bytes.len().min(usize::from(left));
                let left = left - used as u16;
                (used, if left > 0 { Part::Extra(left) } else { self.behind_extra() })
            }
            Part::Name => self.text(bytes, Part::Name, Self::behind_name),
            Part::Comment => self.text(bytes, Part::Comment, Self::behind_comment),
            Part::Check(0, _) => (1, Part::Check(1, u16::from(byte))),
            Part::Check(_, low) => {
                let expected = low | u16::from(byte) << 8;
                if expected != self.crc as u16 {
                    return Err(bad("its header does not have its checksum"));
                }
                (1, Part::Ended)
            }
        };
        if !matches!(self.part, Part::Check(..)) {
            self.crc = crc32(self.crc, &bytes[..used]);
        }
        self.part = next;
        Ok(used)
    }

    /// Looks at a byte of the fixed fields: 1f 8b, deflate, flags; then time, level and system.
    fn fixed(&mut self, number: usize, byte: u8) -> Result<(), StreamFault> {
        match (number, byte) {
            (0, 0x1f) | (1, 0x8b) | (2, 8) => {}
            (0 | 1, _) => return Err(bad("no member of gzip begins so")),
            (2, _) => return Err(bad("its method of compression is not deflate")),
            (3, flags) if flags & RESERVED != 0 => {
                return Err(bad("its header has flags that are not known"));
            }
            (3, flags) => self.flags = flags,
            _ => {}
        }
        Ok(())
    }

    /// Passes over a text, up to its zero byte.
    fn text(&self, bytes: &[u8], same: Part, behind: fn(&Self) -> Part) -> (usize, Part) {
        match bytes.iter().position(|byte| *byte == 0) {
            Some(end) => (end + 1, behind(self)),
            None => (bytes.len(), same),
        }
    }

    fn behind_fixed(&self) -> Part {
        if self.flags & EXTRA != 0 { Part::ExtraLength(0, 0) } else { self.behind_extra() }
    }

    fn behind_extra(&self) -> Part {
        if self.flags & NAME != 0 { Part::Name } else { self.behind_name() }
    }

    fn behind_name(&self) -> Part {
        if self.flags & COMMENT != 0 { Part::Comment } else { self.behind_comment() }
    }

    fn behind_comment(&self) -> Part {
        if self.flags & CHECKED != 0 { Part::Check(0, 0) } else { Part::Ended }
    }
}

pub(super) fn bad(why: &str) -> StreamFault {
    StreamFault::Corrupt(why.to_owned())
}
