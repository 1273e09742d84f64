//! Compressed streams in `io`, against those who wrote the formats: flate2's and zstd's encoders, and the programs
//! gzip, zstd, xz and bzip2.

use std::io::{Read, Write};

use erofs_tarfs::io::{BrokenStream, Compression, Decompressor, StreamFault, Uncompressed};
use erofs_tarfs::limits::Limits;
use flate2::write::GzEncoder;
use flate2::{Compression as Level, GzBuilder};
use testkit::program::piped;
use testkit::rng::Rng;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    piped("xz", &["-1", "-c"], bytes)
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    piped("bzip2", &["-1", "-c"], bytes)
}

/// A frame that zstd passes over.
const SKIPPED: &[u8] = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc";

fn all(kind: Compression, bytes: &[u8]) -> Result<Vec<u8>, BrokenStream> {
    let mut out = Vec::new();
    match Uncompressed::new(kind, bytes)?.read_to_end(&mut out) {
        Ok(_) => Ok(out),
        Err(error) => Err(error.get_ref().unwrap().downcast_ref::<BrokenStream>().unwrap().clone()),
    }
}

/// The same in pieces, pushed, into little room.
fn pushed(
    kind: Compression,
    bytes: &[u8],
    piece: usize,
    room: usize,
) -> Result<Vec<u8>, BrokenStream> {
    let (mut stream, mut out) = (Decompressor::new(kind)?, Vec::new());
    let mut room = vec![0; room];
    for mut piece in bytes.chunks(piece) {
        loop {
            let done = stream.decompress(piece, &mut room)?;
            out.extend_from_slice(&room[..done.made]);
            piece = &piece[done.used..];
            if done.made < room.len() {
                assert!(piece.is_empty(), "with room left all is taken");
                break;
            }
        }
    }
    stream.finish()?;
    assert_eq!((stream.used(), stream.made()), (bytes.len() as u64, out.len() as u64));
    Ok(out)
}

/// Bytes that are as many when they are compressed.
fn noise(len: usize) -> Vec<u8> {
    Rng::new(7).bytes(len)
}

/// Bytes with text, runs, and matches near and far.
fn text(len: usize) -> Vec<u8> {
    let (mut rng, mut out) = (Rng::new(11), vec![b'x']);
    while out.len() < len {
        let mut below = |end: usize| rng.below(end as u64) as usize;
        match below(4) {
            0 => out.extend(noise(below(300))),
            1 => out.extend(std::iter::repeat_n(below(256) as u8, below(70_000))),
            _ => {
                let from = below(out.len());
                let to = out.len().min(from + below(5_000));
                out.extend_from_within(from..to);
            }
        }
    }
    out.truncate(len);
    out
}

#[test]
fn members_frames_and_padding() {
    let (gz, zst) = (Compression::Gzip, Compression::Zstd);
    let (xzs, bz2) = (Compression::Xz, Compression::Bzip2);
    for (what, kind, bytes) in [
        ("one", gz, gzip(b"ab")),
        ("two", gz, [gzip(b"a"), gzip(b"b")].concat()),
        ("empty ones", gz, [gzip(b""), gzip(b"ab"), gzip(b""), gzip(b"")].concat()),
        ("zeros", gz, [gzip(b"ab"), vec![0; 10_000]].concat()),
        ("one zero", gz, [gzip(b"ab"), vec![0]].concat()),
        ("frame", zst, zstd(b"ab")),
        ("frames", zst, [zstd(b"a"), zstd(b""), zstd(b"b")].concat()),
        ("skipped", zst, [zstd(b"a"), SKIPPED.to_vec(), zstd(b"b")].concat()),
        ("skipped first", zst, [SKIPPED.to_vec(), zstd(b"ab"), SKIPPED.to_vec()].concat()),
        ("frame, zeros", zst, [zstd(b"ab"), vec![0; 600_000]].concat()),
        ("xz", xzs, xz(b"ab")),
        ("xz streams", xzs, [xz(b"a"), xz(b""), xz(b"b")].concat()),
        ("xz, zeros", xzs, [xz(b"ab"), vec![0; 10_000]].concat()),
        ("bzip2", bz2, bzip2(b"ab")),
        ("bzip2 streams", bz2, [bzip2(b"a"), bzip2(b""), bzip2(b"b")].concat()),
        ("empty first", bz2, [bzip2(b""), bzip2(b"ab")].concat()),
        ("bzip2, zeros", bz2, [bzip2(b"ab"), vec![0; 10_000]].concat()),
        ("plain", Compression::None, b"ab".to_vec()),
    ] {
        assert_eq!(all(kind, &bytes).as_deref(), Ok(&b"ab"[..]), "{what}");
        assert_eq!(Compression::of(&bytes), kind, "{what}");
        for (piece, room) in [(1, 1), (1, 100), (7, 1), (bytes.len(), 2)] {
            assert_eq!(pushed(kind, &bytes, piece, room).as_deref(), Ok(&b"ab"[..]), "{what}");
        }
    }
    assert_eq!(all(gz, &gzip(b"")), Ok(Vec::new()));
    assert_eq!(all(gz, b""), Ok(Vec::new()), "what is empty is for its reader to refuse");
}

