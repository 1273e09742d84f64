//! Commands run in turn, each as a process under GNU time.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::done::Done;
use crate::path::in_path;

/// A command that is measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    /// What it is called in tables.
    pub(crate) label: String,
    words: Vec<OsString>,
    /// What writes to its standard input, through a pipe.
    producer: Vec<OsString>,
    /// What it makes: removed before each run.
    pub(crate) outputs: Vec<PathBuf>,
    /// What goes too before a run, to make room.
    removed: Vec<PathBuf>,
    /// It measures a part of its work itself, and prints `seconds N` and `cpu N`.
    inner: bool,
}

impl Work {
    pub(crate) fn new<W: Into<OsString>>(label: &str, words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(Into::into).collect();
        Self { label: label.to_owned(), words, ..Self::default() }
    }

    pub(crate) fn arg(mut self, word: impl Into<OsString>) -> Self {
        self.words.push(word.into());
        self
    }

    pub(crate) fn args<W: Into<OsString>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// An output, which is also the next word.
    pub(crate) fn out(self, path: &Path) -> Self {
        self.makes(path).arg(path)
    }

    /// An output.
    pub(crate) fn makes(mut self, path: &Path) -> Self {
        self.outputs.push(path.to_owned());
        self
    }

    /// A file through a pipe.
    pub(crate) fn piped(self, file: &Path) -> Self {
        self.fed(Self::new("cat", ["cat"]).arg(file))
    }

    /// The output of another through a pipe.
    pub(crate) fn fed(mut self, producer: Self) -> Self {
        self.producer = producer.words;
        self
    }

    /// Other files go before it runs, to make room.
    pub(crate) fn after_removing(mut self, files: Vec<PathBuf>) -> Self {
        self.removed = files;
        self
    }

    pub(crate) fn inner(mut self) -> Self {
        self.inner = true;
        self
    }

    fn command(words: &[OsString]) -> Command {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// Runs it once.
    pub(crate) fn run(&self, plan: &Plan) -> Done<Sample> {
        let gone = self.outputs.iter().chain(&self.removed);
        for output in gone.filter(|output| output.exists()) {
            fs::remove_file(output).map_err(|error| format!("{}: {error}", output.display()))?;
        }
        let failed =
            |why: &dyn std::fmt::Display| format!("{}: {:?}: {why}", self.label, self.words);
        let mut words = self.words.clone();
        if let Some(time) = &plan.time {
            let before = ["-q", "-f", "%U %S %M %O", "-o"].map(OsString::from);
            let before = [&[time.into()], &before[..], &[plan.figures.clone().into()]].concat();
            words.splice(..0, before);
        }
        let mut producer = None;
        let stdin = match self.producer.is_empty() {
            true => Stdio::null(),
            false => {
                let mut command = Self::command(&self.producer);
                let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
                let mut child = Reaped(child.map_err(|error| failed(&error))?);
                let pipe = child.0.stdout.take().map_or(Stdio::null(), Stdio::from);
                producer = Some(child);
                pipe
            }
        };
        let start = Instant::now();
        let ran = Self::command(&words).stdin(stdin).output().map_err(|error| failed(&error))?;
        let wall = start.elapsed().as_secs_f64();
        drop(producer);
        let stdout = String::from_utf8_lossy(&ran.stdout).into_owned();
        if !ran.status.success() {
            let text = String::from_utf8_lossy(&ran.stderr).into_owned();
            return Err(failed(&format_args!("{}: {}{}", ran.status, stdout, text.trim())));
        }
        let mut sample = Sample { wall, stdout, ..Sample::default() };
        plan.read_figures(&mut sample);
        if self.inner {
            sample.wall = sample.said("seconds ").ok_or_else(|| failed(&"no line `seconds N`"))?;
            sample.cpu = sample.said("cpu ");
        }
        for output in &self.outputs {
            let found = fs::metadata(output).map_err(|error| failed(&error))?;
            sample.output += found.len();
            sample.allocated += found.blocks() * 512;
        }
        Ok(sample)
    }
}

/// A producer; it ends with the pipe, or is ended.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Seconds of user and system time.
    pub(crate) cpu: Option<f64>,
    /// Largest resident set in bytes.
    pub(crate) peak: Option<u64>,
    /// Bytes that it made dirty in file systems with a disk.
    pub(crate) written: Option<u64>,
    /// Length of all outputs in bytes.
    pub(crate) output: u64,
    /// What they take of the file system, in bytes.
    pub(crate) allocated: u64,
    pub(crate) stdout: String,
}

