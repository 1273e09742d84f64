//! `tarfs fsmeta`: a merged image over the files of layers, as containerd mounts it, and as Kata and nerdbox put
//! its files one behind the other.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::dump::{Ignore, diff, dump};
use testkit::mount::{self, Erofs, Mounted};
use testkit::oracle::{self, Verdict};
use testkit::program;
use testkit::tarball::TarBuilder;

use crate::run::{Image, Place, Ran, json, mounted, ok, run};

/// Snapshots as containerd's snapshotter keeps them: `1/layer.erofs`, `2/layer.erofs`, …, lowest first.
struct Snapshots(Place, Vec<PathBuf>);

impl Snapshots {
    fn new() -> Self {
        Self(Place::new(), Vec::new())
    }

    /// Another snapshot, whose layer `make` writes to the file that it is given.
    fn add(&mut self, make: impl FnOnce(&str)) {
        let dir = self.0.path(&(self.1.len() + 1).to_string());
        fs::create_dir_all(&dir).unwrap();
        make(dir.join("layer.erofs").to_str().unwrap());
        self.1.push(dir);
    }

    fn layers(&self) -> Vec<PathBuf> {
        self.1.iter().map(|snapshot| snapshot.join("layer.erofs")).collect()
    }

    fn run(&self, options: &[&str]) -> Ran {
        let snapshots = self.1.iter().map(|dir| dir.to_str().unwrap());
        run(["fsmeta"].into_iter().chain(options.iter().copied()).chain(snapshots))
    }

