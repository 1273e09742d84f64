//! One test for each row of the rules for tar input that the parser owns.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

mod tar_kit;

use erofs_tarfs::tar::{Compression, EndMarker, ErrorKind, Kind, Options, Part, Segment};
use erofs_tarfs::units::{DeviceNumber, Timestamp};
use tar_kit::*;

fn strict() -> Options {
    let mut options = Options::default();
    options.strict = true;
    options
}

#[test]
fn ustar_v7_gnu_pax_and_star_headers_are_read() {
    let prefix = |header: Header| header.set(345, b"pre");
    let star = Header::new(b'0', "a", 0).set(345, b"pre").set(476, b"00000000001\0");
    for (header, path) in [
        (prefix(Header::new(b'0', "a", 0)), "pre/a"),
        (Header::new(b'0', "a", 0).gnu().set(345, b"14000000000\0"), "a"),
        (prefix(Header::new(b'0', "a", 0).v7()), "a"),
        (star.set(508, b"tar\0"), "pre/a"),
    ] {
        let got = entries(&[&header.block()]);
        assert_eq!((got.len(), got[0].path()), (1, path));
        assert_eq!((got[0].mode, got[0].mtime.secs), (0o644, 1));
    }
}

#[test]
fn the_checksum_is_verified_signed_and_unsigned() {
    let block = Header::new(b'0', "caf\u{e9}", 0).block();
    assert_eq!(entries(&[&block])[0].path(), "caf\u{e9}");

    let signed: i32 = block[..148].iter().chain(&block[156..]).map(|&b| i32::from(b as i8)).sum();
    let mut old = block.clone();
    old[148..156].copy_from_slice(format!("{:06o}\0 ", signed + 256).as_bytes());
    assert_ne!(old, block);
    assert_eq!(entries(&[&old])[0].path(), "caf\u{e9}");

    let mut bad = block;
    bad[153] ^= 1;
    let error = refused(&[&bad]);
    assert!(error.starts_with("tar at byte 0: not a tar header: the checksum field is"), "{error}");
}

#[test]
fn pax_records_override_the_header() {
    let long = "d/".repeat(3000) + "f";
    let records = [
        ("comment", &b"x"[..]),
        ("path", long.as_bytes()),
        ("uid", b"4294967295"),
        ("gid", b"3000000000"),
        ("uname", b"\xc3\xa9va"),
        ("gname", b"g"),
        ("mtime", b"1700000000.25"),
        ("size", b"5"),
    ];
    let body = Header::new(b'0', "short", 0).block();
    let got = entries(&[&pax(&records), &body, &padded(b"hello"), &file("next", b"")]);
    let e = &got[0];
    assert_eq!((e.path(), e.uid, e.gid), (&*long, u32::MAX, 3_000_000_000));
    assert_eq!((&*e.uname, &*e.gname), ("\u{e9}va".as_bytes(), &b"g"[..]));
    assert_eq!(e.mtime, Timestamp { secs: 1_700_000_000, nanos: 250_000_000 });
    assert_eq!(e.body, b"hello");
    assert_eq!((got[1].path(), got[1].uid, got[1].mtime.secs), ("next", 0, 1));

    let link = Header::new(b'2', "l", 0).link("no").block();
    assert_eq!(entries(&[&pax(&[("linkpath", b"yes\n\xff")]), &link])[0].link, b"yes\n\xff");
}

#[test]
fn xattrs_of_schily_and_libarchive_hold_any_bytes() {
    let records = [
        ("SCHILY.xattr.security.capability", &b"\x01\0\n=\xff"[..]),
        ("SCHILY.xattr.user.\u{e9}", b"old"),
        ("LIBARCHIVE.xattr.user.a%3D%00b", b""),
    ];
    let error = refused(&[&pax(&records), &file("f", b"")]);
    assert!(error.contains("an attribute's name has no NUL"), "{error}");

    let records = [
        ("SCHILY.xattr.security.capability", &b"\x01\0\n=\xff"[..]),
        ("SCHILY.xattr.user.\u{e9}", b"old"),
        ("LIBARCHIVE.xattr.user.a%3Db", b"AQAK/w"),
        ("SCHILY.xattr.user.g%3Dn%25u", b"v"),
        ("SCHILY.xattr.user.\u{e9}", b"new"),
        ("SCHILY.acl.access", b"ignored"),
    ];
    let got = entries(&[&pax(&records), &file("f", b""), &file("g", b"")]);
    let want: [(&[u8], &[u8]); 4] = [
        (b"security.capability", b"\x01\0\n=\xff"),
        (b"user.a=b", b"\x01\0\n\xff"),
        // The bytes of the key: Go's reader, so containerd's, undoes nothing; GNU tar would.
        (b"user.g%3Dn%25u", b"v"),
        ("user.\u{e9}".as_bytes(), b"new"),
    ];
    let pairs: Vec<_> = got[0].xattrs.iter().map(|(n, v)| (&**n, &**v)).collect();
    assert_eq!(pairs, want);
    assert_eq!(got[1].xattrs, []);
}

