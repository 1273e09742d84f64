//! What both programs make of the same layers, and ours of what Nydus's has made.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use testkit::dump::{Ignore, Kind, Tree, dump};
use testkit::fixtures::real_image;
use testkit::layer::{Op, What, ancestors};
use testkit::mount::Erofs;
use testkit::naive::naive_merge;
use testkit::oci::small_image;
use testkit::program::{Ran, run_with};
use testkit::stacks::Layer;

use crate::expected::{expected, same};
use crate::run::{ok, program, run};
use crate::snapshotter::{Snapshotter, verify};

/// Nydus's program.
fn real() -> PathBuf {
    env::var_os("TARFS_NYDUS_IMAGE").expect("TARFS_NYDUS_IMAGE is a nydus-image of Nydus").into()
}

/// Layers that list all their directories, as Nydus puts what is in others into wrong ones, and without
/// pipes, which it refuses. The lowest has no whiteouts, which its merge leaves as files.
fn layers() -> Vec<Layer> {
    let listed = |layer: &Layer| {
        let (mut seen, mut ops) = (BTreeSet::new(), Vec::new());
        for op in layer.ops.iter().filter(|op| op.what != What::Fifo) {
            let mut above: Vec<&[u8]> = ancestors(&op.path).collect();
            above.reverse();
            let above = above.into_iter().filter(|dir| seen.insert(dir.to_vec()));
            let above: Vec<Op> = above.map(|dir| Op::new(dir, What::Dir)).collect();
            ops.extend(above);
            if op.what != What::Dir || seen.insert(op.path.clone()) {
                ops.push(op.clone());
            }
        }
        Layer::plain(ops)
    };
    small_image().iter().map(listed).collect()
}

fn merged(layers: &[Layer]) -> Tree {
    naive_merge(layers.iter().map(|layer| &layer.ops[..]), false).unwrap()
}

fn ignore() -> Ignore {
    Ignore::nothing().dir_nlink()
}

/// Puts a bootstrap of Nydus in the place of ours, if it takes the tar.
fn put(snapshotter: &Snapshotter, boot: &str, tar: &[u8]) -> Ran {
    let (id, place) = (Snapshotter::id(tar), &snapshotter.place);
    let (theirs, cache, tar) = (place.word("theirs"), place.word("cache"), snapshotter.tar(&id));
    let words = ["create", "--type", "tar-tarfs", "--bootstrap", &theirs, "--blob-id", &id];
    let words = words.into_iter().chain(["--blob-dir", &cache, tar.to_str().unwrap()]);
    let ran = run_with(&real(), b"", words);
    if ran.code == 0 {
        fs::rename(theirs, place.path(boot)).unwrap();
    }
    ran
}

