//! Files and threads: the same bytes from one thread and from several, as veritysetup writes them.
#![cfg(all(feature = "std", unix))]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod verity_kit;

use std::fs::File;
use std::num::NonZero;
use std::sync::Mutex;
use std::time::Instant;

use erofs_tarfs::io::verity::{self, Options, ReadAt, WriteAt};
use erofs_tarfs::verity::{
    Backend, BlockHasher, Error, Fault, Geometry, HashBytes, Hasher, Params, Placement,
    SuperblockMode, VerityBlockSize,
};
use verity_kit::{Dir, Random, root_of, run, veritysetup};

fn threads(count: usize) -> Options {
    Options::threads(NonZero::new(count).unwrap())
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
        let geometry = Geometry::new(&params, bytes, Placement::OwnFile).unwrap();
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
    let geometry = Geometry::new(&Params::nydus(), data.len() as u64, Placement::OwnFile).unwrap();
    let tree = Mutex::new(vec![0; geometry.end() as usize]);
    let sealed = verity::seal(&data[..], &tree, geometry, &Options::default()).unwrap();
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
    let geometry = Geometry::new(&Params::nydus(), 8 << 20, Placement::OwnFile).unwrap();
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
        let geometry = Geometry::new(&params, bytes, Placement::BehindData).unwrap();
        let sealed = verity::seal(&file, &file, geometry, &threads(2)).unwrap();
        assert_eq!(file.metadata().unwrap().len(), sealed.geometry().end());
        let output = run(&program, sealed.verify_command(&path, &path).words());
        assert!(output.status.success(), "{name}: {output:?}");
        verity::verify(&file, &file, &sealed, &Options::default()).unwrap();
    }
}

/// Speed beside `veritysetup format`, 4 GiB in the page cache, tree written:
/// `cargo test --release -p erofs-tarfs --test verity_files -- --ignored --nocapture`.
///
/// `TARFS_SPEED_MIB` changes the size.
#[test]
#[ignore = "minutes, and only a release build on an idle machine says anything"]
fn speed() {
    let program = veritysetup().expect("veritysetup is what is compared with");
    let mib = std::env::var("TARFS_SPEED_MIB").ok().and_then(|mib| mib.parse().ok());
    let bytes = mib.unwrap_or(4096u64) << 20;
    lanes();
    let dir = Dir::new("verity-speed");
    let (data_path, hash_path) = (dir.file("data"), dir.file("hash"));
    let data = File::options().read(true).write(true).create_new(true).open(&data_path).unwrap();
    let mut chunk = vec![0; 1 << 20];
    let mut random = verity_kit::stream();
    for at in (0..bytes).step_by(1 << 20) {
        random.fill(&mut chunk);
        data.write_all_at(&chunk, at).unwrap();
    }
    data.sync_all().unwrap();
    for params in [Params::containerd(), Params::nydus(), Params::containerd_4k()] {
        let geometry = Geometry::new(&params, bytes, Placement::OwnFile).unwrap();
        let mut sealed = None;
        let mut ours = |count: usize| {
            best(5, || {
                let _ = std::fs::remove_file(&hash_path);
                let hash = File::create(&hash_path).unwrap();
                let seconds = Instant::now();
                let done = verity::seal(&data, &hash, geometry.clone(), &threads(count));
                sealed = Some(done.unwrap());
                seconds.elapsed().as_secs_f64()
            })
        };
        let (one, two) = (ours(1), ours(2));
        let sealed = sealed.unwrap();
        let theirs = best(3, || {
            let _ = std::fs::remove_file(&hash_path);
            let seconds = Instant::now();
            let output = run(&program, sealed.format_command(&data_path, &hash_path).words());
            assert_eq!(root_of(&output), sealed.root().to_string());
            seconds.elapsed().as_secs_f64()
        });
        eprintln!(
            "{}/{}: veritysetup {theirs:.2} s; one thread {one:.2} s, 1/{:.1}; two {two:.2} s, 1/{:.1}",
            params.data_block(),
            params.hash_block(),
            theirs / one,
            theirs / two,
        );
    }
}

fn best(times: usize, run: impl FnMut() -> f64) -> f64 {
    std::iter::repeat_with(run).take(times).fold(f64::INFINITY, f64::min)
}

/// Hashing alone, from memory, one core.
fn lanes() {
    let data = verity_kit::stream().bytes(32 << 20);
    for (block, salt) in [(512, 0), (512, 32), (4096, 0), (4096, 32)] {
        let size = VerityBlockSize::new(block).unwrap();
        let mut digests = vec![0; data.len() / block as usize * 32];
        let rates: Vec<_> = Backend::ALL
            .into_iter()
            .filter(|backend| backend.is_available())
            .map(|backend| {
                let hasher = BlockHasher::new(&vec![0; salt]).unwrap().with_backend(backend);
                let seconds = best(7, || {
                    let seconds = Instant::now();
                    hasher.hash_blocks(size, &data, &mut digests).unwrap();
                    seconds.elapsed().as_secs_f64()
                });
                format!("{backend} {:.2}", data.len() as f64 / seconds / 1e9)
            })
            .collect();
        eprintln!("blocks of {block}, salt of {salt}, GB/s: {}", rates.join(", "));
    }
}
