//! What is xz's and bzip2's own: dictionaries, checks, and first bytes. `compressed.rs` has what all streams share.

use std::io::Read;

use erofs_tarfs::io::{BrokenStream, Compression, Uncompressed};
use testkit::program::piped;
use testkit::rng::Rng;

/// Bytes with noise and runs.
fn text(len: usize) -> Vec<u8> {
    let mut rng = Rng::new(11);
    let mut out = Vec::new();
    while out.len() < len {
        let (noise, run) = (rng.below(300) as usize, rng.below(500) as usize);
        out.extend(rng.bytes(noise));
        out.extend(std::iter::repeat_n(rng.below(256) as u8, run));
    }
    out.truncate(len);
    out
}

fn all(kind: Compression, bytes: &[u8]) -> Result<Vec<u8>, BrokenStream> {
    let mut out = Vec::new();
    match Uncompressed::new(kind, bytes)?.read_to_end(&mut out) {
        Ok(_) => Ok(out),
        Err(error) => Err(error.get_ref().unwrap().downcast_ref::<BrokenStream>().unwrap().clone()),
    }
}

/// Dictionaries up to the limit of zstd's windows; those beyond are refused by the header, before any memory is
/// taken for them.
#[test]
fn large_dictionaries() {
    let plain = text(100_000);
    for (dictionary, good) in
        [("64MiB", true), ("256MiB", true), ("768MiB", false), ("1536MiB", false)]
    {
        // The program wants eleven times as much to compress, so the header is changed: the dictionary's size is in
        // a byte of the block's header, which has a CRC-32.
        let mut stream = piped("xz", &["-c", "--lzma2=preset=0,dict=1MiB"], &plain);
        let size = match dictionary {
            "64MiB" => 28,
            "256MiB" => 32,
            "768MiB" => 35,
            _ => 37,
        };
        let at = 12 + 4; // behind the stream's header: sizes and flags, the filter's id and length
        assert_eq!(stream[at - 2..=at], [0x21, 1, 16], "a block's header with LZMA2 of 1 MiB");
        stream[at] = size;
        let end = 12 + (usize::from(stream[12]) + 1) * 4 - 4;
        let mut crc = flate2::Crc::new();
        crc.update(&stream[12..end]);
        stream[end..end + 4].copy_from_slice(&crc.sum().to_le_bytes());
        match all(Compression::Xz, &stream) {
            Ok(made) => assert!(good && made == plain, "{dictionary}"),
            Err(error) => {
                assert!(!good, "{dictionary}: {error}");
                assert!(
                    error.to_string().contains("its dictionary wants more than 512 MiB"),
                    "{error}"
                );
            }
        }
    }
}

/// A changed byte is noticed, wherever it is: xz and bzip2 have checks over all of it.
#[test]
fn no_byte_of_xz_and_bzip2_changes_unnoticed() {
    let body = text(3_000);
    for (kind, stream) in [
        (Compression::Xz, piped("xz", &["-1", "-c"], &body)),
        (Compression::Bzip2, piped("bzip2", &["-1", "-c"], &body)),
    ] {
        for at in 0..stream.len() {
            let mut bad = stream.clone();
            bad[at] ^= 0x55;
            match all(kind, &bad) {
                // Bits that fill the last byte of bzip2, the size of its blocks: they say nothing of the bytes.
                Ok(same) => assert!(kind == Compression::Bzip2 && same == body, "{kind} {at}"),
                Err(broken) => assert!(broken.offset <= stream.len() as u64, "{broken}"),
            }
        }
    }
}

/// A name in a tar may begin as bzip2 does.
#[test]
fn letters_are_no_bzip2() {
    for (head, kind) in [
        (&b"BZh9 notes.txt"[..], Compression::None),
        (b"BZh91AY&SY", Compression::Bzip2),
        (b"BZh01AY&SY", Compression::None),
        (b"BZh91AY&S", Compression::None),
        (b"\xfd7zXZ\0", Compression::Xz),
        (b"\xfd7zXZ", Compression::None),
    ] {
        assert_eq!(Compression::of(head), kind, "{}", head.escape_ascii());
    }
}
