//! What extension headers say: pax records, attributes, long names.

use erofs_tarfs::units::Timestamp;

use super::tar_kit::*;

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
        let value = [i; 900];
        let name = format!("owner{i}");
        tar.extend(global(&[("SCHILY.xattr.user.last", &value), ("uname", name.as_bytes())]));
    }
    let e = &entries(&[&tar, &file("f", b"")])[0];
    assert_eq!((&*e.gname, &*e.uname), (&b"first"[..], &b"owner199"[..]));
    let want = [(b"user.first".to_vec(), vec![b'1']), (b"user.last".to_vec(), vec![199; 900])];
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

/// As GNU tar extracts it, and Go reads it; the crate `tar` passes over a block behind the link.
#[test]
fn a_link_to_which_a_pax_record_gives_a_size_has_no_body() {
    let sized = pax(&[("size", b"1")]);
    for kind in [b'1', b'2', b'5'] {
        let link = Header::new(kind, "l", 0).set(157, b"f");
        let got = entries(&[&file("f", b"1"), &sized, &link.block(), &file("n", b"2")]);
        let paths: Vec<&str> = got.iter().map(|entry| entry.path()).collect();
        assert_eq!(paths, ["f", "l", "n"]);
        assert_eq!((got[1].body.len(), &*got[2].body), (0, &b"2"[..]));
    }
}
