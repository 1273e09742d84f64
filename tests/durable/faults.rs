//! System calls that fail: a command says which file it was, and why; what it leaves is whole or absent, and the
//! next run is right. `strace` lets a call fail; a tmpfs of a few kilobytes is a full disk; a library that is
//! loaded first lets calls do less than they were asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::mount::{small_tmpfs, tmpfs};
use testkit::oracle::{self, Verdict};
use testkit::rng::Rng;

use crate::job::{Files, Job, variants};
use crate::outcome::Known;
use crate::rows::{ROWS, Writes};
use crate::{fresh, inputs, number, seed};

/// Calls, how they fail, and what is said of it then.
const FAULTS: &[(&str, &[&str])] = &[
    ("openat", &["EACCES", "EMFILE", "EIO", "ENOSPC"]),
    ("write", &["EIO", "ENOSPC", "EINTR", "EDQUOT"]),
    ("pwrite64", &["EIO", "ENOSPC", "EINTR", "EFBIG"]),
    ("read", &["EIO", "EINTR"]),
    ("pread64", &["EIO", "EINTR"]),
    ("ftruncate", &["EIO", "ENOSPC", "EINTR"]),
    ("fallocate", &["EIO", "ENOSPC", "EINTR", "EOPNOTSUPP"]),
    ("fsync", &["EIO", "ENOSPC", "EINTR"]),
    ("linkat", &["EIO", "ENOSPC", "EPERM", "EMLINK"]),
    ("rename", &["EIO", "ENOSPC", "EACCES"]),
    ("mkdir", &["EIO", "ENOSPC", "EACCES"]),
    ("copy_file_range", &["EIO", "ENOSPC", "EINTR", "EXDEV"]),
    ("sendfile", &["EIO", "ENOSPC", "EINTR"]),
    ("lseek", &["EIO", "EINVAL"]),
    ("statx", &["EIO", "EACCES"]),
    ("fstat", &["EIO"]),
    ("flock", &["EINTR", "ENOLCK"]),
    ("unlink", &["EIO"]),
    ("getdents64", &["EIO"]),
    ("fchmod", &["EIO", "EPERM"]),
    ("chmod", &["EIO", "EPERM"]),
];

#[test]
fn what_fails_leaves_all_or_nothing_and_says_why() {
    let Some(strace) = oracle::tool("strace", "apt-get install strace") else { return };
    let (place, mut rng) = (tmpfs().unwrap(), Rng::new(seed()));
    let jobs: Vec<Job> =
        ROWS.iter().enumerate().flat_map(|row| variants(place.path(), row)).collect();
    let learn = |job: &Job| {
        fresh(job);
        let known = Known::of(job);
        fresh(job);
        job.prepare();
        (known, calls(&strace, job))
    };
    let learned: Vec<_> = jobs.iter().map(learn).collect();
    let faults = number("TARFS_FAULTS", 60);
    let (mut failed, mut borne) = (BTreeMap::<&str, usize>::new(), 0);
    let (mut unclear, mut silent) = (Vec::new(), 0);
    for fault in 0..faults {
        let at = (fault as usize + rng.below(7) as usize) % jobs.len();
        let (job, (known, calls)) = (&jobs[at], &learned[at]);
        let made: Vec<_> = FAULTS.iter().filter(|(call, _)| calls.contains_key(*call)).collect();
        let (call, errors) = made[rng.below(made.len() as u64) as usize];
        let (error, when) = (rng.one(errors), 1 + rng.below(calls[*call]));
        let name = format!("fault {fault}, {}: {call} {when} {error}", job.name());
        fresh(job);
        job.prepare();
        let inject = format!("inject={call}:error={error}:when={when}");
        let output = traced(&strace, job, &["-e", &inject]).output().unwrap();
        match judge(job, known, &output, &name) {
            true => borne += 1,
            // Each thread has a first write: it fails also where the error is to be written.
            false if *call == "write" && output.stderr.is_empty() => silent += 1,
            false => {
                unclear.extend(says_why(job, known, &output, error, &name));
                *failed.entry(call).or_default() += 1;
            }
        }
    }
    assert!(unclear.is_empty(), "{} errors do not say why: {unclear:#?}", unclear.len());
    println!(
        "{faults} faults: {borne} were borne, {silent} could not write why, and of these calls as many \
         failed: {failed:?}"
    );
}

/// Looks at what a disturbed job left, and says whether it did its work all the same.
fn judge(job: &Job, known: &Known, output: &Output, name: &str) -> bool {
    let (files, said) = (job.files(), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        assert_eq!(known.not_done(&files), None, "{name}: {said}");
        return true;
    }
    let code = output.status.code();
    // The example in Rust prints by `println`, which ends with this where nobody can read it.
    if code == Some(101)
        && job.row.name == "the library"
        && said.contains("failed printing to stdout")
    {
        return true;
    }
    assert!(matches!(code, Some(1 | 2 | 127)), "{name}: {code:?}: {said}");
    assert!(!said.contains("panicked"), "{name}: {said}");
    let half = |files: &Files| known.half_done(job, files, false);
    assert_eq!(half(&files), None, "{name}: {said}");
    assert_eq!(known.not_right_again(job), None, "{name}: {said}");
    false
}

