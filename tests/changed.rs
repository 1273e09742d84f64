//! What of a tree is made otherwise than its layers say, against what `mkfs.erofs` makes of the same files with
//! the options of the same names.

use std::path::Path;

use erofs_tarfs::export::Mode;
use erofs_tarfs::io::{Export, NamedFile, index_file};
use erofs_tarfs::tree::{
    Changes, Error, InodeId, LayerOptions, NodeKind, Tree, change, label, without,
};
use erofs_tarfs::units::Timestamp;
use testkit::changed::Source;
use testkit::dump::{Ignore, diff, dump};
use testkit::mount::Erofs;
use testkit::tarball::TarBuilder;
use testkit::{artifact, dump, ours};

fn tree(tar: &Path) -> Tree {
    let tar = NamedFile::open(tar).unwrap();
    index_file(&tar, LayerOptions::default(), &mut |_| {}).unwrap().tree
}

fn layer(tar: &[u8]) -> Tree {
    ours::layer(tar)
}

/// An export with changes, as Linux shows it.
fn exported(source: &Source, changes: Changes) -> dump::Tree {
    let disk = source.tar.with_extension("disk");
    Export::new(Mode::ImageBlock).changes(changes).tar(&source.tar).write(&disk).unwrap();
    dump(Erofs::new(&disk).mount().unwrap().path()).unwrap()
}

#[test]
fn what_mkfs_erofs_makes_of_the_same_options() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::new(dir.path()).unwrap();
    let new = Changes::new;
    let rows: &[(&[&str], Changes)] = &[
        (&[], new()),
        (&["--all-root"], new().all_root()),
        (&["--force-uid=5"], new().force_uid(5)),
        (&["--force-gid=4294967294"], new().force_gid(4_294_967_294)),
        (&["--uid-offset=100000", "--gid-offset=7"], new().uid_offset(100_000).gid_offset(7)),
        (&["--all-root", "--gid-offset=9"], new().all_root().gid_offset(9)),
        (&["--exclude-path=etc/a"], new().exclude("etc/a")),
        (&["--exclude-path=etc/sub/hard"], new().exclude("/etc/sub/hard/")),
        (&["--exclude-path=var/cache"], new().exclude("var/cache")),
        (&["--exclude-path=no/such"], new().exclude("no/such")),
        (
            &["--exclude-path=etc/l", "--exclude-path=usr/bin/sh", "--force-uid=1"],
            new().exclude("etc/l").exclude("usr/bin/sh").force_uid(1),
        ),
    ];
    // Inodes of mkfs.erofs without fractions of seconds.
    let short = Ignore::nothing().mtime_nanos();
    for (options, changes) in rows {
        let Some(want) = source.by_mkfs(options) else { return };
        let differs = diff(&want, &exported(&source, changes.clone()), &short);
        assert!(differs.is_empty(), "{options:?}: {differs:#?}");
    }
}

#[test]
fn times_that_are_later_become_the_latest() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::new(dir.path()).unwrap();
    let latest = Timestamp { secs: 1_500_000_000, nanos: 250_000_000 };
    // As GNU tar's --clamp-mtime writes the same files: times that are no later stay.
    let clamped = dir.path().join("clamped.tar");
    let mut tar = std::process::Command::new("tar");
    tar.arg("-C").arg(&source.root).args(["--format=posix", "--mtime=@1500000000.25"]);
    let made = tar.args(["--clamp-mtime", "-cf"]).arg(&clamped).arg(".").status().unwrap();
    assert!(made.success());
    let tars = Source { root: source.root.clone(), tar: clamped };
    let want = exported(&tars, Changes::new());
    let got = exported(&source, Changes::new().clamp_mtime(latest));
    assert_eq!(diff(&want, &got, &Ignore::nothing()), [""; 0]);
    assert_eq!(got.get("etc/a").unwrap().mtime, (1000, 0));
    assert_eq!(got.get("var").unwrap().mtime, (1_500_000_000, 250_000_000));
}

/// As the kernel shows them: names of one inode, those that were left out not among them.
#[test]
fn a_hard_link_stays_without_its_target() {
    let tar = TarBuilder::new().file("a/first", "data").hardlink("b/second", "a/first").finish();
    let tree = layer(&tar);
    let left = change(&tree, &Changes::new().exclude("a/first")).unwrap();
    assert_eq!(left.devices(), tree.devices());
    let dir = tempfile::tempdir().unwrap();
    let mounted = artifact::mount(dir.path(), &artifact::bootstrap(&left), &[&tar]).unwrap();
    let seen = dump(mounted.path()).unwrap();
    assert_eq!(seen.get("b/second").unwrap().nlink, 1);
    assert_eq!(std::fs::read(mounted.path().join("b/second")).unwrap(), b"data");
    assert!(seen.get("a/first").is_none() && seen.get("a").is_some());
}

