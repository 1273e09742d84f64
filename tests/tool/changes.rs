//! Options of what is made otherwise than the layers say, of all commands that make images: label, owners, times,
//! what is left out, SELinux's labels. `tests/changed.rs` has what the library does of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::changed::Source;
use testkit::dump::{Ignore, Tree, diff, dump};
use testkit::mount::Erofs;
use testkit::oracle::{self, Verdict};

use super::run::{Image, json, ok, run, tool};

fn seen(image: &Path) -> Tree {
    dump(Erofs::new(image).mount().unwrap().path()).unwrap()
}

/// A disk of the tar, by each command that makes one.
fn disks(source: &Source, options: &[&str]) -> Vec<(&'static str, Tree)> {
    let disk = source.tar.with_extension("disk");
    let (tar, out) = (source.tar.to_str().unwrap(), disk.to_str().unwrap());
    let commands: [(&str, &[&str]); 5] = [
        ("layer", &["layer", "--disk"]),
        ("data first", &["layer", "--disk", "--placement", "data-first", "--verity"]),
        ("merge", &["merge", "--disk"]),
        ("image_block", &["export", "--mode", "image_block"]),
        ("layer_block", &["export", "--mode", "layer_block"]),
    ];
    let made = commands.map(|(name, command)| {
        ok([command, options, &["-o", out, tar]].concat());
        (name, seen(&disk))
    });
    made.into()
}

/// Each against `mkfs.erofs` with the same options.
#[test]
fn options_mean_what_they_mean_to_mkfs_erofs() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::new(dir.path()).unwrap();
    let short = Ignore::nothing().mtime_nanos();
    for options in [
        &["--all-root", "--uid-offset=10"][..],
        &["--force-uid=3", "--force-gid=4"],
        &["--gid-offset=100000"],
        &["--exclude-path=etc/a", "--exclude-path=var/cache/deep"],
        &["--exclude-regex=\\.pyc$"],
        &["--exclude-regex=^etc/[ab]$", "--exclude-regex=^(usr|lib)/bin/"],
        &["--exclude-regex=etc"],
        &["--exclude-regex=^/"],
    ] {
        let Some(want) = source.by_mkfs(options) else { return };
        for (command, got) in disks(&source, options) {
            let differs = diff(&want, &got, &short);
            assert!(differs.is_empty(), "{command} {options:?}: {differs:#?}");
        }
    }
}

/// A policy with all that lines may have, and what belongs to it beside it.
fn policy(dir: &Path) -> std::path::PathBuf {
    let path = dir.join("file_contexts");
    let lines = "# what a line may have\n\n\
        /.*\t\tsystem_u:object_r:default_t:s0\n\
        /etc(/.*)? system_u:object_r:etc_t:s0\n\
        /etc/a -- system_u:object_r:a_path_t:s0\n\
        /etc/.* -l system_u:object_r:link_t:s0\n\
        /usr/bin/[a-z]+ -- system_u:object_r:bin_t:s0\n\
        /usr/(s)?bin -d system_u:object_r:bin_dir_t:s0\n\
        /var/cache/x\\.pyc system_u:object_r:escaped_t:s0\n\
        /var/cache/.*\\.pyc system_u:object_r:pattern_t:s0\n\
        /var/cache/deep/er -d <<none>>\n\
        /opt/sh system_u:object_r:alias_t:s0\n";
    fs::write(&path, lines).unwrap();
    for (more, text) in [
        ("homedirs", "/home/[^/]+ -d system_u:object_r:home_t:s0\n"),
        ("local", "/etc/b system_u:object_r:local_t:s0\n"),
        ("subs_dist", "# others\n/srv /opt\n"),
        ("subs", "/usr/bin /srv\n"),
    ] {
        fs::write(dir.join(format!("file_contexts.{more}")), text).unwrap();
    }
    path
}