#[test]
fn an_xattr_with_an_empty_value_is_kept() {
    let records = [("SCHILY.xattr.user.a", &b"x"[..]), ("SCHILY.xattr.user.a", b"")];
    assert_eq!(
        entries(&[&pax(&records), &file("f", b"")])[0].xattrs,
        [(b"user.a".to_vec(), vec![])]
    );
    let records = [("LIBARCHIVE.xattr.user.a", &b""[..])];
    assert_eq!(
        entries(&[&pax(&records), &file("f", b"")])[0].xattrs,
        [(b"user.a".to_vec(), vec![])]
    );
}

#[test]
fn malformed_xattrs_are_refused() {
    for (key, value, rule) in [
        ("SCHILY.xattr.", "v", "has a name"),
        ("LIBARCHIVE.xattr.user.%4", "QQ", "two hex digits"),
        ("LIBARCHIVE.xattr.user.a", "Q", "base64"),
        ("LIBARCHIVE.xattr.user.a", "Q\nQ=", "base64"),
    ] {
        let error = refused(&[&pax(&[(key, value.as_bytes())]), &file("f", b"")]);
        assert!(error.contains(rule) && error.contains(key), "{error}");
    }
}

#[test]
fn pax_mtime_keeps_nanoseconds_and_rounds_to_the_past() {
    for (text, secs, nanos) in [
        ("5.", 5, 0),
        ("1.9999999999", 1, 999_999_999),
        ("-1.5", -2, 500_000_000),
        ("-0.1234567891", -1, 876_543_210),
    ] {
        let got = entries(&[&pax(&[("mtime", text.as_bytes())]), &file("f", b"")]);
        assert_eq!(got[0].mtime, Timestamp { secs, nanos }, "{text}");
    }
    for text in [".5", "+5", "5.x", "x", "1e3"] {
        let error = refused(&[&pax(&[("mtime", text.as_bytes())]), &file("f", b"")]);
        assert!(
            error.ends_with(&format!("pax record \"mtime\"=\"{text}\": the value is a number")),
            "{error}"
        );
    }
}

#[test]
fn a_global_header_applies_to_the_entries_after_it() {
    let globals = [
        ("mtime", &b"7.5"[..]),
        ("uid", b"11"),
        ("SCHILY.xattr.user.g", b"G"),
        ("SCHILY.xattr.user.b", b"G"),
        ("unknown.key", b"x"),
    ];
    let local = [("uid", &b"12"[..]), ("mtime", b""), ("SCHILY.xattr.user.b", b"L")];
    let got = entries(&[
        &file("before", b""),
        &global(&globals),
        &file("next", b""),
        &pax(&local),
        &file("local", b""),
        &global(&[("gid", b"13"), ("uid", b"")]),
        &file("last", b""),
    ]);
    let time = |secs, nanos| Timestamp { secs, nanos };
    let pair = |n: &[u8], v: &[u8]| (n.to_vec(), v.to_vec());
    assert_eq!((got[0].uid, got[0].mtime, got[0].xattrs.len()), (0, time(1, 0), 0));
    assert_eq!((got[1].uid, got[1].mtime), (11, time(7, 500_000_000)));
    assert_eq!(got[1].xattrs, [pair(b"user.g", b"G"), pair(b"user.b", b"G")]);
    assert_eq!((got[2].uid, got[2].mtime), (12, time(1, 0)));
    assert_eq!(got[2].xattrs, [pair(b"user.g", b"G"), pair(b"user.b", b"L")]);
    assert_eq!((got[3].uid, got[3].gid, got[3].mtime), (0, 13, time(7, 500_000_000)));
    assert_eq!(got[3].xattrs, got[1].xattrs);
}

