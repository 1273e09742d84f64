//! Images that are read piece by piece: as little as is asked for, and the same as in memory.

mod read_kit;

use erofs_tarfs::format::DataLayout;
use erofs_tarfs::read::{
    Error, Image, ReadFault, ReadImage, Rule, StoredExtent, StoredPlace, TreeOptions,
};
use read_kit::{B, FILE, Pieces, Raw, index, nid};
use std::sync::Mutex;

/// Counts what is read.
struct Counting<'a>(Pieces<'a>, Mutex<Vec<(u64, usize)>>);

impl ReadImage for Counting<'_> {
    fn len(&self) -> Result<u64, ReadFault> {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFault> {
        self.1.lock().unwrap().push((offset, buf.len()));
        self.0.read_at(offset, buf)
    }
}

/// A reader that fails from a byte on.
struct Broken<'a>(Pieces<'a>, u64);

impl ReadImage for Broken<'_> {
    fn len(&self) -> Result<u64, ReadFault> {
        self.0.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFault> {
        if offset + buf.len() as u64 > self.1 {
            return Err(ReadFault::new("broken"));
        }
        self.0.read_at(offset, buf)
    }
}

/// A file `long` whose chunks are, in turn, on a device, a hole, and at another place of the device.
fn long(chunks: usize) -> Vec<u8> {
    let mut raw = Raw::new(8 + (chunks * 8).div_ceil(B), &[(1 << 20, 1 << 20)]);
    let table: Vec<_> = (0..chunks as u32)
        .flat_map(|chunk| match chunk % 3 {
            0 => index(0, 1, chunk),
            1 => index(0, 0, u32::MAX),
            _ => index(0, 1, chunk + 1000),
        })
        .collect();
    raw.chunks(5, (chunks * B) as u64, 0x20, &table);
    raw.dir(4, 4, &[("long", 5)]);
    raw.sealed()
}

#[test]
fn a_part_of_a_long_file_costs_a_part_of_its_table() {
    let bytes = long(1 << 20);
    let reader = Counting(Pieces(&bytes), Mutex::default());
    let image = Image::over(&reader).unwrap();
    reader.1.lock().unwrap().clear();
    let at = (999_999 * B) as u64;
    let part = image.extents_within(nid(5), at + 10..at + 2 * B as u64).unwrap();
    let source = StoredPlace::Device { slot: 0, offset: at + 10 };
    assert_eq!(part, [StoredExtent { logical: at + 10, len: 502, source }]);
    let read: usize = reader.1.lock().unwrap().iter().map(|(_, len)| len).sum();
    assert!(read < 100, "{read} bytes");
}

#[test]
fn parts_are_what_the_whole_has_there() {
    let bytes = long(100);
    let image = Image::new(&bytes).unwrap();
    let all = image.extents(nid(5)).unwrap();
    let end = (100 * B) as u64;
    for (from, until) in [(0, 1), (0, end), (511, 513), (700, 5000), (end - 1, end), (3, u64::MAX)]
    {
        let expected: Vec<_> = (all.iter())
            .filter_map(|extent| {
                let (start, stop) =
                    (extent.logical.max(from), until.min(extent.logical + extent.len));
                let StoredPlace::Device { slot, offset } = extent.source else {
                    panic!("{extent:?}")
                };
                let source =
                    StoredPlace::Device { slot, offset: offset + (start - extent.logical) };
                (start < stop).then(|| StoredExtent { logical: start, len: stop - start, source })
            })
            .collect();
        assert_eq!(image.extents_within(nid(5), from..until).unwrap(), expected, "{from}..{until}");
    }
    for nothing in [end..end + 5, u64::MAX..u64::MAX, 7..7] {
        assert_eq!(image.extents_within(nid(5), nothing).unwrap(), []);
    }
}

