//! Archives that other programs wrote, and what other programs read in them: GNU tar against the
//! file system it read, Python's tarfile, Go's archive/tar, and the crate tar-core.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

mod tar_kit;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, FileTimes};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use erofs_tarfs::tar::{EndMarker, Kind, ParseOptions};
use tar_kit::*;

/// Makes what every tar format can hold.
fn plain_tree(root: &Path) {
    let at = |name: &str| root.join(name);
    fs::create_dir_all(at("dir/sub")).unwrap();
    fs::set_permissions(at("dir"), fs::Permissions::from_mode(0o1777)).unwrap();
    for (name, len) in
        [("empty", 0), ("byte", 1), ("block", 512), ("more", 513), ("dir/sub/ten", 10_240)]
    {
        let body: Vec<u8> = (0..len).map(|i| (i * 7 + len) as u8).collect();
        fs::write(at(name), body).unwrap();
    }
    fs::set_permissions(at("byte"), fs::Permissions::from_mode(0o4711)).unwrap();
    fs::hard_link(at("byte"), at("hard")).unwrap();
    symlink("dir/sub", at("soft")).unwrap();
    fs::write(root.join(OsStr::from_bytes(b"latin-\xe9\n")), "name").unwrap();
    File::options()
        .append(true)
        .open(at("more"))
        .unwrap()
        .set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(77)))
        .unwrap();
}

/// Makes what needs a newer format: long names, links and a FIFO.
fn rich_tree(root: &Path) {
    plain_tree(root);
    let long = root.join("a".repeat(120)).join("b".repeat(120)).join("c".repeat(120));
    fs::create_dir_all(&long).unwrap();
    fs::write(long.join("f".repeat(255)), "deep").unwrap();
    fs::hard_link(long.join("f".repeat(255)), root.join("to-long")).unwrap();
    symlink("t".repeat(3000), root.join("long-link")).unwrap();
    tool(Command::new("mkfifo").arg(root.join("fifo")));
}

/// Makes a file of `runs` runs with holes between, and one that is a hole.
fn sparse_tree(root: &Path, runs: u64) {
    let file = File::create(root.join("sparse")).unwrap();
    for i in 0..runs {
        file.write_all_at(&[i as u8 + 1; 5000], i * 65_536 + 16_384).unwrap();
    }
    file.set_len(runs * 65_536 + 100_001).unwrap();
    File::create(root.join("hole")).unwrap().set_len(1 << 20).unwrap();
    fs::write(root.join("after"), "after").unwrap();
}

/// Runs GNU tar over a tree; `None` if it is not there.
fn gnu_tar(out: &Path, tree: &Path, options: &[&str]) -> Option<PathBuf> {
    tool(
        Command::new("tar")
            .arg("-cf")
            .arg(out)
            .arg("-C")
            .arg(tree)
            .args(options)
            .args(["--sort=name", "."])
            .env("LC_ALL", "C"),
    )
    .map(|_| out.to_path_buf())
}

