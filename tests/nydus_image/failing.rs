//! Inputs that are wrong, and places without room: an error that says where, and no output.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use testkit::mount::small_tmpfs;
use testkit::oci::small_image;
use testkit::tarball::TarBuilder;

use crate::run::{Place, fails, ok, program};
use crate::snapshotter::Snapshotter;

#[test]
fn a_stream_that_is_cut_short_leaves_nothing_and_the_next_is_taken() {
    let snapshotter = Snapshotter::new();
    let tar = TarBuilder::new().file("etc/motd", vec![7; 5000]).finish();
    for (bytes, said) in [
        (&tar[..3000], &["layer_tar.fifo: ", "etc/motd", "at byte 0"][..]),
        (&tar[..300], &["layer_tar.fifo: "]),
        (b"", &["layer_tar.fifo: is empty"]),
        (&[0x55; 2048], &["layer_tar.fifo: "]),
    ] {
        let ran = snapshotter.pull("layer.boot", bytes);
        assert_eq!((ran.code, &*ran.stdout), (1, ""), "{ran:?}");
        assert!(said.iter().all(|word| ran.stderr.contains(word)), "{said:?}: {}", ran.stderr);
        assert_eq!(snapshotter.place.names(), ["cache"]);
    }
    snapshotter.pull_all([&tar[..]]);
    assert_eq!(snapshotter.place.names(), ["cache", "layer0.boot"]);
}

