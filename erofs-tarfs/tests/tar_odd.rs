//! Odd archives, put to GNU tar and to Go's archive/tar: where the two agree on what is in one,
//! so do we; where they do not, the case says what we do.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")]

mod tar_kit;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use tar_kit::*;

/// What we do where GNU tar and Go differ.
#[derive(Clone, Copy, Debug)]
enum Then {
    Refuse,
    AsGnu,
    AsGo,
}
use Then::{AsGnu, AsGo, Refuse};

/// Names of the entries, or that the archive is refused. GNU tar goes on after an error: any
/// error counts as refusal.
type Names = Option<Vec<String>>;

fn listed(command: &mut Command, read: fn(&str) -> String) -> Names {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().map(read).collect())
}

/// What GNU tar extracts. Its listing is no oracle: it skips bodies that extraction does not.
fn gnu(scratch: &Path, tar: &Path) -> Names {
    let name = |line: &str| line.trim_end_matches('/').to_owned();
    let into = scratch.join("into");
    let _ = fs::remove_dir_all(&into);
    fs::create_dir(&into).unwrap();
    let command = &mut Command::new("tar");
    command.arg("-xvf").arg(tar).arg("-C").arg(into);
    listed(command.args(["--no-same-owner", "--quoting-style=literal"]).env("LC_ALL", "C"), name)
}

fn go(program: &Path, tar: &Path) -> Names {
    let name = |line: &str| {
        let hex = line.split(' ').nth(1).unwrap_or_default().as_bytes();
        hex.chunks(2)
            .map(|h| u8::from_str_radix(str::from_utf8(h).unwrap(), 16).unwrap() as char)
            .collect()
    };
    let names = listed(Command::new(program).arg(tar), name)?;
    Some(names[1..].to_vec())
}

fn ours(tar: &[u8]) -> Names {
    let (entries, _) = read(tar).ok()?;
    Some(entries.iter().map(|e| e.path().trim_end_matches('/').to_owned()).collect())
}

