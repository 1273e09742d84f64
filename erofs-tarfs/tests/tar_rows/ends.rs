//! How tars end, what is no tar, and the limits of the parser.

use erofs_tarfs::limits::Limits;
use erofs_tarfs::tar::{
    Compression, EndMarker, Error, ErrorKind, Event, ParseOptions, Parser, Part,
};

use super::strict;
use super::tar_kit::*;

#[test]
fn zeros_and_then_other_bytes_are_no_tar() {
    // As an ext4 image begins.
    for zeros in [1024, 1536, 4096, 100_000] {
        let error = read(&[&vec![0; zeros][..], b"\x01"].concat()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("tar at byte {zeros}: not a tar")), "{error}");
    }
    // An empty tar, and one that something follows.
    assert!(read(&[0; 10_240]).is_ok());
    let tar = [&file("a", b"")[..], &[0; 1024], b"another"].concat();
    assert!(read(&tar).is_ok());
}

#[test]
fn an_archive_ends_in_two_zero_blocks_or_one_or_none() {
    let f = file("f", b"x");
    let zeros = |n| vec![0; n];
    for (tar, marker) in [
        ([&f[..], &END].concat(), EndMarker::TwoBlocks),
        ([&f[..], &zeros(512)].concat(), EndMarker::OneBlock),
        ([&f[..], &zeros(600)].concat(), EndMarker::OneBlock),
        (f.clone(), EndMarker::None),
        ([&f[..], &zeros(100)].concat(), EndMarker::None),
        (zeros(0), EndMarker::None),
        (zeros(1024), EndMarker::TwoBlocks),
    ] {
        let (got, end) = read(&tar).unwrap();
        assert_eq!(got.len(), usize::from(tar.starts_with(b"f")));
        assert_eq!((end.marker, end.bytes, end.trailing), (marker, tar.len() as u64, 0));
        let refused = read_with(&tar, &strict()).err();
        assert_eq!(refused.is_none(), marker == EndMarker::TwoBlocks, "{refused:?}");
        if let Some(error) = refused {
            assert_eq!(error.kind(), &ErrorKind::NoEndMarker(marker));
        }
    }
}

#[test]
fn a_lone_zero_block_is_refused() {
    for next in [file("b", b"x"), vec![1; 512]] {
        let error = read(&[&file("a", b"")[..], &[0; 512], &next, &END].concat()).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (&ErrorKind::LoneZeroBlock, 512));
    }
}

#[test]
fn what_follows_the_end_marker_is_consumed_and_ignored() {
    let tail = [&file("second archive", b"x")[..], &[0xee; 70_001]].concat();
    let tar = [&file("a", b"")[..], &END, &tail].concat();
    let (got, end) = read_with(&tar, &ParseOptions::default()).unwrap();
    assert_eq!((got.len(), end.entries), (1, 1));
    assert_eq!((end.bytes, end.trailing), (tar.len() as u64, tail.len() as u64));
    assert!(!end.is_whole_blocks());
}

/// Pushes all of it.
fn all_of(parser: &mut Parser, mut tar: &[u8]) -> Result<(), Error> {
    loop {
        let step = parser.push(tar)?;
        tar = &tar[step.consumed..];
        if matches!(step.event, Event::NeedInput) {
            return Ok(());
        }
    }
}

/// A link that states `size` bytes, which `body` are, an entry behind them, and the end.
fn link_with(size: u64, body: &[u8]) -> Vec<u8> {
    let link = Header::new(b'1', "l", size).link("a").block();
    [&file("a", b"x"), &link, body, &file("behind", b"y"), &END[..]].concat()
}

#[test]
fn an_end_within_a_links_own_bytes_is_refused_where_entries_are_behind_them() {
    let tar = [&file("in", b"z")[..], &END].concat();
    let size = tar.len() as u64;
    for (tar, size) in [
        (link_with(1024, &[0; 1024]), 1024),
        (link_with(1025, &[0; 1536]), 1025),
        (link_with(70_000, &padded(&[0; 70_000])), 70_000),
        (link_with(4096, &[&[0; 1024][..], &[7; 3072]].concat()), 4096),
        // A link to a tar: it would show what is in that, and nothing of what is behind it.
        (link_with(size, &tar), size),
        // Two of them, one behind the other: the first is named.
        ([&link_with(2048, &[0; 2048])[..2048 + 1536], &link_with(512, &[1; 512])].concat(), 2048),
        // The size in a pax record, and with a path for errors from there.
        (
            [
                &pax(&[("size", b"4096"), ("path", b"l")])[..],
                &Header::new(b'1', "short", 0).link("a").block(),
                &[0; 4096],
                &pax(&[("path", b"behind")]),
                &file("short", b""),
                &END,
            ]
            .concat(),
            4096,
        ),
    ] {
        for piece in [1, 100, 512, 4096, 1 << 20] {
            let mut parser = Parser::new(ParseOptions::default());
            let mut pieces = tar.chunks(piece);
            let error = pieces.find_map(|piece| all_of(&mut parser, piece).err()).unwrap();
            assert_eq!(error.kind(), &ErrorKind::LinkBody { size });
            assert_eq!(error.path().unwrap(), b"l");
            assert_eq!(parser.finish().unwrap_err(), error);
        }
    }
}

