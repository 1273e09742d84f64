//! Device-mapper tables. The kernel of the tests may have no device mapper, so what a table says is
//! read from loop devices by a reader that knows tables alone.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

use erofs_tarfs::outputs::{Error, FileExtents, NameRule, dm_linear};
use testkit::mount::LoopDevice;

use crate::disks::{Files, PLACEMENTS, Source};

/// What the devices of a table make, as Linux `dm-linear.c`, `dm-zero.c` and `dm-table.c` have it.
fn assemble(table: &str) -> Vec<u8> {
    let mut disk = Vec::new();
    let mut devices = BTreeMap::new();
    for line in table.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |index: usize| words[index].parse::<u64>().unwrap() * 512;
        assert_eq!(number(0), disk.len() as u64, "a gap: {line}");
        let mut part = vec![0; number(1) as usize];
        assert!(!part.is_empty(), "{line}");
        match words[2] {
            "zero" => assert_eq!(words.len(), 3, "{line}"),
            "linear" => {
                assert_eq!(words.len(), 5, "{line}");
                let device = devices.entry(words[3].to_owned());
                let device = device.or_insert_with(|| File::open(words[3]).unwrap());
                device.read_exact_at(&mut part, number(4)).unwrap();
            }
            _ => panic!("{line}"),
        }
        disk.extend(part);
    }
    disk
}

#[test]
fn the_devices_of_a_table_make_the_disk() {
    for placement in PLACEMENTS {
        for sealed in [false, true] {
            let mut files = Files::new();
            let (mut extents, mut bytes) = files.disk(&Source::image(), placement);
            let sealed = sealed.then(|| files.seal(&mut extents, &mut bytes));
            let loops: Vec<_> = files.files.iter().map(|f| LoopDevice::new(f.path())).collect();
            let loops: Vec<_> = loops.into_iter().map(Result::unwrap).collect();
            let name = |index: usize| loops[index].path().to_str().unwrap();
            let table = dm_linear(&extents.map(name)).unwrap();
            assert!(assemble(&table) == bytes, "{placement:?}\n{table}");
            if let Some(sealed) = sealed {
                // The line of the device on top asks for no more than there is.
                let line = sealed.table_line("/dev/mapper/d", "/dev/mapper/d");
                let sectors: u64 = line.split(' ').nth(1).unwrap().parse().unwrap();
                assert!(sectors * 512 < bytes.len() as u64);
                assert_eq!(sealed.geometry().end(), bytes.len() as u64);
            }
        }
    }
}

#[test]
fn bytes_behind_the_last_whole_sector_are_out_of_reach() {
    let mut extents = FileExtents::default();
    extents.push(1024, "/dev/loop0", 0).unwrap();
    extents.push(1023, "/dev/loop1", 512).unwrap();
    extents.push_zeros(1).unwrap();
    let file = Some("/dev/loop1".to_owned());
    let error = dm_linear(&extents).unwrap_err();
    assert_eq!(error, Error::Sectors { offset: 1024, bytes: 1023, file });
    assert!(error.to_string().contains("/dev/loop1"), "{error}");
    let mut extents = FileExtents::default();
    extents.push(512, "/dev/loop0", 1).unwrap();
    assert!(matches!(dm_linear(&extents), Err(Error::Sectors { .. })));
}

#[test]
fn names_of_devices() {
    let of = |name: &str| {
        let mut extents = FileExtents::default();
        extents.push(512, name, 1024).unwrap();
        dm_linear(&extents)
    };
    assert_eq!(of("7:1").unwrap(), "0 1 linear 7:1 2\n");
    assert_eq!(of("/dev/a b\\c").unwrap(), "0 1 linear /dev/a\\ b\\\\c 2\n");
    for (name, rule) in
        [("", NameRule::Empty), ("a\n0 1 zero", NameRule::Control), ("a\tb", NameRule::Control)]
    {
        assert_eq!(of(name), Err(Error::Name { name: name.to_owned(), rule }));
    }
}

#[test]
fn extents_join_where_they_can() {
    let mut extents = FileExtents::default();
    for (bytes, file, at) in [(512, 0, 0), (512, 0, 512), (0, 1, 0), (512, 1, 1024), (1024, 1, 0)] {
        extents.push(bytes, file, at).unwrap();
    }
    extents.push_zeros(0).unwrap();
    extents.push_zeros(512).unwrap();
    extents.push_zeros(512).unwrap();
    let list: Vec<_> = extents.list().iter().map(|e| (e.offset, e.bytes, e.source)).collect();
    assert_eq!(
        list,
        [
            (0, 1024, Some((0, 0))),
            (1024, 512, Some((1, 1024))),
            (1536, 1024, Some((1, 0))),
            (2560, 1024, None),
        ]
    );
    assert_eq!((extents.bytes(), extents.longest_zeros()), (3584, 1024));
    let before = extents.clone();
    for (bytes, at) in [(u64::MAX, 0), (1, u64::MAX), (u64::MAX - 3583, 0)] {
        assert!(matches!(extents.push(bytes, 2, at), Err(Error::TooLarge { .. })));
    }
    assert!(matches!(extents.push_zeros(u64::MAX - 3583), Err(Error::TooLarge { .. })));
    assert_eq!(extents, before);
}
