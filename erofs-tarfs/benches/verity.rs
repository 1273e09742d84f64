//! dm-verity beside `veritysetup format`, 4 GiB in the page cache, tree written; and the lanes alone:
//! `cargo bench -p erofs-tarfs --bench verity`. `TARFS_SPEED_MIB` changes the size.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

#[path = "../tests/verity_kit/mod.rs"]
mod verity_kit;

use std::fs::File;
use std::num::NonZero;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use erofs_tarfs::io::verity::{self, Options};
use erofs_tarfs::verity::{Backend, BlockHasher, Geometry, Params, Placement, VerityBlockSize};
use verity_kit::{Dir, root_of, run, veritysetup};

fn threads(count: usize) -> Options {
    Options::threads(NonZero::new(count).expect("at least one"))
}

fn main() {
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
