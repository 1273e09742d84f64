//! The kit's own tests: that it works, and that it can fail.

use std::fs;
use std::process::Command;

use testkit::dump::{DumpOptions, Ignore, Kind, Tree, diff, dump, dump_with};
use testkit::mount::{self, Erofs};
use testkit::oracle;
use testkit::rng::Rng;
use testkit::stacks::Stack;
use testkit::tarball::{Checksum, End, Format, SparseForm, TarBuilder};

/// Extracts a tar with GNU tar into a fresh tmpfs.
fn extract(tar: &[u8]) -> Option<mount::Mounted> {
    let gnu_tar = oracle::gnu_tar()?;
    let scratch = mount::tmpfs().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), tar).unwrap();
    let mut command = Command::new(gnu_tar);
    command.args(["-x", "-p", "-S", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-f"]);
    command.arg(file.path()).arg("-C").arg(scratch.path());
    oracle::Verdict::of(&mut command).expect_ok("tar -x");
    Some(scratch)
}

fn sample(format: Format) -> Vec<u8> {
    let long = "long/".repeat(60) + "name";
    TarBuilder::new()
        .format(format)
        .dir("a", 0o1777)
        .mtime(5, 0)
        .file("a/b", b"hello")
        .mtime(-1, 999_999_999)
        .uid(70_000)
        .gid(3_000_000_000)
        .xattr("user.k", b"v\0\n=")
        .symlink("a/s", b"x".repeat(300))
        .hardlink("a/h", "a/b")
        .chr("c", 12, 300_000)
        .fifo("p")
        .file(&long, b"deep")
        .finish()
}

#[test]
fn gnu_tar_reads_what_the_writer_writes() {
    for format in [Format::Pax, Format::Gnu] {
        let Some(root) = extract(&sample(format)) else { return };
        let tree = dump(root.path()).unwrap();
        let b = tree.get("a/b").unwrap();
        assert_eq!(
            (b.uid, b.gid, b.mtime),
            (70_000, 3_000_000_000, (-1, 999_999_999)),
            "{format:?}"
        );
        assert_eq!(b.xattrs[&b"user.k"[..]], b"v\0\n=");
        assert_eq!((b.nlink, &b.link[..]), (2, &b"a/b"[..]));
        assert_eq!(tree.get("a/h").unwrap().link, b"a/b");
        assert_eq!(tree.get("a/s").unwrap().target, Some(b"x".repeat(300)));
        assert_eq!(tree.get("a").unwrap().mode, 0o1777);
        assert_eq!(tree.get("c").unwrap().rdev, (12, 300_000));
        assert_eq!(tree.get("long/".repeat(60) + "name").unwrap().size, 4);
    }
}

#[test]
fn gnu_tar_reads_all_sparse_forms() {
    let extents: Vec<(u64, Vec<u8>)> =
        (0..60).map(|n| (n * 8192 + 512, vec![n as u8; 1024])).collect();
    let extents: Vec<(u64, &[u8])> = extents.iter().map(|(at, data)| (*at, &data[..])).collect();
    let mut plain = vec![0; 600_000];
    for (at, data) in &extents {
        plain[*at as usize..][..data.len()].copy_from_slice(data);
    }
    for form in SparseForm::ALL {
        let tar = TarBuilder::new()
            .sparse(form, "d/s", 600_000, &extents)
            .mtime(7, 0)
            .file("after", b"x")
            .end(End::Blocking)
            .finish();
        assert_eq!(tar.len() % 10_240, 0);
        let Some(root) = extract(&tar) else { return };
        assert!(fs::read(root.path().join("d/s")).unwrap() == plain, "{form:?}");
        assert!(root.path().join("after").exists(), "{form:?}");
    }
}

#[test]
fn checksums_can_be_wrong() {
    let Some(gnu_tar) = oracle::gnu_tar() else { return };
    for (checksum, good) in [
        (Checksum::Unsigned, true),
        (Checksum::Signed, true),
        (Checksum::Wrong, false),
        (Checksum::Untouched, false),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), TarBuilder::new().checksum(checksum).file(b"\xe9", b"x").finish())
            .unwrap();
        let verdict = oracle::Verdict::of(Command::new(&gnu_tar).arg("-tf").arg(file.path()));
        assert_eq!(verdict.ok, good, "{checksum:?}: {}", verdict.output);
    }
}