/// All that RFC 1952 allows in a header.
#[test]
fn headers_of_all_kinds() {
    let body = noise(10_000);
    for extra in [None, Some(vec![]), Some(noise(65_535))] {
        for name in [None, Some("n".to_owned()), Some("long".repeat(200_000))] {
            for comment in [None, Some("")] {
                let mut builder = GzBuilder::new().mtime(1 << 30).operating_system(7);
                if let Some(extra) = extra.clone() {
                    builder = builder.extra(extra);
                }
                if let Some(name) = &name {
                    builder = builder.filename(name.as_bytes());
                }
                if let Some(comment) = comment {
                    builder = builder.comment(comment);
                }
                let mut encoder = builder.write(Vec::new(), Level::new(6));
                encoder.write_all(&body).unwrap();
                let stream = encoder.finish().unwrap();
                assert!(all(Compression::Gzip, &stream).as_ref() == Ok(&body));
                assert!(pushed(Compression::Gzip, &stream, 3, 4096).as_ref() == Ok(&body));
            }
        }
    }
    // A header with a checksum, made by hand: no encoder here makes one.
    let mut stream = gzip(b"ab");
    stream[3] |= 2;
    let crc = flate2_crc(&stream[..10]);
    stream.splice(10..10, crc.to_le_bytes());
    assert_eq!(all(Compression::Gzip, &stream).as_deref(), Ok(&b"ab"[..]));
    stream[10] ^= 1;
    let broken = all(Compression::Gzip, &stream).unwrap_err();
    assert!(broken.to_string().contains("header does not have its checksum"), "{broken}");
    for (at, value, why) in [(2, 7, "not deflate"), (3, 0x20, "flags"), (1, 0, "begins so")] {
        let mut stream = gzip(b"ab");
        stream[at] = value;
        let broken = all(Compression::Gzip, &stream).unwrap_err();
        assert!(broken.to_string().contains(why), "{broken}");
    }
}

/// A wrong header is told of at the byte that is wrong, whatever pieces it came in.
#[test]
fn a_header_is_wrong_at_its_byte() {
    for (at, value) in [(1, 0), (2, 7), (3, 0x20)] {
        let mut second = gzip(b"cd");
        second[at] = value;
        let first = gzip(b"ab");
        let stream = [&first[..], &second].concat();
        for piece in [1, 2, 3, 1000] {
            let broken = pushed(Compression::Gzip, &stream, piece, 100).unwrap_err();
            assert_eq!(broken.offset, (first.len() + at) as u64, "in pieces of {piece}: {broken}");
        }
    }
}

/// What deflate can say and must not, in words that are about the stream.
#[test]
fn damaged_blocks_are_told_of() {
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    for (what, blocks) in [
        // Fixed codes: three bytes from one byte back, in front of which there is none; the end.
        ("from before the first byte", &[0x03, 0x02, 0x00][..]),
        // Fixed codes: the length with the number 286, of which there is none.
        ("no such length", &[0x1b, 0x03, 0x00]),
        ("no such block", &[0x07]),
        ("a length that is not its complement", &[0x01, 5, 0, 5, 0]),
    ] {
        // So many bytes follow that decoders go as fast as they can.
        let stream = [&head[..], blocks, &[0; 1000]].concat();
        for (piece, room) in [(1, 1), (4096, 65_536)] {
            let broken = pushed(Compression::Gzip, &stream, piece, room);
            let says = broken.unwrap_err().to_string();
            assert!(!says.contains("call") && !says.contains("state"), "{what}: {says}");
        }
    }
}

