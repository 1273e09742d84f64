//! The forms that metadata can have, by the kernel: none of them shows in what is mounted.

use std::fs;
use std::path::Path;
use std::process::Command;

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, Artifact, BodyForm, Options, Placement};
use erofs_tarfs::tree::{MergeOptions, Tree, merge};
use testkit::dump::{self, Ignore, diff, dump};
use testkit::mount::{Erofs, Mounted};
use testkit::stacks::Stack;
use testkit::tarball::TarBuilder;
use testkit::{artifact, oracle, ours};

const ARTIFACTS: [Artifact; 3] = [
    Artifact::Bootstrap,
    Artifact::Disk(Placement::MetadataFirst { align: 4096 }),
    Artifact::Disk(Placement::DataFirst),
];

/// Every form of an artifact.
fn forms(artifact: Artifact) -> Vec<Options> {
    [BodyForm::Plain, BodyForm::Chunks]
        .map(|bodies| {
            let mut options = artifact::options(artifact);
            options.bodies = bodies;
            options
        })
        .to_vec()
}

/// What a tree and its options make.
struct Made {
    bytes: Vec<u8>,
    mount: Mounted,
}

fn make(dir: &Path, tree: &Tree, options: &Options, blobs: &[&[u8]]) -> Made {
    let layout = layout::plan(tree, options).unwrap();
    if options.artifact == Artifact::Bootstrap {
        let bytes = image::bootstrap(&layout);
        let mount = artifact::mount(dir, &bytes, blobs).unwrap();
        return Made { bytes, mount };
    }
    let bytes = artifact::assemble(&layout, &image::disk(&layout), blobs);
    let mount = Erofs::new(artifact::file(dir, "disk", &bytes).unwrap()).mount().unwrap();
    Made { bytes, mount }
}

#[track_caller]
fn same(shown: &dump::Tree, expected: &dump::Tree, what: &str) {
    let lines = diff(shown, expected, &Ignore::nothing());
    assert!(lines.is_empty(), "{what}:\n{}", lines.join("\n"));
}

#[test]
fn all_forms_of_an_image_mount_and_read_back_alike() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..40 {
        let stack = Stack::random(seed);
        let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
        let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
        let tar = |tag: &[u8]| {
            let layer = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == tag);
            layer.unwrap().tar.as_slice()
        };
        let blobs: Vec<&[u8]> = tree.devices().iter().map(|device| tar(&device.tag)).collect();
        let tars: Vec<_> = (blobs.iter().enumerate())
            .map(|(at, tar)| artifact::file(dir.path(), &format!("tar{at}"), tar).unwrap())
            .collect();
        let expected = ours::dump(&tree, &blobs);
        for artifact in ARTIFACTS {
            for options in forms(artifact) {
                let what = format!("seed {seed} {options:?}");
                let made = make(dir.path(), &tree, &options, &blobs);
                same(&dump(made.mount.path()).unwrap(), &expected, &what);
                if artifact == Artifact::Bootstrap {
                    same(&ours::dump(&artifact::read(&made.bytes), &blobs), &expected, &what);
                } else {
                    let back = artifact::read_disk(&made.bytes);
                    let within = vec![made.bytes.as_slice(); back.devices().len()];
                    same(&ours::dump(&back, &within), &expected, &what);
                }
                drop(made.mount);
                let path = artifact::file(dir.path(), "checked", &made.bytes).unwrap();
                if let Some(verdict) = oracle::fsck(path, &tars) {
                    verdict.expect_ok(&what);
                }
            }
        }
    }
}

/// What a layer carries of a file lies behind its inode, at every length that a block allows.
#[test]
fn carried_bodies_of_every_length_around_a_block() {
    let dir = tempfile::tempdir().unwrap();
    let body = |len: usize| -> Vec<u8> { (0..len).map(|at| (at * 7 + len) as u8).collect() };
    let lengths: Vec<usize> = (1..=1025).collect();
    let source = dir.path().join("source");
    fs::create_dir(&source).unwrap();
    for len in &lengths {
        fs::write(source.join(format!("f{len}")), body(*len)).unwrap();
    }
    // An image whose files have inline tails: reading it, the tree carries them.
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let made = dir.path().join("made");
    let done = Command::new(mkfs).args(["-b4096", "--quiet"]).args([&made, &source]).output();
    assert!(done.unwrap().status.success());
    let tree = artifact::read(&fs::read(&made).unwrap());
    assert!(tree.devices().is_empty(), "all is carried");
    let mut sizes = Vec::new();
    for bodies in [BodyForm::Plain, BodyForm::Chunks] {
        let mut options = Options::default();
        options.bodies = bodies;
        let made = make(dir.path(), &tree, &options, &[]);
        for len in &lengths {
            let read = fs::read(made.mount.path().join(format!("f{len}"))).unwrap();
            assert!(read == body(*len), "{bodies:?}: {len}");
        }
        sizes.push(made.bytes.len());
        // Once more, from what was made: the bytes are the same, and nothing grows.
        let back = artifact::read(&made.bytes);
        let mut whole = made.bytes.clone();
        whole.resize(whole.len().next_multiple_of(4096), 0);
        let blobs = vec![whole.as_slice(); back.devices().len()];
        let again = make(dir.path(), &back, &options, &blobs);
        for len in &lengths {
            let read = fs::read(again.mount.path().join(format!("f{len}"))).unwrap();
            assert!(read == body(*len), "{bodies:?}, again: {len}");
        }
    }
    assert!(sizes[0] < sizes[1], "{sizes:?}");
}

/// `mkfs.erofs` merges layers of ours that have chunk indexes.
#[test]
fn mkfs_merges_layers_with_chunk_indexes() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let dir = tempfile::tempdir().unwrap();
    let tars = [
        TarBuilder::new().file("a", b"one\n").file("b", vec![3; 5000]).finish(),
        TarBuilder::new().file("a", b"second\n").file("c", vec![4; 512]).finish(),
    ];
    let mut layers = Vec::new();
    for (at, tar) in tars.iter().enumerate() {
        let mut options = Options::default();
        options.bodies = BodyForm::Chunks;
        let tree = ours::layer(tar);
        let layout = layout::plan(&tree, &options).unwrap();
        let bytes = image::bootstrap(&layout);
        layers.push(artifact::file(dir.path(), &format!("layer{at}"), &bytes).unwrap());
    }
    let out = dir.path().join("merged");
    let done = Command::new(mkfs).args(["-b512", "--quiet"]).arg(&out).args(&layers).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{done:?}");
    let merged = fs::read(&out).unwrap();
    let mount = artifact::mount(dir.path(), &merged, &[&tars[0], &tars[1]]).unwrap();
    for (name, body) in [("a", b"second\n".to_vec()), ("b", vec![3; 5000]), ("c", vec![4; 512])] {
        assert!(fs::read(mount.path().join(name)).unwrap() == body, "{name}");
    }
}
