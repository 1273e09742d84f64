//! The calls of nydus-snapshotter, and what they are to come to.

use std::fs;

use testkit::dump::{Ignore, dump};
use testkit::mount::Erofs;
use testkit::naive::naive_merge;
use testkit::oci::small_image;
use testkit::oracle;
use testkit::stacks::{Layer, Stack};
use testkit::tarball::{SparseForm, TarBuilder};

use crate::expected::{Extracted, extracted, same};
use crate::run::{Place, ok, run};
use crate::snapshotter::{Snapshotter, verify};

/// Tars of images begin at multiples of this in a disk.
const ALIGN: u64 = 512 << 10;

/// What the layers are as one: by the rules, in memory.
fn merged(layers: &[Layer]) -> testkit::dump::Tree {
    naive_merge(layers.iter().map(|layer| &layer.ops[..]), false).unwrap()
}

/// Pulls, merges, mounts and exports an image of layers as nydus-snapshotter does.
fn expect_image(layers: &[Layer], what: &str) {
    let snapshotter = Snapshotter::new();
    let expected = merged(layers);
    let ignore = Ignore::nothing().dir_nlink();
    let boots = snapshotter.pull_all(layers.iter().map(|layer| &layer.tar[..]));
    let ids: Vec<String> = layers.iter().map(|layer| Snapshotter::id(&layer.tar)).collect();
    let boot = snapshotter.merge(&boots);
    let mount = snapshotter.mount(&boot, &ids);
    same(&dump(mount.path()).unwrap(), &expected, &ignore, what);
    drop(mount);
    let (disk, _) = snapshotter.export(&boot, false);
    let plain = fs::read(&disk).unwrap();
    assert!(plain.len().is_multiple_of(512));
    let (disk, printed) = snapshotter.export(&boot, true);
    let printed = printed.unwrap();
    let data = printed.data_blocks as usize * 512;
    assert_eq!(printed.hash_offset, (data as u64).next_multiple_of(4096));
    assert!(fs::read(&disk).unwrap()[..data] == plain, "{what}: the data differs with --verity");
    verify(&disk, &printed);
    let mount = Erofs::new(&disk).mount_by_loop().unwrap();
    same(&dump(mount.path()).unwrap(), &expected, &ignore, what);
}

#[test]
fn help_and_version_say_which_program_it_is() {
    let help = ok(["--help"]);
    for word in ["nydus-image of erofs-tarfs, not of Nydus", "create --type tar-tarfs", "Refused:"]
    {
        assert!(help.contains(word), "{word}: {help}");
    }
    for command in ["create", "merge", "inspect", "export", "check"] {
        assert!(ok([command, "--help"]).contains("Usage: nydus-image"));
    }
    let version = ok(["--version"]);
    assert!(version.contains("\nVersion: \tv") && version.contains("erofs-tarfs"), "{version}");
}

#[test]
fn an_image_of_layers_is_mounted_and_exported() {
    expect_image(&small_image(), "small image");
    for seed in 0..8 {
        let stack = Stack::random(seed);
        expect_image(&stack.layers, &stack.describe());
    }
}

/// nydus-snapshotter passes a `device=` for each layer, and a layer that is there twice has two.
#[test]
fn layers_that_are_there_twice() {
    let [base, app, .., top] = &small_image()[..] else { panic!() };
    for layers in [[base, app, base], [base, base, top], [app, top, app]] {
        expect_image(&layers.map(Layer::clone), "a layer twice");
    }
}

#[test]
fn a_layer_twice_is_in_the_disk_once() {
    let snapshotter = Snapshotter::new();
    let tar = TarBuilder::new().file("big", vec![7; 1 << 20]).finish();
    let other = TarBuilder::new().file("small", b"small").finish();
    let boots = snapshotter.pull_all([&tar[..], &other, &tar]);
    let (disk, _) = snapshotter.export(&snapshotter.merge(&boots), false);
    // Metadata, the other tar, and the big one in two and a bit of these units.
    assert!(fs::metadata(disk).unwrap().len() < 5 * ALIGN);
}

/// The disk of a layer, which a guest stacks: its whiteouts are those of overlayfs.
#[test]
fn the_disk_of_a_layer_is_the_layer_as_overlayfs_takes_it() {
    let tar = TarBuilder::new()
        .dir("./", 0o700)
        .dir("bin", 0o755)
        .file("bin/tool", vec![7; 70_001])
        .mode(0o4755)
        .mtime(1_700_000_000, 123_456_789)
        .hardlink("bin/same", "bin/tool")
        .symlink("bin/sh", "tool")
        .dir("etc", 0o750)
        .uid(1234)
        .file("etc/motd", b"hello\n")
        .xattr("user.note", "a value")
        .whiteout("etc/gone")
        .dir("srv", 0o1777)
        .opaque("srv")
        .sparse(SparseForm::Pax10, "srv/holes", 100_000, &[(0, &[5; 512]), (65_536, b"middle")])
        .chr("null", 1, 3)
        .finish();
    let snapshotter = Snapshotter::new();
    let boots = snapshotter.pull_all([&tar[..]]);
    let Some(expected) = extracted(&snapshotter.tar(&Snapshotter::id(&tar))) else { return };
    let Extracted { tree, ignore } = expected;
    let (disk, printed) = snapshotter.export(&snapshotter.place.path(&boots[0]), true);
    verify(&disk, &printed.unwrap());
    same(&dump(Erofs::new(&disk).mount().unwrap().path()).unwrap(), &tree, &ignore, "layer.disk");
    if let Some(verdict) = oracle::fsck(&disk, &[""; 0]) {
        verdict.expect_ok("fsck.erofs --extract");
    }
    // The first tar begins at the first multiple of the unit behind the metadata.
    let bytes = fs::read(&disk).unwrap();
    assert!(bytes[ALIGN as usize..].starts_with(&tar));
}

