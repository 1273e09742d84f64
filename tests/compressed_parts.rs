//! Streams of many members and frames, decompressed by several threads: what comes out, and what is wrong, is what one
//! thread makes of them.

use std::fmt::Debug;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use erofs_tarfs::io::{BrokenStream, Compression, StreamFault, Uncompressed};
use erofs_tarfs::limits::Limits;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use testkit::program::piped;
use testkit::rng::Rng;

const KINDS: [Compression; 2] = [Compression::Gzip, Compression::Zstd];

/// What members and frames begin with, to be planted where none does.
const HEADS: [&[u8]; 2] =
    [b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b"\x28\xb5\x2f\xfd\x04\x58\x09\x00\x00ab"];

/// One member or frame.
fn packed(kind: Compression, level: i32, bytes: &[u8]) -> Vec<u8> {
    match kind {
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Level::new(level as u32));
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        _ => zstd::encode_all(bytes, level).unwrap(),
    }
}

/// Bytes of some kind: text, or noise, which is stored as it is, with false heads in it.
fn body(rng: &mut Rng, len: usize) -> Vec<u8> {
    if rng.below(2) == 0 {
        let words: Vec<_> = (0..64).map(|_| rng.bytes(7)).collect();
        let mut out = Vec::new();
        while out.len() < len {
            out.extend_from_slice(&words[rng.below(64) as usize]);
        }
        out.truncate(len);
        return out;
    }
    let mut out = rng.bytes(len);
    for _ in 0..rng.below(8) {
        let head = HEADS[rng.below(2) as usize];
        if let Some(end) = len.checked_sub(head.len()).filter(|end| *end > 0) {
            let at = rng.below(end as u64) as usize;
            out[at..at + head.len()].copy_from_slice(head);
        }
    }
    out
}

/// A stream of members or frames of many sizes, and what is in it.
fn stream(rng: &mut Rng, kind: Compression) -> (Vec<u8>, Vec<u8>) {
    let (mut stream, mut plain) = (Vec::new(), Vec::new());
    let most = [2_000, 40_000, 700_000][rng.below(3) as usize];
    while stream.len() < 2 << 20 && plain.len() < 5 << 20 {
        let len = rng.below(most) as usize;
        let bytes = body(rng, len);
        let level = [0, 1, 6][rng.below(3) as usize];
        stream.extend(packed(kind, if kind == Compression::Zstd { 1 } else { level }, &bytes));
        plain.extend(bytes);
        if kind == Compression::Zstd && rng.below(4) == 0 {
            stream.extend(b"\x50\x2a\x4d\x18\x0a\x00\x00\x00\x28\xb5\x2f\xfd\x04\x58\x09\x00\x00a");
        }
    }
    if rng.below(2) == 0 {
        stream.resize(stream.len() + rng.below(300_000) as usize, 0);
    }
    (stream, plain)
}

/// A reader that gives so many bytes at a time, and is interrupted now and then.
struct Few<'a>(&'a [u8], usize, bool);

impl Read for Few<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.2 = !self.2;
        if self.2 {
            return Err(ErrorKind::Interrupted.into());
        }
        let len = buf.len().min(self.1);
        self.0.read(&mut buf[..len])
    }
}

type Outcome = (Vec<u8>, u64, Result<(), BrokenStream>);

fn read(kind: Compression, from: impl Read, threads: usize) -> Outcome {
    let mut stream = Uncompressed::new(kind, from).unwrap().threads(threads);
    let mut out = Vec::new();
    let done = match stream.read_to_end(&mut out) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.get_ref().unwrap().downcast_ref::<BrokenStream>().unwrap().clone()),
    };
    let again = stream.read(&mut [0; 8]);
    assert_eq!(again.is_ok(), done.is_ok(), "it stays as it is: {again:?}");
    (out, stream.used(), done)
}

