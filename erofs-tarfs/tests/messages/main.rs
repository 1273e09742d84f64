//! What each error says, to the letter: programs show it, and C programs have nothing else.
#![cfg(feature = "std")]

mod disks;
mod stages;

use core::fmt::Display;

use erofs_tarfs::{io, layout, outputs, read, tar, tree, verity};

/// A row: an error, and its text.
#[track_caller]
fn says<const N: usize>(rows: [(&dyn Display, &str); N]) {
    for (error, text) in rows {
        assert_eq!(error.to_string(), text);
    }
}

fn not_a_tar() -> tar::Error {
    tar::Parser::new(tar::ParseOptions::default()).push(&[b'x'; 512]).unwrap_err()
}

#[test]
fn any_stage() {
    let tree = tree::Error::TooMany("inodes");
    says([
        (&erofs_tarfs::Error::from(not_a_tar()), &not_a_tar().to_string()),
        (&erofs_tarfs::Error::from(tree), "more inodes than a tree can number"),
        (
            &erofs_tarfs::Error::from(layout::Error::PackedBootstrap),
            "a packed tree makes disks, no bootstrap",
        ),
        (&erofs_tarfs::Error::from(outputs::Error::Empty), "there is nothing in it"),
        (&erofs_tarfs::Error::from(read::Error::Checksum), "superblock checksum is wrong"),
        (&erofs_tarfs::Error::from(verity::Error::NoLevels), "a single data block has no tree"),
    ]);
}

/// What hands on another error's text hands on its source too: whoever prints the chain would have
/// the same line twice.
#[test]
fn sources() {
    use core::error::Error;

    let tree = tree::Error::Tar(not_a_tar());
    assert!(tree.source().is_none());
    assert!(read::Error::Tree(tree.clone()).source().is_none());
    assert!(erofs_tarfs::Error::from(tree.clone()).source().is_none());
    assert!(verity::Fault::<io::Error>::Verity(verity::Error::NoData).source().is_none());

    // A file and a place come before the cause: it is what the system said.
    let cause = || std::io::Error::other("broken");
    let open = io::Error::Open { file: "f".into(), error: cause() };
    assert!(open.source().is_some_and(|cause| cause.is::<std::io::Error>()));
    let fault = verity::Fault::Caller(open);
    assert!(fault.source().is_some_and(|cause| cause.is::<std::io::Error>()));
    let layer = io::Error::Layer { file: "f".into(), error: tree };
    assert!(layer.source().is_some_and(|cause| cause.is::<tree::Error>()));
    let fault = read::ReadFault::new(cause());
    let read = read::Error::Read { offset: 0, fault: fault.clone() };
    assert!(read.source().is_some_and(|cause| cause.is::<read::ReadFault>()));
    assert_eq!(read, read::Error::Read { offset: 0, fault });
    assert_ne!(read, read::Error::Read { offset: 0, fault: read::ReadFault::new(cause()) });
    let image = io::Error::Image { file: "f".into(), error: read };
    assert!(image.source().is_some_and(|cause| cause.is::<read::Error>()));
    let table = io::Error::Table { file: "f".into(), error: outputs::TableError::Differ };
    assert!(table.source().is_some_and(|cause| cause.is::<outputs::TableError>()));
    let verity = io::Error::Verity { file: "f".into(), error: verity::Error::NoData };
    assert!(verity.source().is_some_and(|cause| cause.is::<verity::Error>()));
}
