//! Partition tables, as `sfdisk`, `sgdisk` and the kernel read them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use erofs_tarfs::io::{Mapped, NamedFile};
use erofs_tarfs::outputs::{Error, FileExtent, FileExtents, Gpt, Partition, Role};
use serde_json::Value;
use testkit::dump::{Ignore, diff, dump};
use testkit::mount::{self, DiskFs, Erofs, LoopDevice};
use testkit::oracle::{self, Verdict};
use testkit::ours;

use crate::disks::{Files, PLACEMENTS, Source, holds, stack};

/// `sgdisk --verify` finds nothing wrong.
#[track_caller]
fn sgdisk(disk: &Path) {
    let Some(sgdisk) = oracle::tool("sgdisk", "apt-get install gdisk") else { return };
    let verdict = Verdict::of(Command::new(sgdisk).arg("--verify").arg(disk));
    verdict.expect_ok("sgdisk --verify");
    assert!(verdict.output.contains("No problems found"), "{}", verdict.output);
}

/// `sfdisk --verify` finds nothing wrong; what it reads.
#[track_caller]
fn sfdisk(disk: &Path) -> Option<Value> {
    let sfdisk = oracle::tool("sfdisk", "apt-get install fdisk")?;
    let verdict = Verdict::of(Command::new(&sfdisk).arg("--verify").arg(disk));
    verdict.expect_ok("sfdisk --verify");
    assert!(verdict.output.contains("No errors detected"), "{}", verdict.output);
    Some(table(&sfdisk, disk).0)
}

/// What `sfdisk` reads, and what it has to say of it.
#[track_caller]
fn table(sfdisk: &Path, disk: &Path) -> (Value, String) {
    let output = Command::new(sfdisk).arg("--json").arg(disk).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let mut json: Value = serde_json::from_slice(&output.stdout).unwrap();
    (json["partitiontable"].take(), said)
}

