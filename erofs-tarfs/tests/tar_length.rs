//! How long a tar may be: `max_bytes`.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

mod tar_kit;

use erofs_tarfs::limits::{Limit, Limits};
use erofs_tarfs::tar::{ErrorKind, ParseOptions, Parser};
use tar_kit::*;

fn up_to(bytes: u64) -> ParseOptions {
    ParseOptions::new().limits(Limits::new().max_bytes(bytes))
}

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
        let result = read_with(&tar, &up_to(limit));
        match result {
            Ok((got, _)) => assert!(limit >= end && got == entries, "{limit}"),
            Err(error) => {
                let kind = ErrorKind::Limit(
                    Limits::new().max_bytes(limit).check(Limit::Bytes, limit + 1).unwrap_err(),
                );
                assert_eq!((error.kind(), error.offset()), (&kind, limit));
                assert!(limit < end, "{limit}");
            }
        }
    }
    // A fault within the limit is told, not the limit.
    let broken = [file("a", b"body"), vec![b'?'; 512], vec![0; 2048]].concat();
    let error = read_with(&broken, &up_to(2000)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Checksum { .. }), "{error}");
    assert_eq!(
        read_with(&tar, &up_to(600)).unwrap_err().to_string(),
        "tar at byte 600: 601 bytes of the tar are over the limit max_bytes of 600"
    );
}

/// What is skipped counts like what is fed, of a body and behind the end.
#[test]
fn what_is_skipped_counts() {
    let tar = [file("a", &[b'a'; 5000]), vec![0; 1024]].concat();
    let mut parser = Parser::new(up_to(8000));
    parser.push(&tar[..512]).unwrap();
    parser.skip(parser.skippable()).unwrap();
    assert_eq!(parser.position(), 512 + 5120);
    parser.push(&tar[5632..]).unwrap();
    parser.skip(8000 - 6656).unwrap();
    let error = parser.skip(1).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Limit(over) if over.limit == Limit::Bytes),
        "{error}"
    );
    assert_eq!(parser.push(&[]).unwrap_err(), error, "an error stays");

    let mut parser = Parser::new(up_to(5000));
    parser.push(&tar[..512]).unwrap();
    let error = parser.skip(parser.skippable()).unwrap_err();
    let ErrorKind::Limit(over) = error.kind() else { panic!("{error}") };
    assert_eq!((over.limit, over.value, over.most), (Limit::Bytes, 5001, 5000));
}
