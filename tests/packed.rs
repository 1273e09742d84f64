//! Disks of 4096-byte blocks, whose bodies are copied to the grid: they mount where sectors have
//! 4096 bytes, carry dm-verity with data blocks of 4096, and read and merge like others.

use std::path::Path;

use erofs_tarfs::image;
use erofs_tarfs::io::{self, NamedFile};
use erofs_tarfs::layout::{self, Artifact, DiskOrder};
use erofs_tarfs::tree::{MergeOptions, Tree, merge, pack};
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::{Geometry, HashPlacement as Hashes, Params, SuperblockMode};
use testkit::dump::{Ignore, diff, dump};
use testkit::mount::{Erofs, LoopDevice, Mounted};
use testkit::oracle::{Verity, veritysetup_verify};
use testkit::stacks::Stack;
use testkit::tarball::{SparseForm, TarBuilder};
use testkit::{artifact, ours};

const PLACEMENTS: [DiskOrder; 2] = [DiskOrder::MetadataFirst { align: 4096 }, DiskOrder::DataFirst];

fn options(placement: DiskOrder) -> layout::LayoutOptions {
    artifact::options(Artifact::Disk(placement)).block_size(BlockSize::B4096)
}

/// The disk of a tree in blocks of 4096 bytes.
fn disk(tree: &Tree, placement: DiskOrder, tars: &[&[u8]]) -> Vec<u8> {
    let packed = pack(tree, BlockSize::B4096).unwrap();
    let layout = layout::plan(&packed, &options(placement)).unwrap();
    artifact::assemble(&layout, &image::disk(&layout), tars)
}

fn merged(seed: u64) -> (Tree, Vec<Vec<u8>>) {
    let stack = Stack::random(seed);
    let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
    let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
    let tar = |layer: usize| stack.layers[layer].tar.clone();
    let tars = tree.origins().iter().map(|origin| tar(origin.layer)).collect();
    (tree, tars)
}

/// Mounts a disk by a loop device whose sectors have 4096 bytes.
fn on_large_sectors(disk: &Path) -> (LoopDevice, Mounted) {
    let device = LoopDevice::with(disk, &["--sector-size", "4096"]).unwrap();
    let mounted = Erofs::new(device.path()).mount().unwrap();
    (device, mounted)
}

#[test]
fn random_stacks_mount_on_sectors_of_4096() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..40 {
        let (tree, tars) = merged(seed);
        let blobs: Vec<&[u8]> = tars.iter().map(Vec::as_slice).collect();
        let expected = ours::dump(&tree, &blobs);
        for placement in PLACEMENTS {
            let bytes = disk(&tree, placement, &blobs);
            let file = artifact::file(dir.path(), "disk", &bytes).unwrap();
            let (_device, mounted) = on_large_sectors(&file);
            let lines = diff(&dump(mounted.path()).unwrap(), &expected, &Ignore::nothing());
            assert!(lines.is_empty(), "seed {seed} {placement:?}:\n{}", lines.join("\n"));
            // And back: it is a device of an image as it stands.
            let back = artifact::read_disk(&bytes);
            let again = merge(&[&back], &MergeOptions::default()).unwrap();
            let within = vec![&bytes[..]; again.devices().len()];
            let lines = diff(&ours::dump(&again, &within), &expected, &Ignore::nothing());
            assert!(lines.is_empty(), "seed {seed} {placement:?}, read:\n{}", lines.join("\n"));
        }
    }
}

#[test]
fn sparse_files_keep_their_holes() {
    let dir = tempfile::tempdir().unwrap();
    for form in SparseForm::ALL {
        let block = [5; 1024];
        let tar = TarBuilder::new()
            .sparse(
                form,
                "grid",
                200_000,
                &[(512, &block), (100_352, &block), (199_168, &[7; 832])],
            )
            .sparse(form, "odd", 30_000, &[(100, &[6; 100]), (700, &block), (25_000, &[6; 100])])
            .sparse(form, "hole", 1 << 30, &[])
            .file("after", b"x")
            .finish();
        let tree = ours::layer(&tar);
        let expected = ours::dump(&tree, &[&tar]);
        let bytes = disk(&tree, PLACEMENTS[0], &[&tar]);
        assert!(bytes.len() < 1 << 20, "{form:?}: {} bytes", bytes.len());
        let file = artifact::file(dir.path(), "disk", &bytes).unwrap();
        let (_device, mounted) = on_large_sectors(&file);
        let lines = diff(&dump(mounted.path()).unwrap(), &expected, &Ignore::nothing());
        assert!(lines.is_empty(), "{form:?}:\n{}", lines.join("\n"));
    }
}

/// Written by the library, hashed as it is not written, and verified by `veritysetup`.
#[test]
fn data_blocks_of_4096_hold() {
    let dir = tempfile::tempdir().unwrap();
    let (tree, tars) = merged(3);
    let packed = pack(&tree, BlockSize::B4096).unwrap();
    let layout = layout::plan(&packed, &options(PLACEMENTS[0])).unwrap();
    let plan = image::disk(&layout);
    let sources: Vec<NamedFile> = tars
        .iter()
        .enumerate()
        .map(|(at, tar)| artifact::file(dir.path(), &format!("{at}.tar"), tar).unwrap())
        .map(|path| NamedFile::open(path).unwrap())
        .collect();
    let path = dir.path().join("disk");
    let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path);
    let out = NamedFile::new(&path, file.unwrap());
    io::write_disk(&plan, &layout, &sources, &out, &mut |_| {}).unwrap();
    let blobs: Vec<&[u8]> = tars.iter().map(Vec::as_slice).collect();
    assert!(std::fs::read(&path).unwrap() == disk(&tree, PLACEMENTS[0], &blobs));

    let params = Params::new(4096, 4096, &[], SuperblockMode::None).unwrap();
    let geometry = Geometry::new(&params, plan.bytes, Hashes::BehindData).unwrap();
    out.set_bytes(geometry.end()).unwrap();
    let hashing = io::verity::HashingOptions::default();
    let sealed =
        io::hash_disk(&plan, &layout, &sources, &[], geometry.clone(), &out, &hashing, &|_| {})
            .unwrap();
    let root = sealed.root().to_string();
    let verdict = veritysetup_verify(&Verity {
        data: &path,
        hash: &path,
        hash_offset: geometry.hash_offset(),
        data_blocks: geometry.data_blocks(),
        data_block_size: 4096,
        hash_block_size: 4096,
        salt: "-",
        root: &root,
    });
    if let Some(verdict) = verdict {
        verdict.expect_ok("veritysetup verify");
    }
}
