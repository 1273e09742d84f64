//! The acceptance of a real image (Debian, nginx, small files, removals) through the tool: every
//! mode and placement, from tars and from an OCI layout, judged by umoci, GNU tar, the kernel and
//! veritysetup. `tests/tool/real.rs` has the stacks of overlayfs.

// What the tool's own tests share; not all of it is of use here.
#[allow(dead_code)]
#[path = "tool/run.rs"]
mod run;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use sha2::{Digest, Sha256};
use testkit::dump::{DumpOptions, Ignore, Kind, Node, Tree, diff, dump, dump_with};
use testkit::fixtures::{RealImage, real_image};
use testkit::mount::{self, Erofs};
use testkit::oracle::{self, Verdict, Verity, veritysetup_verify};

use crate::run::{json, ok, run};

/// What umoci extracts, without the marks that it may leave for itself.
fn expected(image: &RealImage) -> &'static Tree {
    static EXPECTED: OnceLock<Tree> = OnceLock::new();
    EXPECTED.get_or_init(|| {
        let options = DumpOptions { overlay_private: false, ..DumpOptions::default() };
        dump_with(&image.rootfs, options).unwrap()
    })
}

#[track_caller]
fn same(shown: &Tree, expected: &Tree, ignore: &Ignore, what: &str) {
    let lines = diff(shown, expected, ignore);
    assert!(lines.is_empty(), "{what}:\n{}", lines.join("\n"));
}

/// umoci keeps no nanoseconds; those are compared with GNU tar, layer by layer.
#[track_caller]
fn expect_image(mount: &mount::Mounted, image: &RealImage, what: &str) {
    let shown = dump(mount.path()).unwrap();
    same(&shown, expected(image), &Ignore::nothing().mtime_nanos(), what);
}

/// A layer as an overlay's lower, as GNU tar extracts it, and what the tar does not say: the
/// attributes of whiteouts, and of directories that it does not list.
struct Extracted {
    tree: Tree,
    ignore: Ignore,
}

fn extracted(tar: &Path) -> Option<Extracted> {
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

const MARK: &[u8] = b".wh.";

fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

fn is_mark(name: &OsStr) -> bool {
    name.as_bytes().starts_with(MARK)
}

fn args(words: &[&str], paths: &[PathBuf]) -> Vec<OsString> {
    let words = words.iter().map(OsString::from);
    words.chain(paths.iter().map(|path| path.clone().into_os_string())).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn oci(image: &RealImage) -> [PathBuf; 1] {
    [PathBuf::from(format!("oci:{}:layer4", image.oci.display()))]
}

/// An output of `tarfs export`, and what was said of it.
struct Made {
    path: PathBuf,
    report: Value,
}

fn export(out: &Path, mode: &str, placement: &str, inputs: &[PathBuf]) -> Vec<Made> {
    let words = ["export", "--json", "--mode", mode, "--placement", placement, "-o", text(out)];
    let reports = json(&ok(args(&words, inputs)));
    let made = reports.into_iter().map(|report| {
        let path = PathBuf::from(report["path"].as_str().unwrap());
        assert_eq!(report["size"], fs::metadata(&path).unwrap().len(), "{mode}");
        Made { path, report }
    });
    made.collect()
}

fn digest_of(path: &Path) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let (mut file, mut buf) = (File::open(path).unwrap(), vec![0; 1 << 16]);
    while let Some(n @ 1..) = Some(file.read(&mut buf).unwrap()) {
        hasher.update(&buf[..n]);
    }
    hasher.finalize().into()
}

/// The same outputs from the same layers: tars again, and the OCI layout.
fn again(dir: &Path, made: &[Made], mode: &str, placement: &str, image: &RealImage) {
    for (from, inputs) in [("tars", &image.layers[..]), ("oci", &oci(image))] {
        let out = dir.join(format!("{mode}-{from}"));
        let others = export(&out, mode, placement, inputs);
        assert_eq!(others.len(), made.len());
        for (one, other) in made.iter().zip(&others) {
            let (path, what) = (&other.path, format!("{mode} {placement} from {from}"));
            assert_eq!(digest_of(&one.path), digest_of(path), "{what}");
            assert_eq!(one.report["devices"], other.report["devices"], "{what}");
            let root = |made: &Made| made.report["verity"]["root_hash"].clone();
            assert_eq!(root(one), root(other), "{what}");
            fs::remove_file(path).unwrap();
        }
    }
}

fn verdict(data: &Path, tree: &Made) -> Option<Verdict> {
    let verity = &tree.report["verity"];
    let number = |key: &str| verity[key].as_u64().unwrap();
    veritysetup_verify(&Verity {
        data,
        hash: &tree.path,
        hash_offset: number("hash_offset"),
        data_blocks: number("data_blocks"),
        data_block_size: number("data_block_size") as u32,
        hash_block_size: number("hash_block_size") as u32,
        salt: verity["salt"].as_str().unwrap(),
        root: verity["root_hash"].as_str().unwrap(),
    })
}

/// `veritysetup verify` is content with data and tree, and is not when any of some bits is another.
fn verify(data: &Path, tree: &Made, what: &str) {
    let Some(whole) = verdict(data, tree) else { return };
    whole.expect_ok(what);
    let verity = &tree.report["verity"];
    let number = |key: &str| verity[key].as_u64().unwrap();
    let data_bytes = number("data_blocks") * number("data_block_size");
    let flips = [
        (data, 1030),
        (data, data_bytes / 2),
        (data, data_bytes - 1),
        (&tree.path, number("hash_offset")),
        // The leaves are behind all upper levels.
        (&tree.path, tree.report["size"].as_u64().unwrap() - number("hash_block_size")),
    ];
    for (path, at) in flips {
        flip(path, at);
        let verdict = verdict(data, tree).unwrap();
        assert!(!verdict.ok, "{what}: a bit of {path:?} at {at} is not missed");
        flip(path, at);
    }
}

fn flip(path: &Path, at: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 4], at).unwrap();
}

