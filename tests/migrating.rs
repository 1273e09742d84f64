//! The commands of MIGRATING.md are run as they stand, and print what stands there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use testkit::oracle::{gnu_tar, tool};
use testkit::program;

/// Stands between the outputs of two commands.
const MARK: &str = "----";

/// The commands of a page, each with the lines that it prints.
fn commands(page: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut shown = false;
    for line in page.lines() {
        match (shown, line) {
            (false, "```console") => shown = true,
            (true, "```") => shown = false,
            (true, line) => match (line.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => found.push((command, String::new())),
                (None, Some((_, output))) => *output += &format!("{line}\n"),
                (None, None) => panic!("{line:?} stands before the first command"),
            },
            _ => {}
        }
    }
    found
}

#[test]
fn each_command_prints_what_the_page_shows() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("MIGRATING.md"));
    let page = page.unwrap();
    let commands = commands(&page);
    assert!(commands.len() > 20, "{} commands", commands.len());
    if gnu_tar().is_none() || tool("veritysetup", "apt-get install cryptsetup-bin").is_none() {
        return;
    }
    let dir = TempDir::with_prefix("tarfs-migrating-").unwrap();
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for name in ["tarfs", "nydus-image"] {
        symlink(program::example(name), bin.join(name)).unwrap();
    }
    let work = dir.path().join("work");
    fs::create_dir(&work).unwrap();
    let script: String = commands
        .iter()
        .map(|(command, _)| format!("{command} || echo \"exit $?\"\necho {MARK}\n"))
        .collect();
    let path = std::env::var("PATH").unwrap();
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(format!("exec 2>&1 </dev/null\n{script}")).current_dir(&work);
    shell.env("PATH", format!("{}:{path}:/usr/sbin", bin.display())).env("LC_ALL", "C");
    let output = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    let mark = format!("{MARK}\n");
    let mut seen = output.split(&mark);
    for (command, expected) in &commands {
        assert_eq!(seen.next(), Some(expected.as_str()), "$ {command}\n{output}");
    }
    assert_eq!(seen.next(), Some(""));
}