#[test]
fn bytes_of_blocks_and_of_an_inline_tail() {
    let mut raw = Raw::new(16, &[]);
    raw.extended(5, FILE, DataLayout::FlatInline, 515, 12);
    raw.put(12 * B, &[b'a'; B]);
    raw.put(5 * B + 64, b"xyz");
    raw.dir(4, 4, &[("f", 5)]);
    let bytes = raw.sealed();
    let reader = Pieces(&bytes);
    for image in [Image::new(&bytes).unwrap(), Image::over(&reader).unwrap()] {
        let read = |offset, len| {
            let mut buf = vec![b'?'; len];
            let mut none = |_, _, _: &mut [u8]| panic!("no device");
            let n = image.read_at::<Error>(nid(5), offset, &mut buf, &mut none).unwrap();
            buf.truncate(n);
            String::from_utf8(buf).unwrap()
        };
        assert_eq!(read(510, 100), "aaxyz");
        assert_eq!(read(513, 1), "y");
        assert_eq!(read(515, 10), "");
        assert_eq!(read(u64::MAX, 10), "");
        assert_eq!(read(0, 0), "");
    }
}

#[test]
fn what_a_reader_says_comes_out() {
    let bytes = long(100);
    assert!(Image::over(&Broken(Pieces(&bytes), bytes.len() as u64)).is_ok());
    for until in [0, 1024, 1100] {
        let reader = Broken(Pieces(&bytes), until);
        let error = Image::over(&reader).unwrap_err();
        assert!(matches!(error, Error::Read { .. }), "{until}: {error}");
        assert!(error.to_string().ends_with(": broken"), "{error}");
    }
    // Superblock and slots are there, the root is not.
    let reader = Broken(Pieces(&bytes), 4 * B as u64);
    let image = Image::over(&reader).unwrap();
    let error = image.lookup(b"long").unwrap_err();
    assert_eq!(error.to_string(), format!("at byte {}: broken", 4 * B));
    assert!(matches!(image.walk().next(), Some(Err(Error::Read { .. }))));
    let mut walk = image.walk();
    assert!(walk.next().is_some_and(|step| step.is_err()) && walk.next().is_none());
}

#[test]
fn a_walk_ends() {
    // A directory that has itself below it.
    let mut raw = Raw::new(16, &[]);
    raw.dir(5, 4, &[("again", 4)]);
    raw.dir(4, 4, &[("down", 5)]);
    let bytes = raw.sealed();
    let image = Image::new(&bytes).unwrap();
    let steps: Vec<_> =
        image.walk().map(|step| step.map(|found| found.name.into_owned())).collect();
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert_eq!((&steps[0], &steps[1]), (&Ok(Vec::new()), &Ok(b"down".to_vec())));
    let error = steps[2].as_ref().unwrap_err().to_string();
    assert!(error.contains("directory is reached twice"), "{error}");
}

/// An image of any length that is zeros but for its beginning, as a sparse file is.
struct Sparse(Vec<u8>, u64);

impl ReadImage for Sparse {
    fn len(&self) -> Result<u64, ReadFault> {
        Ok(self.1)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFault> {
        buf.fill(0);
        let there = usize::try_from(offset).ok().and_then(|at| self.0.get(at..)).unwrap_or(&[]);
        let len = there.len().min(buf.len());
        buf[..len].copy_from_slice(&there[..len]);
        Ok(())
    }
}

#[test]
fn a_sparse_image_costs_no_more_than_is_in_it() {
    // Its chunk table would be half of 1 TiB, and each chunk another extent.
    let mut raw = Raw::new(16, &[]);
    raw.superblock().blocks_lo.set(u32::MAX);
    raw.extended(5, FILE, DataLayout::ChunkBased, 1 << 45, 0x20);
    raw.dir(4, 4, &[("long", 5)]);
    let reader = Sparse(raw.sealed(), 1 << 40);
    let image = Image::over(&reader).unwrap();
    for error in [image.extents(nid(5)).map(drop), image.tree(&TreeOptions::new()).map(drop)] {
        assert!(matches!(error, Err(Error::Inode { rule: Rule::TooMuchRead, .. })), "{error:?}");
    }
    // A part of it can be had.
    assert_eq!(image.extents_within(nid(5), 1 << 40..(1 << 40) + 100).unwrap().len(), 1);
    let steps: Result<Vec<_>, _> = image.walk().collect();
    assert_eq!(steps.unwrap().len(), 2);
}
