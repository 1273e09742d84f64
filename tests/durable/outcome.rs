//! Whether what is in a folder is what may be there.

use std::path::Path;
use std::process::Command;

use crate::inputs;
use crate::job::{Files, Job};
use crate::rows::Writes;

/// What a job's folder has before it runs, and when it has.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) before: Files,
    pub(crate) after: Files,
}

impl Known {
    /// Learns it, by a run that nothing disturbs.
    pub(crate) fn of(job: &Job) -> Self {
        job.prepare();
        let before = job.files();
        job.run();
        Self { before, after: job.files() }
    }

    /// Why a job that was reported done is not.
    pub(crate) fn not_done(&self, found: &Files) -> Option<String> {
        difference(&self.after, found)
    }

    /// Why what a job left that was ended is neither whole nor absent, file by file. Names for a moment may be
    /// left, if `spare` allows it.
    pub(crate) fn half_done(&self, job: &Job, found: &Files, spare: bool) -> Option<String> {
        for (path, bytes) in found {
            let name = path.to_str().unwrap();
            if name.starts_with(".tarfs-") || name.contains("/.tarfs-") {
                if spare {
                    continue;
                }
                return Some(format!("{name} is left"));
            }
            let Some(bytes) = bytes else {
                // The directory of several disks is there with all of them.
                if name == "disks" && self.after.keys().any(|path| !found.contains_key(path)) {
                    return Some("disks is there without all that is in it".to_owned());
                }
                continue;
            };
            let is = |files: &Files| files.get(path).is_some_and(|has| has.as_ref() == Some(bytes));
            if is(&self.before) || is(&self.after) {
                continue;
            }
            if matches!(job.row.writes, Writes::Into(into) if into == name) {
                if let Some(why) = self.not_told(job, path, bytes) {
                    return Some(why);
                }
                continue;
            }
            return Some(format!("{name} has {} bytes that it never should have", bytes.len()));
        }
        let lost = self.before.keys().find(|path| !found.contains_key(*path));
        lost.map(|path| format!("{} is gone", path.display()))
    }

    /// Why a job that was ended is not right when it runs again. Data that it sealed is not sealed once more.
    pub(crate) fn not_right_again(&self, job: &Job) -> Option<String> {
        let is_sealed = matches!(job.row.writes, Writes::Into(_)) && job.files() == self.after;
        if !is_sealed && let Err(why) = job.run_again() {
            return Some(format!("run again: {why}"));
        }
        self.not_done(&job.files()).map(|why| format!("run again: {why}"))
    }

    /// Why it cannot be told that a hash tree in a file is not whole.
    fn not_told(&self, job: &Job, path: &Path, bytes: &[u8]) -> Option<String> {
        let before = self.before.get(path)?.as_ref()?;
        if !bytes.starts_with(before) {
            return Some(format!("{} has other data than before", path.display()));
        }
        // Zeros that fill the last data block are no tree yet.
        if bytes[before.len()..].iter().all(|byte| *byte == 0) && bytes.len() < before.len() + 4096
        {
            return None;
        }
        let after = self.after.get(path)?.as_ref()?;
        let mut verify = Command::new(inputs::program("tarfs"));
        verify.args(["verity", "verify"]);
        let named = match job.row.command.contains("--sidecar") {
            true => verify.arg("--sidecar").arg(path),
            false => {
                let blocks = before.len().div_ceil(512).to_string();
                verify.args(["--data-blocks", &blocks]).arg(path).arg(root(job, after))
            }
        };
        let said = named.current_dir(&job.folder).output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr);
        match said.status.success() {
            true => Some(format!("{} is not whole, and is verified", path.display())),
            // A tree of which nothing was written yet is none that could be mistaken.
            false if text.contains("part of a hash tree") || text.contains(".dmverity: ") => None,
            false => Some(format!("{}: {text}", path.display())),
        }
    }
}

/// The root hash that sealed data has.
fn root(job: &Job, sealed: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("data");
    let data = inputs::folder().join(job.row.has[0]);
    std::fs::copy(data, &whole).unwrap();
    let mut format = Command::new(inputs::program("tarfs"));
    let output = format.args(["verity", "format", "--json"]).arg(&whole).output().unwrap();
    assert_eq!(std::fs::read(&whole).unwrap(), sealed);
    let text = String::from_utf8(output.stdout).unwrap();
    let at = text.find("\"root_hash\":").unwrap_or_else(|| panic!("{text}"));
    text[at..].split('"').nth(3).unwrap().to_owned()
}

/// In what two folders differ.
fn difference(wanted: &Files, found: &Files) -> Option<String> {
    for (path, bytes) in wanted {
        match found.get(path) {
            None => return Some(format!("{} is not there", path.display())),
            Some(has) if has != bytes => {
                let len = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
                let (has, wanted) = (len(has), len(bytes));
                return Some(format!("{} has other bytes ({has}, not {wanted})", path.display()));
            }
            Some(_) => {}
        }
    }
    let more = found.keys().find(|path| !wanted.contains_key(*path));
    more.map(|path| format!("{} is there too", path.display()))
}