#[test]
fn labels_are_those_that_libselinux_finds() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::new(dir.path()).unwrap();
    let policy = policy(dir.path());
    let option = format!("--file-contexts={}", policy.display());
    let got = disks(&source, &[&option]);
    if let Some(want) = source.by_mkfs(&[&option]) {
        for (command, got) in &got {
            let differs = diff(&want, got, &Ignore::nothing().mtime_nanos());
            assert!(differs.is_empty(), "{command}: {differs:#?}");
        }
    }
    // An older libselinux, asked of each path. Of hard links all names have one label, so they are not asked of.
    let Some(lookup) = oracle::tool("selabel_lookup", "apt-get install selinux-utils") else {
        return;
    };
    let mut labels = BTreeSet::new();
    for (path, node) in &got[0].1.0 {
        if node.nlink > 1 && node.target.is_none() && node.sha256.is_some() {
            continue;
        }
        // The file type bits of stat(2).
        let kind = match (node.mode, &node.target, node.sha256) {
            (_, Some(_), _) => "40960",
            (_, _, Some(_)) => "32768",
            _ => "16384",
        };
        let key = format!("/{}", String::from_utf8_lossy(path));
        let mut asked = Command::new(&lookup);
        asked.args(["-b", "file", "-k", &key, "-t", kind, "-f"]).arg(&policy);
        let said = Verdict::of(&mut asked);
        let want = said.output.trim().strip_prefix("Default context: ").unwrap_or_default();
        let label = node.xattrs.get(&b"security.selinux"[..]).cloned().unwrap_or_default();
        assert_eq!(String::from_utf8(label).unwrap(), want, "{key}: {}", said.output);
        labels.insert(want.to_owned());
    }
    assert!(labels.len() == 7 && labels.contains(""), "{labels:?}");
}

#[test]
fn a_label_is_what_blkid_says() {
    let image = Image::new();
    let disk = image.path("image.disk");
    let out = disk.to_str().unwrap();
    for label in ["a", "fifteen-bytes.."] {
        ok(image.over_tars(&["merge", "--disk", "-L", label, "-o", out]));
        let said =
            Verdict::of(Command::new("blkid").args(["-p", "-s", "LABEL", "-o", "value", out]));
        assert_eq!(said.output.trim(), label);
    }
    for label in ["", "sixteen bytes...", "acht\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}"] {
        let refused = run(image.over_tars(&["merge", "--disk", "--label", label, "-o", out]));
        assert_eq!(refused.code, 2, "{label}");
        assert!(refused.stderr.contains("not 1 to 15"), "{}", refused.stderr);
    }
}

/// The hash that `root` says ahead is that of the disk, with all changes.
#[test]
fn root_and_export_make_the_same_changes() {
    let image = Image::new();
    let policy = image.path("file_contexts");
    fs::write(&policy, "/.* u:r:t:s0\n").unwrap();
    let disk = image.path("image.disk");
    let contexts = format!("--file-contexts={}", policy.display());
    let plain = ok(image.over_tars(&["root"]));
    let mut roots = BTreeSet::from([plain.clone()]);
    for options in [
        &["--force-uid=1"][..],
        &["--uid-offset", "7"],
        &["--gid-offset=7"],
        &["--clamp-mtime=-1"],
        &["--exclude-regex=e"],
        &["--label=x"],
        &[&contexts],
    ] {
        let ahead = ok(image.over_tars(&[&["root"], options].concat()));
        let out = ["-o", disk.to_str().unwrap(), "--json"];
        let export = ["export", "--mode", "image_block_with_verity"];
        let said = ok(image.over_tars(&[&export[..], options, &out].concat()));
        assert_eq!(json(&said)[0]["verity"]["root_hash"], ahead.trim(), "{options:?}");
        roots.insert(ahead);
    }
    assert_eq!(roots.len(), 8, "each changes something");
    let each = ok(image.over_tars(&["root", "--each-layer", "--force-gid=1"]));
    assert_ne!(each, ok(image.over_tars(&["root", "--each-layer"])));
    let same = ok(image.over_tars(&["root", "--uid-offset=0", "--exclude-path=no/such"]));
    assert_eq!(same, plain);
}

