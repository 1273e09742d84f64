//! Files and threads: the same bytes from one thread and from several, as veritysetup writes them.
#![cfg(all(feature = "std", unix))]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod verity_kit;

use std::fs::File;
use std::num::NonZero;
use std::sync::Mutex;

use erofs_tarfs::io::verity::{self, HashingOptions, ReadAt, WriteAt};
use erofs_tarfs::verity::{
    Backend, Error, Fault, Geometry, HashBytes, HashPlacement, Hasher, Params, SuperblockMode,
};
use verity_kit::{Dir, Random, run, veritysetup};

fn threads(count: usize) -> HashingOptions {
    HashingOptions::new().threads(NonZero::new(count).unwrap())
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let mut random = Random(30);
    let data = random.bytes(9 << 20);
    for n in 0..40 {
        let (data_block, hash_block) =
            (random.pick(&[512, 4096, 65536]), random.pick(&[512, 1024, 4096, 524_288]));
        let superblock = if n % 2 == 0 { SuperblockMode::None } else { SuperblockMode::Derived };
        let params = Params::new(data_block, hash_block, &[n; 9], superblock).unwrap();
        let most = data.len() as u64 / u64::from(data_block);
        let blocks = 1 + random.pick(&[1, 20, most]).min(most);
        let bytes = random.below(blocks).max(1) * u64::from(data_block);
        let data = &data[..bytes as usize];
        let geometry = Geometry::new(&params, bytes, HashPlacement::OwnFile).unwrap();
        let mut hasher = Hasher::new(geometry.clone()).with_backend(Backend::Sha2);
        let mut expected = HashBytes::default();
        hasher.push(data, &mut expected).unwrap();
        let sealed = hasher.finish(&mut expected).unwrap();
        for count in [1, 2, 5] {
            let tree = Mutex::new(vec![0x55; geometry.end() as usize]);
            let found = verity::seal(data, &tree, geometry.clone(), &threads(count)).unwrap();
            assert_eq!(found, sealed);
            assert!(tree.into_inner().unwrap() == expected.bytes, "{count} threads, {geometry:?}");
        }
        verity::verify(data, &expected.bytes[..], &sealed, &threads(1)).unwrap();
        verity::verify(data, &expected.bytes[..], &sealed, &threads(3)).unwrap();
    }
}

#[test]
fn the_first_bad_block_is_named_by_any_number_of_threads() {
    let mut data = Random(31).bytes(20 << 20);
    let geometry =
        Geometry::new(&Params::nydus(), data.len() as u64, HashPlacement::OwnFile).unwrap();
    let tree = Mutex::new(vec![0; geometry.end() as usize]);
    let sealed = verity::seal(&data[..], &tree, geometry, &HashingOptions::default()).unwrap();
    let tree = tree.into_inner().unwrap();
    for block in [39_000, 20_000, 30_000] {
        data[block * 512 + 5] ^= 4;
    }
    for count in [1, 2, 4] {
        let verdict = verity::verify(&data[..], &tree[..], &sealed, &threads(count));
        let Err(Fault::Verity(Error::DataMismatch { block, .. })) = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!(block, 20_000);
    }
}

/// A file that is mapped, sealed in place: the same bytes. What the map has not is no signal.
#[cfg(target_os = "linux")]
#[test]
#[allow(unsafe_code, reason = "maps a file of its own")]
fn mapped_files_are_as_those_that_are_read() {
    use erofs_tarfs::io::Map;

    let dir = Dir::new("verity-map");
    let path = dir.file("disk");
    for name in Params::NAMES {
        let params = Params::named(name).unwrap();
        let sealed = |mapped: bool| {
            // Zeros in the middle, and an end that is no end of a page.
            let mut data = Random(33).bytes((5 << 20) + 4096);
            data[1 << 20..3 << 20].fill(0);
            data.truncate(data.len() - 4096 + params.data_block().bytes() as usize);
            std::fs::write(&path, &data).unwrap();
            let file = File::options().read(true).write(true).open(&path).unwrap();
            let bytes = data.len() as u64;
            let geometry = Geometry::new(&params, bytes, HashPlacement::BehindData).unwrap();
            // SAFETY: nobody else has the file, and what is written is behind what is mapped.
            let map = unsafe { Map::new(&file, bytes) }.unwrap();
            let sealed = match mapped {
                true => verity::seal(&map, &file, geometry, &threads(2)).unwrap(),
                false => verity::seal(&file, &file, geometry, &threads(2)).unwrap(),
            };
            verity::verify(&map, &file, &sealed, &threads(2)).unwrap();
            (sealed, std::fs::read(&path).unwrap())
        };
        assert!(sealed(true) == sealed(false), "{name}");
    }
    let file = File::options().read(true).write(true).open(&path).unwrap();
    let bytes = file.metadata().unwrap().len();
    // SAFETY: nothing is mapped.
    let long = unsafe { Map::new(&file, bytes + 1) };
    assert_eq!(long.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    // SAFETY: of what is looked at below, nothing is there.
    let map = unsafe { Map::new(&file, bytes) }.unwrap();
    assert!(map.view(bytes - 1, 2).is_none() && map.view(u64::MAX, 1).is_none());
    file.set_len(1 << 20).unwrap();
    assert!(map.view(2 << 20, 4096).is_none());
    let geometry = Geometry::new(&Params::nydus(), 2 << 20, HashPlacement::BehindData).unwrap();
    let cut = verity::seal(&map, &file, geometry, &threads(1));
    assert_eq!(cut.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}

/// Errors of files come back, from helpers too.
#[test]
fn errors_of_files_come_back() {
    struct Bad;
    impl ReadAt for Bad {
        fn read_exact_at(&self, _: &mut [u8], offset: u64) -> std::io::Result<()> {
            if offset > 3 << 20 { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(()) }
        }
    }
    impl WriteAt for Bad {
        fn write_all_at(&self, _: &[u8], _: u64) -> std::io::Result<()> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
    }
    let geometry = Geometry::new(&Params::nydus(), 8 << 20, HashPlacement::OwnFile).unwrap();
    for count in [1, 3] {
        let tree = Mutex::new(vec![0; geometry.end() as usize]);
        let read = verity::seal(&Bad, &tree, geometry.clone(), &threads(count));
        assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        let data = vec![0; 8 << 20];
        let write = verity::seal(&data[..], &Bad, geometry.clone(), &threads(count));
        assert_eq!(write.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    }
}

/// One file with data and tree, sealed in place, taken by `veritysetup verify`.
#[test]
fn a_file_sealed_in_place_verifies() {
    let Some(program) = veritysetup() else { return };
    let dir = Dir::new("verity-file");
    let path = dir.file("disk");
    for name in Params::NAMES {
        let params = Params::named(name).unwrap();
        std::fs::write(&path, Random(32).bytes((5 << 20) + 4096)).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let bytes = file.metadata().unwrap().len();
        let geometry = Geometry::new(&params, bytes, HashPlacement::BehindData).unwrap();
        let sealed = verity::seal(&file, &file, geometry, &threads(2)).unwrap();
        assert_eq!(file.metadata().unwrap().len(), sealed.geometry().end());
        let output = run(&program, sealed.verify_command(&path, &path).words());
        assert!(output.status.success(), "{name}: {output:?}");
        verity::verify(&file, &file, &sealed, &HashingOptions::default()).unwrap();
    }
}
