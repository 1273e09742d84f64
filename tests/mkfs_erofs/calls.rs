//! What containerd 2.2 to 2.4 call, and what they are to get for it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use testkit::dump::dump;
use testkit::mount::{Erofs, Mounted};
use testkit::oracle;
use testkit::tarball::TarBuilder;

use crate::expected::{Extracted, extracted, same};
use crate::run::{Place, Ran, UUID, layer, quiet, run, run_of, without_holes, words};

/// The words behind the program's name, and the block size that comes of them.
const FULL: &[(&str, u32)] = &[
    ("--tar=f --aufs --quiet -Enoinline_data -b4096 -U 0c5e2d5b-7a4c-5b0f-9d3e-6f1a2b3c4d5e", 4096),
    // With `-b512` in its mkfs_options, containerd puts no -b first.
    ("--tar=f --aufs --quiet -Enoinline_data -b512 -U 0c5e2d5b-7a4c-5b0f-9d3e-6f1a2b3c4d5e", 512),
    ("--tar=f --aufs --quiet -Enoinline_data -U 0c5e2d5b-7a4c-5b0f-9d3e-6f1a2b3c4d5e", 512),
    // The mkfs_options of kata-deploy.
    (
        "--tar=f --aufs --quiet -Enoinline_data -b4096 -T0 --mkfs-time --sort=none \
         -U 0c5e2d5b-7a4c-5b0f-9d3e-6f1a2b3c4d5e",
        4096,
    ),
];

const INDEX: &[&str] = &[
    "--tar=i --aufs --quiet -b4096 -U 0c5e2d5b-7a4c-5b0f-9d3e-6f1a2b3c4d5e",
    "--tar=i --aufs --quiet -b4096 -T0 --mkfs-time --sort=none -U 0c5e2d5b-7a4c-5b0f-9d3e-6f1a2b3c4d5e",
    "--tar=i --aufs --quiet -U 0c5e2d5b-7a4c-5b0f-9d3e-6f1a2b3c4d5e",
];

fn number<const N: usize>(image: &[u8], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes[..N].copy_from_slice(&image[at..][..N]);
    u32::from_le_bytes(bytes)
}

/// What a superblock says: that there is no device table, which containerd's reader refuses, the
/// UUID, the size of blocks, and how many there are. The fields are those of `erofs_fs.h` in Linux.
#[track_caller]
fn expect_superblock(file: &Path, block_size: u32) {
    let image = fs::read(file).unwrap();
    let at = 1024;
    let (incompat, devices) = (number::<4>(&image, at + 80), number::<2>(&image, at + 86));
    assert_eq!((incompat & 8, devices), (0, 0), "a device table");
    let uuid: String = image[at + 48..][..16].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(uuid, UUID.replace('-', ""));
    assert_eq!(1 << image[at + 12], block_size);
    let blocks = u64::from(number::<4>(&image, at + 36));
    assert_eq!(blocks * u64::from(block_size), image.len() as u64);
}

#[track_caller]
fn expect_tree(mount: &Mounted, expected: &Extracted, what: &str) {
    same(&dump(mount.path()).unwrap(), &expected.tree, &expected.ignore, what);
}

#[track_caller]
fn expect_fsck(file: &Path) {
    if let Some(verdict) = oracle::fsck(file, &[""; 0]) {
        verdict.expect_ok("fsck.erofs --extract");
    }
}

