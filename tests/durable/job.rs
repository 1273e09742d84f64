//! A row in a folder: what is there before, its process, and what is there after.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::inputs;
use crate::rows::{Row, Writes};

/// What a file has that an output takes the place of.
const OLD: &[u8] = b"what was there before";

/// What is in a folder, by path: the bytes of files, and `None` of directories.
pub(crate) type Files = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// A row that is to run in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) row: &'static Row,
    pub(crate) folder: PathBuf,
    /// Whether its output takes the place of a file.
    pub(crate) replaces: bool,
    pub(crate) synced: bool,
    /// Whether it runs without `/proc`, by which files without a name get one: so it does without them.
    pub(crate) names_all: bool,
}

impl Job {
    /// Makes the folder, with what is there before.
    pub(crate) fn prepare(&self) {
        fs::create_dir_all(&self.folder).unwrap();
        for name in self.row.has {
            fs::copy(inputs::folder().join(name), self.folder.join(name)).unwrap();
        }
        if let (Writes::Replaces(name), true) = (self.row.writes, self.replaces) {
            fs::write(self.folder.join(name), OLD).unwrap();
        }
    }

    /// Its process, which says nothing but on standard error.
    pub(crate) fn command(&self) -> Command {
        let words = self.words();
        let program = inputs::program(&words[0]);
        let mut command = match self.names_all {
            false => Command::new(program),
            true => {
                let mut command = Command::new("unshare");
                let script = "mount -t tmpfs none /proc && exec \"$@\"";
                command.args(["--mount", "sh", "-c", script, "sh"]).arg(program);
                command
            }
        };
        command.args(&words[1..]);
        self.at_home(&mut command);
        command
    }

    /// Lets another program run here, as this row's would.
    pub(crate) fn at_home(&self, command: &mut Command) {
        command.current_dir(&self.folder).stdout(Stdio::null()).stderr(Stdio::piped());
        command.stdin(match self.row.stdin {
            Some(name) => File::open(inputs::folder().join(name)).unwrap().into(),
            None => Stdio::null(),
        });
    }

    /// What a message calls it.
    pub(crate) fn name(&self) -> String {
        format!("{}{}", self.row.name, if self.replaces { ", over a file" } else { "" })
    }

    /// The words of its command, the program's name first.
    pub(crate) fn words(&self) -> Vec<String> {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let word = |word: &str| {
            word.replace("{i}", &path(inputs::folder())).replace("{o}", &path(&self.folder))
        };
        let mut words: Vec<String> = self.row.command.split_whitespace().map(word).collect();
        if !self.synced && self.row.has_no_sync {
            words.push("--no-sync".to_owned());
        }
        words
    }

    /// Runs it to its end, which must be a good one.
    pub(crate) fn run(&self) {
        self.run_again().unwrap_or_else(|why| panic!("{}: {why}", self.row.name));
    }

    /// The same; what it says when it fails.
    pub(crate) fn run_again(&self) -> Result<(), String> {
        let output = self.command().output().unwrap();
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// What is there now.
    pub(crate) fn files(&self) -> Files {
        let mut all = Files::new();
        read(&self.folder, Path::new(""), &mut all);
        all
    }
}

fn read(folder: &Path, below: &Path, all: &mut Files) {
    let Ok(entries) = fs::read_dir(folder.join(below)) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            all.insert(path.clone(), None);
            read(folder, &path, all);
        } else {
            all.insert(path, Some(fs::read(entry.path()).unwrap()));
        }
    }
}

/// A row as a job in a folder of its own, and once more over a file that is there.
pub(crate) fn variants(place: &Path, (number, row): (usize, &'static Row)) -> Vec<Job> {
    let job = |replaces| {
        let folder = place.join(format!("{number}{}", if replaces { "-old" } else { "" }));
        Job { row, folder, replaces, synced: true, names_all: false }
    };
    match row.writes {
        Writes::Replaces(_) => vec![job(false), job(true)],
        _ => vec![job(false)],
    }
}
