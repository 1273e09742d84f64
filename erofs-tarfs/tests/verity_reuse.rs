//! Trees of images from the leaves of their layers' trees: the same bytes as hashing afresh, and
//! as veritysetup makes them.
#![cfg(all(feature = "std", unix))]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

#[path = "verity_kit/layers.rs"]
mod layers;
mod verity_kit;

use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use erofs_tarfs::io::verity::{self, HashingOptions};
use erofs_tarfs::io::{self, NamedFile};
use erofs_tarfs::layout::DiskOrder::{DataFirst, MetadataFirst};
use erofs_tarfs::verity::{
    BlockHasher, Digest, Error, Fault, Geometry, HashBytes, HashPlacement, Leaves, Params, Sealed,
    SuperblockMode,
};
use erofs_tarfs::{image, layout};
use layers::{LayerDisk, again, create, merged, tar};
use verity_kit::{Dir, Random, root_of, run, veritysetup};

fn threads(count: usize) -> HashingOptions {
    HashingOptions::new().threads(NonZero::new(count).unwrap())
}

fn all_params() -> Vec<Params> {
    let mut all: Vec<_> = Params::NAMES.iter().map(|name| Params::named(name).unwrap()).collect();
    all.push(Params::new(512, 4096, &[7; 100], SuperblockMode::None).unwrap());
    all.push(Params::new(2048, 1024, b"salt", SuperblockMode::Derived).unwrap());
    all
}

/// Tars of which none ends with a block of 4096 bytes, one has long runs of zeros, and one no data.
fn tars(dir: &Dir) -> Vec<String> {
    let mut random = Random(50);
    let bodies: [&[usize]; 4] = [&[100, 70_000, 1], &[1_300_000], &[0], &[513, 512, 511, 90_001]];
    bodies
        .iter()
        .enumerate()
        .map(|(index, lengths)| {
            let files: Vec<_> = (lengths.iter().enumerate())
                .map(|(at, &len)| {
                    let mut body = random.bytes(len);
                    body[len / 2..].iter_mut().step_by(1 + at).for_each(|byte| *byte = 0);
                    if at == 1 {
                        body.fill(0);
                    }
                    (format!("{index}-{at}"), body)
                })
                .collect();
            let files: Vec<_> = files.iter().map(|(name, body)| (&name[..], &body[..])).collect();
            let path = dir.file(&format!("layer-{index}.tar"));
            let mut bytes = tar(&files);
            if bytes.len().is_multiple_of(4096) {
                bytes.resize(bytes.len() + 512, 0);
            }
            std::fs::write(&path, bytes).unwrap();
            path
        })
        .collect()
}

/// An image of layer disks, to be hashed.
struct Image<'a> {
    layers: Vec<&'a LayerDisk>,
    options: layout::LayoutOptions,
    params: &'a Params,
}

impl Image<'_> {
    /// The tree of the image, from the leaves that each layer has; with what was read for it.
    fn hash(&self, leaves: &[Option<&Leaves>], hashing: &HashingOptions) -> (Sealed, Vec<u8>) {
        let (tree, owners) = merged(&self.layers);
        let layout = layout::plan(&tree, &self.options).unwrap();
        let plan = image::disk(&layout);
        let sources: Vec<_> = owners.iter().map(|&o| again(&self.layers[o].file)).collect();
        let kept: Vec<_> = owners.iter().map(|&o| leaves.get(o).copied().flatten()).collect();
        let bytes = plan.bytes + self.params.data_padding(plan.bytes);
        let geometry = Geometry::new(self.params, bytes, HashPlacement::OwnFile).unwrap();
        let end = geometry.end();
        let file = NamedFile::new("tree", tempfile());
        let dealt = AtomicU64::new(0);
        let observer = |bytes| {
            dealt.fetch_add(bytes, Ordering::Relaxed);
        };
        let sealed =
            io::hash_disk(&plan, &layout, &sources, &kept, geometry, &file, hashing, &observer);
        assert_eq!(dealt.into_inner(), bytes);
        let mut hashes = vec![0; end as usize];
        file.read_exact_at(&mut hashes, 0).unwrap();
        (sealed.unwrap(), hashes)
    }

    /// The disk itself.
    fn write(&self, path: &str) -> NamedFile {
        let (tree, owners) = merged(&self.layers);
        let layout = layout::plan(&tree, &self.options).unwrap();
        let plan = image::disk(&layout);
        let sources: Vec<_> = owners.iter().map(|&o| again(&self.layers[o].file)).collect();
        let out = create(Path::new(path));
        io::write_disk(&plan, &layout, &sources, &out, &mut |_| {}).unwrap();
        out.set_bytes(plan.bytes + self.params.data_padding(plan.bytes)).unwrap();
        out
    }
}