#[test]
fn a_kill_leaves_nothing() {
    let place = Place::new();
    let tar = TarBuilder::new().file("big", vec![7; 2 << 20]).finish();
    let fifo = place.path("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::from(0o644), 0).unwrap();
    let mut create = Command::new(program());
    create.args(["create", "-t", "tar-tarfs", "-B", &place.word("out")]).arg(&fifo);
    let mut child = create.spawn().unwrap();
    let mut writer = OpenOptions::new().write(true).open(&fifo).unwrap();
    // More than a pipe holds: when it is written, the most of it has been read.
    writer.write_all(&tar[..2 << 20]).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(place.names(), ["fifo"]);
}

/// nydus-snapshotter opens the pipe for writing, and waits there until it is read.
#[test]
fn whoever_writes_to_the_pipe_is_not_left_waiting() {
    let ran = Snapshotter::new().pull("missing/layer.boot", &small_image()[0].tar);
    assert!(ran.code == 1 && ran.stderr.contains("missing/layer.boot: cannot create"), "{ran:?}");
}

#[test]
fn a_hard_link_to_nothing_is_named() {
    let tar = TarBuilder::new().file("a", b"a").hardlink("b", "missing").finish();
    let ran = Snapshotter::new().pull("layer.boot", &tar);
    assert!(ran.code == 1 && ran.stderr.contains("\"b\"") && ran.stderr.contains("missing"));
}

/// The kernel reads whole sectors of a device: what lies in the last bytes of an odd tar would be lost.
#[test]
fn a_tar_whose_data_ends_in_no_sector_is_refused() {
    let mut tar = TarBuilder::new().file("motd", b"hello\n").finish();
    tar.truncate(512 + 6);
    let ran = Snapshotter::new().pull("layer.boot", &tar);
    assert!(ran.code == 1 && ran.stderr.contains("no multiple of 512"), "{ran:?}");
}

/// Nydus's program fills up a disk with other bytes, and seals those.
#[test]
fn tars_that_are_not_those_that_were_indexed() {
    let (snapshotter, layers) = (Snapshotter::new(), small_image());
    let boots = snapshotter.pull_all(layers.iter().map(|layer| &layer.tar[..]));
    let (boot, place) = (snapshotter.merge(&boots), &snapshotter.place);
    let (cache, disk) = (place.word("cache"), place.word("disk"));
    let (boot, id) = (boot.to_str().unwrap(), Snapshotter::id(&layers[0].tar));
    let export = ["export", "--block", "-D", &cache, "-B", boot, "-O", &disk, "--verity"];
    let check = ["check", "-D", &cache, boot];
    let tar = snapshotter.tar(&id);
    let bytes = fs::metadata(&tar).unwrap().len();
    for other in [bytes - 512, bytes + 512, 0] {
        OpenOptions::new().write(true).open(&tar).unwrap().set_len(other).unwrap();
        let said = [&*id, &format!("has {other} bytes"), &format!("made of {bytes}")];
        fails(1, &said, export);
        fails(1, &said, check);
    }
    fs::remove_file(&tar).unwrap();
    fails(1, &[&id, "cannot open"], export);
    fails(1, &[&id, "cannot open"], check);
    assert!(!place.path("disk").exists());
    fs::write(&tar, &layers[0].tar).unwrap();
    ok(export);
}

#[test]
fn bootstraps_that_are_none() {
    let (snapshotter, layers) = (Snapshotter::new(), small_image());
    let boots = snapshotter.pull_all(layers.iter().map(|layer| &layer.tar[..]));
    let place = &snapshotter.place;
    let good = fs::read(place.path(&boots[0])).unwrap();
    let (bad, cache) = (place.word("bad"), place.word("cache"));
    let mut other = good.clone();
    other[1024] ^= 1;
    let commands = |said: &[&str], code: i32| {
        fails(code, said, ["merge", "-B", &place.word("out"), &place.word(&boots[0]), &bad]);
        fails(code, said, ["inspect", "-R", "blobs", &bad]);
        fails(code, said, ["check", &bad]);
        fails(code, said, ["export", "--block", "-D", &cache, "-B", &bad]);
        assert!(!place.path("out").exists());
    };
    for bytes in [&good[..1000], &other, b"", &layers[0].tar] {
        place.put("bad", bytes);
        commands(&["bad: "], 1);
    }
    fs::remove_file(place.path("bad")).unwrap();
    commands(&["bad: cannot open"], 1);
    let (disk, _) = snapshotter.export(&place.path(&boots[0]), false);
    fs::rename(disk, place.path("bad")).unwrap();
    commands(&["bad: is a disk with its tars in it"], 2);
}

#[test]
fn outputs_that_are_refused() {
    let (snapshotter, layers) = (Snapshotter::new(), small_image());
    let boots = snapshotter.pull_all([&layers[0].tar[..]]);
    let (place, id) = (&snapshotter.place, Snapshotter::id(&layers[0].tar));
    let (boot, cache) = (place.word(&boots[0]), place.word("cache"));
    let tar = format!("{cache}/{id}");
    let create = |out: &str| ["create", "-t", "tar-tarfs", "-B", out, &tar].map(str::to_owned);
    fails(1, &["is an input and the output"], create(&tar));
    fails(1, &["is an input and the output"], ["merge", "-B", &boot, &boot]);
    let export =
        |out: &str| ["export", "--block", "-D", &cache, "-B", &boot, "-O", out].map(str::to_owned);
    fails(1, &["is an input and the output"], export(&boot));
    fails(1, &["is an input and the output"], export(&tar));
    let out = place.word("out");
    for json in [&tar, &boot] {
        let check = ["check", "-D", &cache, "-J", json, &boot];
        fails(1, &["is an input and the output"], check);
    }
    let words = ["create", "-t", "tar-tarfs", "-B", &out, "-J", &tar, &tar];
    fails(1, &["is an input and the output"], words);
    fails(1, &["is an input and the output"], ["merge", "-B", &out, "-J", &boot, &boot]);
    fails(1, &["the name of two outputs"], ["merge", "-B", &out, "-J", &out, &boot]);
    assert!(!place.path("out").exists());
    for out in [&*cache, "/dev/null"] {
        fails(1, &["not a regular file"], create(out));
        fails(1, &["not a regular file"], ["merge", "-B", out, &boot]);
        fails(1, &["not a regular file"], export(out));
    }
    fails(1, &["/missing/out"], create("/missing/out"));
    assert!(fs::read(&tar).unwrap() == layers[0].tar);
}

#[test]
fn a_full_disk_is_an_error_and_nothing_is_left() {
    let snapshotter = Snapshotter::new();
    let tar = TarBuilder::new().file("big", vec![7; 2 << 20]).finish();
    let boots = snapshotter.pull_all([&tar[..]]);
    let small = small_tmpfs(1 << 20).unwrap();
    let (boot, cache) = (snapshotter.place.word(&boots[0]), snapshotter.place.word("cache"));
    let disk = small.path().join("disk").into_os_string().into_string().unwrap();
    let words = ["export", "--block", "--verity", "-D", &cache, "-B", &boot, "-O", &disk];
    fails(1, &["disk: cannot write", "No space left"], words);
    assert_eq!(fs::read_dir(small.path()).unwrap().count(), 0);
}
