//! `tarfs mount` and `tarfs umount`: what is shown is what overlayfs shows, and nothing is left, neither of
//! a mount that ended nor of one that failed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Mode, OFlags, open};
use testkit::dump::{Kind, dump};
use testkit::mount::{self, LoopDevice};
use testkit::tarball::TarBuilder;

use crate::run::{Image, Place, json, ok, run, tool};

/// Where something is mounted; whatever is still there goes with it.
pub(crate) struct Point(pub(crate) PathBuf);

impl Point {
    pub(crate) fn new(image: &Image, name: &str) -> Self {
        fs::create_dir(image.path(name)).unwrap();
        Self(image.path(name).canonicalize().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// How many mounts are there.
    fn mounts(&self) -> usize {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let here = |line: &&str| line.split(' ').nth(4) == Some(self.text());
        table.lines().filter(here).count()
    }

    #[track_caller]
    fn is_bare(&self) {
        assert_eq!(self.mounts(), 0, "{}", self.text());
        assert_eq!(fs::read_dir(&self.0).unwrap().count(), 0);
    }
}

impl Drop for Point {
    fn drop(&mut self) {
        for _ in 0..self.mounts() {
            let _ = Command::new("umount").args(["--lazy", self.text()]).status();
        }
    }
}

/// The files below a directory that loop devices are over, as the kernel names them.
fn looped(dir: &Path) -> Vec<String> {
    let devices = fs::read_dir("/sys/block").unwrap().map(|entry| entry.unwrap().path());
    let files =
        devices.filter_map(|device| fs::read_to_string(device.join("loop/backing_file")).ok());
    files.filter(|file| Path::new(file).starts_with(dir)).collect()
}

/// The kernel detaches a loop device a moment after its last user.
#[track_caller]
fn none_looped(dir: &Path) {
    for _ in 0..100 {
        if looped(dir).is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("left: {:?}", looped(dir));
}

/// Every kind of image, on a filesystem whose files Linux mounts, and on one where it takes loop devices.
#[test]
fn what_is_mounted_is_what_overlayfs_shows() {
    let image = Image::new();
    let scratch = mount::tmpfs().unwrap();
    let text = |name: &str| image.path(name).to_str().unwrap().to_owned();
    ok(image.over_tars(&["merge", "-o", &text("boot")]));
    ok(image.over_tars(&["merge", "--disk", "-o", &text("disk")]));
    ok(image.over_tars(&["merge", "--disk", "--block-size", "4096", "-o", &text("large")]));
    let mode = ["export", "--mode", "image_block"];
    ok(image.over_tars(&[&mode[..], &["--gpt", "-o", &text("gpt")]].concat()));
    ok(image.over_tars(&["export", "--mode", "image_block_with_verity", "-o", &text("sealed")]));
    ok(image.over_tars(&[&mode[..], &["-o", &text("a, b:c\\")]].concat()));
    for entry in fs::read_dir(image.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, scratch.path().join(path.file_name().unwrap())).unwrap();
    }
    let point = Point::new(&image, "point");
    for (name, by_files) in [
        ("boot", true),
        ("disk", true),
        ("large", true),
        ("gpt", false),
        ("gpt:1", false),
        ("sealed", true),
        ("a, b:c\\", true),
    ] {
        for (dir, by) in [
            (image.dir.path(), if by_files { "files" } else { "devices" }),
            (scratch.path(), "devices"),
        ] {
            let file = dir.join(name);
            let args = ["mount", "--json", "--no-verity", file.to_str().unwrap(), point.text()];
            let report = json(&ok(args)).remove(0);
            assert_eq!(report["mount_point"], point.text());
            assert_eq!(report["by"], by, "{file:?}");
            assert_eq!(looped(dir).is_empty(), by == "files", "{file:?}");
            image.expect_shown(&dump(&point.0).unwrap());
            match by {
                "files" => assert_eq!(ok(["umount", point.text()]), ""),
                _ => {
                    let said = json(&ok(["umount", "--json", point.text()])).remove(0);
                    let want = serde_json::json!({
                        "mount_point": point.text(), "unmounted": 1, "lazy": false
                    });
                    assert_eq!(said, want);
                }
            }
            point.is_bare();
            none_looped(dir);
        }
    }
}

/// Linux reads no file directly of what it mounts from a file (findings/direct-reads-need-a-device.sh).
#[test]
fn direct_reads_by_loop_devices() {
    let image = Image::new();
    let (boot, disk) = (image.path("boot"), image.path("disk"));
    ok(image.over_tars(&["merge", "-o", boot.to_str().unwrap()]));
    ok(image.over_tars(&["merge", "--disk", "-o", disk.to_str().unwrap()]));
    let point = Point::new(&image, "point");
    for file in [boot, disk] {
        let args = ["mount", "--json", "--loop", file.to_str().unwrap(), point.text()];
        assert_eq!(json(&ok(args)).remove(0)["by"], "devices");
        let shown = dump(&point.0).unwrap();
        image.expect_shown(&shown);
        let files = shown.0.iter().filter(|(_, node)| node.kind == Kind::File);
        let mut opened = 0;
        for (path, _) in files {
            let path = point.0.join(OsStr::from_bytes(path));
            open(&path, OFlags::RDONLY | OFlags::DIRECT, Mode::empty()).unwrap();
            opened += 1;
        }
        assert!(opened > 3, "{opened}");
        ok(["umount", point.text()]);
        none_looped(image.dir.path());
    }
}

/// A device is mounted as it is; and mount(8)'s umount undoes everything too.
#[test]
fn a_block_device_and_umount_of_others() {
    let image = Image::new();
    let disk = image.path("disk");
    ok(image.over_tars(&["merge", "--disk", "-o", disk.to_str().unwrap()]));
    let device = LoopDevice::new(&disk).unwrap();
    let point = Point::new(&image, "point");
    let said = ok(["mount", device.path().to_str().unwrap(), point.text()]);
    assert!(said.contains("read by block devices"), "{said}");
    image.expect_shown(&dump(&point.0).unwrap());
    let others = Command::new("umount").arg(&point.0).status().unwrap();
    assert!(others.success());
    point.is_bare();
}

/// More devices than a page of options names, which is where mount(2) ends.
#[test]
fn three_hundred_devices() {
    let image = Image::new();
    let mut args =
        vec!["merge".to_owned(), "-o".to_owned(), image.path("boot").display().to_string()];
    for number in 0..300 {
        let tar = image.path(&format!("with-a-name-of-some-length-{number}.tar"));
        let body = format!("body {number}");
        fs::write(&tar, TarBuilder::new().file(format!("f{number}"), body).finish()).unwrap();
        args.push(tar.display().to_string());
    }
    ok(&args);
    let point = Point::new(&image, "point");
    ok(["mount", &args[2], point.text()]);
    assert_eq!(fs::read_to_string(point.0.join("f299")).unwrap(), "body 299");
    ok(["umount", point.text()]);
    point.is_bare();
}

/// What is written to an overlay is there the next time, and the image stays as it is.
#[test]
fn an_overlay_keeps_its_changes() {
    let image = Image::new();
    let disk = image.path("disk").display().to_string();
    ok(image.over_tars(&["merge", "--disk", "-o", &disk]));
    let (second, other) = (Point::new(&image, "second"), image.path("other"));
    for (point, upper) in [("point", "upper"), ("a:point,\\ b", "an, upper:\\x")] {
        let (point, upper) = (Point::new(&image, point), image.path(upper));
        let args = ["mount", "--json", "--overlay", upper.to_str().unwrap(), &disk, point.text()];
        let report = json(&ok(args)).remove(0);
        assert_eq!(report["overlay"], upper.canonicalize().unwrap().to_str().unwrap());
        image.expect_shown(&dump(&point.0).unwrap());
        fs::write(point.0.join("new"), "new").unwrap();
        // No second one over it, whatever it is to be.
        for (overlay, work) in [(&upper, &other), (&other, &upper)] {
            let [overlay, work] = [overlay, work].map(|path| path.to_str().unwrap());
            let again = run(["mount", "--overlay", overlay, "--work", work, &disk, second.text()]);
            assert_eq!(again.code, 1, "{}", again.stdout);
            let why = "is in use by the overlay that is mounted on";
            assert!(again.stderr.contains(why), "{}", again.stderr);
            second.is_bare();
            assert!(!other.exists());
        }
        ok(["umount", point.text()]);
        point.is_bare();
        assert_eq!(fs::read_to_string(upper.join("new")).unwrap(), "new");
        ok(args);
        assert_eq!(fs::read_to_string(point.0.join("new")).unwrap(), "new");
        ok(["umount", point.text()]);
        point.is_bare();
    }
}

#[test]
fn a_mount_that_fails_leaves_nothing() {
    let image = Image::new();
    let text = |name: &str| image.path(name).display().to_string();
    ok(image.over_tars(&["merge", "-o", &text("boot")]));
    ok(image.over_tars(&["merge", "--disk", "-o", &text("disk")]));
    let report = json(&ok(image.over_tars(&[
        "export",
        "--json",
        "--mode",
        "image_block_with_verity",
        "-o",
        &text("sealed"),
    ])));
    let root = report[0]["verity"]["root_hash"].as_str().unwrap();
    ok(image.over_tars(&["export", "--mode", "layer_block", "--gpt", "-o", &text("several")]));
    // Linux wants the bits of features that it does not know to be 0; the tool too.
    let mut bytes = fs::read(text("disk")).unwrap();
    bytes[1024 + 83] |= 0x80;
    fs::write(text("modern"), bytes).unwrap();
    let point = Point::new(&image, "point");
    let upper = text("upper");
    fs::write(text("file"), "").unwrap();
    let missing = text("missing");
    let inside = point.0.join("upper").display().to_string();
    for (args, why) in [
        (&[text("sealed").as_str()][..], "is sealed: --root ROOT mounts it"),
        (&["--root", &"0".repeat(64), &text("sealed")], "root"),
        (&["--root", root, &text("disk")], ""),
        (&[&text("modern")], "feature"),
        (&[&text("several")], "has several partitions: say which of"),
        (&[&text("missing")], "No such file"),
        (&["--tars", "/proc/self", &text("boot")], "is not in /proc/self"),
        (&["--overlay", &text("file"), &text("disk")], "is no directory"),
        (&["--overlay", "/proc/upper", &text("disk")], "/proc/upper"),
        (
            &["--overlay", &upper, "--work", "/dev/shm", &text("disk")],
            "two directories of one filesystem",
        ),
        (&["--overlay", &inside, &text("disk")], "Read-only file system"),
    ] {
        let ran = run([&["mount"][..], args, &[point.text()]].concat());
        assert_eq!(ran.code, 1, "{args:?}: {}", ran.stdout);
        assert!(ran.stderr.contains(why), "{args:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {}", ran.stderr);
        point.is_bare();
        none_looped(image.dir.path());
        assert!(!Path::new(&upper).exists(), "{args:?}");
    }
    for (point, why) in [(&missing, "No such file"), (&text("file"), "is no directory")] {
        let ran = run(["mount", &text("disk"), point]);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        none_looped(image.dir.path());
    }
    // Nobody can be told that it is mounted: then it is not.
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(tool());
    let status =
        command.args(["mount", &text("disk"), point.text()]).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
    point.is_bare();
}

/// A program in the place of veritysetup: what it is asked, and that what it refuses leaves nothing. That the
/// real one opens what is mounted so, ./check kernels shows.
#[test]
fn veritysetup_is_asked_as_mount_args_prints() {
    let image = Image::new();
    let sealed = image.dir.path().canonicalize().unwrap().join("sealed");
    let sealed = sealed.to_str().unwrap();
    let args = ["export", "--json", "--mode", "image_block_with_verity", "-o", sealed];
    let report = json(&ok(image.over_tars(&args)));
    let root = report[0]["verity"]["root_hash"].as_str().unwrap();
    let place = Place::new();
    let point = Point::new(&image, "point");
    fs::create_dir(place.path("bin")).unwrap();
    let asked = place.text("asked");
    let script =
        format!("#!/bin/sh\necho veritysetup \"$@\" >> {asked}\necho no mapper >&2\nexit 4\n");
    let program = place.put("bin/veritysetup", script.as_bytes());
    Command::new("chmod").args(["+x", &program]).status().unwrap();
    let mount = |path: &str| {
        let mut command = Command::new(tool());
        command.args(["mount", "--root", root, sealed, point.text()]).env("PATH", path);
        let ran = command.output().unwrap();
        assert_eq!(ran.status.code(), Some(1));
        point.is_bare();
        String::from_utf8(ran.stderr).unwrap()
    };
    let said = mount(&format!("{}:/bin:/usr/bin", place.text("bin")));
    assert!(said.contains("veritysetup open fails (exit status: 4): no mapper"), "{said}");
    let printed = ok(["mount-args", "--root", root, sealed]);
    assert_eq!(fs::read_to_string(asked).unwrap().lines().next(), printed.lines().next());
    let said = mount("/nowhere");
    assert!(said.contains("cryptsetup-bin"), "{said}");
}

/// A device that cannot be told to close with its last user is closed when nothing uses it any more. The program in
/// veritysetup's place opens loop devices, and closes none that is mounted.
#[test]
fn a_device_that_stays_is_closed_behind_its_mount() {
    let image = Image::new();
    let sealed = image.dir.path().canonicalize().unwrap().join("sealed");
    let sealed = sealed.to_str().unwrap();
    let args = ["export", "--json", "--mode", "image_block_with_verity", "-o", sealed];
    let report = json(&ok(image.over_tars(&args)));
    let root = report[0]["verity"]["root_hash"].as_str().unwrap();
    let (place, point) = (Place::new(), Point::new(&image, "point"));
    fs::create_dir(place.path("bin")).unwrap();
    let (name, closed) = (place.text("name"), place.text("closed"));
    let script = format!(
        "#!/bin/sh\nset -e\ncase $1 in\n\
         open) mkdir -p /dev/mapper; ln -s $(losetup -r -f --show \"$2\") /dev/mapper/$3; echo $3 > {name};;\n\
         *) test $2 != --deferred || {{ echo knows no --deferred >&2; exit 1; }}\n\
         if grep -q \"/dev/mapper/$2 \" /proc/self/mountinfo; then exit 5; fi\n\
         losetup -d $(readlink /dev/mapper/$2); rm /dev/mapper/$2; echo > {closed};;\nesac\n"
    );
    let program = place.put("bin/veritysetup", script.as_bytes());
    Command::new("chmod").args(["+x", &program]).status().unwrap();
    let mut command = Command::new(tool());
    command.args(["mount", "--root", root, sealed, point.text()]);
    command.env("PATH", format!("{}:/sbin:/usr/sbin:/bin:/usr/bin", place.text("bin")));
    let ran = command.output().unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    let device = Path::new("/dev/mapper").join(fs::read_to_string(name).unwrap().trim());
    let closed = fs::exists(closed).unwrap();
    if !closed {
        let _ = Command::new("losetup").arg("-d").arg(fs::read_link(&device).unwrap()).status();
        fs::remove_file(&device).unwrap();
    }
    assert!(ran.status.code() == Some(1) && said.contains("knows no --deferred"), "{said}");
    point.is_bare();
    assert!(closed, "{device:?} is left");
}

#[test]
fn umount_takes_nothing_of_others() {
    let image = Image::new();
    let disk = image.path("disk").display().to_string();
    ok(image.over_tars(&["merge", "--disk", "-o", &disk]));
    let other = mount::tmpfs().unwrap();
    fs::write(other.path().join("file"), "").unwrap();
    let refused = |dir: &Path, why: &str| {
        let ran = run(["umount".as_ref(), dir.as_os_str()]);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    };
    refused(other.path(), "tmpfs is mounted there");
    assert!(other.path().join("file").exists());
    let point = Point::new(&image, "point");
    refused(&point.0, "nothing is mounted there");
    refused(&image.path("missing"), "No such file");
    // Over ours something else: that is not ours to unmount.
    ok(["mount", &disk, point.text()]);
    let status = Command::new("mount").args(["-t", "tmpfs", "tmpfs", point.text()]).status();
    assert!(status.unwrap().success());
    refused(&point.0, "tmpfs is mounted there");
    assert_eq!(point.mounts(), 2);
    assert!(Command::new("umount").arg(&point.0).status().unwrap().success());
    // One that is in use stays, unless it need not end now.
    let open = fs::File::open(point.0.join(".")).unwrap();
    refused(&point.0, "--lazy does not wait for it");
    assert_eq!(point.mounts(), 1);
    ok(["umount", "--lazy", point.text()]);
    point.is_bare();
    drop(open);
    none_looped(image.dir.path());
}
