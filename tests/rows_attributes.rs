//! Owners, access control lists and labels, as extractors leave them.

mod rows_kit;

use std::process::Command;

use erofs_tarfs::layout::DiskOrder;
use erofs_tarfs::tree::{Layer, LayerOptions, Tree};
use rows_kit::at;
use testkit::mount::Erofs;
use testkit::oracle;
use testkit::tarball::TarBuilder;
use testkit::{artifact, mount};

fn tar() -> TarBuilder {
    TarBuilder::new()
}

fn layer(tar: TarBuilder) -> Layer {
    rows_kit::try_layer(&tar.finish(), LayerOptions::default()).unwrap()
}

fn xattr(tree: &Tree, path: &str, name: &str) -> Option<Vec<u8>> {
    let mut all = tree.xattrs(at(tree, path));
    all.find(|(found, _)| *found == name.as_bytes()).map(|(_, value)| value.to_vec())
}

/// `chown(-1)` leaves an owner, and what was just made has 0: in a real archive of a package index.
#[test]
fn an_owner_that_is_unset_is_root() {
    const UNSET: u64 = 4_294_967_295;
    let layer = layer(
        tar()
            .file("a", b"")
            .uid(UNSET)
            .file("b", b"")
            .gid(UNSET)
            .uid(7)
            .dir("d", 0o755)
            .uid(UNSET - 1),
    );
    let owner = |path| {
        let found = layer.tree.attributes(at(&layer.tree, path));
        (found.uid, found.gid)
    };
    assert_eq!((owner("a"), owner("b"), owner("d")), ((0, 0), (7, 0), (u32::MAX - 1, 0)));
    assert_eq!(layer.notes.unset_owners, 2);
    let error = rows_kit::try_layer(
        &tar().file("z", b"").file("a", b"").uid(UNSET + 1).finish(),
        LayerOptions::default(),
    );
    let error = error.unwrap_err().to_string();
    assert!(error.contains("\"a\"") && error.contains("uid 4294967296 is over"), "{error}");
}

/// SELinux labels as `tar --selinux` writes them; the attribute wins where both are there.
#[test]
fn a_label_of_gnu_tar_is_the_attribute() {
    const LABEL: &str = "system_u:object_r:bin_t:s0";
    let layer = layer(
        tar()
            .file("a", b"")
            .pax("RHT.security.selinux", LABEL)
            .file("b", b"")
            .pax("RHT.security.selinux", LABEL)
            .xattr("security.selinux", b"other\0")
            .global(&[(b"RHT.security.selinux", b"all")])
            .file("c", b"")
            .file("d", b"")
            .pax("RHT.security.selinux", ""),
    );
    let label = |path| xattr(&layer.tree, path, "security.selinux");
    assert_eq!(label("a").unwrap(), [LABEL.as_bytes(), b"\0"].concat());
    assert_eq!(label("b").unwrap(), b"other\0");
    assert_eq!(label("c").unwrap(), b"all\0");
    assert_eq!(label("d"), None);
}

/// Lists that name somebody without a number cannot be had, and are counted.
#[test]
fn lists_without_numbers_are_counted() {
    let layer = layer(
        tar()
            .file("a", b"")
            .pax("SCHILY.acl.access", "user::rw-,user:lisa:rwx,group::r--,mask::rwx,other::---")
            .dir("d", 0o750)
            .pax("SCHILY.acl.default", "nonsense")
            .symlink("l", "a")
            .pax("SCHILY.acl.access", "user::rw-,group::r--,other::---"),
    );
    assert_eq!(layer.notes.dropped_acls, 2);
    let mode = |path| layer.tree.attributes(at(&layer.tree, path)).mode;
    assert_eq!((mode("a"), mode("d"), mode("l")), (0o644, 0o750, 0o777));
}

/// What the kernel says of lists is what it says where GNU tar has extracted the same archive.
#[test]
fn lists_are_those_that_gnu_tar_restores() {
    let Some(gnu_tar) = oracle::gnu_tar() else { return };
    let Some(getfacl) = oracle::tool("getfacl", "apt-get install acl") else { return };
    let list = "user::rw-,user:1000:rwx,user:7:r--,group::r--,group:0:-w-,mask::rwx,other::---";
    let lines = "user::rwx\nuser:1000:r-x\ngroup::r-x\nmask::r-x\nother::r--\n";
    let bytes = tar()
        .file("star", b"")
        .mode(0o670)
        .pax("SCHILY.acl.access", list)
        .file("plain", b"")
        .mode(0o600)
        .pax("SCHILY.acl.access", "user::rw-,group::r-x,other::--x")
        .dir("d", 0o750)
        .pax("SCHILY.acl.access", lines)
        .pax("SCHILY.acl.default", "user::rwx,group::r-x,other::---")
        .file("d/masked", b"")
        .mode(0o640)
        .pax("SCHILY.acl.access", "user::rw-\ngroup::rwx\nmask::r--\nother::---\n")
        .finish();
    let dir = tempfile::tempdir().unwrap();
    let scratch = mount::tmpfs().unwrap();
    let archive = artifact::file(dir.path(), "a.tar", &bytes).unwrap();
    let extracted = Command::new(gnu_tar)
        .args(["--acls", "-p", "-xf"])
        .arg(&archive)
        .arg("-C")
        .arg(scratch.path())
        .output()
        .unwrap();
    assert!(extracted.status.success(), "{extracted:?}");
    let tree = rows_kit::try_layer(&bytes, LayerOptions::default()).unwrap().tree;
    let disk = artifact::disk(&tree, DiskOrder::default(), &[&bytes[..]][..tree.devices().len()]);
    let file = artifact::file(dir.path(), "disk", &disk).unwrap();
    let mounted = Erofs::new(file).mount().unwrap();
    for name in ["star", "plain", "d", "d/masked"] {
        let facl = |root: &std::path::Path| {
            let shown =
                Command::new(&getfacl).args(["-n", "-c", "-p", name]).current_dir(root).output();
            String::from_utf8(shown.unwrap().stdout).unwrap()
        };
        let (ours, theirs) = (facl(mounted.path()), facl(scratch.path()));
        assert!(!theirs.is_empty());
        assert_eq!(ours, theirs, "{name}");
    }
}
