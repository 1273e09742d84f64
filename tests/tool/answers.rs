//! What Linux answers about an image's files, where README.md's limits tell users of it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::Command;

use testkit::dump::{Kind, dump};
use testkit::mount::Erofs;
use testkit::oracle::{self, Verdict};
use testkit::tarball::{SparseForm, TarBuilder};

use crate::mounting::Point;
use crate::run::{Image, json, ok, run};

/// C's stdio reads by as many bytes as this says (findings/small-blocks-small-reads.sh).
#[test]
fn a_file_has_blocks_as_large_as_the_images() {
    let image = Image::new();
    for (size, options) in [(512, &[][..]), (4096, &["--block-size", "4096"])] {
        let disk = image.path("disk");
        let merge = ["merge", "--disk", "-o", disk.to_str().unwrap()];
        ok(image.over_tars(&[&merge, options].concat()));
        let mounted = Erofs::new(&disk).mount().unwrap();
        assert_eq!(fs::metadata(mounted.path()).unwrap().blksize(), size);
        fs::remove_file(disk).unwrap();
    }
}

/// Incremental backups go by ctime (findings/changed-file-looks-unchanged.sh).
#[test]
fn a_file_has_one_time() {
    let image = Image::new();
    let disk = image.path("disk");
    ok(image.over_tars(&["merge", "--disk", "-o", disk.to_str().unwrap()]));
    let mounted = Erofs::new(&disk).mount().unwrap();
    for path in dump(mounted.path()).unwrap().0.keys() {
        let said = fs::symlink_metadata(mounted.path().join(OsStr::from_bytes(path))).unwrap();
        let mtime = (said.mtime(), said.mtime_nsec());
        assert_eq!((said.ctime(), said.ctime_nsec()), mtime);
        assert_eq!((said.atime(), said.atime_nsec()), mtime);
    }
}

/// Of a block device Linux reads metadata of 512-byte blocks by requests of a sector each, after the device was read through
/// the page cache by one for each directory at most (findings/metadata-by-single-sectors.sh).
#[test]
fn metadata_of_a_device_can_be_read_ahead() {
    let image = Image::new();
    let mut tar = TarBuilder::new();
    for file in 0..2000 {
        tar = tar.file(format!("{}/{file}", file / 250), []);
    }
    let (layer, disk) = (image.path("layer"), image.path("disk"));
    fs::write(&layer, tar.finish()).unwrap();
    let point = Point::new(&image, "point");
    let [layer, disk] = [&layer, &disk].map(|path| path.to_str().unwrap());
    ok(["merge", "--disk", "-o", disk, layer]);
    let requests = |read_ahead: bool| {
        ok(["mount", "--loop", disk, point.text()]);
        let table = fs::read_to_string("/proc/self/mounts").unwrap();
        let mut lines = table.lines().map(|line| line.split_once(' ').unwrap());
        let (device, _) = lines.find(|(_, at)| at.starts_with(point.text())).unwrap();
        if read_ahead {
            fs::read(device).unwrap();
        }
        // Requests that were served, and their sectors.
        let stat = format!("/sys/block/{}/stat", device.strip_prefix("/dev/").unwrap());
        let served = || {
            let said = fs::read_to_string(&stat).unwrap();
            let mut numbers = said.split_whitespace().map(|number| number.parse::<u64>().unwrap());
            [numbers.next().unwrap(), numbers.nth(1).unwrap()]
        };
        let before = served();
        let directories = fs::read_dir(&point.0).unwrap();
        let files = directories.flat_map(|entry| fs::read_dir(entry.unwrap().path()).unwrap());
        assert_eq!(files.filter(|entry| entry.as_ref().unwrap().metadata().is_ok()).count(), 2000);
        let [requests, sectors] = served();
        ok(["umount", point.text()]);
        [requests - before[0], sectors - before[1]]
    };
    let ([cold, sectors], [warm, _]) = (requests(false), requests(true));
    assert!(cold > 100 && sectors < 2 * cold, "{cold} requests of {sectors} sectors");
    assert!(warm <= 8, "{warm} of {cold} requests");
}

/// Linux has no DAX for a file whose end is behind its inode (findings/dax-passes-over-inlined-tails.sh).
#[test]
fn disks_for_dax_have_no_ends_behind_inodes() {
    let Some(dump) = oracle::erofs_tool("dump.erofs") else { return };
    let image = Image::new();
    let (layer, disk) = (image.path("layer"), image.path("disk"));
    let lengths = [1, 100, 4095, 4096, 4097, 9000, 65536 + 60];
    let add = |tar: TarBuilder, len: &usize| tar.file(len.to_string(), vec![b'x'; *len]);
    fs::write(&layer, lengths.iter().fold(TarBuilder::new(), add).finish()).unwrap();
    for option in ["--checksum", "--plain-bodies"] {
        let disk = disk.to_str().unwrap();
        let merge = ["merge", "--disk", "--block-size", "4096", option, "-o", disk];
        ok([&merge[..], &[layer.to_str().unwrap()]].concat());
        for len in lengths {
            let said = Verdict::of(Command::new(&dump).arg(format!("--path=/{len}")).arg(disk));
            said.expect_ok("dump.erofs");
            // Plain, or by chunks; 2 is the form with the end behind the inode.
            let layout = said.output.split("Layout: ").nth(1).unwrap().chars().next();
            assert!(matches!(layout, Some('0' | '4')), "{option}, {len} bytes: {}", said.output);
        }
        fs::remove_file(disk).unwrap();
    }
}