#[test]
fn the_latest_time_is_that_of_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::new(dir.path()).unwrap();
    let disk = source.tar.with_extension("disk");
    let run = |epoch: Option<&str>| {
        let mut command = Command::new(tool());
        command.env_remove("SOURCE_DATE_EPOCH");
        epoch.map(|epoch| command.env("SOURCE_DATE_EPOCH", epoch));
        command.args(["layer", "--disk", "--clamp-mtime", "-o"]).arg(&disk).arg(&source.tar);
        Verdict::of(&mut command)
    };
    run(Some("1500000000")).expect_ok("with a time");
    let seen = seen(&disk);
    assert_eq!(seen.get("etc/b").unwrap().mtime, (1_500_000_000, 0));
    assert_eq!(seen.get("var").unwrap().mtime, (1_500_000_000, 0), "half a second later");
    assert_eq!(seen.get("etc/a").unwrap().mtime, (1000, 0));
    for (epoch, says) in [
        (None, "SOURCE_DATE_EPOCH is not set: --clamp-mtime=SECONDS, or set it"),
        (Some("today"), "SOURCE_DATE_EPOCH=today: not a number of seconds since 1970"),
        (Some(""), "not a number of seconds"),
    ] {
        let refused = run(epoch);
        assert!(!refused.ok && refused.output.contains(says), "{}", refused.output);
    }
}

/// A layer of several that hide each other: what is left out is left out of what they come to.
#[test]
fn excludes_are_of_the_merged_layers() {
    let image = Image::new();
    let disk = image.path("image.disk");
    let before = {
        ok(image.over_tars(&["merge", "--disk", "-o", disk.to_str().unwrap()]));
        seen(&disk)
    };
    ok(image.over_tars(&["merge", "--disk", "--exclude-path=/etc/", "-o", disk.to_str().unwrap()]));
    let after = seen(&disk);
    let want: Vec<&[u8]> =
        before.paths().filter(|path| *path != b"etc" && !path.starts_with(b"etc/")).collect();
    assert!(want.len() < before.paths().count());
    assert_eq!(after.paths().collect::<Vec<_>>(), want);
}

#[test]
fn what_makes_no_sense_is_said() {
    let image = Image::new();
    let out = image.path("refused");
    let policy = |text: &str| {
        let path = image.path(&format!("{}.policy", text.len()));
        fs::write(&path, text).unwrap();
        format!("--file-contexts={}", path.display())
    };
    for (option, code, says) in [
        ("--exclude-path=/", 2, "--exclude-path /: the root can't be left out"),
        ("--exclude-path=a/../b", 2, "--exclude-path a/../b: a path from the root on, without .."),
        ("--exclude-regex=a(", 2, "--exclude-regex: regex parse error"),
        ("--uid-offset=-1", 1, "owner 0 and an offset of -1 make no owner: 0 to 4294967294"),
        ("--file-contexts=no-such", 1, "no-such: is not there"),
        (&policy("/etc"), 1, "policy: line 1: no label behind the pattern"),
        (&policy("\n/etc -x a"), 1, "policy: line 2: -x: no type of file: --, -d, -l, -c"),
        (&policy("/etc( a"), 1, "policy: line 1: regex parse error"),
        (&policy("/a{999}{999}{999} a"), 1, "policy: line 1: Compiled regex exceeds size limit"),
    ] {
        let refused = run(image.over_tars(&["merge", option, "-o", out.to_str().unwrap()]));
        assert_eq!(refused.code, code, "{option}: {}", refused.stderr);
        assert!(refused.stderr.contains(says), "{option}: {}", refused.stderr);
        assert!(!out.exists());
    }
    let both = run(image.over_tars(&["root", "--all-root", "--force-uid=0"]));
    assert_eq!(both.code, 2);
    // Mistyped paths are told, and change nothing.
    let said = run(image.over_tars(&["root", "--exclude-path=ect/passwd"]));
    assert!(said.stderr.contains("--exclude-path ect/passwd: nothing has this path"));
    // The policy is an input: no output takes its place.
    fs::write(&out, "/.* a\n").unwrap();
    let contexts = format!("--file-contexts={}", out.display());
    let refused = run(image.over_tars(&["merge", &contexts, "-o", out.to_str().unwrap()]));
    assert!(refused.code != 0 && fs::read(&out).unwrap() == b"/.* a\n", "{}", refused.stderr);
}
