//! Files with holes, in every form that tars have for them.

use erofs_tarfs::tar::{Kind, Segment};

use super::tar_kit::*;

fn runs(list: &[(u64, u64)]) -> Option<Vec<Segment>> {
    Some(list.iter().map(|&(offset, len)| Segment { offset, len }).collect())
}

#[test]
fn gnu_sparse_with_and_without_extension_blocks() {
    let body = [[b'a'; 512], [b'b'; 512]].concat();
    let header = Header::new(b'S', "s", 1024).gnu().sparse(
        &[(512, 512), (4096, 512), (8192, 0)],
        8192,
        false,
    );
    let got = entries(&[&header.block(), &body, &file("n", b"")]);
    assert_eq!(
        (got[0].kind, got[0].size, got[0].stored, got[0].data_offset),
        (Kind::Regular, 8192, 1024, 512)
    );
    assert_eq!(got[0].sparse, runs(&[(512, 512), (4096, 512)]));
    assert_eq!(got[0].content()[4096..4608], [b'b'; 512]);
    assert_eq!(got[1].path(), "n");

    // 4 runs in the header, 21 in a block, 5 in another, of 512 bytes each.
    let all: Vec<(u64, u64)> = (0..30).map(|i| (i * 1024, 512)).collect();
    let block = |runs: &[(u64, u64)], more: u8| {
        let mut block = Vec::new();
        for (offset, len) in runs {
            block.extend(format!("{offset:011o}\0{len:011o}\0").bytes());
        }
        block.resize(512, 0);
        block[504] = more;
        block
    };
    let header = Header::new(b'S', "s", 30 * 512).gnu().sparse(&all[..4], 31 * 1024, true);
    let body: Vec<u8> = (0..30u8).flat_map(|i| [i + 1; 512]).collect();
    let got = entries(&[
        &extension(b'L', b"long\0"),
        &header.block(),
        &block(&all[4..25], 1),
        &block(&all[25..], 0),
        &body,
        &file("n", b""),
    ]);
    assert_eq!((got[0].path(), got[0].offset, got[0].data_offset), ("long", 1024, 1024 + 3 * 512));
    assert_eq!(got[0].sparse, runs(&all));
    assert_eq!(got[0].content()[29 * 1024], 30);
    assert_eq!((got[1].path(), got[1].sparse.as_ref()), ("n", None));
}

/// As Go and libarchive read it: GNU tar takes the further block for data, and fails.
#[test]
fn a_further_block_of_a_sparse_map_may_follow_blank_and_empty_runs() {
    let more = [&b"00000010000\x0000000001000\0"[..], &[0; 488]].concat();
    for first in [&[(0, 512)][..], &[(0, 512), (1024, 0), (2048, 0), (2048, 0)]] {
        let header = Header::new(b'S', "s", 1024).gnu().sparse(first, 8192, true);
        let got = entries(&[&header.block(), &more, &[b'A'; 512], &[b'B'; 512], &file("n", b"")]);
        let runs: Vec<_> =
            got[0].sparse.iter().flatten().map(|run| (run.offset, run.len)).collect();
        assert_eq!((runs, got[0].size), (vec![(0, 512), (4096, 512)], 8192));
        assert_eq!((got[0].body.len(), got[1].path()), (1024, "n"));
    }
}

#[test]
fn unsound_sparse_maps_are_refused() {
    let s = |list: &[(u64, u64)], size, real, more| {
        let header = Header::new(b'S', "s", size).gnu().sparse(list, real, more);
        refused(&[&header.block(), &vec![1; size.next_multiple_of(512) as usize], &[0; 512]])
    };
    // An offset of -512, in base 256.
    let negative = [&[0xff; 10][..], &[0xfe, 0]].concat();
    let negative =
        Header::new(b'S', "s", 512).gnu().sparse(&[(0, 512)], 4096, false).set(386, &negative);
    for (error, rule) in [
        (s(&[(1024, 512), (512, 512)], 1024, 4096, false), "runs are in order"),
        (s(&[(0, 512), (511, 512)], 1024, 4096, false), "runs are in order"),
        (s(&[(4096, 512)], 512, 4096, false), "within the file's length"),
        (s(&[(8192, 0)], 0, 4096, false), "within the file's length"),
        (s(&[(0, 512)], 1024, 4096, false), "add up to the body's"),
        (s(&[(0, 1024)], 512, 4096, false), "add up to the body's"),
        (refused(&[&Header::new(b'S', "s", 0).block()]), "type S has GNU's magic"),
        (refused(&[&negative.block(), &[1; 512]]), "offset and length are not negative"),
    ] {
        assert!(
            error.starts_with("entry \"s\" at byte 0: sparse map, run ") && error.contains(rule),
            "{error}"
        );
    }
}

