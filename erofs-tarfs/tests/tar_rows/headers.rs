//! What headers say: names, numbers, types.

use erofs_tarfs::tar::{Kind, ParseOptions};
use erofs_tarfs::units::{DeviceNumber, Timestamp};

use super::tar_kit::*;

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

#[test]
fn unknown_types_are_refused_or_skipped_and_counted() {
    for kind in [b'A', b'M', b'N', b'Z', b'8'] {
        let odd = with_body(&Header::new(kind, "odd", 0), b"vendor");
        let error = refused(&[&odd]);
        assert_eq!(error, format!("entry \"odd\" at byte 0: unknown type \"{}\"", kind as char));

        let options = ParseOptions::new().skip_unknown_types(true);
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
