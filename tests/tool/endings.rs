//! How tars end, and what others make of each ending: the table of ARCHITECTURE.md, measured.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::oracle;

use crate::run::{Image, Ran, ok, run, tool};

/// What a reader does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// It takes what is there, so many files.
    Takes(usize),
    /// It takes them, and says something.
    Warns(usize),
    /// It ends with an error.
    Fails,
}

use Does::{Fails, Takes, Warns};

/// An ending, and what we, GNU tar and Go's archive/tar make of it. containerd reads with the last,
/// and takes what it takes.
struct Row {
    name: &'static str,
    tar: Vec<u8>,
    ours: Does,
    gnu: Does,
    go: Does,
}

/// A header and a body of 700 bytes, padded.
fn entry(name: &str) -> Vec<u8> {
    let whole = testkit::tarball::TarBuilder::new().file(name, [7; 700]).finish();
    whole[..1536].to_vec()
}

/// A hard link to `a` that has its file's bytes behind it, as POSIX allows in a pax archive. Readers differ:
/// Python's tarfile and mkfs.erofs 1.9.4 take them for the end, GNU tar and Go too where they begin with 1024 zeros,
/// or are a tar (findings/links-with-bodies.sh).
fn link_with_body(body: &[u8]) -> Vec<u8> {
    let mut link = testkit::tarball::TarBuilder::new().file("l", body).finish();
    link.truncate(512 + body.len().next_multiple_of(512));
    link[156..158].copy_from_slice(b"1a");
    link[148..156].fill(b' ');
    let sum: u32 = link[..512].iter().copied().map(u32::from).sum();
    link[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    link
}

fn rows() -> Vec<Row> {
    let files = [entry("a"), entry("b")].concat();
    let zeros = |len: usize| vec![0; len];
    let and = |parts: &[&[u8]]| parts.concat();
    let row = |name, tar, ours, gnu, go| Row { name, tar, ours, gnu, go };
    let two = Takes(2);
    let lone = and(&[&entry("a"), &zeros(512), &entry("b"), &zeros(1024)]);
    let second = and(&[&entry("a"), &zeros(1024), &entry("b"), &zeros(1024)]);
    vec![
        row("two zero blocks", and(&[&files, &zeros(1024)]), two, two, two),
        row("a record of zeros", and(&[&files, &zeros(10_240 - files.len())]), two, two, two),
        row("one zero block", and(&[&files, &zeros(512)]), Warns(2), Warns(2), two),
        row("no zero block", files.clone(), Warns(2), two, two),
        row("cut between entries", entry("a"), Warns(1), Takes(1), Takes(1)),
        row("half a zero block", and(&[&files, &zeros(256)]), Warns(2), two, Fails),
        row("one and a half", and(&[&files, &zeros(768)]), Warns(2), Warns(2), Fails),
        row("cut in a header", and(&[&files, &entry("c")[..300]]), Fails, two, Fails),
        row("cut in a body", files[..files.len() - 600].to_vec(), Fails, Fails, Fails),
        row("cut in a body's padding", files[..files.len() - 100].to_vec(), Warns(2), Fails, two),
        row("bytes behind the end", and(&[&files, &zeros(1024), &[7; 512]]), two, two, two),
        row("three bytes behind the end", and(&[&files, &zeros(1024), b"xyz"]), two, two, two),
        row("a second archive behind it", second, Takes(1), Takes(1), Takes(1)),
        row("a lone zero block, then more", lone, Fails, Warns(1), Fails),
        row("what is no header", and(&[&files, &[7; 512]]), Fails, Fails, Fails),
        row(
            "a hard link's body, then more",
            and(&[&files, &link_with_body(&[7; 700]), &entry("c")]),
            Fails,
            Fails,
            Fails,
        ),
        row(
            "a hard link's body of zeros, then more",
            and(&[&files, &link_with_body(&zeros(3000)), &entry("c"), &zeros(1024)]),
            Fails,
            Takes(3),
            Takes(3),
        ),
        row(
            "a hard link's body that is a tar, then more",
            and(&[
                &files,
                &link_with_body(&[entry("in"), zeros(1024)].concat()),
                &entry("c"),
                &zeros(1024),
            ]),
            Fails,
            Takes(4),
            Takes(4),
        ),
        row(
            "a hard link's body of zeros, then the end",
            and(&[&files, &link_with_body(&zeros(3000)), &zeros(1024)]),
            Takes(3),
            Takes(3),
            Takes(3),
        ),
        row("no byte", Vec::new(), Fails, Fails, Takes(0)),
        row("two zero blocks alone", zeros(1024), Takes(0), Takes(0), Takes(0)),
        row("one zero block alone", zeros(512), Warns(0), Warns(0), Takes(0)),
        row("zeros, then bytes", and(&[&zeros(1024), &[7; 1024]]), Fails, Takes(0), Takes(0)),
        row("zeros, bytes far behind", and(&[&zeros(70_000), &[7; 10]]), Fails, Takes(0), Takes(0)),
    ]
}

/// What GNU tar does, in a directory of its own.
fn gnu_tar(tar: &Path) -> Does {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("tar");
    let ran = command.arg("-C").arg(dir.path()).arg("-xf").arg(tar).output().unwrap();
    let files = fs::read_dir(dir.path()).unwrap().count();
    match (ran.status.success(), ran.stderr.is_empty()) {
        (false, _) => Fails,
        (true, true) => Takes(files),
        (true, false) => Warns(files),
    }
}

const GO: &str = r#"package main

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
)

