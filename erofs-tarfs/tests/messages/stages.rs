//! What tars, trees, layouts and images say.

use erofs_tarfs::limits::{Limit, Limits, OverLimit};
use erofs_tarfs::{layout, read, tar, tree};

use super::{not_a_tar, says};

/// One more than a limit that is set so.
fn over(limit: Limit, most: u64) -> OverLimit {
    Limits::new().with(limit, most).check(limit, most + 1).unwrap_err()
}

#[test]
fn tars() {
    use tar::{EndMarker, ErrorKind as E, Part};
    says([
        (
            &E::Checksum { computed: 0o123, stored: *b"0001\0\n\xff\"" },
            r#"not a tar header: the checksum field is "0001\0\n\xff\"", the bytes sum to 000123"#,
        ),
        (
            &E::Compressed(tar::Compression::Zstd),
            "the stream is compressed with zstd: decompress it first",
        ),
        (&E::Device { field: "major", value: -1, max: 4095 }, "device major -1 is negative"),
        (&E::Device { field: "minor", value: 4096, max: 9 }, "device minor 4096 is over 9"),
        (&E::EmptyLink, "the link has no target"),
        (&E::EmptyPath, "the entry has no name"),
        (
            &E::Limit(over(Limit::XattrBytes, 8)),
            "9 bytes of extended attributes are over the limit max_xattr_bytes of 8",
        ),
        (
            &E::LinkBody { size: 4096 },
            "the archive ends within the 4096 bytes that are stated here, and has entries behind them: \
             hard links must have no bytes of their own",
        ),
        (&E::LoneZeroBlock, "a lone zero block: some readers end here, some read on"),
        (&E::NoEntries, "not a tar: 1024 zero bytes, no entry, and then bytes that are not zero"),
        (
            &E::NoEndMarker(EndMarker::OneBlock),
            "the archive ends in one zero block instead of two (strict)",
        ),
        (&E::NoEndMarker(EndMarker::None), "the archive does not end in two zero blocks (strict)"),
        (
            &E::NoEndMarker(EndMarker::TwoBlocks),
            "the archive does not end in two zero blocks (strict)",
        ),
        (
            &E::Number { field: "size", found: b"9\xc3\xa4'\x80".into() },
            r#"size is "9ä\'\x80", neither octal nor base-256 of 64 bits"#,
        ),
        (&E::OutOfRange { field: "uid", value: -1, max: 9 }, "uid -1 is negative"),
        (
            &E::OutOfRange { field: "uid", value: 1 << 64, max: 9 },
            "uid 18446744073709551616 is over 9",
        ),
        (&E::PartialLastBlock { bytes: 3 }, "the last block has 3 bytes instead of 512"),
        (&E::PaxRecord { at: 7, rule: "no =" }, "pax record at byte 7 of its body: no ="),
        (
            &E::PaxValue { key: b"k".into(), value: b"v\0".into(), rule: "bad" },
            r#"pax record "k"="v\0": bad"#,
        ),
        (&E::Skip { asked: 3, available: 2 }, "asked to skip 3 bytes where 2 may be skipped"),
        (&E::Sparse { run: 0, rule: "bad" }, "sparse map, run 0: bad"),
        (
            &E::TrailingSlash,
            "a regular file's name ends in a slash: GNU tar makes a directory of it, Go a file",
        ),
        (&E::UnknownType(0xff), r#"unknown type "\xff""#),
    ]);
    for (part, name) in [
        (Part::Header, "its header"),
        (Part::Extension, "an extension header"),
        (Part::Entry, "the entry after an extension header"),
        (Part::SparseMap, "its sparse map"),
        (Part::Body, "its body"),
    ] {
        says([
            (&part, name),
            (
                &E::Truncated { part, missing: 5 },
                &format!("the stream ends in {name}, 5 bytes short"),
            ),
        ]);
    }
    let text = format!(
        "tar at byte 0: not a tar header: the checksum field is \"{}\", the bytes sum to 166500",
        "x".repeat(8)
    );
    says([(&not_a_tar(), &text)]);
    let debug = format!(
        "Error {{ offset: 0, path: None, kind: Checksum {{ computed: 60736, stored: {:?} }} }}",
        [120; 8]
    );
    assert_eq!(format!("{:?}", not_a_tar()), debug);
}

#[test]
fn trees() {
    use tree::{Error as E, Rule as R};
    let key = || b"user.\xff".to_vec();
    let (path, target) = (b"a\"b".to_vec(), b"c".to_vec());
    let entry = tree::EntryError { offset: 512, path: path.clone(), rule: R::DotDot };
    says([
        (&E::Tar(not_a_tar()), &not_a_tar().to_string()),
        (&E::Entry(entry.into()), r#"entry "a\"b" at byte 512: its path has a ".." component"#),
        (
            &E::MissingTarget { path: path.clone(), target: target.clone() },
            r#"hard link "a\"b": "c" is in no lower layer"#,
        ),
        (&E::LinkToDirectory { path, target }, r#"hard link "a\"b": "c" is a directory"#),
        (&E::BadWhiteout { name: b".wh.".into() }, r#"".wh.": a whiteout of no name"#),
        (
            &E::LinkNotFollowed { layer: 0, path: b"a".into() },
            r#"layer 1: "a" is a symbolic link of a lower layer that leads to no directory"#,
        ),
        (
            &E::LinksTooDeep { layer: 1 },
            "layer 2: symbolic links of lower layers lead on to one another too often",
        ),
        (
            &E::TwoPaths { layer: 2, path: b"a".into() },
            r#"layer 3: two entries are "a", one of them through a link of a lower layer"#,
        ),
        (
            &E::NameTwice { name: b"a".into() },
            r#""a": twice in one directory, by a fault of this program; please report it"#,
        ),
        (&E::TooMany("inodes"), "more inodes than a tree can number"),
        (&R::DotDot, "its path has a \"..\" component"),
        (&R::NameTooLong(256), "a name of 256 bytes is over 255"),
        (&R::RootNotDirectory, "the root must be a directory"),
        (&R::BelowNonDirectory, "it lies below what is not a directory"),
        (&R::TooManySymlinks, "over 255 symbolic links lead to it"),
        (&R::NoTarget(b"a".into()), r#"hard link to "a", which no earlier entry makes"#),
        (&R::TargetIsDirectory(b"a".into()), r#"hard link to "a", a directory"#),
        (&R::BadWhiteout, "a whiteout of no name"),
        (&R::BelowWhiteout, "it lies below a whiteout"),
        (&R::SymlinkLength(0), "a symbolic link's target has 0 bytes, not 1 to 4095"),
        (&R::XattrNamespace(key()), r#"extended attribute "user.�": EROFS has no such namespace"#),
        (&R::XattrNoName(key()), r#"extended attribute "user.�": no name behind the namespace"#),
        (&R::XattrName(key()), r#"extended attribute "user.�": its name is over 255 bytes"#),
        (
            &R::XattrValue(key(), 65536),
            r#"extended attribute "user.�": 65536 bytes are over 65535"#,
        ),
        (&R::XattrTotal(9), "extended attributes take 9 bytes, over 262148"),
        (&R::DeviceNumber, "device major over 4095 or minor over 1048575"),
        (&R::Limit(over(Limit::Entries, 9)), "10 entries are over the limit max_entries of 9"),
        (
            &R::TargetIsDirectory([b'a'; 257].into()),
            &format!("hard link to \"{}\"…, a directory", "a".repeat(256)),
        ),
    ]);
}

#[test]
fn layouts() {
    use layout::Error as E;
    let path = || b"a\xff".to_vec();
    let tag = || b"\"\xff".to_vec();
    says([
        (
            &E::PendingHardLink { path: path(), target: b"t".into() },
            "a�: hard link to t, which no layer has",
        ),
        (&E::PackedBootstrap, "a packed tree makes disks, no bootstrap"),
        (
            &E::UnknownXattrNamespace { path: path(), name: b"n".into() },
            "a�: xattr n is in no namespace that EROFS knows",
        ),
        (
            &E::XattrTooLarge { path: path(), name: b"n".into(), bytes: 2, limit: 1 },
            "a�: xattr n needs 2 bytes of 1",
        ),
        (
            &E::NameTooLong { path: path(), bytes: 2, limit: 1 },
            "a�: name of 2 bytes, at most 1 fit",
        ),
        (&E::NameTwice { path: path() }, "a�: would be there twice"),
        (
            &E::TargetTooLong { path: path(), bytes: 2, limit: 1 },
            "a�: link target of 2 bytes, at most 1 fit",
        ),
        (
            &E::NotAligned { path: path(), offset: 5, block: 512 },
            "a�: offset 5 is not a multiple of the block 512",
        ),
        (&E::Outside { path: path(), end: 2, limit: 1 }, "a�: ends at byte 2, behind 1"),
        (&E::FileTooLarge { path: path(), bytes: 2, limit: 1 }, "a�: 2 bytes long, at most 1 fit"),
        (
            &E::Limit { path: Some(path()), over: over(Limit::TableBytes, 1) },
            "a�: 2 bytes of chunk tables, beyond an eighth of the data, are over the limit \
             max_table_bytes of 1",
        ),
        (
            &E::Limit { path: None, over: over(Limit::MetadataBytes, 1) },
            "2 bytes of metadata are over the limit max_metadata_bytes of 1",
        ),
        (&E::Tag { tag: tag(), limit: 64 }, r#"device tag "\"\xff" does not fit in 64 bytes"#),
        (
            &E::BaseOffset { tag: tag(), offset: 5, block: 512 },
            r#"device "\"\xff": base offset 5 is not a multiple of the block 512"#,
        ),
        (
            &E::VolumeName { name: tag(), limit: 15 },
            r#"volume name "\"\xff" does not fit in 15 bytes without NUL"#,
        ),
        (&E::Alignment { align: 3, block: 512 }, "alignment 3 does not go with blocks of 512"),
        (&E::TooLarge { what: "blocks", value: 2, limit: 1 }, "blocks: 2, at most 1 fit"),
    ]);
}

#[test]
fn images() {
    use read::{Error as E, Rule as R};
    says([
        (&E::Short { needed: 9 }, "image is too short: 9 bytes needed"),
        (&E::Magic(0xbeef), "not an EROFS image: magic 0x0000beef"),
        (&E::BlockBits(17), "block size of 2^17 bytes isn't supported"),
        (&E::DirectoryBlockBits(1), "directory blocks of 2^1 blocks aren't supported"),
        (&E::Features(0x8000), "unknown incompatible features 0x8000"),
        (&E::Checksum, "superblock checksum is wrong"),
        (
            &E::Device { slot: 1, rule: R::DeviceId },
            "device slot 1: device id without a device slot",
        ),
        (&E::DiskMark { devices: 65536 }, "the disk's mark counts 65536 devices, over 65535"),
        (
            &E::Inode { nid: 1, offset: 32, rule: R::Name },
            "nid 1 at byte 32: bad name in directory",
        ),
        (
            &E::Read { offset: 1024, fault: read::ReadFault::new("cable unplugged") },
            "at byte 1024: cable unplugged",
        ),
        (&E::Tree(tree::Error::TooMany("inodes")), "more inodes than a tree can number"),
        (&R::WithinImage, "lies outside of the image"),
        (&R::WithinDevice, "data lies outside of its device"),
        (&R::DeviceAddress, "device has no address in a flat disk"),
        (&R::DisjointDevices, "devices overlap in the unified address space"),
        (&R::DeviceId, "device id without a device slot"),
        (&R::Metabox, "inode or xattr in a metabox, which isn't supported"),
        (&R::KnownFormat, "unknown inode or chunk format"),
        (&R::Uncompressed, "compressed data, which isn't supported"),
        (&R::FileType, "unknown file type"),
        (&R::Size, "size exceeds 2^63 - 1"),
        (&R::Nanoseconds, "nanoseconds exceed a second"),
        (&R::TailInBlock, "inline data crosses a block boundary"),
        (
            &R::PlainMetadata,
            "data of a directory or symbolic link is chunk-based, a hole or in an extra device",
        ),
        (&R::LinkTarget, "target of symbolic link is empty, too long or has a NUL"),
        (&R::WrongType, "not the type of file that was asked for"),
        (&R::EntryTable, "damaged table of directory entries"),
        (&R::Name, "bad name in directory"),
        (&R::NameOrder, "names in directory are not in ascending order"),
        (&R::Dots, "directory lacks `.` or `..`"),
        (&R::DirectoryOnce, "directory is reached twice"),
        (&R::XattrBody, "damaged xattr body"),
        (&R::XattrName, "bad xattr name"),
        (&R::XattrPrefix, "unknown or unsupported long xattr prefix"),
        (
            &R::TooMuchRead,
            "over 256 MiB of its kind, more than is read of an image that is not in memory",
        ),
        (&R::Limit(over(Limit::Depth, 4)), "5 names in its path are over the limit max_depth of 4"),
        (&R::Overlap, "metadata overlaps: in total more than an image this long can hold"),
    ]);
}
