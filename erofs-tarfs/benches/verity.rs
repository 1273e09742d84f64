//! dm-verity beside `veritysetup format`, in the page cache, tree written; an image's tree from
//! leaves that are kept beside hashing afresh; and the lanes alone:
//! `cargo bench -p erofs-tarfs --bench verity`.
//!
//! `TARFS_SPEED_MIB` changes the size of the data from 4096. Times are medians of five; CPU time
//! (user and system, all threads) stands beside what the clock says, as it is what tells on a
//! machine that has other things to do.
#![allow(unsafe_code, reason = "maps a file of its own")]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

#[path = "../tests/verity_kit/layers.rs"]
mod layers;
#[path = "../tests/verity_kit/mod.rs"]
mod verity_kit;

use std::fs::File;
use std::num::NonZero;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use erofs_tarfs::io::verity::{self, Options};
use erofs_tarfs::verity::{Backend, BlockHasher, Geometry, Params, Placement, VerityBlockSize};
use erofs_tarfs::{image, io, layout};
use layers::LayerDisk;
use verity_kit::{Dir, root_of, run, veritysetup};

fn threads(count: usize) -> Options {
    Options::threads(NonZero::new(count).expect("at least one"))
}

fn main() {
    let mib = std::env::var("TARFS_SPEED_MIB").ok().and_then(|mib| mib.parse().ok());
    let mib: u64 = mib.unwrap_or(4096);
    let only = std::env::args().find(|arg| ["lanes", "seal", "kept"].contains(&&arg[..]));
    let wanted = |part| only.as_ref().is_none_or(|only| only == part);
    let dir = Dir::new("verity-speed");
    if wanted("lanes") {
        lanes();
    }
    if wanted("seal") {
        seal(&dir, mib);
    }
    if wanted("kept") {
        kept(&dir, mib);
    }
}

/// Files sealed by us and by veritysetup.
fn seal(dir: &Dir, mib: u64) {
    let program = veritysetup().expect("veritysetup is what is compared with");
    let (data_path, hash_path) = (dir.file("data"), dir.file("hash"));
    let data = File::options().read(true).write(true).create_new(true).open(&data_path).unwrap();
    write_random(&data, mib);
    for params in [Params::containerd(), Params::nydus(), Params::containerd_4k()] {
        let geometry = Geometry::new(&params, mib << 20, Placement::OwnFile).unwrap();
        let mut sealed = None;
        let mut ours = |count: usize, mapped: bool| {
            median(
                || fresh(&hash_path),
                || {
                    let hash = File::create(&hash_path).unwrap();
                    let geometry = geometry.clone();
                    let done = match mapped {
                        false => verity::seal(&data, &hash, geometry, &threads(count)),
                        true => {
                            // SAFETY: nobody else has the file, and nothing writes to it.
                            let map = unsafe { io::Map::new(&data, mib << 20) }.unwrap();
                            verity::seal(&map, &hash, geometry, &threads(count))
                        }
                    };
                    sealed = Some(done.unwrap());
                },
            )
        };
        let read = [ours(1, false), ours(2, false)];
        let mapped = [ours(1, true), ours(2, true)];
        let sealed = sealed.unwrap();
        let theirs = median(
            || fresh(&hash_path),
            || {
                let output = run(&program, sealed.format_command(&data_path, &hash_path).words());
                assert_eq!(root_of(&output), sealed.root().to_string());
            },
        );
        let name = format!("{}/{}", params.data_block(), params.hash_block());
        eprintln!("{name}: veritysetup {theirs}");
        for (how, [one, two]) in [("read", read), ("mapped", mapped)] {
            let (first, second) = (one.of(theirs), two.of(theirs));
            eprintln!("{name}, {how}: one thread {one}, 1/{first}; two {two}, 1/{second}");
        }
    }
}

/// Four layers, each a sealed disk, and the tree of their image.
fn kept(dir: &Dir, mib: u64) {
    let first_align = layout::Placement::MetadataFirst { align: 4096 };
    for params in [Params::nydus(), Params::containerd_4k()] {
        let options = layers::options(first_align);
        let disks: Vec<_> = (0..4).map(|index| layer(dir, index, mib / 4, &params)).collect();
        let (tree, owners) = layers::merged(&disks.iter().collect::<Vec<_>>());
        let layout = layout::plan(&tree, &options).unwrap();
        let plan = image::disk(&layout);
        let bytes = plan.bytes + params.data_padding(plan.bytes);
        let geometry = Geometry::new(&params, bytes, Placement::OwnFile).unwrap();
        let sources: Vec<_> = owners.iter().map(|&o| layers::again(&disks[o].file)).collect();
        let tree_path = dir.file("tree");
        for count in [1, 2] {
            let hash = |leaves: &[_]| {
                let tree = layers::create(Path::new(&tree_path));
                let (geometry, options) = (geometry.clone(), threads(count));
                let done = io::hash_disk(
                    &plan,
                    &layout,
                    &sources,
                    leaves,
                    geometry,
                    &tree,
                    &options,
                    &|_| {},
                );
                done.unwrap().root()
            };
            let read = || {
                let one = |o: &usize| {
                    let disk: &LayerDisk = &disks[*o];
                    verity::read_leaves(disk.file.file(), &disk.sealed, &threads(count)).unwrap()
                };
                owners.iter().map(one).collect::<Vec<_>>()
            };
            let leaves = read();
            let leaves: Vec<_> = leaves.iter().map(Some).collect();
            let mut roots = Vec::new();
            let afresh = median(|| fresh(&tree_path), || roots.push(hash(&[])));
            let known = median(|| fresh(&tree_path), || roots.push(hash(&leaves)));
            let back = median(|| {}, || drop(read()));
            assert!(roots.iter().all(|root| *root == roots[0]));
            let name = format!("{}/{}, {count} threads", params.data_block(), params.hash_block());
            eprintln!(
                "{name}: image afresh {afresh}, from leaves {known}, 1/{}; reading and verifying \
                 the leaves {back}, 1/{}",
                known.of(afresh),
                back.of(afresh),
            );
        }
    }
}

