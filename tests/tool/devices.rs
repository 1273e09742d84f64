//! Devices: what is known of them, and of which it is shown that they are one.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::mount::Erofs;
use testkit::oci::write_layout;
use testkit::oracle;
use testkit::tarball::TarBuilder;

use crate::run::{Place, digest, json, mounted, ok, run};

impl Place {
    /// A bootstrap over a tar, without a name in it.
    fn part(&self, name: &str, tar: &str, hidden: &str) -> String {
        let above = self.put("above.tar", &TarBuilder::new().whiteout(hidden).finish());
        ok(["merge", "-o", &self.text(name), tar, &above]);
        self.text(name)
    }

    /// Runs it, and gives the devices of what it makes.
    #[track_caller]
    fn devices(&self, words: &[&str]) -> Vec<Value> {
        let report = json(&ok(words)).remove(0);
        report["devices"].as_array().unwrap().clone()
    }
}

/// Tars of one length, with a file of one name and one of its own.
fn tar(number: u8) -> Vec<u8> {
    let own = format!("own{number}");
    TarBuilder::new().file("f", [number; 3000]).file(own, [number + 100; 700]).finish()
}

fn reads(root: &Path, top: u8, all: &[u8]) {
    assert!(fs::read(root.join("f")).unwrap() == [top; 3000]);
    for number in all {
        let own = fs::read(root.join(format!("own{number}"))).unwrap();
        assert!(own == [number + 100; 700], "{number}");
    }
}

/// Callers who pass a `device=` for each layer count them, and know nothing else of them.
#[test]
fn a_device_for_each_layer() {
    let place = Place::new();
    let [one, two] = [1, 2].map(|number| place.put(&format!("{number}.tar"), &tar(number)));
    let empty = place.put("0.tar", &TarBuilder::new().dir("d", 0o755).finish());
    let boot = place.text("boot");
    let layers = [&one, &empty, &two, &one];
    let words = ["merge", "--json", "-o", &boot];
    let devices = place.devices(&[&words[..], &layers.map(String::as_str)].concat());
    assert_eq!(devices.len(), 2);
    let each = [&words[..], &["--device-per-layer"], &layers.map(String::as_str)].concat();
    let devices = place.devices(&each);
    let tags: Vec<_> = devices.iter().map(|device| device["tag"].as_str().unwrap()).collect();
    assert_eq!(tags, layers.map(|layer| digest(&fs::read(layer).unwrap())));
    reads(Erofs::new(&boot).devices(layers).mount().unwrap().path(), 1, &[1, 2]);
    reads(Erofs::new(&boot).devices(layers).mount_by_loop().unwrap().path(), 1, &[1, 2]);
    let commands = ok(["mount-args", &boot]);
    assert_eq!(commands.matches(&one).count(), 4, "two loop devices, two options: {commands}");
    ok([&["check", "--strict", "--against"], &layers.map(String::as_str)[..], &[&boot]].concat());
    assert_eq!(run([&each[..], &["--disk"]].concat()).code, 2);
}

