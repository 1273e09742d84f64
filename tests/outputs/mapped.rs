//! Disks read through the files that they are over.

use erofs_tarfs::io::verity::ReadAt;
use erofs_tarfs::io::{Error, Mapped, NamedFile};
use erofs_tarfs::outputs::FileExtents;

use crate::disks::{Files, PLACEMENTS, Source};

#[test]
fn every_range_reads_as_the_disk_would() {
    let mut files = Files::new();
    let (mut extents, mut bytes) = files.disk(&Source::image(), PLACEMENTS[1]);
    files.seal(&mut extents, &mut bytes);
    let mapped = Mapped::new(&extents, &files.files).unwrap();
    let mut edges: Vec<u64> = extents.list().iter().map(|extent| extent.offset).collect();
    edges.push(extents.bytes());
    for from in &edges {
        for to in edges.iter().filter(|to| *to >= from) {
            for (before, behind) in [(0, 0), (1, 0), (0, 1), (7, 9)] {
                let start = from.saturating_sub(before) as usize;
                let end = (to + behind).min(extents.bytes()) as usize;
                let mut found = vec![7; end - start];
                mapped.read_exact_at(&mut found, start as u64).unwrap();
                assert!(found == bytes[start..end], "{start} to {end}");
            }
        }
    }
    let end = extents.bytes();
    assert!(mapped.read_exact_at(&mut [], end + 5).is_ok());
    for (len, at) in [(1, end), (2, end - 1), (1, u64::MAX)] {
        let error = mapped.read_exact_at(&mut vec![0; len], at).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    }
}

#[test]
fn files_that_are_missing_or_too_short() {
    let mut files = Files::new();
    let index = files.add("file", &[1; 1000]);
    let mut extents = FileExtents::default();
    extents.push(500, index, 500).unwrap();
    let mapped = Mapped::new(&extents, &files.files).unwrap();
    // Cut when it was found to be long enough.
    files.files[index].set_bytes(700).unwrap();
    let out = NamedFile::new("out", tempfile::tempfile().unwrap());
    let error = mapped.write(&out, &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Short { bytes: 700, needed: 1000, .. }), "{error}");
    let error = mapped.read_exact_at(&mut [0; 500], 0).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(error.to_string().contains(files.name(index)), "{error}");

    let error = Mapped::new(&extents, &files.files).unwrap_err();
    assert!(matches!(error, Error::Short { bytes: 700, needed: 1000, .. }), "{error}");
    let error = Mapped::new(&extents, &[]).unwrap_err();
    assert!(matches!(error, Error::MissingSource { device: 0, sources: 0 }), "{error}");
}