/// Where a file is by FIEMAP, in bytes; the program is asked for units of 512.
fn place(filefrag: &Path, file: &Path) -> u64 {
    let said = Verdict::of(Command::new(filefrag).args(["-v", "-b512"]).arg(file));
    said.expect_ok("filefrag");
    let line = said.output.lines().find(|line| line.trim_start().starts_with("0:")).unwrap();
    let at = line.split(':').nth(2).unwrap().split("..").next().unwrap();
    512 * at.trim().parse::<u64>().unwrap()
}

/// A hole is a hole to SEEK_DATA, and blocks to st_blocks, by which `cp` and `tar --sparse` go
/// (findings/holes-are-counted.sh); FIEMAP's places are those of bytes in the tars, and of two tars one place may be two
/// files' (findings/fiemap-names-no-device.sh).
#[test]
fn holes_and_places() {
    let image = Image::new();
    let tar = |name: &str, byte: u8| {
        let path = image.path(name);
        let runs = [(4 << 20, &[byte; 4096][..])];
        let tar = TarBuilder::new().file(format!("plain{name}"), [byte; 4096]);
        fs::write(&path, tar.sparse(SparseForm::Pax10, name, 8 << 20, &runs).finish()).unwrap();
        path
    };
    let tars = [tar("a", b'a'), tar("b", b'b')];
    let (boot, point) = (image.path("boot"), Point::new(&image, "point"));
    let [boot, first, second] = [&boot, &tars[0], &tars[1]].map(|path| path.to_str().unwrap());
    ok(["merge", "-o", boot, first, second]);
    ok(["mount", boot, point.text()]);
    let filefrag = oracle::tool("filefrag", "apt-get install e2fsprogs");
    let places = tars.each_ref().map(|tar| {
        let name = tar.file_name().unwrap().to_str().unwrap();
        let (plain, sparse) = (point.0.join(format!("plain{name}")), point.0.join(name));
        let said = fs::metadata(&sparse).unwrap();
        assert_eq!(said.blocks() * 512, said.len());
        let file = fs::File::open(&sparse).unwrap();
        let data = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(0)).unwrap();
        assert_eq!(data, 4 << 20);
        let filefrag = filefrag.as_deref()?;
        let (tar, places) = (fs::File::open(tar).unwrap(), [plain, sparse]);
        Some(places.map(|file| {
            let (at, mut bytes) = (place(filefrag, &file), [0; 4096]);
            tar.read_exact_at(&mut bytes, at).unwrap();
            assert!(bytes.iter().all(|byte| name.as_bytes() == [*byte]), "{file:?} at {at}");
            let name = file.file_name().unwrap().to_str().unwrap();
            let extents = json(&ok(["stat", "--json", boot, name])).remove(0)["extents"].take();
            assert!(extents.as_array().unwrap().iter().any(|of| of["device_offset"] == at));
            at
        }))
    });
    assert_eq!(places[0], places[1]);
    ok(["umount", point.text()]);
}

/// Files below an overlay have the device number of its directories: by it `du -x` and backups of one filesystem go
/// (findings/overlay-files-on-other-devices.sh).
#[test]
fn an_overlay_is_one_filesystem() {
    let image = Image::new();
    let (disk, upper) = (image.path("disk"), image.path("upper"));
    ok(image.over_tars(&["merge", "--disk", "-o", disk.to_str().unwrap()]));
    let point = Point::new(&image, "point");
    let [disk, upper] = [&disk, &upper].map(|path| path.to_str().unwrap());
    let mount = ["mount", "--overlay", upper];
    for (options, shown, is_one) in [
        (&[][..], "xino=auto", true),
        (&["--overlay-option=xino=on", "--overlay-option=volatile"], "volatile", true),
        (&["--overlay-option", "xino=off"], "upperdir", false),
    ] {
        ok([&mount, options, &[disk, point.text()]].concat());
        fs::write(point.0.join("new"), "new").unwrap();
        let table = fs::read_to_string("/proc/self/mounts").unwrap();
        let mut lines = table.lines().filter(|line| line.split(' ').nth(1) == Some(point.text()));
        assert!(lines.next_back().unwrap().contains(shown), "{options:?}: {table}");
        let directory = fs::metadata(&point.0).unwrap().dev();
        let shown = dump(&point.0).unwrap();
        let files = shown.0.iter().filter(|(_, node)| node.kind != Kind::Dir);
        let devices: Vec<u64> = files
            .map(|(path, _)| fs::symlink_metadata(point.0.join(OsStr::from_bytes(path))))
            .map(|said| said.unwrap().dev())
            .collect();
        assert!(devices.len() > 3);
        assert!(devices.iter().all(|device| (*device == directory) == is_one), "{options:?}");
        ok(["umount", point.text()]);
        let _ = fs::remove_dir_all(format!("{upper}.work")); // of a volatile overlay: no other takes it
    }
    for (option, code, why) in [
        ("unknown", 1, "Linux refuses the mount"),
        ("xino=maybe", 1, "Linux refuses the mount"),
        ("lowerdir+=/", 2, "is what the image and --overlay say"),
        ("ro", 2, "an overlay is for writing"),
        ("datadir+=/", 2, "is what the image and --overlay say"),
        ("workdir", 2, "is what the image and --overlay say"),
    ] {
        let ran = run([&mount[..], &["--overlay-option", option, disk, point.text()]].concat());
        assert_eq!(ran.code, code, "{option}: {}", ran.stderr);
        assert!(ran.stderr.contains(why), "{option}: {}", ran.stderr);
        assert_eq!(fs::read_dir(&point.0).unwrap().count(), 0);
    }
    assert_eq!(run(["mount", "--overlay-option", "volatile", disk, point.text()]).code, 2);
}