/// With all files gone the devices are still those that the caller has the files of.
#[test]
fn devices_stay_where_they_are() {
    let one = TarBuilder::new().file("one", "1").finish();
    let two = TarBuilder::new().file("two", "2").finish();
    let (merged, blobs) = ours::merged_tree(&[&one, &two], false).unwrap();
    let left = change(&merged, &Changes::new().exclude("one")).unwrap();
    assert_eq!(left.origins(), merged.origins());
    assert_eq!(left.devices().len(), 2);
    let seen = ours::dump(&left, &blobs);
    assert_eq!(seen.paths().collect::<Vec<_>>(), [&b""[..], b"two"]);
}

#[test]
fn a_layers_whiteouts_are_names_too() {
    let tar = TarBuilder::new().file("d/.wh.gone", "").file("d/.wh.kept", "").finish();
    let tree = layer(&tar);
    let left = change(&tree, &Changes::new().exclude("d/gone").force_uid(9)).unwrap();
    let names: Vec<_> = left.children(left.lookup(b"d").unwrap()).map(|(name, _)| name).collect();
    assert_eq!(names, [b"kept"]);
    let kept = left.lookup(b"d/kept").unwrap();
    assert_eq!((left.kind(kept), left.attributes(kept).uid), (NodeKind::Whiteout, 9));
}

#[test]
fn owners_that_are_none_are_refused_by_name() {
    let tar = TarBuilder::new().file("f", "").finish();
    let mut odd = layer(&tar);
    let far = change(&odd, &Changes::new().force_uid(u32::MAX - 1)).unwrap().into_owned();
    for (tree, changes, message) in [
        (&odd, Changes::new().uid_offset(-1), "\"/\": owner 0 and an offset of -1 make no owner"),
        (&far, Changes::new().uid_offset(1), "\"/\": owner 4294967294 and an offset of 1 make no"),
        (&odd, Changes::new().gid_offset(i64::MAX), "\"/\": group 0 and an offset of 9223372036"),
        (&odd, Changes::new().force_gid(3).gid_offset(-4), "\"/\": group 3 and an offset of -4"),
    ] {
        let error = change(tree, &changes).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
    let empty = label(&mut odd, &mut |path, _| (path == b"f").then(Vec::new)).unwrap_err();
    assert_eq!(empty, Error::Label { path: b"f".to_vec(), bytes: 0 });
    let long = label(&mut odd, &mut |_, _| Some(vec![b'x'; 65_536])).unwrap_err();
    assert_eq!(long.to_string(), "\"\": a label of 65536 bytes, not 1 to 65535");
}

/// What is asked of: each name once, none below what is left out.
#[test]
fn who_chooses_is_asked_of_each_name_once() {
    let dir = tempfile::tempdir().unwrap();
    let tree = tree(&Source::new(dir.path()).unwrap().tar);
    let mut asked = Vec::new();
    let left = without(&tree, &mut |path, kind| {
        asked.push((String::from_utf8(path.to_vec()).unwrap(), kind));
        path == b"etc" || path.ends_with(b".pyc")
    });
    let all = "etc usr usr/bin usr/bin/sh var var/cache var/cache/deep var/cache/deep/er \
               var/cache/deep/er/y var/cache/x.pyc";
    assert_eq!(asked.iter().map(|(path, _)| &path[..]).collect::<Vec<_>>().join(" "), all);
    assert!(asked.contains(&("usr/bin".to_owned(), NodeKind::Directory)));
    let left = left.unwrap();
    assert_eq!(left.inode_count(), 9, "{:?}", left);
    let mut labelled = tree.clone();
    let mut asked = Vec::new();
    label(&mut labelled, &mut |path, _| {
        asked.push(String::from_utf8(path.to_vec()).unwrap());
        Some([b"label of ", path].concat())
    })
    .unwrap();
    assert_eq!(asked.len(), labelled.inode_count());
    assert!(asked.contains(&"etc/a".to_owned()) && !asked.contains(&"etc/sub/hard".to_owned()));
    assert_eq!(labelled.xattrs(InodeId::ROOT).next().unwrap().1, b"label of ");
}

/// A label takes the place of one that is there, and leaves the other attributes alone.
#[test]
fn a_label_is_one_attribute_of_several() {
    let tar = ["user.z", "security.selinux", "trusted.a"]
        .iter()
        .fold(TarBuilder::new().file("f", "x"), |tar, name| tar.xattr(name, "old"))
        .finish();
    let mut tree = layer(&tar);
    label(&mut tree, &mut |path, _| (path == b"f").then(|| b"new".to_vec())).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mounted = artifact::mount(dir.path(), &artifact::bootstrap(&tree), &[&tar]).unwrap();
    let seen = dump(mounted.path()).unwrap();
    let got: Vec<_> = seen.get("f").unwrap().xattrs.iter().map(|(n, v)| (&n[..], &v[..])).collect();
    let want: [(&[u8], &[u8]); 3] =
        [(b"security.selinux", b"new"), (b"trusted.a", b"old"), (b"user.z", b"old")];
    assert_eq!(got, want);
}
