//! Tars that are wrong: an error that names the entry and its offset, and no output.

use testkit::tarball::TarBuilder;

use crate::run::{Place, run, words};

#[track_caller]
fn fails(tar: &[u8], said: &[&str]) {
    for args in ["--tar=f --quiet", "--tar=f --quiet -b4096", "--tar=i --quiet -U clear"] {
        let place = Place::new();
        let ran = run(tar, words(args, &place.path("out")));
        assert_eq!((ran.code, &*ran.stdout), (1, ""), "{args}: {ran:?}");
        for word in said {
            assert!(ran.stderr.contains(word), "{args}: no {word:?} in {}", ran.stderr);
        }
        assert_eq!(place.names(), [""; 0], "{args}: something is left");
    }
}

#[test]
fn a_stream_that_is_cut_short() {
    let tar = TarBuilder::new().file("etc/motd", vec![7; 5000]).finish();
    fails(&tar[..3000], &["standard input: ", "etc/motd", "at byte 0"]);
    fails(&tar[..300], &["standard input: "]);
    fails(b"", &["standard input: is empty"]);
}

#[test]
fn what_is_no_tar() {
    fails(&[0x55; 2048], &["standard input: "]);
}

#[test]
fn a_hard_link_to_nothing() {
    let tar = TarBuilder::new().file("a", b"a").hardlink("b", "missing").finish();
    fails(&tar, &["\"b\"", "missing"]);
}

/// The kernel reads whole sectors: what lies in the last bytes of an odd tar would be lost behind an
/// index. With its data in the filesystem the tar is filled up.
#[test]
fn a_tar_whose_data_ends_in_no_sector_is_no_index() {
    let mut tar = TarBuilder::new().file("motd", b"hello\n").finish();
    tar.truncate(512 + 6);
    let place = Place::new();
    let ran = run(&tar, words("--tar=i", &place.path("out")));
    assert!(ran.code == 1 && ran.stderr.contains("no multiple of 512"), "{ran:?}");
    assert_eq!(place.names(), [""; 0]);
    let ran = run(&tar, words("--tar=f", &place.path("out")));
    assert!(ran.code == 0 && ran.stderr.contains("may have been cut short"), "{ran:?}");
}
