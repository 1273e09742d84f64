//! What is installed beside the tool: manual pages, read by mandoc(1), and completions, asked for by the shells
//! themselves.

use std::fs;
use std::path::Path;
use std::process::Command;

use testkit::oracle;

use crate::run::{Place, ok, tool};

/// What a program says; it must be content, and complain of nothing.
#[track_caller]
fn said(program: &Path, args: &[&str], directory: &Path) -> String {
    let done = Command::new(program).args(args).current_dir(directory).output().unwrap();
    let error = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && error.is_empty(), "{program:?} {args:?}: {error}");
    String::from_utf8(done.stdout).unwrap()
}

/// A page for each command, of which mandoc has nothing to say but how lines are broken.
#[test]
fn manual_pages() {
    let place = Place::new();
    let pages = place.path("man/man1");
    ok(["manual", pages.to_str().unwrap()]);
    let mut names: Vec<_> =
        fs::read_dir(&pages).unwrap().map(|page| page.unwrap().file_name()).collect();
    names.sort();
    let help = ok(["--help"]);
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    for command in commands.lines().filter_map(|line| line.split_whitespace().next()) {
        let page = format!("tarfs-{command}.1");
        assert!(command == "help" || names.iter().any(|name| *name == *page), "{page}");
    }
    let Some(mandoc) = oracle::tool("mandoc", "apt-get install mandoc") else { return };
    for name in &names {
        let name = name.to_str().unwrap();
        said(&mandoc, &["-Tlint", "-W", "warning", name], &pages);
        let text = said(&mandoc, &["-Tutf8", name], &pages).replace(['\u{8}', '_'], "");
        assert!(text.contains("NAME") || text.contains("NNAAMMEE"), "{name}");
    }
    // What a help has behind the options keeps its lines.
    let text = said(&mandoc, &["-Tlocale", "-O", "width=100", "tarfs-mount.1"], &pages);
    let example = "  tarfs mount image.erofs /mnt                       # over its tars";
    assert!(text.contains(example), "{text}");
    // mandoc would have complained of this.
    fs::write(pages.join("bad.1"), ".TH bad 1 nodate\n.SH NAME\nbad\n.nosuchmacro\n").unwrap();
    let lint =
        Command::new(mandoc).args(["-Tlint", "-W", "warning"]).arg(pages.join("bad.1")).output();
    assert!(!lint.unwrap().stdout.is_empty());
}

/// `make install` copies the program, its pages and completions, and `make uninstall` takes all of it away.
#[test]
fn installed_and_taken_away() {
    let Some(make) = oracle::tool("make", "apt-get install make") else { return };
    let place = Place::new();
    let stage = place.text("stage");
    let (built, destination) = (tool().parent().unwrap().display(), format!("DESTDIR={stage}"));
    let (built, here) = (format!("BUILT={built}"), Path::new(env!("CARGO_MANIFEST_DIR")));
    // Root may have no Cargo. Stripping the dev build takes longer than all else.
    let asked = |target: &str| {
        let words = ["-s", target, "PREFIX=/usr", "CARGO=false", "STRIP=:", &built, &destination];
        said(&make, &words, &here.join("examples/tarfs"))
    };
    asked("install");
    let files = || -> Vec<String> {
        let mut found = Vec::new();
        let mut directories = vec![place.path("stage")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap()) {
                match entry.file_type().unwrap().is_dir() {
                    true => directories.push(entry.path()),
                    false => found.push(entry.path().display().to_string().replace(&stage, "")),
                }
            }
        }
        found.sort();
        found
    };
    let installed = files();
    for file in [
        "/usr/bin/tarfs",
        "/usr/share/bash-completion/completions/tarfs",
        "/usr/share/fish/vendor_completions.d/tarfs.fish",
        "/usr/share/man/man1/tarfs.1",
        "/usr/share/man/man1/tarfs-verity-format.1",
        "/usr/share/zsh/site-functions/_tarfs",
    ] {
        assert!(installed.iter().any(|found| found == file), "{file}: {installed:?}");
    }
    let program = place.path("stage/usr/bin/tarfs");
    assert_eq!(said(&program, &["--version"], &place.path("")), ok(["--version"]));
    asked("uninstall");
    assert!(files().is_empty(), "{:?}", files());
}

/// The same twice, without a clock or the place in it.
#[test]
fn manual_pages_are_the_same_each_time() {
    let place = Place::new();
    let pages = ["one", "two"].map(|name| {
        ok(["manual", &place.text(name)]);
        fs::read(place.path(name).join("tarfs-export.1")).unwrap()
    });
    assert!(pages[0] == pages[1]);
}

#[test]
fn bash_completes() {
    let place = Place::new();
    place.put("tarfs.bash", ok(["completions", "bash"]).as_bytes());
    let Some(bash) = oracle::tool("bash", "apt-get install bash") else { return };
    let completed = |words: &str, last: &str, before: &str| {
        let count = words.split(' ').count() - 1;
        let script = format!(
            "source tarfs.bash; COMP_WORDS=({words}); COMP_CWORD={count}; _tarfs tarfs {last} {before}; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        said(&bash, &["--norc", "-c", &script], &place.path(""))
    };
    assert_eq!(completed("tarfs mount --ov", "--ov", "mount"), "--overlay\n--overlay-option\n");
    assert_eq!(completed("tarfs umo", "umo", "tarfs"), "umount\n");
    assert_eq!(
        completed("tarfs export --mode image_v", "image_v", "--mode"),
        "image_verity_only\n"
    );
}

#[test]
fn fish_completes() {
    let place = Place::new();
    place.put("tarfs.fish", ok(["completions", "fish"]).as_bytes());
    let Some(fish) = oracle::tool("fish", "apt-get install fish") else { return };
    let completed = |line: &str| {
        let script = format!("source tarfs.fish; complete -C '{line}'");
        let all = said(&fish, &["--no-config", "-c", &script], &place.path(""));
        all.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(completed("tarfs mount --ov"), ["--overlay", "--overlay-option"]);
    assert_eq!(completed("tarfs umo"), ["umount"]);
    assert_eq!(completed("tarfs export --mode image_v"), ["image_verity_only"]);
}

/// zsh completes on a terminal alone, which its module zpty makes.
#[test]
fn zsh_completes() {
    let place = Place::new();
    fs::create_dir(place.path("functions")).unwrap();
    place.put("functions/_tarfs", ok(["completions", "zsh"]).as_bytes());
    let Some(zsh) = oracle::tool("zsh", "apt-get install zsh") else { return };
    let script = "\
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z \"PS1='> '; fpath=($PWD/functions \\$fpath); autoload -U compinit; compinit -u -D; \
bindkey '^I' complete-word; echo RE''ADY\"
zpty -r z line '*READY*'
zpty -n -w z $'tarfs mount --ov\\t'
zpty -r z line '*--overlay*'
zpty -n -w z $'\\C-utarfs umo\\t'
zpty -r z line '*umount*'
echo completed
zpty -d z
";
    place.put("script", script.as_bytes());
    let mut command = Command::new("timeout");
    command.arg("60").arg(zsh).args(["-f", "script"]).current_dir(place.path(""));
    let done = command.output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(text.contains("completed"), "{text} {}", String::from_utf8_lossy(&done.stderr));
}