fn layer(dir: &Dir, index: usize, mib: u64, params: &Params) -> LayerDisk {
    let (tar, disk) = (dir.file(&format!("{index}.tar")), dir.file(&format!("{index}.disk")));
    let file = layers::create(Path::new(&tar));
    let name = format!("file-{index}");
    let empty = layers::tar(&[(&name, &vec![0; (mib << 20) as usize])]);
    file.write_all_at(&empty, 0).unwrap();
    let mut chunk = vec![0; 1 << 20];
    let mut random = verity_kit::Random(index as u64);
    for at in 0..mib {
        random.fill(&mut chunk);
        file.write_all_at(&chunk, 512 + (at << 20)).unwrap();
    }
    let options = layers::options(layout::Placement::DataFirst);
    let disk = LayerDisk::new(Path::new(&tar), Path::new(&disk), &options, params, &threads(2));
    std::fs::remove_file(&tar).unwrap();
    disk
}

fn write_random(file: &File, mib: u64) {
    let mut chunk = vec![0; 1 << 20];
    let mut random = verity_kit::stream();
    for at in 0..mib {
        random.fill(&mut chunk);
        file.write_all_at(&chunk, at << 20).unwrap();
    }
    file.sync_all().unwrap();
}

/// Seconds of the clock, and of CPUs.
#[derive(Clone, Copy)]
struct Time {
    wall: f64,
    cpu: f64,
}

impl Time {
    /// How often it is contained in another time, by the clock and by CPU time.
    fn of(self, other: Self) -> String {
        format!("{:.1} (CPU 1/{:.1})", other.wall / self.wall, other.cpu / self.cpu)
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} s (CPU {:.2} s)", self.wall, self.cpu)
    }
}

/// Takes a file away, so that writing it starts anew.
fn fresh(path: &str) {
    let _ = std::fs::remove_file(path);
}

fn median(before: impl Fn(), mut run: impl FnMut()) -> Time {
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            before();
            let (wall, cpu) = (Instant::now(), cpu());
            run();
            Time { wall: wall.elapsed().as_secs_f64(), cpu: self::cpu() - cpu }
        })
        .collect();
    let mut middle = |key: fn(&Time) -> f64| {
        times.sort_by(|a, b| key(a).total_cmp(&key(b)));
        key(&times[times.len() / 2])
    };
    Time { wall: middle(|time| time.wall), cpu: middle(|time| time.cpu) }
}

/// Seconds of CPU time of this process and of its children that ended.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    // utime, stime, cutime and cstime, in hundredths of a second (proc(5)).
    let ticks = fields.split_whitespace().skip(11).take(4);
    ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// Seconds that this thread was on a CPU (`Documentation/scheduler/sched-stats.rst` of Linux).
fn thread_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Hashing alone, from memory, one core: the best of several turns, which the backends take one
/// after the other.
fn lanes() {
    let data = verity_kit::stream().bytes(32 << 20);
    eprintln!("best backend here: {}", Backend::best());
    for (block, salt) in [(512, 0), (512, 32), (4096, 0), (4096, 32)] {
        let size = VerityBlockSize::new(block).unwrap();
        let mut digests = vec![0; data.len() / block as usize * 32];
        let available = Backend::ALL.into_iter().filter(|backend| backend.is_available());
        let mut best: Vec<_> = available.map(|backend| (backend, f64::INFINITY)).collect();
        for _ in 0..15 {
            for (backend, best) in &mut best {
                let hasher = BlockHasher::new(&vec![0; salt]).unwrap().with_backend(*backend);
                let before = thread_cpu();
                hasher.hash_blocks(size, &data, &mut digests).unwrap();
                *best = best.min(thread_cpu() - before);
            }
        }
        let plain = best[0].1;
        let rate = |&(backend, seconds): &(Backend, f64)| {
            let rate = data.len() as f64 / seconds / 1e9;
            format!("{backend} {rate:.2} ({:.2}x)", plain / seconds)
        };
        let rates: Vec<_> = best.iter().map(rate).collect();
        eprintln!("blocks of {block}, salt of {salt}, GB/s: {}", rates.join(", "));
    }
}