#[test]
fn an_end_within_what_a_link_states_is_an_end_where_nothing_is_behind() {
    let link = Header::new(b'1', "l", 70_000).link("a").block();
    let link = [file("a", b"x"), link].concat();
    let of_kind = |kind| Header::new(kind, "l", 4096).link("a").block();
    for tail in [
        &[0; 1024][..],
        &[0; 9216],
        &[0; 70_100],
        // No entry of the archive, in any reading.
        &[&[0; 70_144][..], &[7; 1024]].concat(),
        &[&[0; 1024][..], &[7; 512]].concat(),
        // A second archive, which is not where the bytes would end.
        &[&END[..], &file("second", b"x"), &END].concat(),
    ] {
        let (got, end) = read(&[&link[..], tail].concat()).unwrap();
        assert_eq!((got.len(), end.sizes_ignored, end.marker), (2, 1, EndMarker::TwoBlocks));
        assert_eq!(end.trailing, tail.len() as u64 - 1024);
    }
    // Writers that state a size and write no bytes: nothing is lost.
    for kind in [b'1', b'2', b'5'] {
        let tar = [&of_kind(kind)[..], &file("f", &[b'x'; 9000]), &END].concat();
        assert_eq!(read(&tar).unwrap().0.len(), 2);
        let tar = [&of_kind(kind)[..], &file("f", b""), &END, &file("second", b"")].concat();
        assert_eq!(read(&tar).unwrap().0.len(), 2);
    }
}

#[test]
fn who_skips_behind_the_end_answers_for_it() {
    let tar = link_with(8192, &[0; 8192]);
    let marker = 1024 + 512 + 1024; // behind it
    for (skips, refused) in
        [(&[0, 1, 7167][..], true), (&[7168], true), (&[7169], false), (&[7168 + 512], false)]
    {
        let mut parser = Parser::new(ParseOptions::default());
        all_of(&mut parser, &tar[..marker]).unwrap();
        skips.iter().for_each(|&n| parser.skip(n).unwrap());
        let rest = &tar[marker + skips.iter().sum::<u64>() as usize..];
        assert_eq!(all_of(&mut parser, rest).is_err(), refused, "{skips:?}");
        if !refused {
            assert_eq!(parser.finish().unwrap().trailing, (tar.len() - marker) as u64);
        }
    }
    // In the middle of the block that is looked at.
    let mut parser = Parser::new(ParseOptions::default());
    all_of(&mut parser, &tar[..marker + 7168 + 100]).unwrap();
    parser.skip(0).unwrap();
    parser.skip(412).unwrap();
    all_of(&mut parser, &tar[marker + 7168 + 512..]).unwrap();
    assert_eq!(parser.finish().unwrap().bytes, tar.len() as u64);
}

#[test]
fn a_truncated_tar_is_refused_with_what_is_missing() {
    let x = pax(&[("comment", &[b'x'; 700])]);
    let tar = [&x[..], &file("dir/f", &[b'y'; 700])].concat();
    for (len, part, missing, offset) in [
        (100, Part::Header, 412, 0),
        (512, Part::Extension, 713, 0),
        (1000, Part::Extension, 713 - 488, 0),
        (1536, Part::Entry, 512, 1536),
        (1540, Part::Header, 508, 1536),
        (2048, Part::Body, 700, 1536),
        (2100, Part::Body, 648, 1536),
    ] {
        let error = read(&tar[..len]).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Truncated { part, missing }, "at {len}");
        assert_eq!(error.offset(), offset, "at {len}");
    }
    let error = read(&tar[..2100]).unwrap_err().to_string();
    assert_eq!(error, "entry \"dir/f\" at byte 1536: the stream ends in its body, 648 bytes short");
    let sparse = Header::new(b'S', "s", 0).gnu().sparse(&[(0, 1); 4], 9, true);
    assert!(read(&sparse.block()).is_err());
    let sparse = Header::new(b'S', "s", 0).gnu().sparse(&[(0, 0); 4], 9, true);
    let error = read(&sparse.block()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Truncated { part: Part::SparseMap, missing: 512 });
    // Both GNU tar and Go accept extension headers before the end marker.
    assert_eq!(entries(&[&x]).len(), 0);
}

