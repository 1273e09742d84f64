//! Names that act on a terminal: `ls` of GNU says how they are quoted.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use testkit::oracle;
use testkit::rng::Rng;
use testkit::tarball::TarBuilder;

use crate::run::{Image, json, ok, run, tool};

/// Names with each odd thing in each place, and some at random.
fn names() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    for byte in (1..=255u8).filter(|byte| *byte != b'/' && *byte != b'.') {
        names.extend([vec![byte], vec![b'a', byte], vec![byte, b'a'], vec![b'a', byte, b'b']]);
        names.extend([vec![byte, b'\''], vec![byte, 1], vec![1, byte], vec![byte, byte, b' ']]);
    }
    for text in
        ["it's", "it's $5", "\u{e9}t\u{e9}", "e\u{301}", "日本 語", "\u{1b}[31mred", "a\\b c"]
    {
        names.push(text.as_bytes().to_vec());
    }
    let mut rng = Rng::new(8);
    for _ in 0..300 {
        let len = 1 + rng.below(8) as usize;
        let alphabet = b"ab'\"\\ $\n\x1b\x7f#~{}=!\xc3\xa9\xff";
        let pick = |_| alphabet[rng.below(alphabet.len() as u64) as usize];
        names.push((0..len).map(pick).collect());
    }
    names.sort();
    names.dedup();
    names
}

fn sorted(mut names: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    names.sort();
    names
}

/// A command on a terminal of its own, what it writes there.
fn on_a_terminal(command: &str) -> Vec<u8> {
    let run = Command::new("script").args(["-qefc", command, "/dev/null"]).output().unwrap();
    assert!(run.status.success(), "{command}: {}", String::from_utf8_lossy(&run.stdout));
    // The terminal puts a carriage return before each newline.
    let lines = run.stdout.split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect::<Vec<_>>().join(&b'\n')
}

fn word(path: &Path) -> String {
    format!("'{}'", path.display())
}

#[test]
fn names_are_quoted_as_gnu_ls_does() {
    let Some(_) = oracle::tool("script", "apt-get install bsdutils") else { return };
    let dir = tempfile::tempdir().unwrap();
    let (files, tar) = (dir.path().join("files"), dir.path().join("names.tar"));
    fs::create_dir(&files).unwrap();
    let mut archive = TarBuilder::new();
    for name in names() {
        fs::write(files.join(OsStr::from_bytes(&name)), "").unwrap();
        archive = archive.file(&name, b"");
    }
    fs::write(&tar, archive.finish()).unwrap();
    let mut ls = Command::new("ls");
    ls.args(["-1", "-A", "--quoting-style=shell-escape"]).env("LC_ALL", "C.UTF-8").arg(&files);
    let shown = ls.output().unwrap().stdout;
    // Where an apostrophe meets what does not print, `ls` of coreutils 9.1 forgets that it began
    // anew, and loses a quote: `'\303''"'` for what bash reads from ours.
    let both = |line: &&[u8]| line.windows(2).any(|two| two == b"\\'") && line.contains(&b'$');
    let shown = || shown.split(|byte| *byte == b'\n');
    let mut expected: Vec<_> = shown().filter(|line| !both(line)).collect();
    let terminal = on_a_terminal(&format!("{} ls {} 2>/dev/null", word(tool()), word(&tar)));
    let mut ours: Vec<_> = terminal.split(|byte| *byte == b'\n').collect();
    let script = [b"printf '%s\\0' ", &ours.join(&b' ')[..]].concat();
    let read = Command::new("bash").arg("-c").arg(OsStr::from_bytes(&script)).output().unwrap();
    let mut read: Vec<_> = read.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    read.retain(|name| !name.is_empty());
    read.sort();
    assert!(read == sorted(names()), "bash reads what it was");
    ours.retain(|line| !both(line));
    expected.sort();
    ours.sort();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let only = |these: &[&[u8]], those: &[&[u8]]| -> Vec<String> {
        these
            .iter()
            .filter(|name| those.binary_search(name).is_err())
            .map(|name| text(name))
            .collect()
    };
    assert_eq!(only(&ours, &expected), only(&expected, &ours));
    assert_eq!(ours.len(), expected.len());

    // Piped they are raw, and with -0 newlines in them are told from those between them.
    let names = sorted(names());
    let raw = |args: &[&str]| {
        let run = Command::new(tool()).arg("ls").args(args).arg(&tar).output().unwrap();
        assert!(run.status.success());
        run.stdout
    };
    assert!(
        raw(&["-0"])
            == names.iter().flat_map(|name| [name, &b"\0"[..]].concat()).collect::<Vec<_>>()
    );
    assert!(
        raw(&[]) == names.iter().flat_map(|name| [name, &b"\n"[..]].concat()).collect::<Vec<_>>()
    );
    let asked = on_a_terminal(&format!("{} ls --raw {}", word(tool()), word(&tar)));
    assert!(asked.windows(4).any(|bytes| bytes == b"\x1b[31"));
}

