//! What each error says, to the letter: programs show it, and C programs have nothing else.
#![cfg(feature = "std")]

use core::fmt::Display;
use std::path::PathBuf;

use erofs_tarfs::{export, io, layout, outputs, read, tar, tree, verity};

/// A row: an error, and its text.
#[track_caller]
fn says<const N: usize>(rows: [(&dyn Display, &str); N]) {
    for (error, text) in rows {
        assert_eq!(error.to_string(), text);
    }
}

fn not_a_tar() -> tar::Error {
    tar::Parser::new(tar::Options::default()).push(&[b'x'; 512]).unwrap_err()
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
        (&E::Limit { what: "max_x", value: 9, limit: 8 }, "9 is over the limit max_x of 8"),
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
        (&R::Carried(9), "sparse pieces off the 512-byte grid take over 9 bytes"),
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
            &E::ChunkTableTooLarge { path: path(), bytes: 2, limit: 1 },
            "a�: chunk tables reach 2 bytes, 1 allowed",
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
fn forms_of_disks() {
    use outputs::{Error as E, NameRule as R};
    let name = || "a\"".to_owned();
    says([
        (
            &E::Sectors { offset: 2, bytes: 3, file: Some("f".into()) },
            "f: 3 bytes of it, at byte 2 of the disk, are not whole sectors of 512 bytes",
        ),
        (
            &E::Sectors { offset: 2, bytes: 3, file: None },
            "zeros: 3 bytes of it, at byte 2 of the disk, are not whole sectors of 512 bytes",
        ),
        (
            &E::Name { name: name(), rule: R::Quote },
            r#"the name "a\"" cannot be used: it has a double quote"#,
        ),
        (&R::Empty, "it is empty"),
        (&R::Control, "it has a control character"),
        (&R::Quote, "it has a double quote"),
        (&R::Long { limit: 9 }, "it has more than 9 bytes"),
        (&E::Zeros { offset: 2, bytes: 3 }, "3 zeros at byte 2 of the disk are in no file"),
        (&E::Copied { offset: 2 }, "bytes at 2 of the disk are copies, and in no file as they are"),
        (
            &E::Descriptor { limit: 9 },
            "the descriptor has more than 9 bytes, which readers do not take",
        ),
        (&E::Empty, "there is nothing in it"),
        (&E::Length { bytes: 1, expected: 2 }, "1 bytes where 2 are expected"),
        (&E::TooLarge { bytes: 1 }, "1 bytes more are past 2^64"),
        (&E::Partitions { count: 0, limit: 9 }, "0 partitions: there must be 1 to 9"),
        (
            &E::PartitionName { name: name() },
            r#"the partition name "a\"" has more than 36 UTF-16 units"#,
        ),
        (
            &E::Unpaired { name: name() },
            r#"the hash tree "a\"" is not of exactly one volume: both have the root hash for identity"#,
        ),
        (
            &E::Alignment { align: 3 },
            "partitions cannot be aligned to 3 bytes: a power of two from 512 to 1 GiB is wanted",
        ),
    ]);
}

#[test]
fn partition_tables() {
    use outputs::TableError as E;
    says([
        (&E::NoHeader, "there is no header in it"),
        (&E::HeaderLength { bytes: 9 }, "its header has 9 bytes"),
        (&E::HeaderChecksum, "its header has a wrong checksum"),
        (&E::Place { stated: 2, own: 1 }, "its header is in sector 1, and says that it is in 2"),
        (
            &E::Usable { first: 1, last: 2, sectors: 3 },
            "partitions are to be in sectors 1 to 2 of a disk that has 3",
        ),
        (&E::EntryLength { bytes: 9 }, "its entries have 9 bytes, not 128"),
        (&E::Entries { count: 9, limit: 8 }, "it has 9 entries, and at most 8 are read"),
        (
            &E::EntriesPlace { first: 1, end: 2 },
            "its entries are to be in sectors 1 to 2, which is outside of the disk or where \
             something else is",
        ),
        (&E::EntriesChecksum, "its entries have a wrong checksum"),
        (
            &E::Outside { number: 3, first: 1, last: 2 },
            "partition 3, sectors 1 to 2, is not where partitions are to be",
        ),
        (&E::Overlap { one: 1, two: 2 }, "partitions 1 and 2 have sectors in common"),
        (&E::SameGuid { one: 1, two: 2 }, "partitions 1 and 2 have one GUID"),
        (&E::Differ, "the tables at both ends of the disk differ"),
        (
            &E::NotLast { own: 1, last: 2 },
            "the second table is in sector 1, and the disk ends with sector 2",
        ),
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
        (&R::Overlap, "metadata overlaps: in total more than an image this long can hold"),
    ]);
}

#[test]
fn hash_trees() {
    use verity::{Error as E, Fault};
    let mut name = [0; 32];
    name[..5].copy_from_slice(b"\"sha\xff");
    says([
        (&E::BlockSize { bytes: 3 }, "block size 3 is not a power of two from 512 to 524288"),
        (&E::SaltLength { bytes: 257 }, "salt of 257 bytes, at most 256 are allowed"),
        (&E::NilUuid, "the UUID of a verity superblock must not be nil"),
        (&E::Syntax { what: "UUID" }, "not a valid UUID"),
        (&E::NoData, "no data: a hash tree needs at least one data block"),
        (
            &E::DataTail { bytes: 513, block: 512 },
            "513 bytes of data are not whole blocks of 512; pad with zeros",
        ),
        (&E::TooLarge { data_blocks: 9 }, "9 data blocks and their tree do not fit in 2^63 bytes"),
        (&E::HashOffset { offset: 3, multiple: 2 }, "hash offset 3 is not a multiple of 2"),
        (
            &E::HashOverData { offset: 3, data_bytes: 4 },
            "hash offset 3 lies inside the 4 bytes of data",
        ),
        (
            &E::DataBlockOverPage { block: 8192, page: 4096 },
            "data block of 8192 bytes is larger than a page of 4096",
        ),
        (&E::TooMuchData { bytes: 3, expected: 2 }, "3 bytes of data, only 2 were announced"),
        (&E::TooLittleData { bytes: 2, expected: 3 }, "data ends after 2 bytes, 3 were announced"),
        (&E::MidBlock { offset: 3 }, "digests pushed at byte 3 of the data, inside a data block"),
        (
            &E::DigestLength { bytes: 31 },
            "31 bytes where whole 32-byte digests of all blocks belong",
        ),
        (&E::NoLevels, "a single data block has no tree"),
        (&E::OtherLeaves, "the leaves were hashed with another data block size or salt"),
        (&E::BlockLength { bytes: 3, block: 2 }, "3 bytes are not whole blocks of 2"),
        (&E::BlockIndex { block: 3, data_blocks: 2 }, "data block 3 of 2 does not exist"),
        (
            &E::DataMismatch { block: 3, offset: 1536 },
            "data block 3 at byte 1536 does not match its digest",
        ),
        (
            &E::HashMismatch { level: 1, block: 3, offset: 1536 },
            "hash block 3 of level 1 at byte 1536 does not match",
        ),
        (
            &E::SpareNotZero { level: 1, block: 3, offset: 1536 },
            "spare byte at 1536, in hash block 3 of level 1, is not zero",
        ),
        (&E::SuperblockShort { bytes: 3 }, "a verity superblock has 512 bytes, here are 3"),
        (&E::SuperblockMagic, "no verity superblock here"),
        (&E::SuperblockVersion { version: 2 }, "verity superblock version 2, only 1 is known"),
        (&E::HashType { hash_type: 0 }, "verity hash type 0, only 1 is supported"),
        (&E::Algorithm { name }, r#"hash algorithm "\"sha\xff", only sha256 is supported"#),
        (
            &E::Algorithm { name: [b'a'; 32] },
            "hash algorithm \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", only sha256 is supported",
        ),
        (&E::Name { found: '\0' }, "a device name must not be empty"),
        (&E::Name { found: '\'' }, r"a device name must not have '\''"),
        (&Fault::<&str>::Verity(E::NoData), &E::NoData.to_string()),
        (&Fault::Caller("of the caller"), "of the caller"),
    ]);
    let mut bytes: &[u8] = &[];
    let error = verity::Source::read_at(&mut bytes, 7, &mut [0]).unwrap_err();
    says([(&error, "the bytes wanted at offset 7 are not there")]);
}

#[test]
fn files() {
    use io::Error as E;
    let file = || PathBuf::from("dir/f");
    let error = || std::io::Error::other("broken");
    says([
        (&E::Open { file: file(), error: error() }, "dir/f: cannot open it: broken"),
        (&E::Create { file: file(), error: error() }, "dir/f: cannot create it: broken"),
        (
            &E::Read { file: file(), offset: 3, error: error() },
            "dir/f: cannot read at offset 3: broken",
        ),
        (
            &E::Write { file: file(), offset: 3, error: error() },
            "dir/f: cannot write at offset 3: broken",
        ),
        (
            &E::Short { file: file(), bytes: 3, needed: 4 },
            "dir/f: ends at offset 3, but 4 bytes are needed",
        ),
        (&E::MissingSource { device: 2, sources: 1 }, "device 2 has no file: only 1 were given"),
        (
            &E::Layer { file: file(), error: tree::Error::TooMany("inodes") },
            "dir/f: more inodes than a tree can number",
        ),
        (
            &E::TooLong { file: file(), bytes: 9 },
            "dir/f: has 9 bytes, for which there is no memory",
        ),
        (
            &E::Table { file: file(), error: outputs::TableError::Differ },
            "dir/f: its partition table: the tables at both ends of the disk differ",
        ),
        (
            &E::Export { file: file(), error: export::Error::Bootstrap },
            "dir/f: a bootstrap has no data: the layout must be a disk's",
        ),
        (
            &E::Export {
                file: file(),
                error: export::Error::DataBlock { data_block: 4096, block: 512 },
            },
            "dir/f: data blocks of 4096 bytes over a filesystem with blocks of 512: Linux opens the \
             device, and refuses the mount",
        ),
        (
            &E::Merge { file: file(), error: tree::Error::TooMany("devices") },
            "dir/f: more devices than a tree can number",
        ),
        (&E::IsInput { file: file() }, "dir/f: is an input and the output"),
        (
            &E::SameName { file: file(), layers: (0, 2) },
            "dir/f: would be the name of the outputs of two layers, 1 and 3",
        ),
        (
            &E::Name { file: file() },
            "dir/f: has a name that is not UTF-8, which no form over files can carry",
        ),
        (&E::NoFile { name: file() }, "dir/f: is read, but is no file that a disk can be over"),
        (&E::NotRegular { file: file() }, "dir/f: is there, and is not a regular file"),
        (&E::Cancelled, "cancelled"),
        (
            &E::Export { file: file(), error: export::Error::NoDisk },
            "dir/f: a hash tree alone is no disk: it has no form, and no partitions",
        ),
        (
            &E::Export { file: file(), error: export::Error::Volume { count: 2 } },
            "dir/f: a volume is one filesystem, and these are 2: merge them",
        ),
        (
            &E::Export { file: file(), error: export::Error::NoLayer },
            "dir/f: there is no layer to make it of",
        ),
        (
            &E::Verity { file: file(), error: verity::Error::NoLevels },
            "dir/f: a single data block has no tree",
        ),
    ]);
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
    let table = io::Error::Table { file: "f".into(), error: outputs::TableError::Differ };
    assert!(table.source().is_some_and(|cause| cause.is::<outputs::TableError>()));
    let verity = io::Error::Verity { file: "f".into(), error: verity::Error::NoData };
    assert!(verity.source().is_some_and(|cause| cause.is::<verity::Error>()));
}
