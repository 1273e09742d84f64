//! An upper directory of overlayfs that is kept while the image below it is made anew.
//!
//! overlayfs finds the file that a changed one is a copy of by the image's UUID and a place in it, and EROFS says of
//! none that it is another one now (findings/remade-image-two-files-are-one.sh): so the UUID has to be another one.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::mount::Erofs;
use testkit::oci;
use testkit::tarball::TarBuilder;

use crate::mounting::Point;
use crate::run::{Image, digest, json, ok};

/// Files `f0`, `f1`, …, each with its name in it.
fn files(numbers: impl Iterator<Item = usize>) -> Vec<u8> {
    let names = numbers.map(|number| format!("f{number}"));
    names.fold(TarBuilder::new(), |tar, name| tar.file(&name, name.as_bytes())).finish()
}

/// Changes every other file of the first image, over an upper directory; over the next one each file has its bytes,
/// whichever is opened first.
#[track_caller]
fn changed_over(image: &Image, first: &Path, next: &Path) {
    let (point, upper) = (Point::new(image, "point"), image.path("upper"));
    let mount = |disk: &Path| {
        let args =
            ["mount", "--overlay", upper.to_str().unwrap(), disk.to_str().unwrap(), point.text()];
        ok(args);
    };
    mount(first);
    let mut changed = 0;
    for name in fs::read_dir(&point.0).unwrap().map(|entry| entry.unwrap().file_name()) {
        if name.to_str().unwrap().ends_with(['1', '3', '5', '7', '9']) {
            fs::write(point.0.join(name), "changed").unwrap();
            changed += 1;
        }
    }
    assert!(changed > 90, "{changed}");
    ok(["umount", point.text()]);
    mount(next);
    let mut names: Vec<_> = fs::read_dir(&point.0)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let wrong: Vec<_> = (names.iter())
        .map(|name| {
            (name, fs::read_to_string(point.0.join(name)).map_err(|error| error.to_string()))
        })
        .filter(|(name, read)| {
            let odd = name.ends_with(['1', '3', '5', '7', '9']);
            read.as_deref() != Ok(if odd { "changed" } else { name.as_str() })
        })
        .collect();
    assert!(wrong.is_empty() && names.len() > 190, "{wrong:?}");
    ok(["umount", point.text()]);
}

#[test]
fn an_image_with_a_file_less() {
    let image = Image::new();
    let disk = |name: &str, tar: Vec<u8>| -> PathBuf {
        let (path, disk) = (image.path(&format!("{name}.tar")), image.path(name));
        fs::write(&path, tar).unwrap();
        ok(["layer", "--disk", "-o", disk.to_str().unwrap(), path.to_str().unwrap()]);
        disk
    };
    let (first, next) = (disk("first", files(0..200)), disk("next", files(1..200)));
    changed_over(&image, &first, &next);
}

/// An entry of a cache has a UUID that containerd makes of the layer: not with blocks of another size.
#[test]
fn an_entry_of_a_cache_with_other_blocks() {
    let image = Image::new();
    let (tar, layout) = (files(0..200), image.path("layout"));
    oci::write_layout(&layout, &[&tar]).unwrap();
    let layout = format!("oci:{}", layout.display());
    let entry = |size: &str| -> PathBuf {
        let cache = image.path(size);
        ok(["cache", "--block-size", size, cache.to_str().unwrap(), &layout]);
        let hex = digest(&tar);
        cache.join("sha256").join(&hex[..2]).join(format!("{hex}.erofs"))
    };
    changed_over(&image, &entry("4096"), &entry("512"));
}

/// A listener of fanotify has file systems by their IDs, which a mount of a file has of its UUID alone
/// (findings/cleared-uuid-is-not-watched.sh).
#[test]
fn a_mount_of_a_file_has_an_id() {
    let image = Image::new();
    let disk = image.path("disk");
    ok(image.over_tars(&["merge", "--disk", "-o", disk.to_str().unwrap()]));
    let uuid = &json(&ok(["inspect", "--json", disk.to_str().unwrap()]))[0]["uuid"];
    assert!(uuid.as_str().unwrap().bytes().any(|digit| !b"0-".contains(&digit)), "{uuid}");
    let mounted = Erofs::new(&disk).mount().unwrap();
    assert_ne!(rustix::fs::statvfs(mounted.path()).unwrap().f_fsid, 0);
}