/// Codes with gaps: RFC 1951 has no words for them, zlib and Go refuse them. Whoever takes them makes the same bytes of them.
#[test]
fn codes_with_gaps_make_no_other_bytes() {
    let hex = "1f8b08000102030400ff8dfdedae7ef9bfa57e3d1defe428de332bcfef92774e699dc6e7e13b778f3ff93c7f38f23e8ff1e073\
               0a9fe7cfaecff347ef6318af7f727d3e73fe92b093f964e56b5baf77e7fbdb7ca5d578d3586f95601ddbe955e3b5d68a7ba65e\
               e3bec346e18c45bcde19917cbd6cecbcaf1c7ee61e16f11a0dec7ba0eb50000000";
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let stream: Vec<u8> = (0..hex.len()).step_by(2).map(digits).collect();
    match all(Compression::Gzip, &stream) {
        Ok(bytes) => {
            let mut crc = flate2::Crc::new();
            crc.update(&bytes);
            assert_eq!((bytes.len(), crc.sum()), (80, 0xeba0_7bec), "ISA-L");
        }
        Err(broken) => {
            assert!(broken.to_string().contains("literal/lengths set"), "zlib: {broken}");
        }
    }
}

/// The lower half of a CRC-32.
fn flate2_crc(bytes: &[u8]) -> u16 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum() as u16
}

/// Programs that others wrote compress at all levels; streams are cut into pieces of many sizes.
#[test]
fn what_other_programs_write() {
    let bytes = text(1_000_000);
    let programs: [(&str, &[&str], Compression); 15] = [
        ("gzip", &["-1"], Compression::Gzip),
        ("gzip", &["-6"], Compression::Gzip),
        ("gzip", &["-9"], Compression::Gzip),
        ("zstd", &["-1"], Compression::Zstd),
        ("zstd", &["-19"], Compression::Zstd),
        ("zstd", &["--fast=5", "--no-check"], Compression::Zstd),
        ("zstd", &["-3", "--long=27"], Compression::Zstd),
        ("xz", &["-0"], Compression::Xz),
        ("xz", &["-9e"], Compression::Xz),
        ("xz", &["-1", "--check=none"], Compression::Xz),
        ("xz", &["-1", "--check=crc32"], Compression::Xz),
        ("xz", &["-2", "--check=sha256", "--block-size=100000"], Compression::Xz),
        ("xz", &["--x86", "--delta=dist=3", "--lzma2=preset=1"], Compression::Xz),
        ("bzip2", &["-1"], Compression::Bzip2),
        ("bzip2", &["-9"], Compression::Bzip2),
    ];
    for (program, words, kind) in programs {
        let stream = piped(program, &[words, &["-c"]].concat(), &bytes);
        assert!(all(kind, &stream).as_ref() == Ok(&bytes), "{program} {words:?}");
        for (piece, room) in [(100, 1 << 20), (70_001, 511), (1 << 20, 65_536)] {
            let made = pushed(kind, &stream, piece, room);
            assert!(made.as_ref() == Ok(&bytes), "{program} {words:?} {piece} {room}");
        }
        let twice = [&stream[..], &stream].concat();
        assert!(all(kind, &twice) == Ok(bytes.repeat(2)), "{program} {words:?}, two of them");
    }
}

/// Windows that containerd's library takes, which the zstd program takes only when it is told to.
#[test]
fn large_windows() {
    let plain = text(100_000);
    for window in [27, 28, 29] {
        let packed = piped("zstd", &["-q", "-1", &format!("--long={window}"), "-c"], &plain);
        assert!(all(Compression::Zstd, &packed).unwrap() == plain, "{window}");
    }
    // By hand, as zstd makes them for long inputs only: neither size nor checksum; the window; a last
    // block of two bytes as they are.
    for (log, good) in [(27, true), (28, true), (29, true), (30, false), (41, false)] {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 0x11, 0, 0, b'a', b'b'];
        let done = all(Compression::Zstd, &frame);
        assert_eq!(done.is_ok(), good, "2^{log}: {done:?}");
    }
    let packed = piped("zstd", &["-q", "-1", "--long=30", "-c"], &plain);
    let error = all(Compression::Zstd, &packed).unwrap_err();
    assert!(error.to_string().contains("its window has more than 512 MiB"), "{error}");
}

