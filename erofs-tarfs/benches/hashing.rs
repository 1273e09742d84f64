//! Blocks hashed for dm-verity on one core, from memory, each way that this CPU has; and trees:
//! `cargo bench -p erofs-tarfs --bench hashing`. Beside veritysetup: `cargo bench --bench compare`.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod tars;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use erofs_tarfs::verity::{
    Backend, BlockHasher, Geometry, HashPlacement, Hasher, Leaves, Params, RootOnly,
    SuperblockMode, VerityBlockSize,
};

/// Bytes hashed at a time.
const BYTES: usize = 16 << 20;

criterion_group! {
    name = verity;
    config = Criterion::default().sample_size(20);
    targets = lanes, trees
}
criterion_main!(verity);

fn data() -> Vec<u8> {
    let mut data = vec![0; BYTES];
    tars::fill(0, &mut data);
    data
}

/// Blocks alone, on each backend.
fn lanes(criterion: &mut Criterion) {
    let data = data();
    for (block, salt) in [(512, 0), (512, 32), (4096, 0), (4096, 32)] {
        let size = VerityBlockSize::new(block).unwrap();
        let mut digests = vec![0; BYTES / block as usize * 32];
        let mut group = criterion.benchmark_group(format!("blocks of {block}, salt of {salt}"));
        group.throughput(Throughput::Bytes(BYTES as u64));
        for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
            let hasher = BlockHasher::new(&vec![0; salt]).unwrap().with_backend(backend);
            group.bench_function(backend.to_string(), |b| {
                b.iter(|| hasher.hash_blocks(size, black_box(&data), &mut digests).unwrap());
            });
        }
        group.finish();
    }
}

/// Whole trees: as data streams by, and from digests that are kept.
fn trees(criterion: &mut Criterion) {
    let data = data();
    let mut group = criterion.benchmark_group("tree");
    group.throughput(Throughput::Bytes(BYTES as u64));
    for (data_block, hash_block) in [(512, 4096), (512, 512), (4096, 4096)] {
        let params = Params::new(data_block, hash_block, &[], SuperblockMode::None).unwrap();
        let name = format!("{data_block}/{hash_block}");
        let geometry = Geometry::new(&params, BYTES as u64, HashPlacement::OwnFile).unwrap();
        group.bench_function(&name, |b| {
            b.iter(|| {
                let mut hasher = Hasher::new(geometry.clone());
                let pieces = black_box(&data).chunks(256 << 10);
                pieces.for_each(|piece| hasher.push(piece, &mut RootOnly).unwrap());
                hasher.finish(&mut RootOnly).unwrap().root()
            });
        });
        let mut leaves = Leaves::new(&params);
        leaves.push(&data);
        group.bench_function(format!("{name} from kept digests"), |b| {
            b.iter(|| leaves.seal(&params, HashPlacement::OwnFile, &mut RootOnly).unwrap().root());
        });
    }
    group.finish();
}
