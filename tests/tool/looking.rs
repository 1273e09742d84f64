//! What is in images, and in which way two differ: `ls`, `stat`, `cat`, `du` and `diff`, held against what GNU's
//! programs say of a mount.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::dump::{Node, Tree, dump};
use testkit::mount::Mounted;
use testkit::stacks::Stack;
use testkit::tarball::TarBuilder;

use crate::run::{Image, Place, json, mounted, ok, run};

/// An image as a disk, and mounted.
fn shown(image: &Image) -> (String, Mounted) {
    let disk = image.path("disk").to_str().unwrap().to_owned();
    ok(image.over_tars(&["merge", "--disk", "-o", &disk]));
    let mounted = mounted(Path::new(&disk));
    (disk, mounted)
}

/// What a shell says in a directory.
fn shell(directory: &Path, script: &str) -> String {
    let mut command = Command::new("bash");
    command.args(["-O", "globstar", "-O", "dotglob", "-c", script]).env("LC_ALL", "C");
    let done = command.current_dir(directory).output().unwrap();
    assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn lists_are_those_of_gnu_ls() {
    let image = Image::new();
    let (disk, mounted) = shown(&image);
    for words in ["-R usr", "-R etc usr", "etc", "usr etc", "-d usr etc", "-R etc/passwd usr/bin"] {
        let args = words.split(' ').filter(|word| !word.starts_with('-'));
        let options = words.split(' ').filter(|word| word.starts_with('-'));
        let exists = args.clone().all(|path| mounted.path().join(path).exists());
        assert!(exists, "{words}");
        let ours = ok(["ls"].into_iter().chain(options).chain([&*disk]).chain(args));
        assert_eq!(ours, shell(mounted.path(), &format!("ls -A {words}")), "{words}");
    }
    let all = json(&ok(["ls", "--json", "-R", &disk]));
    let found = shell(mounted.path(), "find . -mindepth 1 -printf '%P %m %U %G %n %y\\n' | sort");
    let lines: BTreeSet<String> = all
        .iter()
        .map(|file| {
            let kind = match file["type"].as_str().unwrap() {
                "regular file" => "f",
                "directory" => "d",
                "symbolic link" => "l",
                "character device" => "c",
                "block device" => "b",
                "FIFO" | "fifo" => "p",
                other => panic!("{other}"),
            };
            let text = |key: &str| file[key].to_string();
            let mode = u32::from_str_radix(file["mode"].as_str().unwrap(), 8).unwrap();
            let path = file["path"].as_str().unwrap().trim_start_matches('/');
            format!("{path} {mode:o} {} {} {} {kind}", text("uid"), text("gid"), text("links"))
        })
        .collect();
    assert_eq!(lines, found.lines().map(str::to_owned).collect());
}

#[test]
fn patterns_are_those_of_bash() {
    let place = Place::new();
    let mut tar = TarBuilder::new();
    for path in ["a/b.so", "a/c/d.so.1", "a/c/.hidden", "e.so", "f[1]", "a/c/f/g", "-x"] {
        tar = tar.file(path, path);
    }
    let tar = place.put("tar", &tar.finish());
    let out = place.text("out");
    ok(["extract", &tar, "-C", &out]);
    for pattern in
        ["*", "a/*", "**/*.so", "a/**/f", "*/c/*", "a/c/[df]*", "?.so", "f\\[1\\]", "{e.so,a/b.so}"]
    {
        let mut said: Vec<_> =
            ok(["ls", "-d", "--glob", &tar, pattern]).lines().map(str::to_owned).collect();
        let mut bash: Vec<_> = shell(&place.path("out"), &format!("printf '%s\\n' {pattern}"))
            .lines()
            .map(str::to_owned)
            .collect();
        said.sort();
        bash.sort();
        assert_eq!(said, bash, "{pattern}");
    }
    assert_eq!(ok(["cat", "--glob", &tar, "a/*.so", "e*"]), "a/b.soe.so");
    assert_eq!(ok(["cat", &tar, "e.so", "a/b.so", "e.so"]), "e.soa/b.soe.so");
    let ran = run(["ls", "--glob", &tar, "none*"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.ends_with("has nothing that 'none*' matches\n"), "{}", ran.stderr);
    assert_eq!(run(["ls", "--glob", &tar, "[a"]).code, 2);
    for command in ["cat", "stat"] {
        assert_eq!(run([command, &tar]).code, 2);
    }
}

#[test]
fn a_file_as_json() {
    let place = Place::new();
    let tar = TarBuilder::new().file("f", "hello\n").mode(0o4711).uid(7).mtime(-1, 5);
    let tar =
        tar.xattr("user.t", "text").xattr("user.b", [0xff, 0]).symlink("l", "f").chr("c", 5, 6);
    let tar = place.put("tar", &tar.finish());
    let all = json(&ok(["stat", "--json", &tar, "f", "/l", "c"]));
    let file = &all[0];
    assert_eq!((&file["path"], &file["mode"]), (&"f".into(), &"4711".into()));
    assert_eq!((&file["size"], &file["uid"]), (&6.into(), &7.into()));
    assert_eq!(file["mtime"], serde_json::json!([-1, 5]));
    assert_eq!((&all[1]["target"], &all[1]["path"]), (&"f".into(), &"/l".into()));
    assert_eq!(all[2]["device"], serde_json::json!([5, 6]));
    // Where it says the bytes are, they are.
    let extent = &file["extents"][0];
    let (at, bytes) =
        (extent["device_offset"].as_u64().unwrap(), extent["bytes"].as_u64().unwrap());
    let whole = fs::read(&tar).unwrap();
    assert_eq!(&whole[at as usize..(at + bytes) as usize], b"hello\n");
    let xattrs = serde_json::json!([
        {"name": "user.b", "hex": "ff00"}, {"name": "user.t", "text": "text", "hex": "74657874"}
    ]);
    let mut found = file["xattrs"].as_array().unwrap().clone();
    found.sort_by_key(|one| one["name"].to_string());
    assert_eq!(serde_json::Value::from(found), xattrs);
}

#[test]
fn usage_is_what_find_adds_up() {
    let image = Image::new();
    let (disk, mounted) = shown(&image);
    for path in ["/", "usr", "etc"] {
        let below = mounted.path().join(path.trim_start_matches('/'));
        let script = "find . -type f -printf '%i %s\\n' | sort -u | awk '{n += $2} END {print n + 0}'; find . -mindepth 1 | wc -l";
        let expected: Vec<u64> =
            shell(&below, script).lines().map(|line| line.parse().unwrap()).collect();
        let used = json(&ok(["du", "--json", "-s", &disk, path])).remove(0);
        assert_eq!(
            [used["bytes"].as_u64(), used["names"].as_u64()],
            [Some(expected[0]), Some(expected[1])],
            "{path}"
        );
    }
    let directories = shell(mounted.path(), "find . -type d | wc -l");
    assert_eq!(ok(["du", &disk]).lines().count().to_string(), directories.trim());
    // A hole is no data.
    let place = Place::new();
    let sparse = fs::File::create(place.path("sparse")).unwrap();
    sparse.set_len(1 << 20).unwrap();
    let tar = place.text("tar");
    let args = ["--sparse", "--format=pax", "-cf", &tar, "-C", &place.text(""), "sparse"];
    assert!(Command::new("tar").args(args).status().unwrap().success());
    assert_eq!(ok(["du", &tar]), "0\t/\n");
}

/// What the kernel shows of both, path by path; how files are linked does not count.
fn expected(left: &Tree, right: &Tree) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let plain = |node: &Node| Node { link: Vec::new(), nlink: 0, ..node.clone() };
    for path in left.paths().chain(right.paths()) {
        let text = format!("/{}", String::from_utf8_lossy(path));
        let change = match (left.get(path), right.get(path)) {
            (Some(_), None) => 'D',
            (None, Some(_)) => 'A',
            (Some(one), Some(other)) if plain(one) != plain(other) => 'C',
            _ => continue,
        };
        lines.insert(format!("{change} {text}"));
    }
    lines
}

/// A line of JSON as a letter and a path.
fn changed(line: &Value) -> String {
    let letter = match line["change"].as_str().unwrap() {
        "added" => 'A',
        "removed" => 'D',
        _ => 'C',
    };
    format!("{letter} /{}", line["path"].as_str().unwrap().trim_start_matches('/'))
}

#[test]
fn differences_are_those_of_mounts() {
    for (one, other) in [(1, 1), (1, 2), (3, 4), (5, 5)] {
        let images = [one, other].map(|seed| {
            let mut image = Image::new();
            image.stack = Stack::random(seed);
            image.tars.truncate(0);
            for (index, layer) in image.stack.layers.iter().enumerate() {
                let path = image.path(&format!("random-{index}.tar"));
                fs::write(&path, &layer.tar).unwrap();
                image.tars.push(path);
            }
            image
        });
        let [(left, first), (right, second)] = images.each_ref().map(shown);
        let ran = run(["diff", "--json", "--ignore", "links", &left, &right]);
        let ours: BTreeSet<String> = json(&ran.stdout).iter().map(changed).collect();
        let expected = expected(&dump(first.path()).unwrap(), &dump(second.path()).unwrap());
        let differ: Vec<_> = ours.symmetric_difference(&expected).collect();
        assert!(differ.is_empty(), "{differ:?}");
        assert_eq!(ran.code, i32::from(one != other), "{}", ran.stderr);
    }
}

#[test]
fn every_kind_of_difference() {
    let place = Place::new();
    let put = |name: &str, tar: TarBuilder| place.put(name, &tar.finish());
    let file = |body: &str| TarBuilder::new().file("f", body).mtime(1, 0);
    let rest = |tar: TarBuilder| tar.symlink("l", "to").file("x", "x");
    let one = put("one", rest(file("content")));
    let time = |second: u32| format!("1970-01-01 00:00:0{second}.000000000");
    let times = format!("mtime {} -> {}", time(1), time(2));
    for (changed, says, ignored) in [
        (file("contenT"), "content from byte 6", "content"),
        (file("content!"), "size 7 -> 8", "content"),
        (file("content").mode(0o600), "mode 0644 -> 0600", "mode"),
        (file("content").uid(5), "owner 0:0 -> 5:0", "owner"),
        (file("content").mtime(2, 0), &*times, "mtime"),
        (file("content").xattr("user.a", "b"), "xattr user.a added", "xattrs"),
    ] {
        let two = put("two", rest(changed));
        let ran = run(["diff", &one, &two]);
        assert_eq!((ran.code, ran.stdout), (1, format!("C f: {says}\n")), "{}", ran.stderr);
        let ran = run(["diff", "--ignore", ignored, &one, &two]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    }
    let links = TarBuilder::new().symlink("f", "content").symlink("l", "from").hardlink("x", "l");
    let two = put("two", links);
    let ran = run(["diff", "--json", "--ignore", "mtime", "--ignore", "mode", &one, &two]);
    let what = |line: &Value| format!("{} {}", line["path"], line["what"]);
    let what: Vec<_> = json(&ran.stdout).iter().map(what).collect();
    let expected = [
        "\"f\" [\"regular file -> symbolic link\"]",
        "\"l\" [\"links 1 -> 2\",\"target to -> from\"]",
        "\"x\" [\"regular file -> symbolic link\"]",
    ];
    assert_eq!(what, expected);
    // As diff(1) has it, what is wrong is no difference.
    let missing = place.text("missing");
    assert_eq!(run(["diff", &one, &missing]).code, 2);
    assert_eq!(run(["diff", &one, &one]).code, 0);
}