#[test]
fn what_follows_is_counted_and_placed() {
    for (kind, stream) in [
        (Compression::Gzip, gzip(b"ab")),
        (Compression::Zstd, zstd(b"ab")),
        (Compression::Xz, xz(b"ab")),
        (Compression::Bzip2, bzip2(b"ab")),
    ] {
        for (rest, other) in [(&b"\0\0x\0y"[..], 2), (b"rest", 4)] {
            let broken = all(kind, &[&stream[..], rest].concat()).unwrap_err();
            assert_eq!(broken.offset, stream.len() as u64);
            assert_eq!(broken.compression, kind);
            let bytes = rest.len() as u64;
            assert_eq!(broken.fault, StreamFault::Behind { bytes, other });
        }
    }
}

/// A stream that is cut anywhere ends in the middle, or where a member does.
#[test]
fn cut_anywhere() {
    let body = text(20_000);
    for (kind, stream) in [
        (Compression::Gzip, gzip(&body)),
        (Compression::Zstd, zstd(&body)),
        (Compression::Xz, xz(&body)),
        (Compression::Bzip2, bzip2(&body)),
    ] {
        for cut in 1..stream.len() {
            let broken = all(kind, &stream[..cut]).unwrap_err();
            assert_eq!((broken.offset, broken.fault), (cut as u64, StreamFault::Cut));
        }
        let two = [&stream[..], &stream].concat();
        for cut in stream.len()..two.len() {
            let done = all(kind, &two[..cut]);
            assert_eq!(done.is_ok(), cut == stream.len(), "{cut}");
        }
    }
}

/// No bit of a gzip stream can change and make other bytes: it is noticed, or says nothing of them.
#[test]
fn no_bit_changes_unnoticed() {
    let body = text(3_000);
    let stream = gzip(&body);
    for bit in 0..stream.len() * 8 {
        let (at, mut bad) = (bit / 8, stream.clone());
        bad[at] ^= 1 << (bit % 8);
        let done = all(Compression::Gzip, &bad);
        match done {
            // Time and system, bits behind the last block's end; another distance in a run.
            Ok(same) => assert!(same == body, "bit {bit}"),
            Err(broken) => {
                assert!(
                    broken.offset <= stream.len() as u64 && !(4..10).contains(&at),
                    "bit {bit}"
                );
                // It shows where that is read, and decoders read 8 bytes ahead at most.
                let ahead = at.min(stream.len() - 8) as u64;
                assert!(broken.offset + 8 >= ahead, "bit {bit}: byte {}", broken.offset);
            }
        }
    }
    for (at, checksum) in [(8, true), (1, false)] {
        let mut bad = stream.clone();
        let at = bad.len() - at;
        bad[at] ^= 0x10;
        let broken = all(Compression::Gzip, &bad).unwrap_err();
        assert_eq!(broken.offset, stream.len() as u64 - 8, "where the trailer begins");
        for piece in [1, 3, 5, 8, 1000] {
            let other = pushed(Compression::Gzip, &bad, piece, 4096).unwrap_err();
            assert_eq!(other, broken, "in pieces of {piece}");
        }
        assert_eq!(matches!(broken.fault, StreamFault::Checksum { .. }), checksum);
        assert_eq!(matches!(broken.fault, StreamFault::Length { .. }), !checksum);
    }
}

#[test]
fn a_ratio_counts_from_256_mib_on() {
    const FREE: u64 = 256 << 20;
    let mut encoder = GzEncoder::new(Vec::new(), Level::best());
    encoder.write_all(&vec![0; 64 << 20]).unwrap();
    let member = encoder.finish().unwrap();
    let read = |members: usize, ratio: u64| {
        let stream = member.repeat(members);
        let stream = Uncompressed::new(Compression::Gzip, &stream[..]).unwrap();
        let stream = stream.limits(Limits::new().max_ratio(ratio));
        std::io::copy(&mut { stream }, &mut std::io::sink())
    };
    assert_eq!(read(4, 1).unwrap(), FREE, "so many are free");
    let error = read(5, 200).unwrap_err();
    let broken = error.get_ref().unwrap().downcast_ref::<BrokenStream>().unwrap();
    let StreamFault::Ratio { made, used, max_ratio: 200 } = broken.fault else {
        panic!("{broken}")
    };
    assert!(made > FREE && made < FREE + (1 << 20) && made / 200 > used, "{broken}");
    assert_eq!(read(5, 1033).unwrap(), 5 * (64 << 20));
}