/// A tag is that of the tar in a layer's disk: who looks for the disk is told how to name it.
#[test]
fn disks_of_layers_are_named() {
    let place = Place::new();
    let disks = [1, 2].map(|number| {
        let (tar, disk) = (place.put("tar", &tar(number)), place.text(&format!("{number}.disk")));
        ok(["layer", "--disk", "-o", &disk, &tar]);
        disk
    });
    let boot = place.text("boot");
    ok(["merge", "-o", &boot, &disks[0], &disks[1]]);
    fs::remove_file(place.path("tar")).unwrap();
    for args in [&["mount-args"][..], &["mount-args", "--tars", &place.text("")]] {
        let ran = run([args, &[&boot]].concat());
        let told = "mount and mount-args take --device FILE, one for each device, in order)";
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    ok(["mount-args", "--device", &disks[0], "--device", &disks[1], &boot]);
}

/// What containerd makes: the index of a tar, then the tar. The slot of its device has no tag.
fn index_and_tar(place: &Place, name: &str, tar: &[u8]) -> Option<String> {
    let mkfs = oracle::erofs_tool("mkfs.erofs")?;
    let (file, index) = (place.put("a tar", tar), place.path("an index"));
    let args = ["--tar=i", "--aufs", "-T0", "--quiet"];
    let made = Command::new(mkfs).args(args).arg(&index).arg(file).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    Some(place.put(name, &[&fs::read(index).unwrap()[..], tar].concat()))
}

#[test]
fn devices_without_tags_have_none_on_disks() {
    let place = Place::new();
    let Some(one) = index_and_tar(&place, "one", &tar(1)) else { return };
    let two = index_and_tar(&place, "two", &tar(2)).unwrap();
    let (out, again) = (place.text("out"), place.text("again"));
    let good = |image: &str, layers: &[&str]| {
        ok(["check", image]);
        ok([&["check", "--against"], layers, &[image]].concat());
        ok(["mount-args", image]);
        ok(["inspect", image]);
    };
    for words in [
        &["merge", "--disk", "--json", "-o", &out][..],
        &["merge", "--disk", "--placement", "data-first", "--json", "-o", &out],
        &["export", "--mode", "image_block", "--json", "-o", &out],
        &["export", "--mode", "image_block_with_verity", "--json", "-o", &out],
    ] {
        // It has the tar alone, of which no digest is known.
        let devices = place.devices(&[words, &[&one]].concat());
        assert_eq!((devices.len(), &devices[0]["tag"]), (1, &Value::from("")), "{words:?}");
        good(&out, &[&one]);
        reads(mounted(Path::new(&out)).path(), 1, &[1]);
        // Two of one length stay two, and one that is there twice is one.
        let devices = place.devices(&[words, &[&one, &two]].concat());
        assert_eq!(devices.len(), 2, "{words:?}");
        good(&out, &[&one, &two]);
        reads(mounted(Path::new(&out)).path(), 2, &[1, 2]);
        assert_eq!(place.devices(&[words, &[&one, &one]].concat()).len(), 1, "{words:?}");
        // And on, disk of disk.
        place.devices(&[words, &[&two, &one]].concat());
        let devices = place.devices(&["merge", "--disk", "--json", "-o", &again, &out, &two]);
        assert!(devices.iter().all(|device| device["tag"] == ""), "{devices:?}");
        good(&again, &[&out, &two]);
        reads(mounted(Path::new(&again)).path(), 2, &[1, 2]);
    }
    // Files for each, though no tag names them.
    let dir = place.text("disks");
    ok(["export", "--mode", "layer_block", "-o", &dir, &one, &two]);
    for (number, name) in [(1, "layer-1.disk"), (2, "layer-2.disk")] {
        let disk = Path::new(&dir).join(name);
        ok(["check".as_ref(), disk.as_os_str()]);
        reads(mounted(&disk).path(), number, &[number]);
    }
    let vmdk = place.text("image.vmdk");
    ok(["export", "--mode", "image_block", "--form", "vmdk", "-o", &vmdk, &one, &two]);
    // What is not checked is said, in words.
    let said = ok(["check", &again]);
    assert!(said.contains("not checked: device 1, which has no tag: "), "{said}");
    assert_eq!(run(["check", "--strict", &again]).code, 1);
}

/// Over a bootstrap, the device is all of the file, so it is found by its digest.
#[test]
fn over_a_bootstrap_their_files_have_tags() {
    let place = Place::new();
    let Some(one) = index_and_tar(&place, "one", &tar(1)) else { return };
    let two = index_and_tar(&place, "two", &tar(2)).unwrap();
    let boot = place.text("boot");
    let devices = place.devices(&["merge", "--json", "-o", &boot, &one, &two]);
    for (device, file) in devices.iter().zip([&one, &two]) {
        assert_eq!(device["tag"], digest(&fs::read(file).unwrap()).as_str());
    }
    ok(["check", "--strict", "--against", &one, &two, &boot]);
    assert!(ok(["mount-args", &boot]).contains(&one));
    reads(Erofs::new(&boot).devices([&one, &two]).mount().unwrap().path(), 2, &[1, 2]);
    let disk = place.text("disk");
    ok(["merge", "--disk", "-o", &disk, &boot]);
    ok(["check", "--strict", "--against", &boot, &disk]);
    reads(mounted(Path::new(&disk)).path(), 2, &[1, 2]);
    // A bootstrap that has none: nothing is guessed, and it is said what to do.
    let index = place.text("an index");
    fs::rename(place.path("a tar"), place.path("elsewhere")).unwrap();
    for command in [&["mount-args", &index][..], &["merge", "--disk", "-o", &disk, &index]] {
        let ran = run(command);
        assert_eq!(ran.code, 1, "{command:?}: {}", ran.stdout);
        assert!(ran.stderr.contains("has no tag"), "{command:?}: {}", ran.stderr);
    }
}

#[test]
fn bootstraps_over_one_tar() {
    let place = Place::new();
    // Not by its name, but by what is in it.
    let one = place.put("some.tar", &tar(1));
    let (a, b) = (place.part("a.erofs", &one, "own1"), place.part("b.erofs", &one, "f"));
    let other = place.put("other.tar", &tar(2));
    let c = place.part("c.erofs", &other, "none");
    let out = place.text("out");
    for words in [
        &["merge", "--json", "-o", &out][..],
        &["merge", "--disk", "--json", "-o", &out],
        &["export", "--mode", "image_block_with_verity", "--json", "-o", &out],
    ] {
        for (layers, count) in [
            (&[&a, &b][..], 1),
            (&[&a, &one], 1),
            (&[&one, &b], 1),
            (&[&a, &c, &b], 2),
            (&[&c, &one, &b, &other], 2),
        ] {
            let layers: Vec<&str> = layers.iter().map(|layer| layer.as_str()).collect();
            let devices = place.devices(&[words, &layers].concat());
            assert_eq!(devices.len(), count, "{words:?} {layers:?}");
            ok(["check", &out]);
            ok([&["check", "--against"], &layers[..], &[&out]].concat());
        }
    }
    // Of an image's blob the digest was checked.
    write_layout(&place.path("layout"), &[tar(1)]).unwrap();
    let image = format!("oci:{}", place.text("layout"));
    assert_eq!(place.devices(&["merge", "--json", "-o", &out, &image, &b]).len(), 1);
    assert_eq!(place.devices(&["merge", "--json", "-o", &out, &image, &one, &c]).len(), 2);
    // Where it is not found, nobody needs it, and nobody knows.
    fs::rename(&one, place.path("gone")).unwrap();
    fs::create_dir(place.path("away")).unwrap();
    fs::rename(place.path("gone"), place.path("away/gone")).unwrap();
    assert_eq!(place.devices(&["merge", "--json", "-o", &out, &a, &b]).len(), 2);
    let away = place.text("away");
    let words = ["merge", "--json", "-o", &out, "--tars", &away, &a, &b];
    assert_eq!(place.devices(&words).len(), 1);
}

#[test]
fn one_tag_for_two_tars() {
    let place = Place::new();
    let out = place.text("out");
    for (name, number) in [("a", 1), ("b", 2)] {
        let tar = place.put(&format!("{name}.tar"), &tar(number));
        ok(["layer", "--blob-id", "x", "-o", &place.text(&format!("{name}.erofs")), &tar]);
    }
    let (a, b) = (place.text("a.erofs"), place.text("b.erofs"));
    // Each has its own by the name of the bootstrap.
    for words in [
        &["merge", "--disk", "--json", "-o", &out][..],
        &["export", "--mode", "image_block_with_verity", "--json", "-o", &out],
    ] {
        assert_eq!(place.devices(&[words, &[&a, &b]].concat()).len(), 2, "{words:?}");
        reads(mounted(Path::new(&out)).path(), 2, &[1, 2]);
    }
    assert_eq!(place.devices(&["merge", "--json", "-o", &out, &a, &b]).len(), 2);
    // One file is one device, whatever it is called.
    for (name, tag) in [("c", "y"), ("d", "z")] {
        let boot = place.text(&format!("{name}.erofs"));
        ok(["layer", "--blob-id", tag, "-o", &boot, &place.text("a.tar")]);
        fs::create_dir_all(place.path("tars")).unwrap();
        fs::hard_link(place.path("a.tar"), place.path("tars").join(tag)).unwrap();
    }
    let (c, d, tars) = (place.text("c.erofs"), place.text("d.erofs"), place.text("tars"));
    for words in [&["merge", "--json", "-o", &out][..], &["merge", "--disk", "--json", "-o", &out]]
    {
        let devices = place.devices(&[words, &["--tars", &tars, &c, &d]].concat());
        assert_eq!((devices.len(), &devices[0]["tag"]), (1, &Value::from("y")), "{words:?}");
    }
    reads(mounted(Path::new(&out)).path(), 1, &[1]);
}

/// A tag that is a digest says which tar is meant: another one is never taken for it.
#[test]
fn a_tar_that_has_not_the_digest() {
    let place = Place::new();
    let (one, out) = (place.put("a.tar", &tar(1)), place.text("out"));
    let (a, b) = (place.part("a.erofs", &one, "own1"), place.part("b.erofs", &one, "f"));
    fs::write(&one, tar(2)).unwrap();
    let right = place.put("right.tar", &tar(1));
    // With the right one beside it, that is it.
    assert_eq!(place.devices(&["merge", "--disk", "--json", "-o", &out, &a, &b]).len(), 1);
    reads(mounted(Path::new(&out)).path(), 1, &[1]);
    fs::remove_file(&right).unwrap();
    let ran = run(["merge", "--disk", "-o", &out, &a, &b]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stderr.contains("does not have the digest"), "{}", ran.stderr);
    // None of both is the tar that is there.
    assert_eq!(place.devices(&["merge", "--json", "-o", &out, &one, &a, &b]).len(), 3);
}