#[test]
fn many_global_headers_leave_what_the_last_of_each_said() {
    let mut tar = global(&[("gname", b"first"), ("SCHILY.xattr.user.first", b"1")]);
    for i in 0..200u8 {
        let value = [i; 3000];
        let name = format!("owner{i}");
        tar.extend(global(&[("SCHILY.xattr.user.last", &value), ("uname", name.as_bytes())]));
    }
    let e = &entries(&[&tar, &file("f", b"")])[0];
    assert_eq!((&*e.gname, &*e.uname), (&b"first"[..], &b"owner199"[..]));
    let want = [(b"user.first".to_vec(), vec![b'1']), (b"user.last".to_vec(), vec![199; 3000])];
    assert_eq!(e.xattrs, want);
}

#[test]
fn a_global_header_between_an_extension_and_its_entry_takes_nothing_away() {
    let got = entries(&[&pax(&[("path", b"p")]), &global(&[("uid", b"5")]), &file("f", b"")]);
    assert_eq!((got[0].path(), got[0].uid), ("p", 5));
}

/// Go before 1.8 put a prefix where GNU's format has times; Go and containerd read it still.
#[test]
fn a_prefix_in_a_header_of_gnu_is_read_where_no_times_can_be() {
    let gnu = |prefix: &[u8]| Header::new(b'0', "name", 0).gnu().set(345, prefix).block();
    let times = *b"14000000000\x0014000000001\0";
    for (prefix, path) in [
        (&b"usr/lib"[..], "usr/lib/name"),
        (b"", "name"),
        (&times, "name"),
        // No numbers, but no text either.
        (b"\xff\xfe is no ASCII", "name"),
        (b"12", "name"),
    ] {
        assert_eq!(entries(&[&gnu(prefix)])[0].path(), path, "{}", prefix.escape_ascii());
    }
}

#[test]
fn gnu_long_names_are_honoured() {
    let (path, link) = ("p".repeat(4000), "l".repeat(3000));
    let header = Header::new(b'2', "short", 0).link("short").gnu().block();
    let l = extension(b'L', &[path.as_bytes(), b"\0junk"].concat());
    let k = extension(b'K', link.as_bytes());
    for order in [[&l, &k], [&k, &l]] {
        let got = entries(&[order[0], order[1], &header]);
        assert_eq!((got[0].path(), &*got[0].link), (&*path, link.as_bytes()));
    }
    assert_eq!(
        entries(&[&extension(b'L', b"1\0"), &extension(b'L', b"2\0"), &header])[0].path(),
        "2"
    );
}

#[test]
fn extension_headers_come_in_any_order_and_number() {
    let x = pax(&[("path", b"pax"), ("uid", b"5")]);
    let (l, f) = (extension(b'L', b"gnu\0"), file("f", b"hi"));
    for parts in [[&x, &l], [&l, &x]] {
        let got = entries(&[parts[0], parts[1], &f]);
        assert_eq!((got[0].path(), got[0].uid, &*got[0].body), ("pax", 5, &b"hi"[..]));
    }
    // Of two pax headers the last alone counts, as GNU tar and Go have it.
    let got = entries(&[&x, &pax(&[("path", b"pax2"), ("gid", b"6")]), &f]);
    assert_eq!((got[0].path(), got[0].uid, got[0].gid), ("pax2", 0, 6));
    let got = entries(&[&x, &l, &pax(&[("gid", b"6")]), &f]);
    assert_eq!((got[0].path(), got[0].uid, got[0].gid), ("gnu", 0, 6));
    let attribute = pax(&[("SCHILY.xattr.user.k", b"v"), ("mtime", b"7.5")]);
    let got = entries(&[&attribute, &pax(&[("gid", b"6")]), &f]);
    assert_eq!((got[0].xattrs.len(), got[0].mtime.nanos, got[0].gid), (0, 0, 6));
    let sparse = pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0")]);
    assert_eq!(entries(&[&sparse, &pax(&[("gid", b"6")]), &f])[0].sparse, None);
    // A global header is no `x`: it stays.
    let got = entries(&[&global(&[("uid", b"9")]), &x, &pax(&[("gid", b"6")]), &f]);
    assert_eq!((got[0].uid, got[0].gid), (9, 6));
    // An empty value takes back what a global header said, and the GNU name, then the header's,
    // holds.
    let unset = pax(&[("path", b""), ("uid", b"")]);
    assert_eq!(entries(&[&x, &l, &unset, &f])[0].path(), "gnu");
    let got = entries(&[&x, &unset, &f]);
    assert_eq!((got[0].path(), got[0].uid), ("f", 0));
    // Headers without records.
    assert_eq!(entries(&[&pax(&[]), &global(&[]), &f])[0].path(), "f");
}

