//! A program to which the system gives no threads, by a limit of its user or its cgroup, does all on its own one; and it takes
//! as many open files as it may have.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use testkit::tarball::TarBuilder;

use crate::run::{Ran, ok, tool};

/// Runs the tool as a user who may have one thread, with outputs in `dir`.
fn alone(dir: &Path, args: &[&str]) -> Ran {
    let program = dir.join("tarfs");
    if !program.exists() {
        fs::copy(tool(), &program).unwrap();
        for open in [dir, &program] {
            fs::set_permissions(open, Permissions::from_mode(0o777)).unwrap();
        }
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=54321", "--regid=54321", "--clear-groups", "prlimit", "--nproc=1:1"]);
    command.arg(program).args(args).current_dir(dir).output().unwrap().into()
}

#[test]
fn all_is_done_by_one_thread() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let random: Vec<u8> =
        (0..9_000_000u32).map(|i| (i.wrapping_mul(2654435761) >> 13) as u8).collect();
    let tar = TarBuilder::new().file("a", &random).file("b", &random).finish();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tar).unwrap();
    fs::write(dir.join("a.tar"), &tar).unwrap();
    fs::write(dir.join("a.tar.gz"), gzip.finish().unwrap()).unwrap();
    for args in [
        &["root", "a.tar"][..],
        &["root", "a.tar.gz"],
        &["root", "a.tar.gz", "a.tar"],
        &["layer", "--disk", "--verity", "-o", "OUT", "a.tar.gz"],
        &["export", "--mode", "image_block_with_verity", "-o", "OUT", "a.tar.gz", "a.tar"],
    ] {
        let to = |name: &str| -> Vec<String> {
            args.iter().map(|arg| arg.replace("OUT", name)).collect()
        };
        let (here, there) = (to("one"), to("many"));
        let mut many = Command::new(tool());
        let many: Ran = many.args(&there).current_dir(dir).output().unwrap().into();
        assert_eq!(many.code, 0, "{args:?}: {}", many.stderr);
        let here: Vec<&str> = here.iter().map(String::as_str).collect();
        let one = alone(dir, &here);
        assert_eq!(one.code, 0, "{args:?}: {}", one.stderr);
        if args.contains(&"OUT") {
            let bytes = |name: &str| fs::read(dir.join(name)).unwrap();
            assert!(bytes("one") == bytes("many"), "{args:?}: other bytes");
            ok(["check", dir.join("one").to_str().unwrap()]);
        } else {
            assert_eq!(one.stdout, many.stdout, "{args:?}");
        }
        for name in ["one", "many"] {
            let _ = fs::remove_file(dir.join(name));
        }
    }
}

/// All tars of an image are open at once: the soft limit of open files is not one of layers.
#[test]
fn more_layers_than_files_are_open_by_default() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut args = ["export", "--mode", "image_block", "-o", "disk"].map(str::to_owned).to_vec();
    for number in 0..50 {
        let name = format!("{number}.tar");
        fs::write(dir.join(&name), TarBuilder::new().file(&name, &name).finish()).unwrap();
        args.push(name);
    }
    let few = |soft: &str| -> Ran {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={soft}")).arg(tool()).args(&args).current_dir(dir);
        command.output().unwrap().into()
    };
    let refused = few("40:40");
    assert!(refused.stderr.contains("Too many open files"), "{}", refused.stderr);
    let done = few("40:4096");
    assert_eq!(done.code, 0, "{}", done.stderr);
}