#[test]
fn a_length_that_is_no_multiple_of_512_is_reported_or_refused() {
    let options = ParseOptions::new().refuse_partial_last_block(true);
    let tar = file("f", b"hello");
    let cut = &tar[..600];
    let (got, end) = read(cut).unwrap();
    assert_eq!((&*got[0].body, end.bytes, end.is_whole_blocks()), (&b"hello"[..], 600, false));
    let error = read_with(cut, &options).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (&ErrorKind::PartialLastBlock { bytes: 88 }, 512));
    assert!(read_with(&tar, &options).unwrap().1.is_whole_blocks());
}

#[test]
fn compressed_streams_are_named() {
    for (magic, found) in [
        (&b"\x1f\x8b\x08\0"[..], Compression::Gzip),
        (b"\x28\xb5\x2f\xfd", Compression::Zstd),
        (b"\xfd7zXZ\0", Compression::Xz),
        (b"BZh91AY&SY", Compression::Bzip2),
    ] {
        for len in [magic.len(), 511, 512, 5000] {
            let mut stream = magic.to_vec();
            stream.resize(len, b'z');
            let error = read(&stream).unwrap_err();
            assert_eq!((error.kind(), error.offset()), (&ErrorKind::Compressed(found), 0));
            assert!(error.to_string().contains(found.name()));
        }
    }
    // A sound header is a tar, whatever its first file is called.
    assert_eq!(entries(&[&file("BZh9", b"x")])[0].path(), "BZh9");
}

#[test]
fn limits_are_kept() {
    let limited = |set: fn(Limits) -> Limits, parts: &[&[u8]]| {
        let options = ParseOptions::new().limits(set(Limits::new()));
        let tar = parts.concat();
        assert!(read(&tar).is_ok(), "the default takes it");
        let ErrorKind::Limit(over) = *read_with(&tar, &options).unwrap_err().kind() else {
            panic!("not a limit")
        };
        over.limit.name()
    };
    let f = file("f234567890", b"");
    let x = pax(&[("SCHILY.xattr.user.a", b"12345"), ("SCHILY.xattr.user.b", b"12345")]);
    let g = global(&[("SCHILY.xattr.user.a", b"12345"), ("SCHILY.xattr.user.b", b"12345")]);
    let map = pax(&[("GNU.sparse.size", b"9"), ("GNU.sparse.map", b"1,0,2,0,3,0")]);
    assert_eq!(limited(|o| o.max_path_bytes(9), &[&f]), "max_path_bytes");
    assert_eq!(
        limited(|o| o.max_path_bytes(9), &[&extension(b'L', b"0123456789"), &f]),
        "max_path_bytes"
    );
    let link = Header::new(b'2', "l", 0).link("0123456789").block();
    assert_eq!(limited(|o| o.max_path_bytes(9), &[&link]), "max_path_bytes");
    assert_eq!(limited(|o| o.max_extension_bytes(60), &[&x, &x, &f]), "max_extension_bytes");
    assert_eq!(limited(|o| o.max_extension_bytes(50), &[&g, &f]), "max_extension_bytes");
    assert_eq!(limited(|o| o.max_xattr_bytes(21), &[&x, &f]), "max_xattr_bytes");
    assert_eq!(limited(|o| o.max_global_xattr_bytes(53), &[&g, &f]), "max_global_xattr_bytes");
    let g = global(&[("path", b"12345"), ("linkpath", b"123456")]);
    assert_eq!(limited(|o| o.max_global_path_bytes(5), &[&g, &f]), "max_global_path_bytes");
    let g = global(&[("SCHILY.acl.access", b"u::rwx"), ("RHT.security.selinux", b"label")]);
    assert_eq!(limited(|o| o.max_global_xattr_bytes(10), &[&g, &f]), "max_global_xattr_bytes");
    assert_eq!(limited(|o| o.max_sparse_segments(2), &[&map, &f]), "max_sparse_segments");
    // The sum counts since the last entry, not in all.
    let options = ParseOptions::new().limits(Limits::new().max_extension_bytes(70));
    assert_eq!(read_with(&[&x[..], &f, &x, &f].concat(), &options).unwrap().0.len(), 2);
}

#[test]
fn sizes_past_2_63_are_refused() {
    for size in ["9223372036854775808", "9223372036854775807"] {
        let error = refused(&[&pax(&[("size", size.as_bytes())]), &file("f", b"")]);
        assert!(error.contains("size"), "{error}");
    }
}
