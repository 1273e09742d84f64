//! What others make of the image: umoci of all of it, GNU tar of each layer.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use testkit::dump::{DumpOptions, Ignore, Kind, Node, Tree, diff, dump, dump_with};
use testkit::fixtures::RealImage;
use testkit::mount;
use testkit::oracle::{self, Verdict};

/// What umoci extracts, without the marks that it may leave for itself.
pub fn expected(image: &RealImage) -> &'static Tree {
    static EXPECTED: OnceLock<Tree> = OnceLock::new();
    EXPECTED.get_or_init(|| {
        let options = DumpOptions { overlay_private: false, ..DumpOptions::default() };
        dump_with(&image.rootfs, options).unwrap()
    })
}

#[track_caller]
pub fn same(shown: &Tree, expected: &Tree, ignore: &Ignore, what: &str) {
    let lines = diff(shown, expected, ignore);
    assert!(lines.is_empty(), "{what}:\n{}", lines.join("\n"));
}

/// umoci keeps no nanoseconds; those are compared with GNU tar, layer by layer.
#[track_caller]
pub fn expect_image(mount: &mount::Mounted, image: &RealImage, what: &str) {
    let shown = dump(mount.path()).unwrap();
    same(&shown, expected(image), &Ignore::nothing().mtime_nanos(), what);
}

/// A layer as an overlay's lower, as GNU tar extracts it, and what the tar does not say: the
/// attributes of whiteouts, and of directories that it does not list.
pub struct Extracted {
    pub tree: Tree,
    pub ignore: Ignore,
}

pub fn extracted(tar: &Path) -> Option<Extracted> {
    let gnu_tar = oracle::gnu_tar()?;
    let mut command = Command::new(&gnu_tar);
    command.args(["-t", "--quoting-style=literal", "-f"]).arg(tar);
    let listing = command.output().unwrap().stdout;
    let lines = listing.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let plain = |line: &[u8]| line.strip_suffix(b"/").unwrap_or(line).to_vec();
    let mut listed: BTreeSet<Vec<u8>> = lines.clone().map(plain).collect();
    if listed.remove(&b"."[..]) {
        listed.insert(Vec::new());
    }
    // umoci has marks below what is no directory any more. They hide nothing; GNU tar refuses them.
    let files: BTreeSet<&[u8]> = lines.filter(|line| !line.ends_with(b"/")).collect();
    let is_below_file = |path: &&&[u8]| {
        path_of(path).parent().is_some_and(|parent| files.contains(parent.as_os_str().as_bytes()))
    };

    let dir = mount::tmpfs().unwrap();
    let mut command = Command::new(gnu_tar);
    command.args(["-x", "-p", "--same-owner", "--numeric-owner", "--delay-directory-restore"]);
    command.args(["--xattrs", "--xattrs-include=*", "--no-wildcards", "--anchored"]);
    for path in files.iter().filter(is_below_file) {
        command.arg("--exclude").arg(path_of(path));
    }
    command.arg("-C").arg(dir.path()).arg("-f").arg(tar);
    Verdict::of(&mut command).expect_ok("GNU tar");

    let mut tree = dump(dir.path()).unwrap();
    let (mut marks, mut unsaid) = (Vec::new(), Vec::new());
    for path in tree.paths() {
        if path_of(path).file_name().is_some_and(is_mark) {
            marks.push(path.to_vec());
        } else if !listed.contains(path) {
            unsaid.push(path.to_vec());
        }
    }
    for path in marks {
        let mark = tree.0.remove(&path).unwrap();
        let at = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let name = &path[at + MARK.len()..];
        let parent = tree.0.get_mut(&path[..at.saturating_sub(1)]).unwrap();
        if name == b".wh..opq" {
            parent.xattrs.insert(b"trusted.overlay.opaque".into(), b"y".into());
            continue;
        }
        // So that a mount of the layer alone hides its whiteouts.
        parent.xattrs.insert(b"trusted.overlay.origin".into(), Vec::new());
        let hidden = [&path[..at], name].concat();
        let whiteout =
            Node { kind: Kind::Char, size: 0, sha256: None, link: hidden.clone(), ..mark };
        assert!(tree.0.insert(hidden.clone(), whiteout).is_none(), "hidden, and there");
        unsaid.push(hidden);
    }
    Some(Extracted { tree, ignore: Ignore::nothing().dir_nlink().attributes_of(unsaid) })
}

pub const MARK: &[u8] = b".wh.";

pub fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

pub fn is_mark(name: &OsStr) -> bool {
    name.as_bytes().starts_with(MARK)
}