/// Nothing that a terminal obeys, and one line.
#[track_caller]
fn harmless(text: &str) {
    let acts = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}');
    assert!(!text.contains(acts), "{text:?}");
}

#[test]
fn nothing_in_a_layer_acts_on_the_terminal() {
    let image = Image::new();
    let tar = image.path("odd.tar");
    let evil = "a\u{1b}[2J\u{202e}\nb";
    let archive =
        TarBuilder::new().file(evil, b"x").symlink("link", format!("to{evil}")).dir("d", 0o755);
    fs::write(&tar, archive.finish()).unwrap();
    let (tar, program) = (word(&tar), word(tool()));
    for command in [
        format!("{program} ls -l {tar}"),
        format!("{program} stat {tar} link"),
        format!("{program} stat {tar} 'a\u{1b}[2J\u{202e}\nb'"),
    ] {
        let shown = on_a_terminal(&format!("{command} 2>/dev/null"));
        harmless(&String::from_utf8(shown).unwrap());
    }
    // A tag is a name of somebody else's too.
    let out = image.path("out.erofs");
    let id = "\u{1b}]0;evil\u{7}";
    ok([
        "layer".as_ref(),
        "--blob-id".as_ref(),
        OsStr::new(id),
        "-o".as_ref(),
        out.as_os_str(),
        image.tars[0].as_os_str(),
    ]);
    harmless(
        &String::from_utf8(on_a_terminal(&format!("{program} inspect {} 2>/dev/null", word(&out))))
            .unwrap(),
    );
    harmless(
        &String::from_utf8(on_a_terminal(&format!(
            "{program} stat {} etc/issue 2>/dev/null",
            word(&out)
        )))
        .unwrap(),
    );
    fs::remove_file(&image.tars[0]).unwrap();
    let ran = run(["cat".as_ref(), out.as_os_str(), "etc/issue".as_ref()]);
    assert_eq!(ran.code, 1);
    harmless(&ran.stderr);
}