#[test]
fn help_offers_tars_and_says_which_program_it_is() {
    let ran = run(b"", ["--help"]);
    assert_eq!(ran.code, 0);
    for word in ["--tar=", "mkfs.erofs of erofs-tarfs, not of erofs-utils", "Refused: compression"]
    {
        assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
    for version in ["-V", "--version"] {
        let Ran { code, stdout, .. } = run(b"", [version]);
        assert!(code == 0 && stdout.starts_with("mkfs.erofs (erofs-tarfs) "), "{stdout}");
    }
}

#[test]
fn a_layer_with_its_data_mounts_as_it_is() {
    let (place, tar) = (Place::new(), layer());
    let tar_file = place.put("layer.tar", &tar);
    let Some(expected) = extracted(&tar_file) else { return };
    for (args, block_size) in FULL {
        let out = place.path("layer.erofs");
        quiet(&tar, words(args, &out));
        expect_superblock(&out, *block_size);
        expect_tree(&Erofs::new(&out).mount().unwrap(), &expected, args);
        expect_fsck(&out);
        // The same tar as a file gives the same bytes.
        let of_file = place.path("of_file");
        let mut file_args = words(args, &of_file);
        file_args.push(tar_file.as_os_str());
        quiet(b"", file_args);
        let (of_file, of_stream) = (fs::read(of_file).unwrap(), fs::read(&out).unwrap());
        assert!(of_file == of_stream, "{args}: a tar in a file gives other bytes");
        fs::remove_file(out).unwrap();
    }
}

#[test]
fn an_index_mounts_with_its_tar_behind_it() {
    let (place, tar) = (Place::new(), layer());
    let tar_file = place.put("layer.tar", &tar);
    let Some(expected) = extracted(&tar_file) else { return };
    for args in INDEX {
        let out = place.path("layer.erofs");
        quiet(&tar, words(args, &out));
        let index = fs::read(&out).unwrap();
        assert!(index.len().is_multiple_of(512), "{}", index.len());
        let mut file_args = words(args, &out);
        file_args.push(tar_file.as_os_str());
        quiet(b"", file_args);
        assert!(fs::read(&out).unwrap() == index, "{args}: a tar in a file gives other bytes");
        OpenOptions::new().append(true).open(&out).unwrap().write_all(&tar).unwrap();
        expect_superblock(&out, 512);
        expect_tree(&Erofs::new(&out).mount().unwrap(), &expected, args);
        expect_tree(&Erofs::new(&out).mount_by_loop().unwrap(), &expected, args);
        expect_fsck(&out);
        fs::remove_file(out).unwrap();
    }
}

/// Called the same way, `mkfs.erofs` of erofs-utils makes a filesystem with the same files.
#[test]
fn erofs_utils_makes_the_same_files_of_the_same_calls() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let (place, tar) = (Place::new(), without_holes().finish());
    let tar_file = place.put("layer.tar", &tar);
    let Some(Extracted { ignore, .. }) = extracted(&tar_file) else { return };
    // Directories that hold whiteouts have this mark in ours, so that no list shows the whiteouts.
    let ignore = ignore.xattrs("trusted.overlay.origin");
    for args in FULL.iter().map(|(args, _)| args).chain(INDEX) {
        let (ours, theirs) = (place.path("ours"), place.path("theirs"));
        quiet(&tar, words(args, &ours));
        let ran = run_of(&mkfs, &tar, words(args, &theirs));
        assert_eq!(ran.code, 0, "{ran:?}");
        let shown = [ours, theirs].map(|file| {
            if args.contains("--tar=i") {
                OpenOptions::new().append(true).open(&file).unwrap().write_all(&tar).unwrap();
            }
            let tree = dump(Erofs::new(&file).mount().unwrap().path()).unwrap();
            fs::remove_file(file).unwrap();
            tree
        });
        same(&shown[0], &shown[1], &ignore, args);
    }
}

#[test]
fn a_layer_without_data_mounts_in_both_forms() {
    let (place, tar) = (Place::new(), vec![0; 10_240]);
    for args in ["--tar=f", "--tar=f -b4096", "--tar=i"] {
        let out = place.path("layer.erofs");
        assert_eq!(run(&tar, words(args, &out)).code, 0);
        if args == "--tar=i" {
            OpenOptions::new().append(true).open(&out).unwrap().write_all(&tar).unwrap();
        }
        let mount = Erofs::new(&out).mount().unwrap();
        assert_eq!(fs::read_dir(mount.path()).unwrap().count(), 0, "{args}");
    }
}

/// erofs-utils fails with such a layer (`findings/opaque-root-three-ways.sh`); what overlayfs makes of the attribute is
/// in README.md, "Limits".
#[test]
fn a_layer_whose_root_hides_what_is_below() {
    let (place, tar) = (Place::new(), TarBuilder::new().opaque("").file("new", b"new").finish());
    for args in ["--tar=f --aufs --quiet", "--tar=f --aufs --quiet -b4096"] {
        let out = place.path("layer.erofs");
        quiet(&tar, words(args, &out));
        let mount = Erofs::new(&out).mount().unwrap();
        let mut value = [0; 8];
        let read = rustix::fs::lgetxattr(mount.path(), "trusted.overlay.opaque", &mut value[..]);
        assert_eq!(&value[..read.unwrap()], b"y", "{args}");
        assert_eq!(fs::read(mount.path().join("new")).unwrap(), b"new");
    }
}
