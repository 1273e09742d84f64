//! What must hold for any bytes: no panic, no dependence on how the stream is cut, no silent
//! truncation, no time or memory that does not follow the bytes.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

mod tar_kit;

use std::time::{Duration, Instant};

use erofs_tarfs::limits::Limits;
use erofs_tarfs::tar::{ErrorKind, Event, ParseOptions, Parser};
use tar_kit::*;

/// A tar with every kind of header that the parser knows.
fn sample() -> Vec<u8> {
    let v10: [(&str, &[u8]); 4] = [
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"sparse10"),
        ("GNU.sparse.realsize", b"10000"),
    ];
    let v01: [(&str, &[u8]); 3] =
        [("GNU.sparse.size", b"99"), ("GNU.sparse.numblocks", b"1"), ("GNU.sparse.map", b"9,3")];
    let v00: [(&str, &[u8]); 3] =
        [("GNU.sparse.size", b"99"), ("GNU.sparse.offset", b"9"), ("GNU.sparse.numbytes", b"3")];
    let mut extension_block = format!("{:011o}\0{:011o}\0", 4096, 100).into_bytes();
    extension_block.resize(512, 0);
    [
        Header::new(b'V', "label", 0).gnu().block(),
        global(&[("uid", b"5"), ("SCHILY.xattr.user.g", b"v")]),
        Header::new(b'5', "d/", 0).block(),
        pax(&[("path", b"d/pax"), ("mtime", b"-1.5"), ("SCHILY.xattr.user.a", b"\n\0")]),
        file("d/f", &[b'y'; 700]),
        extension(b'L', b"d/long\0"),
        extension(b'K', b"long target\0"),
        Header::new(b'2', "l", 0).link("t").gnu().block(),
        Header::new(b'1', "h", 0).link("d/f").block(),
        Header::new(b'3', "c", 0).device(b"0000001\0", b"0000003\0").block(),
        Header::new(b'6', "p", 0).block(),
        Header::new(b'S', "s", 612)
            .gnu()
            .sparse(&[(0, 512); 1], 5000, false)
            .set(398 + 12, b"00000001000\0")
            .set(422, b"00000000000\0")
            .set(434, b"00000001000\0")
            .set(446, b"00000000000\0")
            .set(458, b"00000001000\0")
            .set(470, b"00000000000\0")
            .set(482, b"\x01")
            .block(),
        extension_block,
        padded(&[b's'; 612]),
        [pax(&v10), file("x", &[&padded(b"1\n512\n300\n")[..], &[b'm'; 300]].concat())].concat(),
        [pax(&v01), file("v01", b"abc")].concat(),
        [pax(&v00), file("v00", b"abc")].concat(),
        file("empty", b""),
        END.to_vec(),
    ]
    .concat()
}

/// A tar without global headers, so that most of its entries go the parser's short way, and some
/// between them do not.
fn plain() -> Vec<u8> {
    [
        Header::new(b'5', "d/", 0).block(),
        file("d/f", &[b'y'; 700]),
        Header::new(b'1', "h", 0).link("d/f").gnu().block(),
        Header::new(b'2', "l", 0).link("t").v7().block(),
        pax(&[("mtime", b"-1.5")]),
        file("d/pax", b"z"),
        with_body(&Header::new(b'0', "name", 3).set(345, b"prefix"), b"abc"),
        Header::new(b'0', "large", 0).set(108, b"\x80\0\0\0\0\x20\0\0").block(),
        Header::new(b'5', "sized/", 5).block(),
        Header::new(b'6', "p", 0).block(),
        file("last", &[b'z'; 512]),
        END.to_vec(),
    ]
    .concat()
}

#[test]
fn the_sample_has_everything() {
    let (got, end) = read(&sample()).unwrap();
    let paths: Vec<_> = got.iter().map(Read::path).collect();
    let want = ["d/", "d/pax", "d/long", "h", "c", "p", "s", "sparse10", "v01", "v00", "empty"];
    assert_eq!(paths, want);
    assert_eq!((end.entries, end.skipped_labels), (11, 1));
    assert_eq!(got[6].content()[4096..4196], [b's'; 100]);
}

#[test]
fn a_tar_cut_at_any_byte_is_refused_or_whole_as_far_as_it_goes() {
    let tar = sample();
    let (all, _) = read(&tar).unwrap();
    // Where a cut loses nothing of an entry: from the end of a body to the end of its padding,
    // and in the end marker.
    let marker = tar.len() as u64 - 1024;
    let mut whole = vec![0..=0, 0..=512, marker..=tar.len() as u64];
    whole.extend(all.iter().map(|e| {
        let end = e.data_offset + e.stored;
        end..=end.next_multiple_of(512)
    }));
    // The label at the start, and the global header after it, announce no entry.
    let globals = record("uid", b"5").len() + record("SCHILY.xattr.user.g", b"v").len();
    whole[1] = 512..=512;
    whole.push(1024 + globals as u64..=1536);
    for cut in 0..tar.len() {
        let result = read_in(&tar[..cut], 4096, &ParseOptions::default());
        let at = cut as u64;
        let complete = whole.iter().any(|range| range.contains(&at));
        match result {
            Ok((got, end)) => {
                assert!(complete, "a cut at {cut} passes");
                assert_eq!(got, all[..got.len()]);
                assert_eq!(end.bytes, at);
            }
            Err(error) => {
                assert!(!complete, "a cut at {cut} is refused: {error}");
                assert!(matches!(error.kind(), ErrorKind::Truncated { .. }), "{cut}: {error}");
            }
        }
    }
}