func main() {
	for _, name := range os.Args[1:] {
		file, _ := os.Open(name)
		reader, count := tar.NewReader(file), 0
		_, err := reader.Next()
		for ; err == nil; _, err = reader.Next() {
			count++
			if _, err = io.Copy(io.Discard, reader); err != nil {
				break
			}
		}
		fmt.Println(count, err == io.EOF)
	}
}
"#;

/// What Go's archive/tar does with each.
fn go(dir: &Path, tars: &[std::path::PathBuf]) -> Option<Vec<Does>> {
    let go = oracle::tool("go", "install Go 1.26 or later")?;
    let source = dir.join("main.go");
    fs::write(&source, GO).unwrap();
    let ran = Command::new(go).arg("run").arg(&source).args(tars).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let lines = String::from_utf8(ran.stdout).unwrap();
    let does = lines.lines().map(|line| match line.split_once(' ').unwrap() {
        (count, "true") => Takes(count.parse().unwrap()),
        _ => Fails,
    });
    Some(does.collect())
}

/// What the tool does, by its exit code and what it says.
fn ours(ran: &Ran, image: &Path) -> Does {
    if ran.code != 0 {
        assert!(!image.exists() && ran.code == 1, "{}", ran.stderr);
        return Fails;
    }
    let files = ok(["ls".as_ref(), image.as_os_str()]).lines().count();
    match ran.stderr.starts_with("tarfs: warning: ") {
        true => Warns(files),
        false => {
            assert_eq!(ran.stderr, "");
            Takes(files)
        }
    }
}

/// A layer of standard input.
fn of_stream(bytes: &[u8], args: &[&str], out: &Path) -> Ran {
    let mut command = Command::new(tool());
    command.arg("layer").args(args).arg("-o").arg(out).arg("-");
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have seen enough.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    child.wait_with_output().unwrap().into()
}

#[test]
fn every_ending_as_others_have_it_or_said_why_not() {
    let image = Image::new();
    let rows = rows();
    let mut paths = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        paths.push(image.path(&format!("ending{index}.tar")));
        fs::write(&paths[index], &row.tar).unwrap();
    }
    let out = image.path("out");
    for (row, path) in rows.iter().zip(&paths) {
        assert_eq!(gnu_tar(path), row.gnu, "GNU tar: {}", row.name);
        for options in [
            &["layer"][..],
            &["layer", "--blob-id", "x"],
            &["layer", "--disk", "--verity", "--placement", "data-first"],
            &["merge"],
            &["export", "--mode", "image_block"],
        ] {
            let run = |more: &[&str]| {
                let _ = fs::remove_file(&out);
                let words = options.iter().chain(more).chain(&["-o"]).map(std::ffi::OsStr::new);
                run(words.chain([out.as_os_str(), path.as_os_str()]))
            };
            assert_eq!(ours(&run(&[]), &out), row.ours, "{options:?}: {}", row.name);
            let strict = match row.ours {
                Warns(_) => Fails,
                does => does,
            };
            assert_eq!(ours(&run(&["--strict"]), &out), strict, "{options:?}: {}", row.name);
        }
        let zst = zstd::encode_all(&row.tar[..], 1).unwrap();
        for options in [
            &["--disk"][..],
            &["--index-only"],
            &["--disk", "--placement", "data-first"],
            &["--disk", "--placement", "data-first", "--verity"],
        ] {
            for bytes in [&row.tar, &zst] {
                let _ = fs::remove_file(&out);
                let ran = of_stream(bytes, options, &out);
                assert_eq!(ours(&ran, &out), row.ours, "a stream, {options:?}: {}", row.name);
            }
        }
    }
    if let Some(go) = go(image.dir.path(), &paths) {
        for (row, does) in rows.iter().zip(go) {
            assert_eq!(does, row.go, "Go: {}", row.name);
        }
    }
}

/// The table in the text has each row, in the same words.
#[test]
fn the_table_says_what_is_measured() {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let word = |does| match does {
        Takes(_) => "taken",
        Warns(_) => "taken, said",
        Fails => "error",
    };
    for Row { name, ours, gnu, go, .. } in rows() {
        let line = format!("| {name} | {} | {} | {} |", word(ours), word(gnu), word(go));
        assert!(text.contains(&line), "{line}");
    }
}

/// Whatever comes before it in a pipe, nothing of it is an image.
#[test]
fn a_command_that_gives_nothing() {
    let image = Image::new();
    let dir = image.path("alone");
    fs::create_dir(&dir).unwrap();
    let out = dir.join("out");
    for options in [&[][..], &["--disk"], &["--index-only"], &["--disk", "--verity"]] {
        let ran = of_stream(b"", options, &out);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains("is empty"), "{}", ran.stderr);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "{options:?}");
    }
}