#[test]
fn pax_sparse_0_0_and_0_1_and_1_0() {
    let (a, b) = ([b'a'; 512], [b'b'; 300]);
    let body = [&a[..], &b].concat();
    let v00: [(&str, &[u8]); 6] = [
        ("GNU.sparse.size", b"10000"),
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.offset", b"512"),
        ("GNU.sparse.numbytes", b"512"),
        ("GNU.sparse.offset", b"4096"),
        ("GNU.sparse.numbytes", b"300"),
    ];
    let v01: [(&str, &[u8]); 4] = [
        ("GNU.sparse.size", b"10000"),
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.map", b"512,512,4096,300"),
        ("GNU.sparse.name", b"real"),
    ];
    let v10: [(&str, &[u8]); 4] = [
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"real"),
        ("GNU.sparse.realsize", b"10000"),
    ];
    let map = padded(b"3\n512\n512\n4096\n300\n10000\n0\n");
    for (records, path, head) in
        [(&v00[..], "fake", &b""[..]), (&v01, "real", b""), (&v10, "real", &map)]
    {
        let tar = [&pax(records)[..], &file("fake", &[head, &body].concat()), &file("n", b"x")];
        let got = entries(&tar);
        let e = &got[0];
        assert_eq!((e.path(), e.size, e.stored), (path, 10000, 812));
        assert_eq!(e.data_offset, 1024 + 512 + head.len() as u64);
        assert_eq!(e.sparse, runs(&[(512, 512), (4096, 300)]));
        assert_eq!((e.content()[4395], e.content()[4396]), (b'b', 0));
        assert_eq!((got[1].path(), &*got[1].body), ("n", &b"x"[..]));
    }
}

#[test]
fn unsound_pax_sparse_records_are_refused() {
    let with = |records: &[(&str, &[u8])], body: &[u8]| refused(&[&pax(records), &file("f", body)]);
    let v1: [(&str, &[u8]); 3] =
        [("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.realsize", b"10")];
    for (error, rule) in [
        (with(&[("GNU.sparse.major", b"2"), ("GNU.sparse.minor", b"0")], b""), "versions are"),
        (with(&[("GNU.sparse.major", b"1")], b""), "versions are"),
        (with(&[v1[0], v1[1], v1[2], ("GNU.sparse.map", b"0,1")], b"x"), "is in the body only"),
        (with(&[("GNU.sparse.offset", b"")], b"x"), "the value is a number"),
        (with(&[("GNU.sparse.name", b"n"), ("GNU.sparse.size", b"5")], b""), "has a map"),
        (with(&[("GNU.sparse.map", b"0,1")], b"x"), "has a length"),
        (
            with(&[("GNU.sparse.map", b"0,1,2"), ("GNU.sparse.size", b"9")], b"x"),
            "a map is offset and length",
        ),
        (
            with(
                &[
                    ("GNU.sparse.map", b"0,1"),
                    ("GNU.sparse.size", b"9"),
                    ("GNU.sparse.numblocks", b"2"),
                ],
                b"x",
            ),
            "numblocks",
        ),
        (with(&[("GNU.sparse.offset", b"1"), ("GNU.sparse.offset", b"1")], b"x"), "length follows"),
        (with(&[("GNU.sparse.numbytes", b"1")], b"x"), "offset precedes"),
        (with(&[("GNU.sparse.offset", b"1"), ("GNU.sparse.size", b"9")], b""), "length follows"),
        (with(&v1, b""), "within the body"),
        (with(&v1, &padded(b"1\n0\n")), "a newline follows each number"),
        (with(&v1, &padded(b"x\n")), "a newline follows each number"),
        (with(&v1, &padded(b"99999999999999999999\n")), "64 bits"),
        (with(&v1, &padded(b"99999999999\n")), "over the limit max_sparse_segments"),
        (with(&v1, &padded(b"1\n9\n2\n")), "within the file's length"),
        (refused(&[&pax(&v1), &Header::new(b'5', "d", 0).block()]), "are regular files"),
        (refused(&[&global(&v1), &file("f", b"")]), "belongs to one file"),
    ] {
        assert!(error.contains(rule), "{error}\nwants: {rule}");
    }
}