#[test]
fn malformed_pax_records_are_refused() {
    for body in [&b"99 path=a\n"[..], b"path=a\n", b"9 path=a\n\0\0", b"8 path=a\n", b"5 a b\n"] {
        let error = refused(&[&file("a", b""), &extension(b'x', body), &file("f", b"")]);
        assert!(error.starts_with("tar at byte 512: pax record at byte "), "{error}");
    }
    for (key, value) in
        [("uid", "-1"), ("uid", "0x5"), ("gid", " 5"), ("size", "18446744073709551616")]
    {
        let error = refused(&[&pax(&[(key, value.as_bytes())]), &file("f", b"")]);
        assert!(error.contains(&format!("pax record \"{key}\"=\"{value}\"")), "{error}");
    }
}

#[test]
fn numbers_are_octal_or_base_256() {
    let header = Header::new(b'0', "f", 0)
        .set(100, b" 100755 ")
        .set(108, b"\x80\0\0\0\xff\xff\xff\xfe")
        .set(116, b"\0\0  17 \0")
        .set(124, &[0; 12])
        .set(136, &[0xff; 12]);
    let e = &entries(&[&header.block()])[0];
    assert_eq!((e.mode, e.uid, e.gid, e.size), (0o755, u32::MAX - 1, 0o17, 0));
    assert_eq!(e.mtime, Timestamp { secs: -1, nanos: 0 });

    for (at, bytes, error) in [
        (100, &b"hello\0\0\0"[..], "mode is \"hello\\0\\0\\0\""),
        (124, b"0000000000x\0", "size is"),
        (124, b"-0000000001\0", "size is"),
        (124, &[0xff; 12], "size -1 is negative"),
        (136, b"\x81\0\0\0\0\0\0\0\0\0\0\0", "mtime is"),
    ] {
        let got = refused(&[&file("a", b""), &Header::new(b'0', "f", 0).set(at, bytes).block()]);
        assert!(got.starts_with(&format!("entry \"f\" at byte 512: {error}")), "{got}");
    }
}

#[test]
fn ids_and_device_numbers_out_of_range_are_refused() {
    let f = file("a/b", b"");
    assert_eq!(
        refused(&[&pax(&[("uid", b"4294967296")]), &f]),
        "entry \"a/b\" at byte 1024: uid 4294967296 is over 4294967295"
    );
    let header = Header::new(b'0', "a/b", 0).set(116, &[0xff; 8]).block();
    assert_eq!(refused(&[&header]), "entry \"a/b\" at byte 0: gid -1 is negative");

    let device = |kind, major: &str, minor: &str| {
        Header::new(kind, "d", 0).device(major.as_bytes(), minor.as_bytes()).block()
    };
    let got = entries(&[&device(b'3', "0007777\0", "3777777\0"), &device(b'4', "10", "1")]);
    assert_eq!(got[0].device, DeviceNumber { major: 4095, minor: 1_048_575 });
    assert_eq!(
        (got[1].kind, got[1].device),
        (Kind::BlockDevice, DeviceNumber { major: 8, minor: 1 })
    );
    assert_eq!(
        refused(&[&device(b'3', "0011610\0", "0")]),
        "entry \"d\" at byte 0: device major 5000 is over 4095"
    );
    let error = refused(&[&device(b'3', "0", "4000000\0")]);
    assert_eq!(error, "entry \"d\" at byte 0: device minor 1048576 is over 1048575");
    assert!(refused(&[&device(b'3', "garbage\0", "0")]).contains("devmajor is \"garbage\\0\""));
    // Where no device is made the fields do not matter.
    assert_eq!(entries(&[&device(b'0', "garbage\0", "9")])[0].device, DeviceNumber::default());
}

