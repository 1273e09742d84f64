//! Readers × forms: what others show of our images is what the kernel shows, or an error, never
//! other bytes.
//!
//! `fsck.erofs --extract` of erofs-utils 1.9 is the reader that people check images with; in the
//! default forms it must extract every byte. `tests/second_reader.rs` has erofs-rs, and the Go
//! module's crosscheck go-erofs. Kata and nerdbox put a bootstrap's files one behind the other and
//! mount that: it is a test here.

use std::path::{Path, PathBuf};
use std::process::Command;

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, Artifact, Options, Placement};
use erofs_tarfs::tree::{MergeOptions, Tree, merge};
use testkit::dump::{Ignore, Kind, diff, dump};
use testkit::mount::Erofs;
use testkit::oracle::{self, Verdict};
use testkit::stacks::Stack;
use testkit::{artifact, mount, ours};

/// A merged stack, and the tars of its devices.
struct Image {
    tree: Tree,
    tars: Vec<Vec<u8>>,
}

impl Image {
    fn of(seed: u64) -> Self {
        let stack = Stack::random(seed);
        let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
        let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
        let tar = |layer: usize| stack.layers[layer].tar.clone();
        let tars = tree.origins().iter().map(|origin| tar(origin.layer)).collect();
        Self { tree, tars }
    }

    fn blobs(&self) -> Vec<&[u8]> {
        self.tars.iter().map(Vec::as_slice).collect()
    }

    /// The image in a form, and the files of its devices.
    fn write(&self, dir: &Path, options: &Options) -> (PathBuf, Vec<PathBuf>) {
        let layout = layout::plan(&self.tree, options).unwrap();
        if options.artifact != Artifact::Bootstrap {
            let plan = image::disk(&layout);
            let disk = artifact::assemble(&layout, &plan, &self.blobs());
            return (artifact::file(dir, "image", &disk).unwrap(), Vec::new());
        }
        let devices = self.tars.iter().enumerate();
        let devices = devices.map(|(at, tar)| artifact::file(dir, &format!("{at}.tar"), tar));
        let image = artifact::file(dir, "image", &image::bootstrap(&layout)).unwrap();
        (image, devices.collect::<Result<_, _>>().unwrap())
    }
}

fn forms() -> Vec<(&'static str, Options)> {
    [
        ("bootstrap", Artifact::Bootstrap),
        ("disk", Artifact::Disk(Placement::default())),
        ("disk, data first", Artifact::Disk(Placement::DataFirst)),
    ]
    .map(|(name, artifact)| (name, artifact::options(artifact)))
    .into()
}

#[test]
fn fsck_extracts_every_byte_of_the_default_forms() {
    let Some(fsck) = oracle::erofs_tool("fsck.erofs") else { return };
    let scratch = mount::tmpfs().unwrap();
    for seed in 0..40 {
        let image = Image::of(seed);
        let expected = ours::dump(&image.tree, &image.blobs());
        // It has no way to paths that a system call does not take.
        if expected.paths().any(|path| path.len() > 3000) {
            continue;
        }
        for (name, options) in forms() {
            let dir = tempfile::tempdir().unwrap();
            let (file, devices) = image.write(dir.path(), &options);
            let out = scratch.path().join(format!("{seed}"));
            let mut command = Command::new(&fsck);
            command.arg(format!("--extract={}", out.display())).arg("--xattrs");
            command.args(devices.iter().map(|device| format!("--device={}", device.display())));
            let verdict = Verdict::of(command.arg(&file));
            verdict.expect_ok(&format!("seed {seed}, {name}"));
            let mut seen = dump(&out).unwrap();
            std::fs::remove_dir_all(&out).unwrap();
            // It writes a hard link as a file of its own where the link count says one name, and
            // leaves sockets out; the root is the directory that it was told to make.
            seen.0.retain(|path, _| !path.is_empty());
            let mut want = expected.clone();
            want.0.retain(|path, node| !path.is_empty() && node.kind != Kind::Socket);
            // Its list of attributes ends at the first with an empty value, and links and the like
            // have none.
            for (path, node) in &mut want.0 {
                let whole = matches!(node.kind, Kind::File | Kind::Dir)
                    && node.xattrs.values().all(|value| !value.is_empty());
                if !whole {
                    node.xattrs.clear();
                    if let Some(seen) = seen.0.get_mut(path) {
                        seen.xattrs.clear();
                    }
                }
            }
            // Capabilities are gone when it sets the owner after them.
            let lines = diff(&seen, &want, &Ignore::nothing().xattrs("security.capability"));
            assert!(lines.is_empty(), "seed {seed}, {name}:\n{}", lines.join("\n"));
        }
    }
}

/// The device addresses of a bootstrap are where its files lie when they are put one behind the
/// other, each filled up to a block.
#[test]
fn the_files_of_a_bootstrap_one_behind_the_other_are_a_disk() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..200 {
        let image = Image::of(seed);
        let (file, devices) = image.write(dir.path(), &artifact::options(Artifact::Bootstrap));
        let expected = ours::dump(&image.tree, &image.blobs());
        let mut disk = Vec::new();
        for part in std::iter::once(&file).chain(&devices) {
            disk.extend(std::fs::read(part).unwrap());
            disk.resize(disk.len().next_multiple_of(512), 0);
        }
        let whole = artifact::file(dir.path(), "whole", &disk).unwrap();
        let mounted = Erofs::new(whole).mount().unwrap();
        let lines = diff(&dump(mounted.path()).unwrap(), &expected, &Ignore::nothing());
        assert!(lines.is_empty(), "seed {seed}:\n{}", lines.join("\n"));
    }
}
