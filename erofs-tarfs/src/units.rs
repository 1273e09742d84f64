//! Units that every stage shares: block sizes, times, device numbers.
//!
//! Conversions between bytes and blocks are checked here and nowhere else. Everywhere else in this
//! crate a number is bytes, unless its name says blocks, sectors (of 512 bytes), bits or slots.
//!
//! ```
//! use erofs_tarfs::units::BlockSize;
//!
//! assert_eq!(BlockSize::B512.blocks(10_241), 21); // 20 whole blocks, and one byte of another
//! ```

use core::fmt;

/// The block size of a filesystem or of a hash tree, in bytes: a power of two, 512 to 65536.
///
/// tar bodies lie on multiples of 512, so [`BlockSize::B512`] is what a tar index uses.
///
/// ```
/// use erofs_tarfs::units::BlockSize;
///
/// let block = BlockSize::B512;
/// assert_eq!((block.blocks(1000), block.round_up(1000)), (2, Some(1024)));
/// assert!(block.divides(1024) && !block.divides(1000));
/// assert_eq!(BlockSize::new(1000), None, "no power of two");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockSize(u8);

impl BlockSize {
    /// 512 bytes: the block of tar, and the smallest that EROFS knows (Linux 6.4).
    pub const B512: Self = Self(9);
    /// 1024 bytes.
    pub const B1024: Self = Self(10);
    /// 2048 bytes.
    pub const B2048: Self = Self(11);
    /// 4096 bytes: the page of most machines.
    pub const B4096: Self = Self(12);

    /// The block size of `bytes`, if that is a power of two from 512 to 65536.
    pub const fn new(bytes: u32) -> Option<Self> {
        if bytes.is_power_of_two() && bytes >= 512 && bytes <= 65536 {
            Some(Self(bytes.trailing_zeros() as u8))
        } else {
            None
        }
    }

    /// The block size of `1 << bits` bytes, for `bits` 9 to 16.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits >= 9 && bits <= 16 { Some(Self(bits)) } else { None }
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u32 {
        1 << self.0
    }

    /// The binary logarithm of the size: 9 to 16.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// How many blocks hold `bytes`, the last one perhaps in part.
    pub const fn blocks(self, bytes: u64) -> u64 {
        bytes.div_ceil(1 << self.0)
    }

    /// `bytes` rounded up to whole blocks, or `None` past 2^64.
    pub const fn round_up(self, bytes: u64) -> Option<u64> {
        bytes.checked_next_multiple_of(1 << self.0)
    }

    /// Whether `bytes` is a whole number of blocks.
    pub const fn divides(self, bytes: u64) -> bool {
        self.rest(bytes) == 0
    }

    /// How far `bytes` is into the block that it is in.
    pub(crate) const fn rest(self, bytes: u64) -> u64 {
        bytes & ((1 << self.0) - 1)
    }
}

impl fmt::Debug for BlockSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockSize({})", self.bytes())
    }
}

impl fmt::Display for BlockSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bytes())
    }
}

/// A point in time: seconds since 1970-01-01 00:00 UTC, and nanoseconds after that second.
///
/// Times before 1970 have negative seconds; the nanoseconds always count forward, as in
/// `struct timespec`.
///
/// ```
/// use erofs_tarfs::units::Timestamp;
///
/// // A quarter of a second before 1970: the second -1, and three quarters of one behind it.
/// let early = Timestamp { secs: -1, nanos: 750_000_000 };
/// assert!(early < Timestamp::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds, rounded towards the past.
    pub secs: i64,
    /// Nanoseconds after `secs`: 0 to 999,999,999.
    pub nanos: u32,
}

impl fmt::Display for Timestamp {
    /// In UTC, as `ls --full-time` has it: `2009-02-13 23:31:30.000000000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, second) = (self.secs.div_euclid(86_400), self.secs.rem_euclid(86_400));
        // Days since 0000-03-01, in eras of 400 years (Howard Hinnant's civil_from_days).
        let days = i128::from(day) + 719_468;
        let (era, doe) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let date = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i128::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}:{second:02}.{:09}",
            self.nanos
        )
    }
}

impl fmt::Display for DeviceNumber {
    /// `MAJOR:MINOR`, as `lsblk` has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

/// A device number, as Linux's `makedev` takes it and EROFS stores it.
///
/// ```
/// use erofs_tarfs::units::DeviceNumber;
///
/// let null = DeviceNumber { major: 1, minor: 3 };
/// assert_eq!(null.encode(), 0x103);
/// assert_eq!(DeviceNumber::decode(0x103), null);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceNumber {
    /// Major number: 0 to 4095.
    pub major: u32,
    /// Minor number: 0 to 1048575.
    pub minor: u32,
}

impl DeviceNumber {
    /// The largest major number (12 bits).
    pub const MAX_MAJOR: u32 = 0xfff;
    /// The largest minor number (20 bits).
    pub const MAX_MINOR: u32 = 0xf_ffff;

    /// Linux's `new_encode_dev`: minor bits 0–7, major, minor bits 8–19.
    pub const fn encode(self) -> u32 {
        (self.minor & 0xff) | (self.major << 8) | ((self.minor & !0xff) << 12)
    }

    /// Linux's `new_decode_dev`.
    pub const fn decode(raw: u32) -> Self {
        Self { major: (raw >> 8) & 0xfff, minor: (raw & 0xff) | ((raw >> 12) & 0xf_ff00) }
    }
}

/// The 32 bytes that 64 hex digits of either case say.
pub(crate) fn digest_of_hex(digits: &[u8]) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = digits.try_into().ok()?;
    let nibble = |digit| char::from(digit).to_digit(16);
    let mut bytes = [0; 32];
    for (byte, &[high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
        *byte = (nibble(high)? << 4 | nibble(low)?) as u8;
    }
    Some(bytes)
}