#[test]
fn blank_device_fields_on_a_fifo_are_accepted() {
    let fifo = Header::new(b'6', "p", 0).device(b"        ", &[0; 8]).block();
    assert_eq!(entries(&[&fifo])[0].kind, Kind::Fifo);
    assert_eq!(entries(&[&Header::new(b'6', "p", 0).v7().block()])[0].kind, Kind::Fifo);
}

#[test]
fn type_nul_is_a_regular_file_and_with_a_trailing_slash_a_directory() {
    let got = entries(&[
        &with_body(&Header::new(0, "f", 0), b"old"),
        &Header::new(0, "d/", 0).v7().block(),
    ]);
    assert_eq!((got[0].kind, &*got[0].body), (Kind::Regular, &b"old"[..]));
    assert_eq!((got[1].kind, got[1].path()), (Kind::Directory, "d/"));
    // It is the path in force that counts.
    let got = entries(&[&pax(&[("path", b"f")]), &Header::new(0, "d/", 0).block()]);
    assert_eq!(got[0].kind, Kind::Regular);
}

#[test]
fn a_trailing_slash_on_another_regular_type_is_refused() {
    for kind in [b'0', b'7'] {
        let error = refused(&[&Header::new(kind, "d/", 0).block()]);
        assert!(error.starts_with("entry \"d/\" at byte 0: a regular file's name ends"), "{error}");
    }
}