/// Holds streams read by several threads against what one makes of them. Where a fault is zstd says only by how
/// much it was given at once.
#[track_caller]
fn same(kind: Compression, bytes: &[u8], threads: usize, what: impl Debug) {
    let (plain, used, done) = read(kind, bytes, 0);
    for piece in [0, 100_000] {
        let (found, all, other) = match piece {
            0 => read(kind, bytes, threads),
            _ => read(kind, Few(bytes, piece, false), threads),
        };
        let what = format!("{what:?}: {kind}, {threads} threads, pieces of {piece}");
        match (&done, &other) {
            (Ok(()), Ok(())) => {
                assert!(found == plain, "{what}: other bytes");
                assert_eq!(all, used, "{what}");
            }
            (Err(one), Err(two)) if kind == Compression::Gzip => assert_eq!(one, two, "{what}"),
            (Err(one), Err(two)) => {
                assert_eq!(one.fault, two.fault, "{what}");
                assert!(one.offset.abs_diff(two.offset) <= 512 << 10, "{what}: {one}, {two}");
            }
            _ => panic!("{what}: {done:?}, {other:?}"),
        }
    }
}

#[test]
fn many_members_are_what_one_thread_makes_of_them() {
    let mut rng = Rng::new(23);
    for number in 0..8 {
        for kind in KINDS {
            let (bytes, plain) = stream(&mut rng, kind);
            let (found, used, done) = read(kind, &bytes[..], 0);
            assert!(found == plain && used == bytes.len() as u64 && done == Ok(()), "{number}");
            same(kind, &bytes, [1, 2, 3, 8][number % 4], number);
        }
    }
}

/// Cut, changed, or followed by something: the first fault is the one that is told of.
#[test]
fn what_is_wrong_is_what_one_thread_says() {
    let mut rng = Rng::new(29);
    for number in 0..12 {
        for kind in KINDS {
            let (mut bytes, _) = stream(&mut rng, kind);
            let at = rng.below(bytes.len() as u64) as usize;
            let how = ["cut", "changed", "lost", "followed"][number % 4];
            match how {
                "cut" => bytes.truncate(at),
                "changed" => bytes[at] ^= 1 << rng.below(8),
                "lost" => drop(bytes.drain(at..(at + 70_000).min(bytes.len()))),
                _ => bytes.extend([&[0; 500][..], b"and then this"].concat()),
            }
            same(kind, &bytes, 1 + number % 3, (how, number, at));
        }
    }
}

/// Streams that look like nothing but beginnings.
#[test]
fn false_beginnings() {
    for (kind, head) in KINDS.into_iter().zip(HEADS) {
        let noise = Rng::new(31).bytes(1 << 20);
        let bodies: [(&str, Vec<u8>); 3] = [
            ("all of it", head.repeat(100_000)),
            (
                "now and then",
                noise.chunks(50_000).flat_map(|bytes| [bytes, head].concat()).collect(),
            ),
            ("none", noise),
        ];
        for (what, body) in bodies {
            // A compressor of zstd makes nothing of what repeats itself, so the block is stored by hand.
            let one = match kind {
                Compression::Gzip => packed(kind, 0, &body),
                _ => {
                    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
                    for (number, block) in body.chunks(128 << 10).enumerate() {
                        let last = (number + 1) * (128 << 10) >= body.len();
                        let header = (block.len() as u32) << 3 | u32::from(last);
                        frame.extend_from_slice(&header.to_le_bytes()[..3]);
                        frame.extend_from_slice(block);
                    }
                    frame
                }
            };
            assert!(read(kind, &one[..], 2).0 == body, "{what}");
            for members in [1, 3] {
                same(kind, &one.repeat(members), 2, what);
            }
        }
    }
}

/// What a reader had said before it failed comes first; whoever goes on gets the rest.
#[test]
fn a_reader_that_fails_once() {
    struct Fails<'a>(&'a [u8], usize);
    impl Read for Fails<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if self.1 == 0 {
                self.1 = usize::MAX;
                return Err(io::Error::other("the line is down"));
            }
            let len = buf.len().min(self.1).min(10_000);
            self.1 -= len;
            self.0.read(&mut buf[..len])
        }
    }
    let mut rng = Rng::new(37);
    for kind in KINDS {
        let (bytes, plain) = stream(&mut rng, kind);
        for threads in [0, 1, 3] {
            let from = Fails(&bytes, bytes.len() / 2);
            let mut stream = Uncompressed::new(kind, from).unwrap().threads(threads);
            let mut out = Vec::new();
            let error = stream.read_to_end(&mut out).unwrap_err();
            assert_eq!(error.to_string(), "the line is down");
            let (mut before, half) = (Vec::new(), &bytes[..bytes.len() / 2]);
            let _ = Uncompressed::new(kind, half).unwrap().read_to_end(&mut before);
            assert!(out.len() >= before.len(), "{kind}, {threads}: {} bytes", out.len());
            stream.read_to_end(&mut out).unwrap();
            assert!(out == plain, "{kind}, {threads}");
        }
    }
}

