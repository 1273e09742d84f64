//! `tarfs cache`: entries as containerd's EROFS snapshotter finds them, whole or not there.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use erofs_tarfs::verity::Uuid;
use testkit::oci;
use testkit::oracle::{self, Verdict};
use testkit::tarball::TarBuilder;

use crate::run::{Image, Place, Ran, digest, json, mounted, ok, run, tool};

/// An image layout of the small layers, and an empty place for a cache.
struct Layout {
    image: Image,
    layout: String,
    cache: String,
}

impl Layout {
    fn new() -> Self {
        let image = Image::new();
        let layers: Vec<_> = image.stack.layers.iter().map(|layer| layer.tar.clone()).collect();
        let dir = image.path("layout");
        oci::write_layout(&dir, &layers).unwrap();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let (layout, cache) = (format!("oci:{}", text(dir)), text(image.path("cache")));
        Self { image, layout, cache }
    }

    fn cache(&self, options: &[&str]) -> Ran {
        run([&["cache"], options, &[&self.cache, &self.layout]].concat())
    }

    /// The entries' paths as containerd has them, lowest first.
    fn entries(&self) -> Vec<PathBuf> {
        let path = |tar: &[u8]| {
            let hex = digest(tar);
            Path::new(&self.cache).join("sha256").join(&hex[..2]).join(format!("{hex}.erofs"))
        };
        self.image.stack.layers.iter().map(|layer| path(&layer.tar)).collect()
    }
}

/// All files below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => all.extend(files(&entry.path())),
            false => all.push(entry.path()),
        }
    }
    all.sort();
    all
}

fn beside(entry: &Path) -> PathBuf {
    format!("{}.dmverity", entry.display()).into()
}