/// What an error lacks, which has to name a file, and the cause that the kernel gave.
fn says_why(job: &Job, known: &Known, output: &Output, error: &str, name: &str) -> Option<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    let cause = match error {
        "EIO" => "Input/output error",
        "ENOSPC" => "No space left on device",
        "EACCES" => "Permission denied",
        "EMFILE" => "Too many open files",
        "EDQUOT" => "Disk quota exceeded",
        "EFBIG" => "File too large",
        "EINTR" => "Interrupted system call",
        "EPERM" => "Operation not permitted",
        "EMLINK" => "Too many links",
        "EXDEV" => "Invalid cross-device link",
        "EINVAL" => "Invalid argument",
        "ENOLCK" => "No locks available",
        _ => "not supported",
    };
    // The loader of shared libraries has words of its own; so has what libraries are asked about the machine.
    if output.status.code() == Some(127) {
        return None;
    }
    let folders = [&*job.folder, inputs::folder()];
    let mut names = folders.into_iter().chain(known.after.keys().map(PathBuf::as_path));
    let is_named =
        names.any(|name| said.contains(name.to_str().unwrap())) || said.contains("standard ");
    let lacks = if said.contains(cause) { "a file" } else { cause };
    (!is_named || !said.contains(cause)).then(|| format!("{name} does not say {lacks}: {said}"))
}

/// The job under `strace`, with its answer.
fn traced(strace: &Path, job: &Job, options: &[&str]) -> Command {
    let words = job.words();
    let mut command = Command::new(strace);
    command.args(["-f", "-qq", "-o", "/dev/null"]).args(options);
    command.arg(inputs::program(&words[0])).args(&words[1..]);
    job.at_home(&mut command);
    command
}

/// How often a job makes each call.
fn calls(strace: &Path, job: &Job) -> BTreeMap<String, u64> {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let mut command = traced(strace, job, &["-o", log.to_str().unwrap()]);
    Verdict::of(&mut command).expect_ok(&job.name());
    let mut calls = BTreeMap::new();
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        let call = line.split_whitespace().nth(1).unwrap_or_default();
        if let Some((call, _)) = call.split_once('(') {
            *calls.entry(call.to_owned()).or_default() += 1;
        }
    }
    calls
}

/// A full disk, at any byte.
#[test]
fn a_full_disk_leaves_all_or_nothing() {
    let (place, mut rng) = (tmpfs().unwrap(), Rng::new(seed()));
    let jobs: Vec<Job> =
        ROWS.iter().enumerate().flat_map(|row| variants(place.path(), row)).collect();
    let learned: Vec<_> = jobs.iter().map(Known::of).collect();
    let mut full = 0;
    let rounds = number("TARFS_FAULTS", 60) / 3;
    drop(place);
    for round in 0..rounds {
        let at = rng.below(jobs.len() as u64) as usize;
        let known = &learned[at];
        let needs: usize =
            known.before.values().chain(known.after.values()).flatten().map(Vec::len).sum();
        let has: usize = known.before.values().flatten().map(Vec::len).sum();
        let bytes = has as u64 + 65_536 + rng.below(needs as u64);
        let small = small_tmpfs(bytes / 4096 * 4096).unwrap();
        let job = Job { folder: small.path().join("0"), ..jobs[at].clone() };
        // What says where it is can't be compared.
        if job.row.command.contains("-J") || job.row.writes == Writes::New && job.row.has.len() == 1
        {
            continue;
        }
        job.prepare();
        let output = job.command().output().unwrap();
        let (files, said) = (job.files(), String::from_utf8_lossy(&output.stderr));
        let name = format!("round {round}, {} in {bytes} bytes", job.name());
        if output.status.success() {
            assert_eq!(known.not_done(&files), None, "{name}");
            continue;
        }
        assert!(said.contains("No space left"), "{name}: {said}");
        assert_eq!(known.half_done(&job, &files, false), None, "{name}: {said}");
        full += 1;
    }
    println!("{rounds} small disks, {full} were full");
}

/// Calls that read or write less than they were asked for, or are interrupted: nothing changes by it.
#[test]
fn short_reads_and_writes_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let short = short(dir.path());
    let (place, rounds) = (tmpfs().unwrap(), number("TARFS_FAULTS", 60) / 3);
    let mut rng = Rng::new(seed());
    let jobs: Vec<Job> =
        ROWS.iter().enumerate().flat_map(|row| variants(place.path(), row)).collect();
    let learned: Vec<_> = jobs.iter().map(Known::of).collect();
    for round in 0..rounds {
        let at = (round as usize + rng.below(7) as usize) % jobs.len();
        let (job, known) = (&jobs[at], &learned[at]);
        fresh(job);
        job.prepare();
        let (every, seed) = (1 + rng.below(9), rng.below(1 << 31));
        let mut command = job.command();
        command.env("LD_PRELOAD", &short);
        command.env("SHORT_EVERY", every.to_string()).env("SHORT_SEED", seed.to_string());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let name = format!("round {round}, {}, 1 in {every}, seed {seed}", job.name());
        assert!(output.status.success(), "{name}: {said}");
        assert_eq!(known.not_done(&job.files()), None, "{name}");
    }
    println!("{rounds} runs with short reads and writes");
}

/// The library that is loaded first.
fn short(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/durable/short.c");
    let library = dir.join("short.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
    Verdict::of(&mut cc).expect_ok("cc short.c");
    library
}