#[track_caller]
fn same(table: &Value, gpt: &Gpt) {
    let upper = |text: String| text.to_uppercase();
    assert_eq!(table["label"], "gpt");
    assert_eq!(table["id"], upper(gpt.guid().to_string()));
    // Room for partitions: not for the tables at both ends, of 128 entries or of 255.
    let entries =
        if gpt.partitions().len() <= 128 { 32 } else { gpt.partitions().len().div_ceil(4) };
    assert_eq!(table["firstlba"], 2 + entries);
    assert_eq!(table["lastlba"], gpt.bytes() / 512 - 2 - entries as u64);
    let partitions = table["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), gpt.partitions().len());
    for (found, placed) in partitions.iter().zip(gpt.partitions()) {
        assert_eq!(found["start"], placed.offset / 512);
        assert_eq!(found["size"], placed.bytes / 512);
        assert_eq!(found["type"], "0FC63DAF-8483-4772-8E79-3D69D8477DE4");
        assert_eq!(found["uuid"], upper(placed.guid.to_string()));
        let name = if placed.name.is_empty() { Value::Null } else { placed.name.clone().into() };
        assert_eq!(found["name"], name);
    }
}

/// All layers in partitions, sealed or not: the disk over files, and its bytes.
fn layers(files: &mut Files, placement: usize, sealed: bool) -> (Gpt, FileExtents<usize>, Vec<u8>) {
    let (mut disks, mut contents, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for (number, layer) in Source::layers().iter().enumerate() {
        let (mut extents, mut bytes) = files.disk(layer, PLACEMENTS[placement]);
        let identity = match sealed {
            true => files.seal(&mut extents, &mut bytes).root().as_bytes().to_vec(),
            false => vec![number as u8],
        };
        let name = format!("layer {number} ä 𝄞");
        wanted.push(Partition { name, identity, bytes: extents.bytes(), role: Role::Data });
        disks.push(extents);
        contents.push(bytes);
    }
    let gpt = Gpt::new(wanted, Gpt::ALIGN).unwrap();
    let table = files.add("gpt", &[gpt.head(), gpt.tail()].concat());
    let whole = gpt.extents(disks, table, 0).unwrap();
    let mut bytes = gpt.head();
    for (placed, content) in gpt.partitions().iter().zip(contents) {
        bytes.resize(placed.offset as usize, 0);
        bytes.extend(content);
    }
    bytes.extend(gpt.tail());
    assert_eq!(bytes.len() as u64, gpt.bytes());
    (gpt, whole, bytes)
}

/// A disk whose partitions are devices, and the path of each. Where the kernel cannot read the table
/// itself (CONFIG_EFI_PARTITION), `partx` reads it and tells the kernel.
fn attached(disk: &Path, count: usize) -> (LoopDevice, Vec<PathBuf>) {
    let device = LoopDevice::with(disk, &["--read-only", "--partscan"]).unwrap();
    let path = device.path().display();
    let paths: Vec<_> = (1..=count).map(|n| PathBuf::from(format!("{path}p{n}"))).collect();
    if let Some(partx) = oracle::tool("partx", "apt-get install util-linux") {
        Verdict::of(Command::new(partx).arg("--update").arg(device.path())).expect_ok("partx");
    }
    (device, paths)
}

#[test]
fn a_partition_a_layer() {
    let stack = stack();
    let scratch = mount::tmpfs().unwrap();
    for (placement, sealed) in [(0, false), (1, true), (2, false), (2, true)] {
        let mut files = Files::new();
        let (gpt, extents, bytes) = layers(&mut files, placement, sealed);
        let disk = files.written(&extents, "disk");
        holds(&disk, &bytes);
        sgdisk(&disk);
        if let Some(table) = sfdisk(&disk) {
            same(&table, &gpt);
        }
        let (_device, paths) = attached(&disk, gpt.partitions().len());
        for (number, (placed, path)) in gpt.partitions().iter().zip(&paths).enumerate() {
            let range = placed.offset as usize..(placed.offset + placed.bytes) as usize;
            assert!(fs::read(path).unwrap() == bytes[range], "{path:?}");
            // And as it stands, the kernel shows the layer.
            let (_dir, lower) = stack.extract(number, scratch.path()).unwrap();
            let shown = dump(Erofs::new(path).mount().unwrap().path()).unwrap();
            let ignore = Ignore::nothing().dir_nlink().xattrs("trusted.overlay.origin");
            let wrong = diff(&shown, &dump(&lower.dir).unwrap(), &ignore);
            assert!(wrong.is_empty(), "layer {number}:\n{}", wrong.join("\n"));
        }
    }
}

#[test]
fn partitions_share_the_bytes_of_their_tars() {
    let Some(xfs) = mount::scratch_disk(DiskFs::Xfs, 320 << 20).unwrap() else { return };
    let mut files = Files::below(xfs.path());
    let (_, extents, bytes) = layers(&mut files, 0, true);
    let disk = files.path("disk");
    let file = NamedFile::new(&disk, fs::File::create_new(&disk).unwrap());
    let mapped = Mapped::new(&extents, &files.files).unwrap();
    let copied = mapped.write(&file, &mut |_| {}).unwrap();
    holds(&disk, &bytes);
    // Whole blocks of files that start at one; the metadata does not, here.
    let whole = |extent: &&FileExtent<usize>| extent.source.is_some_and(|(_, at)| at % 4096 == 0);
    let shared = extents.list().iter().filter(whole).map(|extent| extent.bytes / 4096 * 4096);
    assert_eq!(copied.cloned, shared.sum::<u64>(), "{copied:?}");
    assert!(copied.cloned > 0 && copied.by_hand == 0, "{copied:?}");
}

#[test]
fn the_same_partitions_give_the_pinned_bytes() {
    let partition = |number: u8| Partition {
        name: format!("layer {number}"),
        identity: vec![number],
        bytes: 4096 << number,
        role: Role::Data,
    };
    let gpt = Gpt::new((0..3).map(partition).collect(), Gpt::ALIGN).unwrap();
    let digest = ours::tag(&[gpt.head(), gpt.tail()].concat());
    // What `sgdisk` and `sfdisk` find nothing wrong with in the other tests.
    assert_eq!(
        String::from_utf8(digest).unwrap(),
        "1a05996c49a412b5ee33c6e5bca5216e077903fa21f5794603ffe26e85796669"
    );
}

#[test]
fn the_table_at_the_end_is_whole() {
    let mut files = Files::new();
    let (gpt, extents, _) = layers(&mut files, 0, false);
    let disk = files.written(&extents, "disk");
    let mut bytes = fs::read(&disk).unwrap();
    bytes[512..34 * 512].fill(0);
    fs::write(&disk, &bytes).unwrap();
    let Some(sfdisk) = oracle::tool("sfdisk", "apt-get install fdisk") else { return };
    let (table, said) = table(&sfdisk, &disk);
    assert!(said.contains("backup"), "{said}");
    same(&table, &gpt);
}

#[test]
fn the_same_again_has_another_guid_and_the_same_bytes() {
    let of = |identities: &[u8]| {
        let partition = |identity: &u8| Partition {
            name: String::new(),
            identity: vec![*identity],
            bytes: 4096,
            role: Role::Data,
        };
        Gpt::new(identities.iter().map(partition).collect(), 4096).unwrap()
    };
    let gpt = of(&[1, 2, 1, 1]);
    let mut guids: Vec<_> = gpt.partitions().iter().map(|partition| partition.guid).collect();
    guids.push(gpt.guid());
    assert!(guids.iter().all(|guid| guid.0[6] >> 4 == 8 && guid.0[8] >> 6 == 2), "{guids:?}");
    guids.sort();
    guids.dedup();
    assert_eq!(guids.len(), 5);
    assert_eq!(of(&[1, 2, 1, 1]).head(), gpt.head());
    assert_eq!(of(&[1]).partitions()[0].guid, gpt.partitions()[0].guid);
    assert_ne!(of(&[1, 2]).guid(), of(&[2, 1]).guid());
}

#[test]
fn as_many_partitions_as_linux_finds() {
    let dir = tempfile::tempdir().unwrap();
    let partition = |number: usize| Partition {
        name: "n".repeat(number % 37),
        identity: number.to_le_bytes().to_vec(),
        bytes: 512 * (number as u64 % 5 + 1),
        role: Role::Data,
    };
    for (count, align) in [(1, 512), (128, 4096), (129, 512), (255, 1 << 20)] {
        let gpt = Gpt::new((0..count).map(partition).collect(), align).unwrap();
        let path = dir.path().join("disk");
        let mut bytes = gpt.head();
        bytes.resize(gpt.bytes() as usize - gpt.tail().len(), 0);
        bytes.extend(gpt.tail());
        fs::write(&path, &bytes).unwrap();
        sgdisk(&path);
        if let Some(table) = sfdisk(&path) {
            same(&table, &gpt);
        }
        let (_device, paths) = attached(&path, count);
        let last = fs::read(&paths[count - 1]).unwrap();
        assert_eq!(last.len() as u64, partition(count - 1).bytes);
    }
    for count in [0, 256] {
        let made = Gpt::new((0..count).map(partition).collect(), 512);
        assert_eq!(made, Err(Error::Partitions { count, limit: 255 }));
    }
}

#[test]
fn what_no_table_can_say() {
    let new = |name: &str, bytes: u64, align| {
        Gpt::new(vec![Partition { name: name.into(), bytes, ..Partition::default() }], align)
    };
    assert!(new(&"ä".repeat(36), 512, 512).is_ok());
    assert!(matches!(new(&"𝄞".repeat(19), 512, 512), Err(Error::PartitionName { .. })));
    assert_eq!(new("", 0, 512), Err(Error::Empty));
    assert!(matches!(new("", 1000, 512), Err(Error::Sectors { bytes: 1000, .. })));
    for align in [0, 1, 256, 768, 2 << 30] {
        assert_eq!(new("", 512, align), Err(Error::Alignment { align }));
    }
    for bytes in [u64::MAX - 511, u64::MAX - (32 << 10) + 1] {
        assert!(matches!(new("", bytes, 512), Err(Error::TooLarge { .. })));
    }
    let gpt = new("", 1024, 512).unwrap();
    let mut other = FileExtents::default();
    other.push(512, 0, 0).unwrap();
    let expected = Err(Error::Length { bytes: 512, expected: 1024 });
    assert_eq!(gpt.extents(vec![other], 1, 0), expected);
    assert_eq!(
        gpt.extents(Vec::<FileExtents<u8>>::new(), 1, 0),
        Err(Error::Partitions { count: 0, limit: 1 })
    );
}