fn cases() -> Vec<(String, Vec<u8>, Then)> {
    let mut cases = Vec::new();
    let next = file("next", b"hello");
    let mut add = |label: &str, parts: &[&[u8]], then| {
        let tar = [&file("target", b"t")[..], &parts.concat(), &next, &END].concat();
        cases.push((label.to_owned(), tar, then));
    };
    let body = padded(&[b'B'; 700]);
    let size = pax(&[("size", b"700")]);
    let zero = pax(&[("size", b"0")]);
    for kind in [b'1', b'2', b'3', b'4', b'5', b'6'] {
        let plain = Header::new(kind, "e", 0).link("target").block();
        let sized = Header::new(kind, "e", 700).link("target").block();
        let name = |what: &str| format!("type {} {what}", kind as char);
        add(&name("of no size"), &[&plain], Refuse);
        add(&name("with size and body"), &[&sized, &body], Refuse);
        add(&name("with size, without body"), &[&sized], Refuse);
        add(&name("with pax size and body"), &[&size, &plain, &body], Refuse);
        add(&name("with pax size, without body"), &[&size, &plain], Refuse);
        add(&name("with size, but pax size 0"), &[&zero, &sized], Refuse);
    }
    let header = |kind, name: &str| Header::new(kind, name, 0);
    add("NUL type, slash", &[&header(0, "d/").block()], Refuse);
    add("NUL type, slash, body", &[&with_body(&header(0, "d/"), &[b'x'; 700])], Refuse);
    add("NUL type, slash, size", &[&Header::new(0, "d/", 700).block()], Refuse);
    add("type 7", &[&with_body(&header(b'7', "c"), &[b'x'; 700])], Refuse);
    add("a lone zero block", &[&file("a", b""), &[0; 512]], Refuse);
    add("blank size", &[&header(b'0', "a").set(124, &[b' '; 12]).block()], AsGo);
    add("NUL size", &[&header(b'0', "a").set(124, &[0; 12]).block()], Refuse);
    add("negative size", &[&header(b'0', "a").set(124, &[0xff; 12]).block()], Refuse);
    add("base-64 size", &[&header(b'0', "a").set(124, b"+AAAAAAAAAAA").block()], Refuse);
    add("size with junk", &[&header(b'0', "a").set(124, b"00000000000x").block()], Refuse);
    add("blank time", &[&header(b'0', "a").set(136, &[b' '; 12]).block()], AsGo);
    add(
        "blank device of a FIFO",
        &[&header(b'6', "p").device(&[b' '; 8], &[b' '; 8]).block()],
        Refuse,
    );
    add("junk device of a file", &[&header(b'0', "a").device(b"garbage\0", b"zz").block()], AsGnu);
    add(
        "junk device of a device",
        &[&header(b'3', "a").device(b"garbage\0", b"zz").block()],
        Refuse,
    );
    for (text, then) in [
        ("5.", Refuse),
        (".5", Refuse),
        ("-1.5", Refuse),
        ("-1.0000000001", Refuse),
        (" 5", Refuse),
        ("x", Refuse),
        ("+5", Refuse),
        ("5.x", Refuse),
        ("", AsGo),
    ] {
        add(
            &format!("mtime {text:?}"),
            &[&pax(&[("mtime", text.as_bytes())]), &file("t", b"")],
            then,
        );
    }
    let (x, l) = (pax(&[("path", b"pax")]), extension(b'L', b"gnu\0"));
    add("x then L", &[&x, &l, &file("f", b"")], AsGnu);
    add("L then x", &[&l, &x, &file("f", b"")], AsGnu);
    add("two x", &[&x, &pax(&[("path", b"pax2")]), &file("f", b"")], Refuse);
    add("two L", &[&l, &extension(b'L', b"gnu2\0"), &file("f", b"")], Refuse);
    add("L without NUL", &[&extension(b'L', b"gnu"), &file("f", b"")], Refuse);
    add("L with a NUL inside", &[&extension(b'L', b"gnu\0x\0"), &file("f", b"")], Refuse);
    add("empty L", &[&extension(b'L', b""), &file("f", b"")], Refuse);
    add("a pax path twice", &[&pax(&[("path", b"a"), ("path", b"b")]), &file("f", b"")], Refuse);
    add("empty pax path", &[&pax(&[("path", b"")]), &file("f", b"")], AsGo);
    add("global path", &[&global(&[("path", b"g")]), &file("f", b"")], AsGnu);
    add("x then g", &[&x, &global(&[("mtime", b"7")]), &file("f", b"")], AsGnu);
    add("record too long", &[&extension(b'x', b"99 path=ab\n"), &file("f", b"")], Refuse);
    add("NULs after records", &[&extension(b'x', b"9 path=a\n\0\0"), &file("f", b"")], Refuse);
    add("NUL in a pax path", &[&pax(&[("path", b"a\0b")]), &file("f", b"")], Refuse);
    add("negative pax uid", &[&pax(&[("uid", b"-1")]), &file("f", b"")], Refuse);
    add("pax uid past 2^32", &[&pax(&[("uid", b"4294967296")]), &file("f", b"")], Refuse);
    add("v7", &[&header(b'0', "a").v7().set(345, b"pre").block()], Refuse);
    add("ustar prefix", &[&header(b'0', "a").set(345, b"pre").block()], Refuse);
    let times = header(b'0', "a").gnu().set(345, b"00000000001\0").set(357, b"00000000001\0");
    add("old GNU times", &[&times.block()], Refuse);
    let sparse = |runs: &[(u64, u64)], size, real| {
        header(b'S', "s")
            .gnu()
            .sparse(runs, real, false)
            .set(124, format!("{size:011o}\0").as_bytes())
            .block()
    };
    add("sparse", &[&sparse(&[(512, 700)], 700, 9000), &body], Refuse);
    add("sparse of odd runs", &[&sparse(&[(0, 100), (512, 600)], 700, 9000), &body], AsGo);
    add("sparse out of order", &[&sparse(&[(1024, 600), (0, 100)], 700, 9000), &body], Refuse);
    add("compressed", &[b"\x1f\x8b\x08", &[7; 509]], Refuse);
    let mut end =
        |label: &str, parts: &[&[u8]], then| cases.push((label.to_owned(), parts.concat(), then));
    let next = file("next", b"hello");
    end("no entries", &[&END], Refuse);
    end("no bytes", &[], AsGo);
    end("no end marker", &[&next], Refuse);
    end("one zero block", &[&next, &[0; 512]], Refuse);
    end("part of a zero block", &[&next, &[0; 200]], AsGnu);
    end("part of a header", &[&next, &next[..200]], Refuse);
    end("part of the padding", &[&next[..600]], AsGo);
    end("part of a body", &[&with_body(&header(b'0', "f"), &[1; 700])[..1100]], Refuse);
    end("x before the end", &[&next, &pax(&[("path", b"p")]), &END], Refuse);
    end("a second archive", &[&next, &END, &next, &END], Refuse);
    cases
}

#[test]
fn odd_archives_hold_what_gnu_tar_and_go_agree_on() {
    let scratch = Scratch::new("odd");
    let program = scratch.0.join("oracle");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tar_kit/oracle.go");
    let built = tool(Command::new("go").arg("build").arg("-o").arg(&program).arg(source));
    if built.is_none() || tool(Command::new("tar").arg("--version")).is_none() {
        return;
    }
    // Only root can extract device nodes.
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut agreed = 0;
    for (label, tar, then) in cases() {
        if !root && (label.contains("type 3") || label.contains("type 4")) {
            eprintln!("skipped, not being root: {label}");
            continue;
        }
        let path = scratch.0.join("odd.tar");
        fs::write(&path, &tar).unwrap();
        let (gnu, go, ours) = (gnu(&scratch.0, &path), go(&program, &path), ours(&tar));
        if gnu == go {
            assert_eq!(ours, gnu, "{label}: both agree");
            agreed += 1;
            continue;
        }
        let want = match then {
            Refuse => &None,
            AsGnu => &gnu,
            AsGo => &go,
        };
        assert_eq!(&ours, want, "{label}: GNU tar {gnu:?}, Go {go:?}, we go {then:?}");
    }
    assert!(agreed > 30, "GNU tar and Go agree on {agreed} only");
}