#[test]
fn a_large_tar_is_quick_and_takes_no_room() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.tar");
    let mut tar = TarBuilder::create(&path).unwrap().hole("five", 5 << 30).file("after", b"x");
    let end = tar.position();
    assert_eq!(end, 512 + (5 << 30) + 1024);
    assert_eq!(tar.finish_file().unwrap(), end + 1024);
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.len(), end + 1024);
    assert!(metadata.blocks() * 512 < 1 << 20, "{} blocks", metadata.blocks());

    let many = (0..500_000)
        .fold(TarBuilder::create(&dir.path().join("many.tar")).unwrap(), |tar, n| {
            tar.file(format!("d{}/f{n}", n % 1000), b"")
        });
    assert_eq!(many.finish_file().unwrap(), 500_000 * 512 + 1024);
}

#[test]
fn a_nanosecond_is_seen() {
    let tar = |nanos| TarBuilder::new().file("f", b"x").mtime(1, nanos).finish();
    let (Some(a), Some(b)) = (extract(&tar(1)), extract(&tar(2))) else { return };
    let root = || Ignore::nothing().attributes_of([Vec::new()]);
    let (a, b) = (dump(a.path()).unwrap(), dump(b.path()).unwrap());
    assert_eq!(diff(&a, &b, &root()), ["~ \"f\": mtime 1.000000001 and 1.000000002"]);
    assert_eq!(diff(&a, &b, &root().mtime_nanos()), [""; 0]);
}

#[test]
fn each_difference_is_a_line() {
    let scratch = mount::tmpfs().unwrap();
    let root = scratch.path();
    fs::write(root.join("f"), b"one").unwrap();
    fs::hard_link(root.join("f"), root.join("g")).unwrap();
    fs::create_dir(root.join("d")).unwrap();
    let before = dump(root).unwrap();
    assert_eq!(diff(&before, &before, &Ignore::nothing()), [""; 0]);
    fs::remove_file(root.join("g")).unwrap();
    fs::write(root.join("g"), b"two").unwrap();
    fs::remove_dir(root.join("d")).unwrap();
    fs::write(root.join("d"), b"").unwrap();
    fs::write(root.join("new"), b"").unwrap();
    rustix::fs::lsetxattr(
        root.join("f"),
        "trusted.overlay.x",
        b"1",
        rustix::fs::XattrFlags::empty(),
    )
    .unwrap();
    let after = dump(root).unwrap();
    let lines = diff(&before, &after, &Ignore::nothing()).join("\n");
    for expected in [
        "\"g\": sha256",
        "\"g\": hard link of",
        "\"f\": nlink",
        "\"d\": type Dir and File",
        "+ \"new\"",
        "trusted.overlay.x",
    ] {
        assert!(lines.contains(expected), "{expected} is not in\n{lines}");
    }
    let public = dump_with(
        root,
        DumpOptions { overlay_private: false, content: false, ..DumpOptions::default() },
    )
    .unwrap();
    assert!(public.get("f").unwrap().xattrs.is_empty());
    assert_eq!(public.get("f").unwrap().kind, Kind::File);
}

#[test]
fn mounts_end_with_their_guards() {
    let scratch = mount::tmpfs().unwrap();
    let path = scratch.path().to_owned();
    let open = fs::File::create(path.join("f")).unwrap();
    drop(scratch);
    assert!(!path.exists(), "unmounted and removed though a file is open");
    drop(open);
    let panicked = std::panic::catch_unwind(|| {
        let scratch = mount::tmpfs().unwrap();
        let path = scratch.path().to_owned();
        std::panic::panic_any(path);
    });
    assert!(!panicked.unwrap_err().downcast_ref::<std::path::PathBuf>().unwrap().exists());
}

#[test]
fn disk_filesystems_mount_and_go() {
    for (fs, bytes) in [
        (mount::DiskFs::Xfs, 300 << 20),
        (mount::DiskFs::Btrfs, 256 << 20),
        (mount::DiskFs::Ext4, 16 << 20),
    ] {
        let Some(disk) = mount::scratch_disk(fs, bytes).unwrap() else { continue };
        std::fs::write(disk.path().join("f"), b"x").unwrap();
    }
}