/// A reader that has come to an end, and then has more, as a file that grows.
#[test]
fn a_reader_that_ends_twice() {
    struct Grows<'a>(Vec<&'a [u8]>);
    impl Read for Grows<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            match self.0.first_mut() {
                Some([]) => {
                    self.0.remove(0);
                    Ok(0)
                }
                Some(piece) => piece.read(buf),
                None => Ok(0),
            }
        }
    }
    for kind in KINDS {
        let member = packed(kind, 1, &Rng::new(47).bytes(300_000));
        let bytes = member.repeat(6);
        let (one, two) = bytes.split_at(4 * member.len());
        for threads in [0, 2] {
            let mut stream =
                Uncompressed::new(kind, Grows(vec![one, two])).unwrap().threads(threads);
            for members in [4, 2, 0] {
                let mut out = Vec::new();
                stream.read_to_end(&mut out).unwrap();
                assert_eq!(out.len(), members * 300_000, "{kind}, {threads} threads");
            }
        }
    }
}

/// Nobody goes on for a reader that is gone, and no more is read ahead than is said.
#[test]
fn nobody_goes_on_for_nobody() {
    struct Counted<R>(R, Arc<AtomicUsize>);
    impl<R: Read> Read for Counted<R> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let len = self.0.read(buf)?;
            self.1.fetch_add(len, Ordering::Relaxed);
            Ok(len)
        }
    }
    for kind in KINDS {
        let member = packed(kind, 1, &Rng::new(41).bytes(300_000));
        let bytes = member.repeat(200);
        let counted = Arc::new(AtomicUsize::new(0));
        let from = Counted(&bytes[..], Arc::clone(&counted));
        let mut stream = Uncompressed::new(kind, from).unwrap().threads(8);
        let mut out = vec![0; 1000];
        stream.read_exact(&mut out).unwrap();
        drop(stream);
        let read = counted.load(Ordering::Relaxed);
        assert!(read < 20 << 20, "{kind}: {read} bytes of {}", bytes.len());
    }
}

#[test]
fn a_ratio_counts_over_all_parts() {
    let member = packed(Compression::Gzip, 9, &vec![0; 64 << 20]);
    let read = |members: usize, ratio: u64| {
        let bytes = member.repeat(members);
        let stream = Uncompressed::new(Compression::Gzip, &bytes[..]).unwrap().threads(2);
        let mut stream = stream.limits(Limits::new().max_ratio(ratio));
        io::copy(&mut stream, &mut io::sink())
    };
    assert_eq!(read(5, 1033).unwrap(), 5 * (64 << 20));
    let error = read(8, 200).unwrap_err();
    let broken = error.get_ref().unwrap().downcast_ref::<BrokenStream>().unwrap();
    assert!(matches!(broken.fault, StreamFault::Ratio { max_ratio: 200, .. }), "{broken}");
}

/// What programs write that have several members or frames, and their own words for what is in it.
#[test]
fn what_other_programs_write() {
    let bytes = body(&mut Rng::new(43), 12 << 20);
    let one = |program: &str, words: &[&str], bytes: &[u8]| piped(program, words, bytes);
    let each = |program: &str, words: &[&str]| -> Vec<u8> {
        bytes.chunks(1 << 20).flat_map(|piece| one(program, words, piece)).collect()
    };
    let streams = [
        ("gzip, one behind the other", Compression::Gzip, each("gzip", &["-1", "-c"])),
        ("zstd, one behind the other", Compression::Zstd, each("zstd", &["-q", "-1", "-c"])),
        // Each frame behind one that is passed over.
        ("pzstd", Compression::Zstd, one("pzstd", &["-q", "-1", "-p", "3", "-c"], &bytes)),
    ];
    for (what, kind, stream) in streams {
        let program = if kind == Compression::Gzip { "gzip" } else { "zstd" };
        assert!(one(program, &["-d", "-c"], &stream) == bytes, "{what}: the program");
        for threads in [1, 4] {
            let (found, used, done) = read(kind, &stream[..], threads);
            assert!(found == bytes && used == stream.len() as u64, "{what}, {threads}: {done:?}");
        }
    }
}