/// A small generator of numbers that are the same on each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % n
    }
}

fn reseal(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

#[test]
fn no_changed_header_byte_panics_or_depends_on_the_pieces() {
    let mut refused = 0;
    let tars = [sample(), plain()];
    for (tar, at) in tars.iter().flat_map(|tar| (0..tar.len() - 1024).map(move |at| (tar, at))) {
        for (flip, sealed) in [(0x80, false), (0xff, true), (1, true), (b'0', true), (0x40, true)] {
            let mut tar = tar.clone();
            tar[at] ^= flip;
            // Every block is resealed, those that are no headers too: they are changed bytes.
            if sealed && !(148..156).contains(&(at % 512)) {
                reseal(&mut tar[at / 512 * 512..][..512]);
            }
            let whole = read_in(&tar, usize::MAX, &ParseOptions::default());
            assert_eq!(read_in(&tar, 100, &ParseOptions::default()), whole);
            refused += usize::from(whole.is_err());
        }
    }
    assert!(refused > 1000, "only {refused} were refused");
}

/// Path, offset and size of each entry, and how it ends, where no body is asked for.
fn bodies_unread(tar: &[u8], chunk: usize, options: &ParseOptions) -> (Vec<String>, String) {
    let mut parser = Parser::new(options.clone());
    let mut entries = Vec::new();
    for mut piece in tar.chunks(chunk.min(tar.len())) {
        loop {
            let step = match parser.push(piece) {
                Ok(step) => step,
                Err(error) => return (entries, error.to_string()),
            };
            piece = &piece[step.consumed..];
            match step.event {
                Event::NeedInput => break,
                event => entries.push(format!("{event:?}")),
            }
        }
    }
    (entries, format!("{:?}", parser.finish()))
}

#[test]
fn random_damage_neither_panics_nor_depends_on_the_pieces() {
    let tars = [sample(), plain()];
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let options = ParseOptions::new().skip_unknown_types(true);
    let (mut passed, mut refused) = (0, 0);
    for run in 0..6000 {
        let mut tar = tars[run % 2].clone();
        for _ in 0..1 + numbers.below(4) {
            let block = numbers.below(tar.len() / 512) * 512;
            match numbers.below(4) {
                0 => tar[block + numbers.below(512)] = numbers.below(256) as u8,
                1 => {
                    let from = numbers.below(tar.len() / 512) * 512;
                    tar.copy_within(from..from + 512, block);
                }
                2 => drop(tar.drain(block..block + 512)),
                _ => {
                    tar[block + numbers.below(512)] = b" 0179=\n\0\x80\xff"[numbers.below(10)];
                    reseal(&mut tar[block..block + 512]);
                }
            }
        }
        let whole = read_in(&tar, usize::MAX, &options);
        let chunk = 1 + numbers.below(2000);
        assert_eq!(read_in(&tar, chunk, &options), whole, "in pieces of {chunk}");
        assert_eq!(bodies_unread(&tar, usize::MAX, &options), bodies_unread(&tar, 100, &options));
        *if whole.is_ok() { &mut passed } else { &mut refused } += 1;
    }
    assert!(passed > 100 && refused > 100, "{passed} passed, {refused} refused");
}

#[test]
fn skipping_bodies_finds_the_same_entries() {
    let mut numbers = Numbers(7);
    for run in 0..400 {
        let tar = if run % 2 == 0 { sample() } else { plain() };
        let (want, _) = read(&tar).unwrap();
        let mut parser = Parser::new(ParseOptions::default());
        let (mut at, mut got) = (0, Vec::new());
        while at < tar.len() {
            let skip = parser.skippable();
            if skip > 0 && numbers.below(4) > 0 {
                let n = 1 + numbers.below(skip as usize);
                parser.skip(n as u64).unwrap();
                at += n;
                continue;
            }
            let piece = 1 + numbers.below(1500.min(tar.len() - at));
            let step = parser.push(&tar[at..at + piece]).unwrap();
            at += step.consumed;
            match step.event {
                Event::Entry(e) => got.push((e.path.to_vec(), e.data_offset, e.stored)),
                Event::Data(_) => panic!("nobody asked for bodies"),
                Event::NeedInput => assert_eq!(step.consumed, piece),
            }
            assert_eq!(parser.position(), at as u64);
        }
        let end = parser.finish().unwrap();
        assert_eq!(end.bytes, tar.len() as u64);
        let want: Vec<_> = want.iter().map(|e| (e.path.clone(), e.data_offset, e.stored)).collect();
        assert_eq!(got, want);
    }
}

#[test]
fn skipping_too_far_is_refused_and_changes_nothing() {
    let tar = sample();
    let mut parser = Parser::new(ParseOptions::default());
    assert_eq!(parser.skip(1).unwrap_err().kind(), &ErrorKind::Skip { asked: 1, available: 0 });
    parser.skip(0).unwrap();
    let mut at = 0;
    while parser.skippable() == 0 {
        at += parser.push(&tar[at..]).unwrap().consumed;
    }
    assert_eq!(parser.skippable(), 1024);
    let error = parser.skip(1025).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Skip { asked: 1025, available: 1024 });
    parser.skip(1024).unwrap();
    at += 1024;
    let step = parser.push(&tar[at..]).unwrap();
    assert!(matches!(step.event, Event::Entry(e) if e.path == b"d/long"));
    // After the end marker anything may be skipped.
    let mut parser = Parser::new(ParseOptions::default());
    parser.push(&END).unwrap();
    parser.skip(1 << 40).unwrap();
    assert!(parser.skip(u64::MAX - 5000).is_err(), "past 2^63");
    parser.push(&END).unwrap();
    assert_eq!(parser.finish().unwrap().trailing, (1 << 40) + 1024);
}

