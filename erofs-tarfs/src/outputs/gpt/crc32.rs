//! The checksum of tables: CRC-32 of IEEE 802.3. Not EROFS's, which has another polynomial.

use crc::{CRC_32_ISO_HDLC, Crc};

static IEEE: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

pub(super) fn crc32(bytes: &[u8]) -> u32 {
    IEEE.checksum(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value_of_the_catalogue() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(super::crc32(b""), 0);
    }
}