    /// The image over all of them, mounted as containerd does; what it shows is also shown by its files, one
    /// behind the other.
    #[track_caller]
    fn merged(&self) -> Mounted {
        let ran = self.run(&["--json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let image = self.1.last().unwrap().join("fsmeta.erofs");
        let report = &json(&ran.stdout)[0];
        assert_eq!(report["path"], image.to_str().unwrap());
        assert_eq!(report["devices"].as_array().unwrap().len(), self.1.len());
        assert_eq!(fs::metadata(&image).unwrap().permissions().mode() & 0o7777, 0o644);
        if let Some(fsck) = oracle::fsck(&image, &self.layers()) {
            fsck.expect_ok("fsck.erofs");
        }
        let mut whole = Vec::new();
        for file in [image.clone()].iter().chain(&self.layers()) {
            whole.extend(fs::read(file).unwrap());
            whole.resize(whole.len().next_multiple_of(512), 0);
        }
        let whole = self.0.put("whole", &whole);
        let merged = Erofs::new(image).devices(self.layers()).mount_by_fd().unwrap();
        let whole = dump(Erofs::new(whole).mount().unwrap().path()).unwrap();
        let lines = diff(&whole, &dump(merged.path()).unwrap(), &Ignore::nothing());
        assert!(lines.is_empty(), "{}", lines.join("\n"));
        merged
    }

    /// Compares it with what overlayfs shows of the layers.
    #[track_caller]
    fn is_their_overlay(&self) {
        let layers: Vec<Mounted> = self.layers().iter().map(|layer| mounted(layer)).collect();
        let paths: Vec<&Path> = layers.iter().map(|layer| layer.path()).collect();
        let mut overlay = dump(mount::overlay(&paths).unwrap().path()).unwrap();
        // It shows the links that a file has in its layer, also those that are hidden.
        overlay.recount_links();
        let shown = dump(self.merged().path()).unwrap();
        let lines = diff(&shown, &overlay, &Ignore::nothing().dir_nlink());
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}

fn layer(options: &[&str], out: &str, tar: &Path) {
    let tar = tar.to_str().unwrap();
    ok([&["layer", "--disk"], options, &["-o", out, tar]].concat());
}

/// A `mkfs.erofs` called as containerd calls it; the tar goes behind an index.
fn mkfs(program: &Path, mode: &str, out: &str, tar: &Path) {
    let mut command = Command::new(program);
    command.args([mode, "--aufs", "--quiet", "-Enoinline_data", "-b4096", out]);
    command.stdin(File::open(tar).unwrap());
    Verdict::of(&mut command).expect_ok("mkfs.erofs");
    if mode == "--tar=i" {
        let whole = [fs::read(out).unwrap(), fs::read(tar).unwrap()].concat();
        fs::write(out, whole).unwrap();
    }
}

#[test]
fn of_our_layers_in_every_form() {
    let image = Image::new();
    let sealed = ["--verity", "--preset", "containerd"];
    let mut snapshots = Snapshots::new();
    for (tar, options) in image.tars.iter().zip([
        &sealed[..],
        &["--placement", "data-first"],
        &["--block-size", "4096", "--verity", "--preset", "containerd-4k"],
        &["--compact"],
    ]) {
        snapshots.add(|out| layer(options, out, tar));
    }
    image.expect_merged(&snapshots.merged());
    // Anew, in place of the first, and the same bytes.
    let top = snapshots.1.last().unwrap().join("fsmeta.erofs");
    let first = fs::read(&top).unwrap();
    image.expect_merged(&snapshots.merged());
    assert!(fs::read(&top).unwrap() == first);
}

/// An error names an option that there is.
#[test]
fn a_limit_can_be_raised() {
    let mut snapshots = Snapshots::new();
    let deep = "d/".repeat(5000) + "f";
    let tar = snapshots.0.put("deep.tar", &TarBuilder::new().file(&deep, b"x").finish());
    for _ in 0..2 {
        snapshots.add(|out| layer(&["--limit", "max_depth=6000"], out, Path::new(&tar)));
    }
    let ran = snapshots.run(&[]);
    let says =
        "4097 names in its path are over the limit max_depth of 4096 (--limit max_depth=N sets it)";
    assert!(ran.code == 1 && ran.stderr.contains(says), "{}", ran.stderr);
    let ran = snapshots.run(&["--limit", "max_depth=5001"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = snapshots.run(&["--limit", "max_depth=5001", "--limit", "max_metadata_bytes=1k"]);
    assert!(ran.code == 1 && ran.stderr.contains("max_metadata_bytes of 1024"), "{}", ran.stderr);
}

#[test]
fn of_layers_that_mkfs_erofs_made() {
    let ours = program::example("mkfs-erofs");
    for program in [Some(ours), oracle::erofs_tool("mkfs.erofs")].into_iter().flatten() {
        for modes in [["--tar=f"; 4], ["--tar=i"; 4], ["--tar=f", "--tar=i", "--tar=i", "--tar=f"]]
        {
            let image = Image::new();
            let mut snapshots = Snapshots::new();
            for (tar, mode) in image.tars.iter().zip(modes) {
                snapshots.add(|out| mkfs(&program, mode, out, tar));
            }
            snapshots.is_their_overlay();
        }
    }
}

/// containerd hands over the file of each layer, also of one that no file comes from.
#[test]
fn of_layers_that_are_empty_or_come_twice() {
    let place = Place::new();
    let tar = |name: &str, tar: TarBuilder| PathBuf::from(place.put(name, &tar.finish()));
    let first = tar("first", TarBuilder::new().file("f", [7; 5000]).file("g", [8; 600]));
    let empty = tar("empty", TarBuilder::new());
    let bare = tar("bare", TarBuilder::new().dir("d", 0o755).symlink("l", "f"));
    let hides = tar("hides", TarBuilder::new().file(".wh.g", []).file("f", b"new"));
    let mut snapshots = Snapshots::new();
    for tar in [&first, &empty, &first, &bare, &hides, &empty, &first] {
        snapshots.add(|out| layer(&[], out, tar));
    }
    snapshots.is_their_overlay();
    snapshots.1.truncate(5);
    snapshots.is_their_overlay();
    // Layers that are merged already: several tars in one file.
    snapshots.add(|out| {
        let (first, hides) = (first.to_str().unwrap(), hides.to_str().unwrap());
        ok(["merge", "--disk", "-o", out, first, hides]);
    });
    snapshots.is_their_overlay();
    // The same file, for a snapshot that comes from a cache.
    let again = snapshots.1[0].clone();
    snapshots.1.insert(1, again);
    snapshots.is_their_overlay();
    // One layer alone.
    snapshots.1.truncate(1);
    snapshots.is_their_overlay();
}

#[test]
fn what_is_no_layer_of_a_snapshot() {
    let image = Image::new();
    let place = Place::new();
    let tar = image.tars[0].to_str().unwrap();
    let (disk, out) = (place.text("layer.erofs"), place.text("out"));
    layer(&["--verity", "--preset", "containerd", "--sidecar"], &disk, Path::new(tar));
    let bootstrap = place.text("bootstrap");
    ok(["layer", "-o", &bootstrap, tar]);
    let cut = fs::read(&disk).unwrap();
    let cut = place.put("cut", &cut[..cut.len() / 2]);
    let empty = place.text("snapshot");
    fs::create_dir(&empty).unwrap();
    for (layer, code, word) in [
        (tar, 1, "is no layer of a snapshot, but tar"),
        (&bootstrap, 1, "is a bootstrap"),
        (&cut, 1, "cut short"),
        (&empty, 1, "snapshot/layer.erofs"),
        (&out, 1, "out"),
    ] {
        let ran = run(["fsmeta", "-o", &out, &disk, layer]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
        assert!(!Path::new(&out).exists());
    }
    let ran = run(["fsmeta", "-o", &disk, &disk]);
    assert!(ran.code == 2 && ran.stderr.contains("is an input"), "{}", ran.stderr);
    // What containerd does not verify any more is said.
    let ran = run(["fsmeta", &disk]);
    assert!(ran.code == 0 && ran.stderr.contains("without dm-verity"), "{}", ran.stderr);
    assert!(place.path("fsmeta.erofs").is_file());
}

/// Compressed layers can't be merged: their data is not in blocks that another image could name.
#[test]
fn of_a_compressed_layer() {
    let Some(program) = oracle::erofs_tool("mkfs.erofs") else { return };
    let place = Place::new();
    let tar = place.put("tar", &TarBuilder::new().file("f", [7; 100_000]).finish());
    let out = place.text("layer.erofs");
    let mut command = Command::new(program);
    command.args(["--tar=f", "--quiet", "-zlz4", &out]).stdin(File::open(tar).unwrap());
    Verdict::of(&mut command).expect_ok("mkfs.erofs");
    let ran = run(["fsmeta", &out]);
    assert!(ran.code == 1 && ran.stderr.contains("compress"), "{}", ran.stderr);
    assert!(!place.path("fsmeta.erofs").exists());
}