/// Without file data there is no device: nydus-snapshotter mounts the image without that layer's tar.
#[test]
fn a_layer_without_data_needs_no_device() {
    let mut layers = small_image();
    let empty = Layer::plain(vec![testkit::layer::Op::new("only", testkit::layer::What::Dir)]);
    layers.insert(1, empty.clone());
    expect_image(&layers, "a layer without data");
    expect_image(&[empty], "nothing but a layer without data");
}

#[test]
fn what_follows_the_end_of_a_tar_is_read_too() {
    let mut tar = TarBuilder::new().file("motd", b"hello\n").finish();
    tar.resize(8 << 20, 0);
    Snapshotter::new().pull_all([&tar[..]]);
}

/// What is behind the end of a tar may be any bytes: its last block need not be whole.
#[test]
fn a_tar_that_ends_within_a_block() {
    let mut tar = TarBuilder::new().file("motd", b"hello\n").finish();
    tar.extend(b"odd");
    let snapshotter = Snapshotter::new();
    let boots = snapshotter.pull_all([&tar[..]]);
    let boot = snapshotter.merge(&boots);
    let (disk, printed) = snapshotter.export(&boot, true);
    verify(&disk, &printed.unwrap());
    let on_host = snapshotter.mount(&boot, &[Snapshotter::id(&tar)]);
    let in_guest = Erofs::new(&disk).mount_by_loop().unwrap();
    for mount in [on_host, in_guest] {
        assert_eq!(fs::read(mount.path().join("motd")).unwrap(), b"hello\n");
    }
}

#[test]
fn a_tar_in_a_file_gives_the_same_bootstrap() {
    let (snapshotter, layers) = (Snapshotter::new(), small_image());
    for layer in &layers {
        snapshotter.pull_all([&layer.tar[..]]);
        let id = Snapshotter::id(&layer.tar);
        let (tar, out) = (snapshotter.place.put("tar", &layer.tar), snapshotter.place.word("out"));
        let words = ["create", "-t", "tar-tarfs", "-B", &out, "--blob-id", &id];
        ok(words.into_iter().chain([tar.to_str().unwrap()]));
        let of_pipe = fs::read(snapshotter.place.path("layer0.boot")).unwrap();
        assert!(fs::read(&out).unwrap() == of_pipe);
    }
}

/// Options of Nydus's program that change nothing, and the JSON that it writes.
#[test]
fn options_that_have_no_effect_are_taken() {
    let (place, tar) = (Place::new(), TarBuilder::new().file("motd", b"hello\n").finish());
    let (tar, out, json) = (place.put("tar", &tar), place.word("out"), place.word("json"));
    let words = "create -l info --log-file log --type tar-tarfs --compressor zstd --digester blake3 \
                 --chunk-size 0x100000 --whiteout-spec oci --prefetch-policy fs --fs-version 6 \
                 --batch-size 0 --disable-check";
    let words = words.split_whitespace().chain(["-B", &out, "-J", &json, tar.to_str().unwrap()]);
    assert_eq!(ok(words), "");
    let told = fs::read_to_string(&json).unwrap();
    let digest = String::from_utf8(testkit::ours::tag(&fs::read(&tar).unwrap())).unwrap();
    assert!(told.contains(&digest) && told.contains("\"compressor\": \"none\""), "{told}");
    assert_eq!(place.names(), ["json", "out", "tar"]);
}

#[test]
fn requests_and_checks() {
    let (snapshotter, layers) = (Snapshotter::new(), small_image());
    let boots = snapshotter.pull_all(layers.iter().map(|layer| &layer.tar[..]));
    let boot = snapshotter.merge(&boots).into_os_string().into_string().unwrap();
    let ids: Vec<String> = layers.iter().map(|layer| Snapshotter::id(&layer.tar)).collect();
    let blob = |layer: &Layer, id: &String| {
        let bytes = layer.tar.len();
        format!(
            "{{\"blob_id\":\"{id}\",\"compressed_size\":{bytes},\"decompressed_size\":{bytes},\
             \"readahead_offset\":0,\"readahead_size\":0}}"
        )
    };
    let blobs: Vec<String> = layers.iter().zip(&ids).map(|(layer, id)| blob(layer, id)).collect();
    let expected = format!("[{}]\n", blobs.join(","));
    for request in [&["-R blobs"][..], &["-R", "blobs"], &["--request", "blobs"]] {
        assert_eq!(ok(["inspect"].iter().chain(request).chain([&&*boot])), expected);
    }
    assert!(ok(["inspect", "-R", "stats", &boot]).starts_with("{\"inodes_count\":"));
    assert_eq!(ok(["inspect", "-R", "prefetch", "--bootstrap", &boot]), "[]\n");
    let cache = snapshotter.place.word("cache");
    let told = ok(["check", "--blob-dir", &cache, &boot]);
    assert!(ids.iter().all(|id| told.contains(id.as_str())), "{told}");
    assert_eq!(ok(["check", "--bootstrap", &boot]), told);
    // A disk without a name is named by the bootstrap.
    ok(["export", "--block", "--threads", "2", "-D", &cache, "-B", &boot]);
    assert!(snapshotter.place.path("cache/image.boot.disk").is_file());
    assert_eq!(run(["inspect", "-R", "icheck 1", &boot]).code, 1);
}
