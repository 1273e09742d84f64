//! A directory as source: the upper one of a container that is committed.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{
    CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, lsetxattr, makedev, mknodat, utimensat,
};
use testkit::dump::{Ignore, dump};
use testkit::mount::{Erofs, tmpfs};
use testkit::oracle;

use crate::expected::same;
use crate::run::{Place, quiet, run, run_of, words};

fn set_time(path: &Path, secs: i64, nanos: i64) {
    let time = Timespec { tv_sec: secs, tv_nsec: nanos };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

fn set_xattr(path: &Path, name: &str, value: &[u8]) {
    lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
}

/// What an overlay leaves in its upper directory, and some files of odd kinds.
fn upper(root: &Path) {
    let dir = |name: &str| fs::create_dir_all(root.join(name)).unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(root.join(name), bytes).unwrap();
    let node = |name: &str, kind, mode: u32, number| {
        mknodat(CWD, root.join(name), kind, Mode::from(mode), number).unwrap();
    };
    dir("etc/deep");
    dir("srv");
    file("etc/motd", b"hello\n");
    file("etc/deep/big", &[7; 300_000]);
    file("etc/empty", b"");
    fs::hard_link(root.join("etc/motd"), root.join("etc/again")).unwrap();
    symlink("motd", root.join("etc/link")).unwrap();
    symlink("x".repeat(300), root.join("etc/far")).unwrap();
    file(&"long".repeat(60), b"a long name\n");
    fs::write(root.join(OsStr::from_bytes(b"odd \xff\n name")), b"odd\n").unwrap();
    // Whiteouts, the second one a link to the first, as overlayfs makes them.
    node("etc/gone", FileType::CharacterDevice, 0, 0);
    fs::hard_link(root.join("etc/gone"), root.join("srv/gone")).unwrap();
    node("etc/null", FileType::CharacterDevice, 0o640, makedev(1, 3));
    node("etc/disk", FileType::BlockDevice, 0o640, makedev(259, 70_000));
    node("etc/fifo", FileType::Fifo, 0o640, 0);
    set_xattr(&root.join("srv"), "trusted.overlay.opaque", b"y");
    set_xattr(&root.join("etc"), "trusted.overlay.impure", b"y");
    set_xattr(&root.join("etc/motd"), "trusted.overlay.origin", &[0, 251, 29, 0, 1, 0x80]);
    // Owner rw, user 1000 r, group r, mask r, others none (linux/posix_acl_xattr.h).
    let acl: Vec<u8> =
        [(1, 6, u32::MAX), (2, 4, 1000), (4, 4, u32::MAX), (16, 4, u32::MAX), (32, 0, u32::MAX)]
            .iter()
            .flat_map(|(tag, permissions, id): &(u16, u16, u32)| {
                [&tag.to_le_bytes()[..], &permissions.to_le_bytes(), &id.to_le_bytes()].concat()
            })
            .collect();
    let acl = [&[2, 0, 0, 0], &acl[..]].concat();
    set_xattr(&root.join("etc/empty"), "system.posix_acl_access", &acl);
    set_xattr(&root.join("etc/deep"), "system.posix_acl_default", &acl);
    set_xattr(&root.join("etc/motd"), "user.bytes", b"\0\n=\xff");
    chown(root.join("etc/motd"), Some(70_000), Some(3_000_000_000)).unwrap();
    fs::set_permissions(root.join("etc/motd"), Permissions::from_mode(0o6755)).unwrap();
    let holes = File::create(root.join("etc/holes")).unwrap();
    holes.write_all_at(b"middle", 100_000).unwrap();
    holes.set_len(200_000).unwrap();
    set_time(&root.join("etc/motd"), 1_700_000_000, 1);
    set_time(&root.join("etc/empty"), -2, 500_000_000);
    set_time(&root.join("etc/link"), 9_000_000_000, 0);
    set_time(&root.join("etc/holes"), -1, 1);
    set_time(&root.join("srv"), 0, 0);
    set_time(root, 1234, 5678);
}

const CALLS: &[&str] = &["--quiet -Enoinline_data", "--quiet -Enoinline_data -b512"];

#[test]
fn an_upper_directory_is_committed_as_it_is() {
    let (place, upper_dir) = (Place::new(), tmpfs().unwrap());
    let (root, out) = (upper_dir.path(), place.path("layer.erofs"));
    upper(root);
    let expected = dump(root).unwrap();
    // In ours, directories that hold whiteouts have a mark of their own.
    let ignore = Ignore::nothing().dir_nlink().xattrs("trusted.overlay.origin");
    for args in CALLS {
        let mut args_of_dir = words(args, &out);
        args_of_dir.push(root.as_os_str());
        quiet(b"", &args_of_dir);
        let mount = Erofs::new(&out).mount().unwrap();
        let shown = dump(mount.path()).unwrap();
        same(&shown, &expected, &ignore, args);
        // Of a file the mark is overlayfs's own.
        let origin = |tree: &testkit::dump::Tree| {
            tree.get("etc/motd").unwrap().xattrs[&b"trusted.overlay.origin"[..]].clone()
        };
        assert_eq!(origin(&shown), origin(&expected));
        drop(mount);
        if let Some(verdict) = oracle::fsck(&out, &[""; 0]) {
            verdict.expect_ok("fsck.erofs --extract");
        }
        let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { continue };
        fs::remove_file(&out).unwrap();
        let ran = run_of(&mkfs, b"", &args_of_dir);
        assert_eq!(ran.code, 0, "{ran:?}");
        let theirs = dump(Erofs::new(&out).mount().unwrap().path()).unwrap();
        // Theirs leaves out nanoseconds to have short inodes.
        same(&shown, &theirs, &ignore.clone().mtime_nanos(), args);
    }
}

#[test]
fn a_time_for_all_files_is_that_of_all_files() {
    let (place, dir) = (Place::new(), tmpfs().unwrap());
    let out = place.path("out");
    fs::write(dir.path().join("file"), b"x").unwrap();
    set_time(&dir.path().join("file"), 99, 0);
    for (args, time) in [("--quiet -T5", 5), ("--quiet -T5 --mkfs-time", 99)] {
        let mut args = words(args, &out);
        args.push(dir.path().as_os_str());
        quiet(b"", args);
        let shown = dump(Erofs::new(&out).mount().unwrap().path()).unwrap();
        assert_eq!(shown.get("file").unwrap().mtime, (time, 0));
    }
}

#[test]
fn sockets_are_skipped_and_what_no_tar_has_is_refused() {
    let (place, dir) = (Place::new(), tmpfs().unwrap());
    let out = place.path("out");
    let _socket = UnixListener::bind(dir.path().join("socket")).unwrap();
    fs::write(dir.path().join("file"), b"x").unwrap();
    let ran = run(b"", [out.as_path(), dir.path()]);
    assert!(ran.code == 0 && ran.stderr.contains("socket: is a socket: skipped"), "{ran:?}");
    let shown = dump(Erofs::new(&out).mount().unwrap().path()).unwrap();
    assert!(shown.get("file").is_some() && shown.get("socket").is_none());
    fs::remove_file(&out).unwrap();

    set_xattr(&dir.path().join("file"), "user.a=b", b"");
    let ran = run(b"", [out.as_path(), dir.path()]);
    assert!(ran.code == 1 && ran.stderr.contains("attribute user.a=b"), "{ran:?}");
    fs::remove_file(dir.path().join("file")).unwrap();
    fs::write(dir.path().join(".wh.file"), b"").unwrap();
    let ran = run(b"", [out.as_path(), dir.path()]);
    assert!(ran.code == 1 && ran.stderr.contains("in a tar it is a whiteout"), "{ran:?}");
    assert_eq!(place.names(), [""; 0]);
}
