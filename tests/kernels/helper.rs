//! What guests lack. `helper list DIR` prints all that can be seen below a directory, for who compares
//! it in another process, and fails at its end if the content of files can't be read; `helper mount -t TYPE -o OPTIONS SOURCE DIR` mounts by mount(2) as it is,
//! without the loop device that mount(8) makes of a file.

use std::env;
use std::ffi::{CString, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use rustix::mount::{MountFlags, mount};
use testkit::dump::{DumpOptions, Kind, Node, dump_with};

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Vec<&str> = args.iter().map(|arg| arg.to_str().unwrap_or_default()).collect();
    let done = match words[..] {
        ["list", _] => list(&args[1]),
        ["mount", "-t", kind, "-o", options, _, _] => by_call(kind, options, &args[5], &args[6]),
        _ => Err(io::Error::other("list DIR, or mount -t TYPE -o OPTIONS SOURCE DIR")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Of a file that can't be read all but the digest.
fn list(dir: &OsString) -> io::Result<()> {
    let tree = dump_with(dir, DumpOptions { unreadable: true, ..DumpOptions::default() })?;
    io::stdout().write_all(tree.to_text().as_bytes())?;
    let unread = |node: &&Node| node.kind == Kind::File && node.sha256.is_none();
    match tree.0.values().filter(unread).count() {
        0 => Ok(()),
        count => Err(io::Error::other(format!("Input/output error in {count} files"))),
    }
}

/// Read-only, which is no option of the filesystem but one of the mount.
fn by_call(kind: &str, options: &str, source: &OsString, dir: &OsString) -> io::Result<()> {
    let options: Vec<&str> = options.split(',').filter(|option| *option != "ro").collect();
    let data = CString::new(options.join(",").as_bytes())?;
    Ok(mount(source.as_bytes(), dir.as_bytes(), kind, MountFlags::RDONLY, data.as_c_str())?)
}