#[test]
fn an_error_stays() {
    let mut parser = Parser::new(ParseOptions::default());
    let first = parser.push(&[b'x'; 512]).unwrap_err();
    assert_eq!(parser.push(&END).unwrap_err(), first);
    assert_eq!(parser.skip(0).unwrap_err(), first);
    assert_eq!(parser.finish().unwrap_err(), first);
}

#[test]
fn an_error_names_no_more_than_a_bounded_path() {
    let path = "p".repeat(60_000);
    let parts =
        [pax(&[("path", path.as_bytes())]), Header::new(b'0', "d", 0).set(100, b"x").block()];
    let error = read(&parts.concat()).unwrap_err();
    assert_eq!(error.path().unwrap(), &path.as_bytes()[..256]);
    let odd = Header::new(b'5', "", 0).set(100, b"x").set(0, b"a\n\xff\"").block();
    assert!(read(&odd).unwrap_err().to_string().starts_with(r#"entry "a\n\xff\"" at byte 0: "#));
}

/// Reads once, in one piece, and says how long that took.
fn timed(tar: &[u8], options: &ParseOptions) -> (usize, Duration) {
    let start = Instant::now();
    let (got, _) = read_in(tar, usize::MAX, options).unwrap();
    (got.len(), start.elapsed())
}

#[test]
fn time_follows_the_bytes() {
    let many = |i: usize, n: usize| {
        let records: Vec<u8> = (0..n)
            .flat_map(|j| record(&format!("SCHILY.xattr.{:05}", j * (i + 7) % n), b"v"))
            .collect();
        [extension(b'x', &records), file("f", b"")].concat()
    };
    // 30,000 distinct attributes an entry; 3,000 global ones under entries with their own.
    let distinct: Vec<u8> = (0..20).flat_map(|i| many(i, 30_000)).collect();
    let mut globals = global(
        &(0..3000)
            .map(|i| (format!("SCHILY.xattr.{i:04}"), b"v"))
            .collect::<Vec<_>>()
            .iter()
            .map(|(k, v)| (&**k, &v[..]))
            .collect::<Vec<_>>(),
    );
    for i in 0..200 {
        globals.extend(many(i, 1));
        globals.extend(global(&[("uid", b"1")]));
    }
    let map: String = (0..50_000).map(|i| format!("{},1,", i * 2)).collect();
    let records: [(&str, &[u8]); 2] =
        [("GNU.sparse.size", b"100000"), ("GNU.sparse.map", map.trim_end_matches(',').as_bytes())];
    let sparse = [pax(&records), file("s", &[1; 50_000])].concat();
    let long = [extension(b'L', &[b'n'; 60_000]), file("f", b"")].concat().repeat(20);
    for (tar, entries) in [(distinct, 20), (globals, 200), (sparse, 1), (long, 20)] {
        // More global ones than are taken by default.
        let options = ParseOptions::new().limits(Limits::new().max_global_xattr_bytes(1 << 16));
        let (got, took) = timed(&tar, &options);
        assert_eq!(got, entries);
        assert!(took < Duration::from_secs(10), "{} bytes took {took:?}", tar.len());
    }
}

#[test]
fn memory_does_not_follow_a_length_field() {
    // Each claims what never comes; had the parser reserved it, this would not end well.
    let limits = Limits::new().max_extension_bytes(u64::MAX).max_sparse_segments(u64::MAX);
    let options = ParseOptions::new().limits(limits);
    let huge = |kind| {
        Header::new(kind, "x", 0).set(124, b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xf0\0").block()
    };
    let v10: [(&str, &[u8]); 3] =
        [("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.realsize", b"1")];
    let map = [pax(&v10), file("x", &padded(b"18446744073709551615\n"))].concat();
    for tar in [huge(b'x'), huge(b'g'), huge(b'L'), huge(b'K'), huge(b'0'), map] {
        let error = read_with(&tar, &options).unwrap_err();
        assert!(!error.to_string().is_empty());
    }
}