fn image_modes(placement: &str) {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let made = |mode: &str| {
        let made = export(&dir.path().join(mode), mode, placement, &image.layers);
        assert_eq!(made.len(), 1);
        again(dir.path(), &made, mode, placement, &image);
        made
    };
    let disk = made("image_block").remove(0);
    expect_image(&Erofs::new(&disk.path).mount().unwrap(), &image, placement);
    let tree = made("image_verity_only").remove(0);
    verify(&disk.path, &tree, placement);
    let sealed = made("image_block_with_verity").remove(0);
    expect_image(&Erofs::new(&sealed.path).mount().unwrap(), &image, placement);
    verify(&sealed.path, &sealed, placement);
    for disk in [&disk, &sealed] {
        ok(["check", text(&disk.path)]);
    }
    ok(args(&["check", text(&sealed.path), "--against"], &image.layers));
    let without_the_last = args(&["check", text(&disk.path), "--against"], &image.layers[..3]);
    assert_eq!(run(without_the_last).code, 1);
}

fn layer_modes(placement: &str) {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let made = |mode: &str| {
        let made = export(&dir.path().join(mode), mode, placement, &image.layers);
        assert_eq!(made.len(), image.layers.len());
        again(dir.path(), &made, mode, placement, &image);
        made
    };
    let disks = made("layer_block");
    let sealed = made("layer_block_with_verity");
    let trees = made("layer_verity_only");
    for (number, tar) in image.layers.iter().enumerate() {
        let what = format!("layer {number} {placement}");
        let (disk, sealed, tree) = (&disks[number], &sealed[number], &trees[number]);
        if let Some(expected) = extracted(tar) {
            for disk in [disk, sealed] {
                let mount = Erofs::new(&disk.path).mount().unwrap();
                same(&dump(mount.path()).unwrap(), &expected.tree, &expected.ignore, &what);
            }
        }
        verify(&sealed.path, sealed, &what);
        verify(&disk.path, tree, &what);
        ok(["check", text(&disk.path), "--against", text(tar)]);
    }
}

#[test]
fn image_modes_metadata_first() {
    image_modes("metadata-first");
}

#[test]
fn image_modes_data_first() {
    image_modes("data-first");
}

#[test]
fn layer_modes_metadata_first() {
    layer_modes("metadata-first");
}

#[test]
fn layer_modes_data_first() {
    layer_modes("data-first");
}

/// The tars of the devices that a report tells of.
fn tars<'a>(report: &Value, image: &'a RealImage) -> Vec<&'a PathBuf> {
    let tag = |tar: &Path| digest_of(tar).iter().map(|byte| format!("{byte:02x}")).collect();
    let tagged: Vec<(String, &PathBuf)> = image.layers.iter().map(|tar| (tag(tar), tar)).collect();
    let devices = report["devices"].as_array().unwrap().iter();
    devices.map(|device| tagged.iter().find(|(tag, _)| device["tag"] == **tag).unwrap().1).collect()
}

#[test]
fn bootstraps_mount_over_their_tars_and_merge_as_tars_do() {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tars_at = text(image.layers[0].parent().unwrap());
    let mut bootstraps = Vec::new();
    for (number, tar) in image.layers.iter().enumerate() {
        let out = dir.path().join(format!("layer{number}.erofs"));
        let report = json(&ok(["layer", "--json", "-o", text(&out), text(tar)])).remove(0);
        let mount = Erofs::new(&out).devices(tars(&report, &image)).mount().unwrap();
        if let Some(expected) = extracted(tar) {
            let what = format!("layer {number}");
            same(&dump(mount.path()).unwrap(), &expected.tree, &expected.ignore, &what);
        }
        ok(["check", "--tars", tars_at, text(&out), "--against", text(tar)]);
        bootstraps.push(out);
    }
    let merge = |name: &str, inputs: &[PathBuf]| {
        let out = dir.path().join(name);
        let words = ["merge", "--json", "--tars", tars_at, "-o", text(&out)];
        let report = json(&ok(args(&words, inputs))).remove(0);
        (out, report)
    };
    let (of_bootstraps, report) = merge("of-bootstraps", &bootstraps);
    let (of_tars, _) = merge("of-tars", &image.layers);
    let (of_oci, _) = merge("of-oci", &oci(&image));
    let bytes = fs::read(&of_bootstraps).unwrap();
    assert!(bytes == fs::read(&of_tars).unwrap(), "bootstraps or tars: the same");
    assert!(bytes == fs::read(&of_oci).unwrap(), "bootstraps or an OCI layout: the same");
    let mount = Erofs::new(&of_bootstraps).devices(tars(&report, &image)).mount().unwrap();
    expect_image(&mount, &image, "merged bootstraps");
    ok(args(&["check", "--tars", tars_at, text(&of_bootstraps), "--against"], &image.layers));

    // All tars are found, and are what their tags say.
    let report = json(&ok(["check", "--json", "--tars", tars_at, text(&of_tars)])).remove(0);
    assert_eq!(report["tars"].as_array().unwrap().len(), report_devices(&of_tars));
}