/// An index over a tar, made by erofs-utils, mounts in all three ways and passes fsck.
#[test]
fn erofs_mounts_in_three_ways() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (tar, image) = (dir.path().join("tar"), dir.path().join("image"));
    fs::write(&tar, TarBuilder::new().dir("", 0o755).file("f", b"hello".repeat(1000)).finish())
        .unwrap();
    let mut command = Command::new(mkfs);
    oracle::Verdict::of(command.args(["--tar=i", "-T0", "--quiet"]).args([&image, &tar]))
        .expect_ok("mkfs.erofs");
    let erofs = Erofs::new(&image).devices([&tar]);
    let trees = [erofs.mount(), erofs.mount_by_fd(), erofs.mount_by_loop()]
        .map(|mounted| dump(mounted.unwrap().path()).unwrap());
    assert_eq!(trees[0].get("f").unwrap().size, 5000);
    assert_eq!(trees[0], trees[1]);
    assert_eq!(trees[0], trees[2]);
    oracle::fsck(&image, &[&tar]).unwrap().expect_ok("fsck.erofs");
    assert!(!oracle::fsck(&tar, &[] as &[&str]).unwrap().ok, "a tar is no image");

    let error = Erofs::new(&image).devices(vec![&tar; 400]).mount().unwrap_err();
    assert!(error.to_string().contains("mount(2) takes 4095"), "{error}");
}

#[test]
fn veritysetup_agrees_with_itself() {
    let Some(veritysetup) = oracle::tool("veritysetup", "apt-get install cryptsetup-bin") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let (data, hash) = (dir.path().join("data"), dir.path().join("hash"));
    fs::write(&data, vec![7; 512 * 40]).unwrap();
    let mut command = Command::new(veritysetup);
    command.args([
        "format",
        "--no-superblock",
        "--data-block-size=512",
        "--hash-block-size=512",
        "--salt=-",
    ]);
    let format = oracle::Verdict::of(command.args([&data, &hash]));
    format.expect_ok("veritysetup format");
    let root =
        format.output.lines().find_map(|line| line.strip_prefix("Root hash:")).unwrap().trim();
    let mut verity = oracle::Verity {
        data: &data,
        hash: &hash,
        hash_offset: 0,
        data_blocks: 40,
        data_block_size: 512,
        hash_block_size: 512,
        salt: "-",
        root,
    };
    oracle::veritysetup_verify(&verity).unwrap().expect_ok("veritysetup verify");
    let other = root.replace(|c: char| c != '0', "0");
    verity.root = &other;
    assert!(!oracle::veritysetup_verify(&verity).unwrap().ok);
}

#[test]
fn a_dump_is_text_and_back() {
    let Some(root) = extract(&sample(Format::Pax)) else { return };
    let tree = dump(root.path()).unwrap();
    let text = tree.to_text();
    assert_eq!(text.lines().count(), tree.paths().count());
    assert!(Tree::from_text(&text).unwrap() == tree);
    let first = text.lines().next().unwrap();
    for (wrong, why) in [
        (first.rsplit_once(' ').unwrap().0.to_owned(), "too few fields"),
        (first.replace(" dir ", " door "), "no such kind"),
        (first.replacen("x ", "xf ", 1), "half a byte"),
        (format!("{first} x61"), "without a value"),
        (format!("{first}\n{first}"), "a path twice"),
    ] {
        let error = Tree::from_text(&wrong).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn numbers_are_those_of_a_tape_as_long_as_it_lasts() {
    let mut rng = Rng::of_tape(&[1, 0, 2, 1, 7]);
    assert_eq!([rng.bits(), rng.bits(), rng.bits()], [1, 0x102, 7]);
    assert_eq!(rng.bits(), Rng::new(0).bits());
    let tars = |tape: &[u8]| Stack::chosen(tape).layers.into_iter().map(|layer| layer.tar);
    let tape = Rng::new(1).bytes(400);
    assert!(tars(&tape).eq(tars(&tape)) && !tars(&tape).eq(tars(&tape[2..])));
}