fn inspected(program: &Path, boot: &Path) -> serde_json::Value {
    let Ran { code, stdout, .. } =
        run_with(program, b"", ["inspect", "-R blobs", boot.to_str().unwrap()]);
    assert_eq!(code, 0);
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn its_layers_alone_and_among_ours() {
    let layers = layers();
    let (expected, tars) = (merged(&layers), layers.iter().map(|layer| &layer.tar[..]));
    let ids: Vec<String> = tars.clone().map(Snapshotter::id).collect();
    let which: [fn(usize) -> bool; 3] =
        [|_| true, |number| number % 2 == 0, |number| number % 2 == 1];
    for which in which {
        let snapshotter = Snapshotter::new();
        let boots = snapshotter.pull_all(tars.clone());
        for (number, tar) in tars.clone().enumerate().filter(|(number, _)| which(*number)) {
            let ran = put(&snapshotter, &boots[number], tar);
            assert_eq!(ran.code, 0, "{ran:?}");
            let boot = snapshotter.place.path(&boots[number]);
            // Both tell the same, byte for byte, of the same bootstrap.
            assert_eq!(inspected(program(), &boot), inspected(&real(), &boot));
            ok(["check", "-D", &snapshotter.place.word("cache"), boot.to_str().unwrap()]);
            // Linux shows the same of its bootstrap and of our disk.
            let (disk, printed) = snapshotter.export(&boot, true);
            verify(&disk, &printed.unwrap());
            let theirs = snapshotter.mount(&boot, &ids[number..=number]);
            let ours = Erofs::new(&disk).mount_by_loop().unwrap();
            let (ours, theirs) = (dump(ours.path()).unwrap(), dump(theirs.path()).unwrap());
            same(&ours, &theirs, &ignore(), "layer.disk");
        }
        let boot = snapshotter.merge(&boots);
        let mount = snapshotter.mount(&boot, &ids);
        same(&dump(mount.path()).unwrap(), &expected, &ignore(), "mounted");
        drop(mount);
        let (disk, printed) = snapshotter.export(&boot, true);
        verify(&disk, &printed.unwrap());
        let mount = Erofs::new(&disk).mount_by_loop().unwrap();
        same(&dump(mount.path()).unwrap(), &expected, &ignore(), "image.disk");
    }
}

#[test]
fn its_layers_of_a_real_image() {
    let Some(image) = real_image() else { return };
    let snapshotter = Snapshotter::new();
    let tars: Vec<Vec<u8>> = image.layers.iter().map(|tar| fs::read(tar).unwrap()).collect();
    let boots = snapshotter.pull_all(tars.iter().map(Vec::as_slice));
    // It refuses attributes whose value has a line's end, as capabilities may have: such a layer is ours.
    let put = |(boot, tar): (&String, &Vec<u8>)| put(&snapshotter, boot, tar).code == 0;
    let taken = boots.iter().zip(&tars).map(put).filter(|taken| *taken).count();
    assert!(taken > 0);
    let ids: Vec<String> = tars.iter().map(|tar| Snapshotter::id(tar)).collect();
    let boot = snapshotter.merge(&boots);
    // A directory that a layer does not list has attributes of its own making, which count.
    let expected = expected(&image);
    let directories = expected.0.iter().filter(|(_, node)| node.kind == Kind::Dir);
    let ignore = ignore().mtime_nanos().attributes_of(directories.map(|(path, _)| path.clone()));
    let mount = snapshotter.mount(&boot, &ids);
    same(&dump(mount.path()).unwrap(), expected, &ignore, "mounted");
    let (disk, printed) = snapshotter.export(&boot, true);
    verify(&disk, &printed.unwrap());
    let mount = Erofs::new(&disk).mount_by_loop().unwrap();
    same(&dump(mount.path()).unwrap(), expected, &ignore, "image.disk");
}

/// An image that it has merged itself, whose blobs are in an order of its own.
#[test]
fn its_image() {
    let (snapshotter, layers) = (Snapshotter::new(), layers());
    let boots = snapshotter.pull_all(layers.iter().map(|layer| &layer.tar[..]));
    for (boot, layer) in boots.iter().zip(&layers) {
        let ran = put(&snapshotter, boot, &layer.tar);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let image = snapshotter.place.path("theirs.boot");
    let words =
        ["merge".to_owned(), "--bootstrap".to_owned(), snapshotter.place.word("theirs.boot")];
    let words = words.into_iter().chain(boots.iter().map(|boot| snapshotter.place.word(boot)));
    let ran = run_with(&real(), b"", words);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(inspected(program(), &image), inspected(&real(), &image));
    let (disk, printed) = snapshotter.export(&image, true);
    verify(&disk, &printed.unwrap());
    let mount = Erofs::new(&disk).mount_by_loop().unwrap();
    same(&dump(mount.path()).unwrap(), &merged(&layers), &ignore(), "image.disk");
}

#[test]
fn it_ends_with_the_same_codes() {
    for words in [
        "create -t bogus -B out tar",
        "create -t tar-tarfs -B out -D /tmp /missing",
        "create -t tar-tarfs -B out -D /tmp --fs-version 5 /dev/null",
        "merge -B out",
        "merge -B out /missing",
        "inspect -R blobs",
        "inspect -R blobs /missing",
        "export --localfs-dir x --bootstrap y",
        "export --block --localfs-dir /tmp --bootstrap /missing --output out",
        "check",
        "check /missing",
        "bogus",
    ] {
        let codes =
            [&real(), program()].map(|program| run_with(program, b"", words.split(' ')).code);
        assert_eq!(codes[0], codes[1], "{words}");
    }
    assert_eq!(run(["--version"]).code, run_with(&real(), b"", ["--version"]).code);
}