#[test]
fn errors_are_quoted_and_short() {
    let image = Image::new();
    let tar = image.tars[0].to_str().unwrap();
    let long = "x\u{1b}".repeat(32 << 10);
    let odd = image.path("evil\u{1b}[2J\n\u{202e}.tar");
    fs::write(&odd, [7; 700]).unwrap();
    let odd = odd.to_str().unwrap();
    let out = image.path("o");
    let out = out.to_str().unwrap();
    for args in [
        &["cat", tar, &long][..],
        &["ls", tar, &long],
        &["stat", tar, &long],
        &["cat", tar, "no\u{1b}[2J"],
        &["ls", &long],
        &["merge", "-o", out, odd],
        &["layer", "-o", out, odd],
        &["check", odd],
        &["export", "--mode", "image_block", "--uuid", &long, "-o", out, tar],
        &["export", "--mode", &long, "-o", out, tar],
        &["export", "--sealed", odd, "--mode", "image_block", "-o", out, tar],
        &["no\u{1b}[2J"],
    ] {
        let ran = run(args);
        assert!(ran.code == 1 || ran.code == 2, "{}", ran.stderr);
        harmless(&ran.stderr);
        assert!(ran.stderr.len() < 8192, "{} bytes of error", ran.stderr.len());
        if ran.code == 1 {
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        }
    }
    // A command that would name another file.
    let odd = image.dir.path().join(OsStr::from_bytes(b"odd\xff.disk"));
    ok(["layer".as_ref(), "--disk".as_ref(), "-o".as_ref(), odd.as_os_str(), tar.as_ref()]);
    let ran = run(["mount-args".as_ref(), odd.as_os_str()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains(r"'$'\377'"), "{}", ran.stderr);
    // A tar that names what is not right in it.
    let bad = image.path("bad.tar");
    let archive = TarBuilder::new().hardlink("l\u{1b}[2J", "to\u{1b}[2J\n").finish();
    fs::write(&bad, archive).unwrap();
    let ran = run(["layer".as_ref(), bad.as_os_str()]);
    assert_eq!(ran.code, 1);
    harmless(&ran.stderr);
}

/// Whatever is in a path, and however long a command is: it can be taken from the terminal.
#[test]
fn commands_on_a_terminal_are_whole() {
    let Some(_) = oracle::tool("script", "apt-get install bsdutils") else { return };
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join("a \u{1b}[31m\nb'c");
    fs::create_dir(&odd).unwrap();
    let [tar, boot, disk] = ["one.tar", "boot", "disk"].map(|name| odd.join(name));
    fs::write(&tar, TarBuilder::new().file("f", "x").finish()).unwrap();
    ok(["layer".as_ref(), "-o".as_ref(), boot.as_os_str(), tar.as_os_str()]);
    let sealed = ["layer", "--disk", "--verity", "--json", "-o"].map(OsStr::new);
    let report = json(&ok(sealed.into_iter().chain([disk.as_os_str(), tar.as_os_str()])));
    let root = format!("--root {}", report[0]["verity"]["root_hash"].as_str().unwrap());
    // Longer than the line of an error may be.
    let point = format!("/{}", ["p"; 12].map(|part| part.repeat(250)).join("/"));
    for (name, root) in [("boot", ""), ("disk", &root)] {
        // A shell that goes there, so that no line of this one has the odd name.
        let script = dir.path().join("script");
        let (at, tool) = (word(dir.path()), word(tool()));
        let command =
            format!("exec {tool} mount-args {root} --mount-point {point} \"$PWD/{name}\"");
        fs::write(&script, format!("cd {at}/a*; {command} 2>/dev/null\n")).unwrap();
        let terminal = on_a_terminal(&format!("bash {}", word(&script)));
        let piped = Command::new("bash").arg(&script).output().unwrap().stdout;
        assert!(!terminal.contains(&0x1b) && piped.contains(&0x1b), "{name}");
        // What the programs get: the same of both.
        let words = |commands: &[u8]| {
            let print = "() { printf '<%s>' \"$@\" >&2; echo /dev/name; }\n";
            let programs = ["mount", "losetup", "veritysetup"].map(|name| format!("{name}{print}"));
            let script = [programs.concat().as_bytes(), commands].concat();
            let ran = Command::new("bash").arg("-c").arg(OsStr::from_bytes(&script)).output();
            let said = String::from_utf8(ran.unwrap().stderr).unwrap();
            assert!(said.starts_with('<') && said.ends_with('>'), "something else ran: {said}");
            said
        };
        let (words, expected) = (words(&terminal), words(&piped));
        assert_eq!(words, expected);
        let image = odd.join(name);
        assert!(words.contains(&point) && words.contains(image.to_str().unwrap()), "{words}");
    }
}
