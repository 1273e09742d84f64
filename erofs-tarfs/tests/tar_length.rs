//! How long a tar may be: `max_bytes`.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

mod tar_kit;

use erofs_tarfs::tar::{ErrorKind, ParseOptions, Parser};
use tar_kit::*;

/// Whatever the limit is, and however the tar is cut: a tar within it is read as without it, and of one that
/// is longer all is taken that lies within, up to the first fault.
#[test]
fn a_tar_is_read_up_to_its_limit() {
    let long = extension(b'L', &[&[b'n'; 300][..], b"\0"].concat());
    let tar =
        [file("a", b"body"), long, file("b", &[b'b'; 700]), file("empty", b""), vec![0; 2048]]
            .concat();
    let (entries, _) = read(&tar).unwrap();
    let end = tar.len() as u64;
    for limit in 0..end + 3 {
        let result = read_with(&tar, &ParseOptions::new().max_bytes(limit));
        match result {
            Ok((got, _)) => assert!(limit >= end && got == entries, "{limit}"),
            Err(error) => {
                let kind = ErrorKind::Limit { what: "max_bytes", value: limit + 1, limit };
                assert_eq!((error.kind(), error.offset()), (&kind, limit));
                assert!(limit < end, "{limit}");
            }
        }
    }
    // A fault within the limit is told, not the limit.
    let broken = [file("a", b"body"), vec![b'?'; 512], vec![0; 2048]].concat();
    let error = read_with(&broken, &ParseOptions::new().max_bytes(2000)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Checksum { .. }), "{error}");
    assert_eq!(
        read_with(&tar, &ParseOptions::new().max_bytes(600)).unwrap_err().to_string(),
        "tar at byte 600: 601 is over the limit max_bytes of 600"
    );
}

/// What is skipped counts like what is fed, of a body and behind the end.
#[test]
fn what_is_skipped_counts() {
    let tar = [file("a", &[b'a'; 5000]), vec![0; 1024]].concat();
    let mut parser = Parser::new(ParseOptions::new().max_bytes(8000));
    parser.push(&tar[..512]).unwrap();
    parser.skip(parser.skippable()).unwrap();
    assert_eq!(parser.position(), 512 + 5120);
    parser.push(&tar[5632..]).unwrap();
    parser.skip(8000 - 6656).unwrap();
    let error = parser.skip(1).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { what: "max_bytes", .. }), "{error}");
    assert_eq!(parser.push(&[]).unwrap_err(), error, "an error stays");

    let mut parser = Parser::new(ParseOptions::new().max_bytes(5000));
    parser.push(&tar[..512]).unwrap();
    let error = parser.skip(parser.skippable()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Limit { what: "max_bytes", value: 5001, limit: 5000 });
}