/// Every archive that GNU tar and Python write for these tests, with the tree that is in it.
fn corpus(scratch: &Path) -> Vec<(PathBuf, Option<PathBuf>)> {
    let tree = |name: &str, make: &dyn Fn(&Path)| {
        let root = scratch.join(name);
        fs::create_dir(&root).unwrap();
        make(&root);
        root
    };
    let plain = tree("plain", &plain_tree);
    let rich = tree("rich", &rich_tree);
    let few = tree("few", &|root| sparse_tree(root, 3));
    let many = tree("many", &|root| sparse_tree(root, 200));

    let mut found = Vec::new();
    let mut add = |name: &str, tree: &Path, options: &[&str]| {
        if let Some(tar) = gnu_tar(&scratch.join(format!("{name}.tar")), tree, options) {
            found.push((tar, Some(tree.to_path_buf())));
        }
    };
    for format in ["v7", "ustar", "oldgnu", "gnu", "pax"] {
        add(&format!("plain-{format}"), &plain, &[&format!("--format={format}")]);
    }
    for format in ["oldgnu", "gnu", "pax"] {
        add(&format!("rich-{format}"), &rich, &[&format!("--format={format}")]);
    }
    add("globals", &plain, &["--format=pax", "--pax-option=globexthdr.name=g,mtime=99,uid=7"]);
    add("label", &plain, &["--format=gnu", "--label=volume"]);
    add("blocking", &plain, &["--format=gnu", "--blocking-factor=400"]);
    let raw = "--hole-detection=raw";
    for (name, tree) in [("few", &few), ("many", &many)] {
        add(&format!("sparse-gnu-{name}"), tree, &["--format=gnu", "--sparse", raw]);
        for version in ["0.0", "0.1", "1.0"] {
            let option = format!("--sparse-version={version}");
            add(
                &format!("sparse-{version}-{name}"),
                tree,
                &["--format=pax", "--sparse", &option, raw],
            );
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tar_kit/write.py");
    if tool(Command::new("python3").arg(script).arg(scratch)).is_some() {
        found.extend(
            ["ustar", "gnu", "pax"].map(|f| (scratch.join(format!("python-{f}.tar")), None)),
        );
    }
    found
}

fn parse(tar: &Path) -> Vec<Read> {
    let bytes = fs::read(tar).unwrap();
    let result = read_in(&bytes, 65_536, &ParseOptions::default());
    let (entries, end) = result.unwrap_or_else(|e| panic!("{}: {e}", tar.display()));
    assert_eq!((end.bytes, end.marker), (bytes.len() as u64, EndMarker::TwoBlocks));
    for chunk in [1, 511, 513, 4096] {
        if chunk > 1 || bytes.len() < 100_000 {
            assert_eq!(read_in(&bytes, chunk, &ParseOptions::default()).unwrap().0, entries);
        }
    }
    entries
}

#[test]
fn gnu_tar_archives_hold_what_the_file_system_has() {
    let scratch = Scratch::new("gnu");
    for (tar, tree) in corpus(&scratch.0) {
        let Some(tree) = tree else { continue };
        let name = tar.file_stem().unwrap().to_str().unwrap();
        let globals = name == "globals";
        let pax = name.contains("pax")
            || globals
            || name.contains("sparse-0")
            || name.contains("sparse-1");
        let mut firsts: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let mut seen = 0;
        for e in parse(&tar) {
            let path = tree.join(OsStr::from_bytes(&e.path));
            let meta = path.symlink_metadata().unwrap_or_else(|x| panic!("{name}: {path:?}: {x}"));
            let kind = meta.file_type();
            seen += 1;
            let first = firsts.entry(meta.ino()).or_insert_with(|| e.path.clone());
            if *first != e.path {
                assert_eq!((e.kind, &e.link), (Kind::HardLink, &*first), "{name}");
                continue;
            }
            match e.kind {
                Kind::Regular => {
                    assert!(kind.is_file());
                    assert_eq!(e.content(), fs::read(&path).unwrap(), "{name}: {path:?}");
                }
                Kind::Directory => assert!(kind.is_dir()),
                Kind::Symlink => {
                    assert_eq!(e.link, fs::read_link(&path).unwrap().as_os_str().as_bytes());
                }
                Kind::Fifo => assert!(kind.is_fifo()),
                other => panic!("{name}: {path:?} is {other:?}"),
            }
            assert_eq!(u32::from(e.mode), meta.mode() & 0o7777, "{name}: {path:?}");
            assert_eq!(e.gid, meta.gid());
            if kind.is_file() {
                assert_eq!(e.size, meta.len());
            }
            if globals {
                assert_eq!(e.uid, 7, "{name}");
                continue;
            }
            assert_eq!(e.uid, meta.uid());
            assert_eq!(e.mtime.secs, meta.mtime(), "{name}: {path:?}");
            if pax {
                assert_eq!(i64::from(e.mtime.nanos), meta.mtime_nsec(), "{name}: {path:?}");
            }
        }
        let all = tool(Command::new("find").arg(&tree).arg("-print0")).unwrap();
        assert_eq!(seen, all.iter().filter(|&&b| b == 0).count(), "{name}");
    }
}

#[test]
fn gnu_tar_sparse_archives_have_maps() {
    let scratch = Scratch::new("maps");
    for (tar, _) in corpus(&scratch.0) {
        let name = tar.file_stem().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("sparse") {
            continue;
        }
        let entries = parse(&tar);
        let runs = if name.ends_with("few") { 3 } else { 200 };
        let sparse = entries.iter().find(|e| e.path() == "./sparse").unwrap();
        assert_eq!(sparse.sparse.as_ref().map(Vec::len), Some(runs), "{name}");
        assert!(sparse.stored < sparse.size / 2 && sparse.data_offset % 512 == 0);
        let hole = entries.iter().find(|e| e.path() == "./hole").unwrap();
        assert_eq!((hole.sparse.as_deref(), hole.size, hole.stored), (Some(&[][..]), 1 << 20, 0));
    }
}

/// Compares every archive of the corpus with what an oracle prints of it.
fn compare(oracle: &mut Command, archives: &[(PathBuf, Vec<Read>)]) {
    oracle.args(archives.iter().map(|(tar, _)| tar));
    let Some(said) = tool(oracle) else { return };
    let said = String::from_utf8(said).unwrap();
    let mut said: Vec<&str> = said.split("==\n").skip(1).collect();
    assert_eq!(said.len(), archives.len());
    for ((tar, entries), said) in archives.iter().zip(said.drain(..)) {
        let ours: Vec<String> = entries.iter().map(line).collect();
        let said: Vec<&str> = said.lines().collect();
        for (ours, said) in ours.iter().zip(&said) {
            assert_eq!(ours, said, "{}", tar.display());
        }
        assert_eq!(ours.len(), said.len(), "{}", tar.display());
    }
}

fn archives(scratch: &Path, leave_out: &[&str]) -> Vec<(PathBuf, Vec<Read>)> {
    corpus(scratch)
        .into_iter()
        .map(|(tar, _)| tar)
        .filter(|tar| !leave_out.iter().any(|name| tar.ends_with(name)))
        .map(|tar| (tar.clone(), parse(&tar)))
        .collect()
}

#[test]
fn python_reads_the_same_entries() {
    let scratch = Scratch::new("python");
    // Python takes a volume label for a file.
    let archives = archives(&scratch.0, &["label.tar"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tar_kit/oracle.py");
    compare(Command::new("python3").arg(script), &archives);
}

#[test]
fn go_reads_the_same_entries() {
    let scratch = Scratch::new("go");
    // Go does not apply global headers, and takes a volume label for a file of unknown type.
    let archives = archives(&scratch.0, &["label.tar", "globals.tar"]);
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tar_kit/oracle.go");
    compare(Command::new("go").arg("run").arg(program), &archives);
}

/// tar-core reads the same entries, save for what it does not do:
/// - fractions of pax times are dropped, and negative times refused;
/// - global headers are handed to the caller, who would have to apply them;
/// - `LIBARCHIVE.xattr` is left to the caller;
/// - a volume label is an entry of another type;
/// - of an old GNU header with mode bits past the twelve nothing is masked.
#[test]
fn tar_core_reads_the_same_entries() {
    use tar_core::parse::{Limits, ParseEvent, Parser};
    let scratch = Scratch::new("core");
    // Negative times are in those of Python's that are not ustar.
    let leave_out = ["label.tar", "globals.tar", "python-gnu.tar", "python-pax.tar"];
    let mut compared = 0;
    for (tar, ours) in archives(&scratch.0, &leave_out) {
        let bytes = fs::read(&tar).unwrap();
        let (mut rest, mut ours) = (&bytes[..], ours.iter());
        let mut parser = Parser::new(Limits::default());
        loop {
            let event = parser.parse(rest).unwrap_or_else(|e| panic!("{}: {e}", tar.display()));
            let (consumed, theirs, size, map) = match event {
                ParseEvent::Entry { consumed, entry } => (consumed, entry, None, None),
                ParseEvent::SparseEntry { consumed, entry, sparse_map, real_size } => {
                    (consumed, entry, Some(real_size), Some(sparse_map))
                }
                ParseEvent::GlobalExtensions { consumed, .. } => {
                    rest = &rest[consumed..];
                    continue;
                }
                ParseEvent::End { .. } => break,
                other => panic!("{}: {other:?}", tar.display()),
            };
            let e = ours.next().expect("as many entries");
            let at = bytes.len() - rest.len() + consumed;
            assert_eq!(e.path, theirs.path.as_ref(), "{}", tar.display());
            assert_eq!(e.data_offset, at as u64, "{}", tar.display());
            assert_eq!(
                (e.mode, e.uid, e.gid),
                ((theirs.mode & 0o7777) as u16, theirs.uid as u32, theirs.gid as u32)
            );
            assert_eq!(e.mtime.secs, theirs.mtime as i64);
            assert_eq!(e.uname, theirs.uname.as_deref().unwrap_or_default());
            if matches!(e.kind, Kind::HardLink | Kind::Symlink) {
                assert_eq!(Some(&*e.link), theirs.link_target.as_deref());
            }
            if e.kind == Kind::Regular {
                assert_eq!((e.size, e.stored), (size.unwrap_or(theirs.size), theirs.size));
            }
            let map = map.map(|map| {
                let full = map.iter().filter(|run| run.length > 0);
                full.map(|run| (run.offset, run.length)).collect::<Vec<_>>()
            });
            let runs =
                e.sparse.as_ref().map(|runs| runs.iter().map(|r| (r.offset, r.len)).collect());
            assert_eq!(runs, map, "{}", tar.display());
            rest = &rest[consumed + theirs.padded_size() as usize..];
            compared += 1;
        }
        assert!(ours.next().is_none(), "{}", tar.display());
    }
    assert!(compared > 100 || std::env::var_os("CI").is_none(), "only {compared} entries");
}

#[test]
fn gnu_tar_xattrs_are_read_as_containers_read_them() {
    let scratch = Scratch::new("xattr");
    fs::create_dir(scratch.0.join("t")).unwrap();
    let program = "import os, sys\n\
        open(sys.argv[1], 'w').close()\n\
        for name, value in [(b'user.a', b'1'), (b'user.=%3D', b'\\n\\0\\xff'), (b'user.long', b'v' * 3000)]:\n\
        \x20   os.setxattr(sys.argv[1], name, value)\n";
    let set = tool(Command::new("python3").arg("-c").arg(program).arg(scratch.0.join("t/f")));
    let tar = scratch.0.join("x.tar");
    let made =
        gnu_tar(&tar, &scratch.0.join("t"), &["--format=pax", "--xattrs", "--xattrs-include=*"]);
    if set.is_none() || made.is_none() {
        return;
    }
    let entries = parse(&tar);
    let mut xattrs = entries.iter().find(|e| e.path() == "./f").unwrap().xattrs.clone();
    xattrs.sort();
    let want: [(&[u8], &[u8]); 3] =
        // GNU tar escapes `=` and `%` of names, and Go, so containerd, takes them as they stand.
        [(b"user.%3D%253D", b"\n\0\xff"), (b"user.a", b"1"), (b"user.long", &[b'v'; 3000])];
    assert_eq!(xattrs.iter().map(|(n, v)| (&**n, &**v)).collect::<Vec<_>>(), want);
}
