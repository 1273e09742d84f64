//! What is synced, and in which order, as POSIX promises no more: bytes are on the disk after an `fsync` of their
//! file, and a name after one of its directory. File systems do more by chance; this does not let them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use testkit::mount::tmpfs;
use testkit::oracle::{self, Verdict};

use crate::fresh;
use crate::inputs;
use crate::job::{Job, variants};
use crate::rows::ROWS;

const CALLS: &str = "trace=write,pwrite64,ftruncate,fallocate,copy_file_range,sendfile,fchmod,chmod,openat,linkat,\
                     rename,mkdir,fsync,fdatasync";

#[test]
fn bytes_then_names_then_directories_are_synced() {
    let Some(strace) = oracle::tool("strace", "apt-get install strace") else { return };
    let place = tmpfs().unwrap();
    let jobs = ROWS.iter().enumerate().flat_map(|row| variants(place.path(), row));
    for mut job in jobs {
        fresh(&job);
        job.prepare();
        let wrong = Disk::after(&job, &strace);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", job.name());
        if job.row.has_no_sync {
            job.synced = false;
            fresh(&job);
            job.prepare();
            // Else this test could not see what is not synced.
            assert!(!Disk::after(&job, &strace).is_empty(), "{} --no-sync syncs", job.name());
        }
    }
}

/// What is not on the disk at a time.
#[derive(Default)]
struct Disk {
    /// Files with bytes that are not.
    files: BTreeSet<String>,
    /// Directories with names that are not, and one of those.
    names: BTreeMap<String, String>,
    /// The path of what each descriptor is open for.
    open: BTreeMap<String, String>,
    wrong: Vec<String>,
}

impl Disk {
    /// Runs a job, and says what was named before its bytes were on the disk, and what is not there at the end.
    fn after(job: &Job, strace: &Path) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let words = job.words();
        let mut command = Command::new(strace);
        command.args(["-f", "-qq", "-y", "-e", CALLS, "-o"]).arg(&log);
        command.arg(inputs::program(&words[0])).args(&words[1..]);
        job.at_home(&mut command);
        Verdict::of(&mut command).expect_ok(&job.name());
        let mut disk = Self::default();
        let folder = job.folder.to_str().unwrap();
        for line in std::fs::read_to_string(&log).unwrap().lines() {
            let call = line.split_once(' ').and_then(|(_, call)| call.trim_start().split_once('('));
            if let Some((call, arguments)) = call.filter(|_| !line.contains(" = -1 E")) {
                disk.call(call, arguments, folder);
            }
        }
        let lost = disk.names.iter().map(|(at, name)| format!("{name}: {at} is not synced"));
        let bytes = disk.files.iter().filter(|file| !file.contains("/#"));
        let bytes = bytes.map(|file| format!("{file} has bytes that are not synced"));
        disk.wrong.into_iter().chain(lost).chain(bytes).collect()
    }

    fn call(&mut self, call: &str, arguments: &str, folder: &str) {
        let file = descriptor(arguments);
        if let Some((number, path)) = &file {
            self.open.insert(number.clone(), path.clone());
        }
        let is_ours = |path: &String| path.starts_with(folder);
        let texts: Vec<String> =
            arguments.split('"').skip(1).step_by(2).map(|text| absolute(text, folder)).collect();
        match (call, file.map(|(_, path)| path)) {
            ("openat", _) => {
                if let Some((number, path)) =
                    arguments.rsplit_once(" = ").and_then(|(_, fd)| descriptor(fd))
                {
                    // A new file has a name that is not on the disk.
                    if arguments.contains("O_CREAT") && is_ours(&path) {
                        self.named(&path);
                    }
                    self.open.insert(number, path);
                }
            }
            ("fsync" | "fdatasync", Some(path)) => {
                self.files.remove(&path);
                self.names.remove(&path);
            }
            ("linkat", _) => {
                let number = texts[0].rsplit('/').next().unwrap_or_default();
                let from = self.open.get(number).cloned().unwrap_or_default();
                self.is_whole(&from, &texts[1]);
                self.named(&texts[1]);
            }
            ("rename", _) => {
                self.is_whole(&texts[0], &texts[1]);
                // A directory takes the names in it with it.
                if let Some(within) = self.names.remove(&texts[0]) {
                    self.wrong
                        .push(format!("{within} is not synced before {} has its name", texts[1]));
                }
                self.named(&texts[1]);
            }
            ("mkdir", _) => self.named(&texts[0]),
            ("chmod", _) => {}
            // What is copied to: the last file that is named.
            ("copy_file_range", _) => {
                let to = arguments.split(", ").filter_map(descriptor).nth(1);
                self.files.extend(to.map(|(_, path)| path).filter(is_ours));
            }
            (_, Some(path)) if is_ours(&path) => {
                self.files.insert(path);
            }
            _ => {}
        }
    }

    /// A name that is there, and not on the disk yet.
    fn named(&mut self, path: &str) {
        let directory = Path::new(path).parent().unwrap().to_str().unwrap();
        self.names.insert(directory.to_owned(), path.to_owned());
    }

    fn is_whole(&mut self, from: &str, to: &str) {
        if self.files.contains(from) {
            self.wrong.push(format!("{to} has its name before its bytes are synced"));
        }
    }
}

/// The number of a descriptor and its path, as in `3</tmp/file>(deleted), …`.
fn descriptor(text: &str) -> Option<(String, String)> {
    let (number, rest) = text.split_once('<')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let path = rest.split_once('>')?.0;
    is_number.then(|| (number.to_owned(), path.to_owned()))
}

/// A path of an argument, as it is in a descriptor.
fn absolute(text: &str, folder: &str) -> String {
    if text.starts_with('/') { text.to_owned() } else { format!("{folder}/{text}") }
}