fn tempfile() -> std::fs::File {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("reuse-{}-{count}", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let file = create(&path);
    std::fs::remove_file(path).unwrap();
    file.file().try_clone().unwrap()
}

#[test]
fn images_from_kept_leaves_are_as_hashed_afresh() {
    let dir = Dir::new("verity-reuse");
    let program = veritysetup();
    let tars = tars(&dir);
    let placements = [
        DataFirst,
        MetadataFirst { align: 512 },
        MetadataFirst { align: 4096 },
        MetadataFirst { align: 512 << 10 },
    ];
    for params in all_params() {
        for (case, layers_at) in placements.into_iter().enumerate() {
            let disks: Vec<_> = (tars.iter())
                .map(|tar| {
                    let disk = tar.replace(".tar", ".disk");
                    let options = layers::options(layers_at);
                    LayerDisk::new(Path::new(tar), Path::new(&disk), &options, &params, &threads(2))
                })
                .collect();
            let leaves: Vec<_> = (disks.iter())
                .map(|disk| verity::read_leaves(disk.file.file(), &disk.sealed, &threads(2)))
                .map(Result::unwrap)
                .collect();
            // Some layers without leaves, and one layer twice.
            let kept: Vec<_> = (0..4).map(|index| Some(&leaves[index])).collect();
            let some = [kept[0], None, None, kept[3]];
            let twice = [kept[1], kept[0], kept[1]];
            let all: Vec<&LayerDisk> = disks.iter().collect();
            let repeated = vec![&disks[1], &disks[0], &disks[1]];
            for (layers, kept) in [(all.clone(), &kept[..]), (all, &some), (repeated, &twice)] {
                for image_at in [placements[case], placements[(case + 1) % 4]] {
                    let options = layers::options(image_at);
                    let image = Image { layers: layers.clone(), options, params: &params };
                    let what = format!("{params:?}, {layers_at:?} in {image_at:?}");
                    let disk = image.write(&dir.file("image"));
                    let bytes = disk.bytes().unwrap();
                    let geometry = Geometry::new(&params, bytes, HashPlacement::OwnFile).unwrap();
                    let tree = Mutex::new(vec![0; geometry.end() as usize]);
                    let sealed = verity::seal(disk.file(), &tree, geometry, &threads(1)).unwrap();
                    let afresh = (sealed.clone(), tree.into_inner().unwrap());
                    for count in [1, 3] {
                        assert!(image.hash(kept, &threads(count)) == afresh, "{what}");
                        assert!(image.hash(&[], &threads(count)) == afresh, "{what}");
                    }
                    let Some(program) = &program else { continue };
                    let (data, hash) = (dir.file("image"), dir.file("hash"));
                    let _ = std::fs::remove_file(&hash);
                    let output = run(program, sealed.format_command(&data, &hash).words());
                    assert_eq!(root_of(&output), sealed.root().to_string(), "{what}");
                    assert!(std::fs::read(&hash).unwrap() == afresh.1, "{what}");
                }
            }
        }
    }
}

/// Not read again means not read again: layers whose data is gone still give their image's root.
#[test]
fn data_with_leaves_is_not_read() {
    let dir = Dir::new("verity-reuse-unread");
    let tars = tars(&dir);
    let params = Params::nydus();
    let options = layers::options(MetadataFirst { align: 4096 });
    let disk = dir.file("layer.disk");
    let layer =
        LayerDisk::new(Path::new(&tars[1]), Path::new(&disk), &options, &params, &threads(1));
    let leaves = verity::read_leaves(layer.file.file(), &layer.sealed, &threads(1)).unwrap();
    let image = Image { layers: vec![&layer], options, params: &params };
    let (afresh, tree) = image.hash(&[], &threads(1));
    let device = &layer.tree.devices()[0];
    layer.file.write_all_at(&vec![0xee; device.bytes as usize], device.base_offset).unwrap();
    assert_ne!(image.hash(&[], &threads(1)).0.root(), afresh.root());
    assert_eq!(image.hash(&[Some(&leaves)], &threads(2)), (afresh, tree));
    // Leaves of another block size or salt do not serve.
    for other in [Params::containerd(), Params::containerd_4k()] {
        assert!(!leaves.serve(&other));
    }
}

/// A tree is believed as far as the root hash carries it: any bit flipped in level 0 is found, and
/// where it is.
#[test]
fn tampered_leaves_are_refused() {
    let data = Random(51).bytes(512 * 700);
    for params in all_params() {
        let bytes = data.len() as u64 / 2048 * 2048;
        let bytes = bytes - bytes % u64::from(params.data_block().bytes());
        let geometry = Geometry::new(&params, bytes, HashPlacement::OwnFile).unwrap();
        let tree = Mutex::new(vec![0; geometry.end() as usize]);
        let sealed = verity::seal(&data[..], &tree, geometry.clone(), &threads(1)).unwrap();
        let mut tree = tree.into_inner().unwrap();
        let read = |tree: &[u8], sealed: &Sealed| {
            let hashes = HashBytes { start: 0, bytes: tree.to_vec() };
            let plain = Leaves::read(sealed, &mut &hashes).map(|l| l.digests().to_vec());
            let plain = plain.map_err(|fault| match fault {
                Fault::Verity(error) => error,
                Fault::Caller(error) => panic!("{error}"),
            });
            for count in [1, 3] {
                let threaded = verity::read_leaves(tree, sealed, &threads(count));
                match (threaded, &plain) {
                    (Ok(leaves), Ok(digests)) => assert!(leaves.digests() == digests),
                    (Err(Fault::Verity(error)), Err(expected)) => assert_eq!(error, *expected),
                    (threaded, _) => panic!("{threaded:?}"),
                }
            }
            plain
        };
        let mut expected = vec![0; (geometry.data_blocks() * 32) as usize];
        let hasher = BlockHasher::of(&params);
        hasher.hash_blocks(params.data_block(), &data[..bytes as usize], &mut expected).unwrap();
        assert!(read(&tree, &sealed).unwrap() == expected);

        let level = geometry.levels()[0];
        let hash_block = u64::from(params.hash_block().bytes());
        for at in (level.offset..level.offset + level.blocks * hash_block).step_by(397) {
            tree[at as usize] ^= 4;
            let block = (at - level.offset) / hash_block;
            let offset = level.offset + block * hash_block;
            let mismatch = Error::HashMismatch { level: 0, block, offset };
            assert_eq!(read(&tree, &sealed), Err(mismatch));
            tree[at as usize] ^= 4;
        }
        // Another root, and a tree that is cut short.
        let other = Sealed::new(geometry.clone(), Digest([1; 32]));
        assert!(matches!(read(&tree, &other), Err(Error::HashMismatch { .. })));
        let short = &tree[..tree.len() - 1];
        assert!(matches!(
            verity::read_leaves(short, &sealed, &threads(2)),
            Err(Fault::Caller(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof
        ));
    }
}

/// One data block has no tree: its leaf is the root hash.
#[test]
fn one_block_is_its_own_leaf() {
    let params = Params::nydus();
    let geometry = Geometry::new(&params, 512, HashPlacement::OwnFile).unwrap();
    let sealed = Sealed::new(geometry, Digest([9; 32]));
    let leaves = verity::read_leaves(&[][..], &sealed, &threads(1)).unwrap();
    assert_eq!(leaves.digests(), [9; 32]);
}

#[test]
fn parts_of_leaves() {
    let params = Params::containerd_4k();
    let data = Random(52).bytes(4096 * 20 + 100);
    let mut leaves = Leaves::new(&params);
    leaves.push(&data);
    let digests = leaves.digests().to_vec();
    assert!(leaves.part(100, 4096).is_none());
    let all = u64::MAX - 4095;
    for (offset, bytes, expected) in [
        (0, u64::MAX, &digests[..]),
        (4096, 4096 * 3, &digests[32..][..96]),
        (4096, 4096 * 3 + 4095, &digests[32..][..96]),
        (4096 * 19, 8192, &digests[32 * 19..]),
        (4096 * 20, 8192, &[]),
        (4096 * 200, 8192, &[]),
        (all, u64::MAX, &[]),
    ] {
        let part = leaves.part(offset, bytes).unwrap();
        assert!(part.digests() == expected, "{bytes} from {offset}");
        assert!(part.serve(&params) && part.padding() == 0);
    }
    assert!(Leaves::from_digests(&params, digests.clone()).unwrap().digests() == digests);
    let wrong = Leaves::from_digests(&params, vec![0; 33]);
    assert!(matches!(wrong, Err(Error::DigestLength { bytes: 33 })));
}