impl Sample {
    /// The number in a line of its output that begins so.
    fn said(&self, before: &str) -> Option<f64> {
        self.stdout.lines().find_map(|line| line.strip_prefix(before)?.parse().ok())
    }
}

/// All runs of a command.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    pub(crate) label: String,
    pub(crate) samples: Vec<Sample>,
}

impl Runs {
    pub(crate) fn wall(&self) -> f64 {
        median(self.samples.iter().map(|sample| sample.wall).collect())
    }

    pub(crate) fn cpu(&self) -> Option<f64> {
        self.samples.iter().map(|sample| sample.cpu).collect::<Option<_>>().map(median)
    }

    pub(crate) fn peak(&self) -> Option<u64> {
        self.samples.iter().map(|sample| sample.peak).max().flatten()
    }

    pub(crate) fn last(&self) -> &Sample {
        &self.samples[self.samples.len() - 1]
    }
}

/// The middle one, of at least one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() % 2 {
        0 => (values[half - 1] + values[half]) / 2.0,
        _ => values[half],
    }
}

/// How runs are made.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    runs: usize,
    budget: u64,
    /// GNU time.
    time: Option<PathBuf>,
    /// Where it puts its figures.
    figures: PathBuf,
}

impl Plan {
    pub(crate) fn new(runs: usize, budget: u64, dir: &Path) -> Self {
        let time = in_path("time");
        Self { runs: runs.max(1), budget, time, figures: dir.join("figures") }
    }

    /// Whether CPU time and memory are measured.
    pub(crate) fn has_time(&self) -> bool {
        self.time.is_some()
    }

    fn read_figures(&self, sample: &mut Sample) {
        if self.time.is_none() {
            return;
        }
        let mut text = String::new();
        let _ = fs::File::open(&self.figures).and_then(|mut file| file.read_to_string(&mut text));
        let numbers: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
        if let [user, system, kib, blocks] = numbers[..] {
            sample.cpu = Some(user + system);
            sample.peak = Some((kib * 1024.0) as u64);
            sample.written = Some((blocks * 512.0) as u64);
        }
    }
}

/// Runs all of them in turn: once to warm up, then as often as the plan has it.
pub(crate) fn race(works: &[Work], plan: &Plan) -> Done<Vec<Runs>> {
    let labels: Vec<_> = works.iter().map(|work| work.label.as_str()).collect();
    eprint!("compare:   {}: ", labels.join(" | "));
    let start = Instant::now();
    works.iter().try_for_each(|work| work.run(plan).map(drop))?;
    let round = start.elapsed().as_secs_f64();
    let fit = (plan.budget as f64 / round) as usize;
    let rounds = plan.runs.min(fit.max(2));
    let empty = |work: &Work| Runs { label: work.label.clone(), samples: Vec::new() };
    let mut all: Vec<Runs> = works.iter().map(empty).collect();
    for _ in 0..rounds {
        for (work, runs) in works.iter().zip(&mut all) {
            runs.samples.push(work.run(plan)?);
        }
        eprint!(".");
    }
    let walls: Vec<_> = all.iter().map(|runs| format!("{:.3}", runs.wall())).collect();
    eprintln!(" {} s", walls.join(" | "));
    Ok(all)
}
