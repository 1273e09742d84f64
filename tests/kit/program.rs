//! Our example programs as processes.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

/// An example program. `cargo test` builds it beside the tests, `cargo test --test NAME` does not: it is
/// brought up to date here, once.
pub fn example(name: &'static str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<&str, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let build = || {
        let test = env::current_exe().unwrap();
        let profile = test.parent().unwrap().parent().unwrap();
        if let Some(cargo) = env::var_os("CARGO") {
            let profile = match profile.file_name().unwrap().to_str().unwrap() {
                "debug" => "dev",
                name => name,
            };
            let mut build = Command::new(cargo);
            // What cargo tells a test of its package would make build scripts that ask for it run anew, and
            // what they build.
            let told = env::vars_os().map(|(name, _)| name);
            for name in told.filter(|name| name.as_encoded_bytes().starts_with(b"CARGO_PKG_")) {
                build.env_remove(name);
            }
            build.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH");
            build.args(["build", "--quiet", "--example", name, "--profile", profile]);
            assert!(build.status().unwrap().success(), "cargo build --example {name}");
        }
        let program = profile.join("examples").join(name);
        assert!(program.is_file(), "{program:?} is missing: cargo build --example {name}");
        program
    };
    built.entry(name).or_insert_with(build).clone()
}

/// What one run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("killed by no signal"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs a program with these bytes on its standard input, a pipe.
pub fn run_with<S: AsRef<OsStr>>(
    program: &Path,
    stdin: &[u8],
    args: impl IntoIterator<Item = S>,
) -> Ran {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who fails early does not read it all.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap().into()
}

/// What a program makes of its standard input, which it must take.
pub fn piped(program: &str, words: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect(program);
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{program}");
        output.stdout
    })
}
