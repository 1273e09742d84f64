//! What forms of disks, hash trees and files say.

use std::path::PathBuf;

use erofs_tarfs::{export, io, outputs, tree, verity};

use super::says;

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
        (&E::DigestLength { bytes: 31 }, "31 bytes where whole digests of all blocks belong"),
        (&E::NoLevels, "a single data block has no tree"),
        (&E::OtherLeaves, "the leaves were hashed with another data block size, algorithm or salt"),
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
        (&E::HashType { hash_type: 2 }, "verity hash type 2, only 0 and 1 are known"),
        (
            &E::Algorithm { name },
            r#"hash algorithm "\"sha\xff", only sha256 and sha512 are supported"#,
        ),
        (
            &E::Algorithm { name: [b'a'; 32] },
            "hash algorithm \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", only sha256 and sha512 are supported",
        ),
        (&E::NoPlace { form: "sidecars", what: "a salt" }, "sidecars have no place for a salt"),
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
            &E::Image { file: file(), error: erofs_tarfs::read::Error::Checksum },
            "dir/f: superblock checksum is wrong",
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
        (&E::Create { file: file(), error: error() }, "dir/f: cannot create it: broken"),
        (
            &E::Name { file: file() },
            "dir/f: has a name that is not UTF-8, which no form over files can carry",
        ),
        (
            &E::NoFile { name: "a layer".into() },
            "a layer: is no file that is found by its name, as those have to be that a disk is over",
        ),
        (&E::NotRegular { file: file() }, "dir/f: is there, and is not a regular file"),
        (&E::Cancelled, "cancelled"),
        (&E::Empty { file: file() }, "dir/f: is empty: a tar has at least two zero blocks"),
        (&E::Changed { file: file() }, "dir/f: changed while it was read"),
        (
            &E::Count { layer: 1, what: "files", devices: 1, given: 2 },
            "layer 2 has 1 devices, but 2 files were given",
        ),
        (
            &E::Kept { layer: 1, device: 0, blocks: 3, needed: 4 },
            "layer 2: the digests kept of device 1 are of 3 data blocks, not of 4",
        ),
        (
            &E::Export { file: file(), error: export::Error::NoDisk },
            "dir/f: a hash tree alone is no disk: it has no form, and no partitions",
        ),
        (
            &E::Export { file: file(), error: export::Error::Volume { count: 2 } },
            "dir/f: a volume is one filesystem, and these are 2: merge them",
        ),
        (
            &E::Export { file: file(), error: export::Error::NoTree },
            "dir/f: the mode makes no hash tree: there is no root hash",
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