fn report_devices(image: &Path) -> usize {
    let report = json(&ok(["inspect", "--json", text(image)])).remove(0);
    report["devices"].as_array().unwrap().len()
}

/// The comparisons are of something: the expected tree has what the image was built to have.
#[test]
fn the_expected_tree_has_one_of_everything() {
    let Some(image) = real_image() else { return };
    let tree = expected(&image);
    let xattrs = |path: &str| &tree.get(path).unwrap().xattrs;
    let has = |path: &str, key: &str| xattrs(path).contains_key(key.as_bytes());
    assert!(has("usr/local/bin/capable", "security.capability"));
    assert!(has("srv/www", "system.posix_acl_access"));
    assert!(has("srv/www", "system.posix_acl_default"));
    assert_eq!(xattrs("srv/www")[&b"trusted.kit"[..]], [0, 0xff, 0x0a]);
    assert_eq!(xattrs("srv/www/index.html")[&b"user.comment"[..]], *b"hello");
    assert!(tree.get("usr/share/doc").is_none());
    assert!(tree.get("srv/www/start.html").is_none());
    assert_eq!(tree.get("var/www/html").unwrap().kind, Kind::File);
    assert!(tree.0.iter().any(|(path, node)| node.link != *path), "a group of links");
    assert!(tree.0.values().any(|node| node.mode & 0o6000 != 0), "set-ID bits");
    assert!(tree.0.values().any(|node| node.gid != 0), "owners");
}

#[test]
fn ls_stat_and_cat_say_what_a_mount_shows() {
    let Some(image) = real_image() else { return };
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    ok(args(&["merge", "--disk", "-o", text(&disk)], &image.layers));
    let tree = expected(&image);
    let mount = Erofs::new(&disk).mount().unwrap();
    for directory in ["", "etc", "usr/bin", "srv/www", "usr/share/nginx"] {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let below = |path: &[u8]| path.strip_prefix(prefix.as_bytes()).map(<[u8]>::to_vec);
        let names: Vec<String> = tree
            .paths()
            .filter_map(below)
            .filter(|name| !name.is_empty() && !name.contains(&b'/'))
            .map(|name| String::from_utf8(name).unwrap())
            .collect();
        let listed = ok(["ls", text(&disk), &format!("/{directory}")]);
        assert_eq!(listed.lines().collect::<BTreeSet<_>>(), names.iter().map(|n| &**n).collect());
    }
    let files = [
        "etc/passwd",
        "etc/nginx/nginx.conf",
        "etc/nginx/conf.d/site.conf/inside",
        "srv/www/index.html",
        "usr/local/bin/capable",
        "usr/share/nginx/README",
        "var/www/html",
        "usr/bin/perl",
    ];
    for file in files {
        let mut command = Command::new(run::tool());
        let cat = command.args(["cat", text(&disk), file]).output().unwrap();
        assert!(cat.status.success(), "{file}");
        assert!(cat.stdout == fs::read(mount.path().join(file)).unwrap(), "{file}");
    }
    let links = ["var/www/site", "bin"];
    for path in files.into_iter().chain(links).chain(["srv/www", "tmp", "usr/bin/passwd"]) {
        let node = tree.get(path).unwrap();
        let stat = ok(["stat", text(&disk), path]);
        let says =
            |line: String| assert!(stat.lines().any(|l| l.starts_with(&line)), "{line} of\n{stat}");
        says(format!("mode:  {:04o} ", node.mode));
        says(format!("owner: {}:{}", node.uid, node.gid));
        says(format!("links: {}", node.nlink));
        assert!(stat.contains(&format!("({}.", node.mtime.0)), "{stat}");
        if node.kind == Kind::File {
            says(format!("size:  {}", node.size));
        }
        if let Some(target) = &node.target {
            says(format!("target: {}", String::from_utf8_lossy(target)));
        }
        for key in node.xattrs.keys() {
            says(format!("xattr: {}=", String::from_utf8_lossy(key)));
        }
    }
    assert_eq!(run(["cat", text(&disk), "/srv/www/start.html"]).code, 1, "removed");
    assert_eq!(run(["ls", text(&disk), "/usr/share/doc"]).code, 1, "removed");
}