#[test]
fn type_7_is_a_regular_file() {
    let got = entries(&[&with_body(&Header::new(b'7', "f", 0), b"contiguous")]);
    assert_eq!((got[0].kind, &*got[0].body), (Kind::Regular, &b"contiguous"[..]));
}

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
fn unsound_sparse_maps_are_refused() {
    let s = |list: &[(u64, u64)], size, real, more| {
        let header = Header::new(b'S', "s", size).gnu().sparse(list, real, more);
        refused(&[&header.block(), &vec![1; size.next_multiple_of(512) as usize], &[0; 512]])
    };
    for (error, rule) in [
        (s(&[(1024, 512), (512, 512)], 1024, 4096, false), "runs are in order"),
        (s(&[(0, 512), (511, 512)], 1024, 4096, false), "runs are in order"),
        (s(&[(4096, 512)], 512, 4096, false), "within the file's length"),
        (s(&[(8192, 0)], 0, 4096, false), "within the file's length"),
        (s(&[(0, 512)], 1024, 4096, false), "add up to the body's"),
        (s(&[(0, 1024)], 512, 4096, false), "add up to the body's"),
        (refused(&[&Header::new(b'S', "s", 0).block()]), "type S has GNU's magic"),
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

#[test]
fn unknown_types_are_refused_or_skipped_and_counted() {
    for kind in [b'A', b'M', b'N', b'Z', b'8'] {
        let odd = with_body(&Header::new(kind, "odd", 0), b"vendor");
        let error = refused(&[&odd]);
        assert_eq!(error, format!("entry \"odd\" at byte 0: unknown type \"{}\"", kind as char));

        let mut options = Options::default();
        options.skip_unknown_types = true;
        let tar = [&pax(&[("uid", b"7")])[..], &odd, &file("f", b"x"), &END].concat();
        let (got, end) = read_with(&tar, &options).unwrap();
        assert_eq!((got.len(), got[0].path(), got[0].uid, end.skipped_unknown), (1, "f", 0, 1));
    }
}

#[test]
fn gnu_volume_labels_are_passed_over_and_dump_directories_are_directories() {
    let dump = with_body(&Header::new(b'D', "d/", 0).gnu(), b"Yfile\0\0");
    let tar = [&Header::new(b'V', "a label", 0).gnu().block()[..], &dump, &file("f", b"x"), &END]
        .concat();
    let (got, end) = read(&tar).unwrap();
    assert_eq!((got[0].kind, got[0].size, got[0].stored), (Kind::Directory, 0, 0));
    assert_eq!((got[1].path(), end.skipped_labels, end.entries), ("f", 1, 2));
}

#[test]
fn paths_are_handed_out_raw() {
    for path in ["./", "/abs", "a//b", "../up", "./a/"] {
        assert_eq!(entries(&[&Header::new(b'5', path, 0).block()])[0].path(), path);
    }
}

#[test]
fn empty_names_and_nuls_in_pax_names_are_refused() {
    assert_eq!(refused(&[&file("", b"")]), "tar at byte 0: the entry has no name");
    let error = refused(&[&extension(b'L', b""), &file("f", b"")]);
    assert_eq!(error, "tar at byte 512: the entry has no name");
    assert_eq!(
        refused(&[&Header::new(b'1', "l", 0).block()]),
        "entry \"l\" at byte 0: the link has no target"
    );
    for key in ["path", "linkpath", "uname", "GNU.sparse.name"] {
        let error = refused(&[&pax(&[(key, b"a\0b")]), &file("f", b"")]);
        assert_eq!(
            error,
            format!("tar at byte 0: pax record \"{key}\"=\"a\\0b\": the value has no NUL")
        );
    }
    let error = refused(&[&extension(b'x', b"7 a\0=b\n"), &file("f", b"")]);
    assert!(error.contains("a key is not empty and has no NUL"), "{error}");
}

#[test]
fn header_only_types_have_no_body_whatever_size_they_state() {
    for kind in [b'1', b'2', b'3', b'4', b'5', b'6'] {
        let header = Header::new(kind, "e", 700).link("target").block();
        let sized = pax(&[("size", b"700")]);
        for parts in [&[&header[..]][..], &[&sized, &header]] {
            let tar = [&parts.concat()[..], &file("f", b"x"), &END].concat();
            let (got, end) = read(&tar).unwrap();
            assert_eq!((got[0].size, got[0].stored, got[1].path()), (0, 0, "f"));
            assert_eq!((end.sizes_ignored, end.entries), (1, 2));
        }
        let error = refused(&[&header, &padded(&[b'x'; 700])]);
        assert!(error.starts_with("tar at byte 512: not a tar header"), "{error}");
    }
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
    let (got, end) = read_with(&tar, &Options::default()).unwrap();
    assert_eq!((got.len(), end.entries), (1, 1));
    assert_eq!((end.bytes, end.trailing), (tar.len() as u64, tail.len() as u64));
    assert!(!end.is_whole_blocks());
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
    let mut options = Options::default();
    options.refuse_partial_last_block = true;
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
    let limited = |set: fn(&mut Options), parts: &[&[u8]]| {
        let mut options = Options::default();
        set(&mut options);
        let tar = parts.concat();
        assert!(read(&tar).is_ok(), "the default takes it");
        let ErrorKind::Limit { what, .. } = *read_with(&tar, &options).unwrap_err().kind() else {
            panic!("not a limit")
        };
        what
    };
    let f = file("f234567890", b"");
    let x = pax(&[("SCHILY.xattr.user.a", b"12345"), ("SCHILY.xattr.user.b", b"12345")]);
    let g = global(&[("SCHILY.xattr.user.a", b"12345"), ("SCHILY.xattr.user.b", b"12345")]);
    let map = pax(&[("GNU.sparse.size", b"9"), ("GNU.sparse.map", b"1,0,2,0,3,0")]);
    assert_eq!(limited(|o| o.max_path_bytes = 9, &[&f]), "max_path_bytes");
    assert_eq!(
        limited(|o| o.max_path_bytes = 9, &[&extension(b'L', b"0123456789"), &f]),
        "max_path_bytes"
    );
    let link = Header::new(b'2', "l", 0).link("0123456789").block();
    assert_eq!(limited(|o| o.max_path_bytes = 9, &[&link]), "max_path_bytes");
    assert_eq!(limited(|o| o.max_extension_bytes = 60, &[&x, &x, &f]), "max_extension_bytes");
    assert_eq!(limited(|o| o.max_extension_bytes = 50, &[&g, &f]), "max_extension_bytes");
    assert_eq!(limited(|o| o.max_xattr_bytes = 21, &[&x, &f]), "max_xattr_bytes");
    assert_eq!(limited(|o| o.max_global_xattr_bytes = 53, &[&g, &f]), "max_global_xattr_bytes");
    assert_eq!(limited(|o| o.max_sparse_segments = 2, &[&map, &f]), "max_sparse_segments");
    // The sum counts since the last entry, not in all.
    let mut options = Options::default();
    options.max_extension_bytes = 70;
    assert_eq!(read_with(&[&x[..], &f, &x, &f].concat(), &options).unwrap().0.len(), 2);
}

#[test]
fn sizes_past_2_63_are_refused() {
    for size in ["9223372036854775808", "9223372036854775807"] {
        let error = refused(&[&pax(&[("size", size.as_bytes())]), &file("f", b"")]);
        assert!(error.contains("size"), "{error}");
    }
}