#[test]
fn layers_are_where_containerd_looks_for_them() {
    let layout = Layout::new();
    for (options, block) in [(&[][..], 4096), (&["--force", "--block-size", "512"], 512)] {
        let ran = layout.cache(&[&["--json"], options].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let (reports, entries) = (json(&ran.stdout), layout.entries());
        assert_eq!(reports.len(), entries.len());
        for (at, (report, entry)) in reports.iter().zip(&entries).enumerate() {
            assert_eq!(report["path"], entry.to_str().unwrap());
            assert_eq!(report["kept"], false);
            let hex = digest(&layout.image.stack.layers[at].tar);
            assert_eq!(report["diff_id"], format!("sha256:{hex}"));
            let shown = &json(&ok(["inspect", "--json", entry.to_str().unwrap()]))[0];
            let as_containerd = Uuid::of_blob(&format!("sha256:{hex}")).to_string();
            assert_eq!(shown["uuid"] == as_containerd, block == 4096, "{}", shown["uuid"]);
            assert_eq!(shown["block_size"], block);
            assert_eq!(fs::metadata(entry).unwrap().permissions().mode() & 0o7777, 0o644);
            layout.image.expect_layer(at, &mounted(entry));
            if let Some(fsck) = oracle::fsck(entry, &[] as &[&Path]) {
                fsck.expect_ok("fsck.erofs");
            }
            // No device table: containerd's own reader refuses one.
            assert_eq!(fs::read(entry).unwrap()[1024 + 86..1024 + 88], [0, 0]);
        }
        let mut sorted = entries;
        sorted.sort();
        assert_eq!(files(Path::new(&layout.cache)), sorted, "and nothing else");
    }
}

#[test]
fn what_is_there_is_kept_and_not_read() {
    let layout = Layout::new();
    assert_eq!(layout.cache(&[]).code, 0);
    let entries = layout.entries();
    let inodes = |entries: &[PathBuf]| {
        entries.iter().map(|entry| fs::metadata(entry).unwrap().ino()).collect::<Vec<_>>()
    };
    let before = inodes(&entries);
    // Blobs of layers that are there need not be.
    let blobs = layout.image.path("layout/blobs/sha256");
    let away = layout.image.path("away");
    for blob in files(&blobs).iter().filter(|blob| fs::metadata(blob).unwrap().len() > 2000) {
        fs::create_dir_all(&away).unwrap();
        fs::rename(blob, away.join(blob.file_name().unwrap())).unwrap();
    }
    assert!(files(&away).len() > 2, "layers are large");
    let again = layout.cache(&[]);
    assert_eq!((again.code, again.stdout.matches(": kept\n").count()), (0, entries.len()));
    assert_eq!(inodes(&entries), before);
    assert_eq!(layout.cache(&["--force"]).code, 1, "blobs are wanted");
    assert_eq!(inodes(&entries), before);
    for blob in files(&away) {
        fs::rename(&blob, blobs.join(blob.file_name().unwrap())).unwrap();
    }
    let made = json(&layout.cache(&["--force", "--json"]).stdout);
    assert!(made.iter().all(|report| report["kept"] == false && report["remade"] == "--force"));
    assert!(inodes(&entries).iter().zip(&before).all(|(now, before)| now != before));
}

#[test]
fn what_is_wrong_is_made_anew() {
    let layout = Layout::new();
    assert_eq!(layout.cache(&[]).code, 0);
    let entries = layout.entries();
    let right: Vec<_> = entries.iter().map(|entry| fs::read(entry).unwrap()).collect();
    type Change = fn(&mut Vec<u8>);
    let changes: &[(Change, &str)] = &[
        (Vec::clear, "no image"),
        (|bytes| bytes.truncate(bytes.len() - 4096), "bytes"),
        (|bytes| bytes.resize(bytes.len() + 512, 0), "bytes"),
        (|bytes| bytes[1024] ^= 1, "no image"),
        (|bytes| bytes[1024 + 48] ^= 1, "checksum"),
    ];
    for (change, word) in changes {
        let mut bytes = right[1].clone();
        change(&mut bytes);
        fs::write(&entries[1], bytes).unwrap();
        let reports = json(&layout.cache(&["--json"]).stdout);
        let why = reports[1]["remade"].as_str().unwrap();
        assert!(why.contains(word), "{word}: {why}");
        assert_eq!(
            reports.iter().filter(|report| report["kept"] == true).count(),
            entries.len() - 1
        );
        assert!(fs::read(&entries[1]).unwrap() == right[1], "{word}");
    }
    fs::copy(&entries[0], &entries[1]).unwrap();
    let ran = layout.cache(&[]);
    assert!(ran.stdout.contains("its UUID is not that of its layer"), "{}", ran.stdout);
    assert!(fs::read(&entries[1]).unwrap() == right[1]);
    fs::set_permissions(&entries[1], fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(json(&layout.cache(&["--json"]).stdout)[1]["kept"], false);
    assert!(layout.cache(&["--block-size", "512"]).stdout.contains("its blocks have 4096 bytes"));
}

#[test]
fn sealed_with_sidecars() {
    let layout = Layout::new();
    let opens = |entry: &Path| {
        let disk = entry.to_str().unwrap();
        ok(["verity", "verify", "--sidecar", disk]);
        let Some(veritysetup) = oracle::tool("veritysetup", "apt-get install cryptsetup-bin")
        else {
            return;
        };
        let sidecar = json(&fs::read_to_string(beside(entry)).unwrap().replace('\n', "")).remove(0);
        let mut command = Command::new(veritysetup);
        command.args(["verify", disk, disk, sidecar["roothash"].as_str().unwrap()]);
        command.arg(format!("--hash-offset={}", sidecar["hashoffset"]));
        Verdict::of(&mut command).expect_ok("veritysetup verify");
        assert_eq!(fs::metadata(beside(entry)).unwrap().permissions().mode() & 0o7777, 0o644);
    };
    let entries = layout.entries();
    for (options, block) in [
        (&["--verity", "containerd"][..], 512),
        (&["--verity", "containerd-4k"], 4096),
        (&["--verity", "containerd", "--block-size", "512"], 512),
    ] {
        let ran = layout.cache(&[&["--json"], options].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        for (at, report) in json(&ran.stdout).iter().enumerate() {
            assert_eq!(report["kept"], false, "other parameters: {report}");
            assert_eq!(report["made"]["verity"]["data_block_size"], block);
            opens(&entries[at]);
            layout.image.expect_layer(at, &mounted(&entries[at]));
        }
        let kept = layout.cache(options).stdout.matches(": kept\n").count();
        assert_eq!(kept, entries.len());
    }
    // A sealed entry is an entry. Without its sidecar, or with another, it is not sealed.
    let again = ["--block-size", "512"];
    assert_eq!(layout.cache(&again).stdout.matches(": kept\n").count(), entries.len());
    let sidecar = fs::read(beside(&entries[0])).unwrap();
    fs::remove_file(beside(&entries[0])).unwrap();
    let sealed = ["--verity", "containerd", "--block-size", "512"];
    assert!(layout.cache(&sealed).stdout.contains("made anew: it has no sidecar"));
    assert!(fs::read(beside(&entries[0])).unwrap() == sidecar);
    fs::copy(beside(&entries[1]), beside(&entries[0])).unwrap();
    assert!(layout.cache(&sealed).stdout.contains("made anew: "));
    assert!(fs::read(beside(&entries[0])).unwrap() == sidecar);
    // The sidecar of one that is not sealed any more would keep containerd from mounting it.
    let ran = layout.cache(&[]);
    assert!(ran.code == 0 && ran.stderr.contains("is not any more"), "{}", ran.stderr);
    assert!(entries.iter().all(|entry| !beside(entry).exists()));
}

#[test]
fn killed_at_any_moment_what_is_there_is_whole() {
    const KILLS: u32 = 40;
    let layout = Layout::new();
    tool(); // which may have to be built
    let options = ["--verity", "containerd", "--block-size", "512"];
    let command = || {
        let mut command = Command::new(tool());
        command.arg("cache").args(options).args([&layout.cache, &layout.layout]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let timed = |_| {
        let started = Instant::now();
        assert!(command().arg("--force").status().unwrap().success());
        started.elapsed()
    };
    let takes = (0..3).map(timed).min().unwrap();
    let cache = Path::new(&layout.cache);
    let whole: Vec<_> = files(cache).iter().map(|file| fs::read(file).unwrap()).collect();
    let names = files(cache);
    let (mut killed, mut parts) = (0, 0);
    for n in 0..KILLS {
        fs::remove_dir_all(cache).unwrap();
        let mut child = command().spawn().unwrap();
        std::thread::sleep(takes * n / KILLS);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let there = files(cache);
        parts += usize::from(there.len() < names.len());
        for file in &there {
            let at = names.iter().position(|name| name == file).expect("no other file");
            assert!(fs::read(file).unwrap() == whole[at], "kill {n}: {}", file.display());
            // A blob is never there without its sidecar.
            assert!(file.extension().unwrap() == "dmverity" || beside(file).exists(), "kill {n}");
        }
        assert!(command().status().unwrap().success());
        assert_eq!(files(cache), names);
        assert!(
            files(cache).iter().zip(&whole).all(|(file, whole)| fs::read(file).unwrap() == *whole)
        );
    }
    assert!(killed > 10 && parts > 10, "{killed} were killed in time, {parts} before the end");
}

#[test]
fn of_tars_and_of_layers_that_come_twice() {
    let place = Place::new();
    let cache = place.text("deep/cache");
    let tar = TarBuilder::new().file("f", [7; 3000]).finish();
    let named = place.put("a.tar", &tar);
    let hex = digest(&tar);
    let entry = place.path(&format!("deep/cache/sha256/{}/{hex}.erofs", &hex[..2]));
    let out = ok(["cache", &cache, &named, &named]);
    assert_eq!(out.lines().count(), 2);
    assert!(out.ends_with(": kept\n") && entry.is_file(), "{out}");
    // In an image.
    let twice = place.path("twice");
    oci::write_layout(&twice, &[&tar, &tar]).unwrap();
    let image = format!("oci:{}", twice.display());
    let other = place.text("other");
    assert_eq!(ok(["cache", &other, &image]).lines().count(), 2);
    assert_eq!(files(Path::new(&other)).len(), 1);
    assert_eq!(ok(["cache", &other, &image]).matches(": kept\n").count(), 2);
    // Nobody knows the diffID of an image.
    let disk = place.text("a.disk");
    ok(["layer", "--disk", "-o", &disk, &named]);
    let ran = run(["cache", &place.text("new"), &disk]);
    assert!(ran.code == 1 && ran.stderr.contains("name the tar"), "{}", ran.stderr);
    assert!(!place.path("new").exists(), "and there is no directory");
}

#[test]
fn an_error_leaves_nothing() {
    let place = Place::new();
    let tar = TarBuilder::new().file("f", [7; 3000]).finish();
    let cut = &tar[..tar.len() / 2];
    for (layer, options, code) in [
        (place.put("cut.tar", cut), &[][..], 1),
        (place.put("good.tar", &tar), &["--block-size", "100"], 2),
        (place.text("good.tar"), &["--block-size", "512", "--verity", "containerd-4k"], 2),
        (place.text("good.tar"), &["--verity", "nydus"], 2),
        (place.text("none.tar"), &[], 1),
    ] {
        let cache = place.text("cache");
        let ran = run([&["cache"], options, &[&cache[..], &layer]].concat());
        assert_eq!(ran.code, code, "{options:?}: {}", ran.stderr);
        assert!(!Path::new(&cache).exists(), "{options:?}");
    }
    // An image is in the cache as a whole, or not: a link to a lower layer makes no filesystem.
    let links = TarBuilder::new().hardlink("g", "f").finish();
    let dir = place.path("links");
    oci::write_layout(&dir, &[&tar, &links]).unwrap();
    let cache = place.text("cache");
    let ran = run(["cache", &cache, &format!("oci:{}", dir.display())]);
    assert!(ran.code == 1 && ran.stderr.contains("link"), "{}", ran.stderr);
    assert!(!Path::new(&cache).exists());
    // The layer is in the way of its own entry.
    let hex = digest(&tar);
    let at = place.path(&format!("cache/sha256/{}", &hex[..2]));
    fs::create_dir_all(&at).unwrap();
    let entry = at.join(format!("{hex}.erofs"));
    fs::write(&entry, &tar).unwrap();
    let ran = run(["cache", &cache, entry.to_str().unwrap()]);
    assert!(ran.code == 2 && ran.stderr.contains("is an input and the output"), "{}", ran.stderr);
    assert!(fs::read(&entry).unwrap() == tar);
}

/// What an error offers the command has.
#[test]
fn blocks_that_do_not_fit_each_other() {
    let place = Place::new();
    let cache = place.text("cache");
    let tar = place.put("a.tar", &[0; 1024]);
    let ran =
        run(["cache", "--block-size", "512", "--verity", "containerd-4k", cache.as_str(), &tar]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.ends_with("--verity containerd, or --block-size 4096\n"), "{}", ran.stderr);
    assert!(!place.path("cache").exists());
}
