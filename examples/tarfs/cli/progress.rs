//! One line for long work, on a terminal only: what is done, and how far all that the command has to do is done.

use std::fmt::Write;
use std::io::{self, IsTerminal, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use erofs_tarfs::io::verity::ReadAt;
use indicatif::{
    HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};

use crate::cli::loudness;
pub(crate) use crate::cli::stages::Stage;
use crate::cli::stages::Stages;

/// So long nothing is said of how long it takes.
const EARLY: Duration = Duration::from_secs(2);

/// The line: a bar over all.
const BAR: &str = "{msg:9} {wide_bar} {bytes}/{total_bytes} {speed} {left}";
/// The same where nobody knows how much there is, as it comes from a pipe.
const COUNT: &str = "{msg:9} {spinner} {bytes} {speed}";

/// The line of the command: one runs in a process. Nothing where it is not shown.
static LINE: LazyLock<Option<Line>> = LazyLock::new(|| {
    let shown = io::stderr().is_terminal() && !loudness::is_quiet();
    shown.then(|| Line { start: Instant::now(), state: Mutex::default() })
});

#[derive(Debug)]
struct Line {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stages: Stages,
    /// Bytes that were gone through.
    done: u64,
    /// There while a stage is at work: between stages something else may be printed.
    bar: Option<ProgressBar>,
    /// Whether the bar is the count of [`COUNT`].
    counts: bool,
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line that goes on where the last one went. It has all that it shows before it is drawn.
    fn bar(&self, stage: Stage, done: u64, bytes: u64, counts: bool) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden())
            .with_position(done)
            .with_message(stage.name());
        self.form(&bar, counts);
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    fn form(&self, bar: &ProgressBar, counts: bool) {
        if let Ok(style) = ProgressStyle::with_template(if counts { COUNT } else { BAR }) {
            bar.set_style(keys(style, self.start));
        }
    }

    /// Shows what there is to do now.
    fn show(&self, state: &mut State) {
        let Some(stage) = state.stages.current() else {
            // The line goes.
            state.bar.take().iter().for_each(ProgressBar::finish_and_clear);
            return;
        };
        let (done, bytes) = (state.done, state.stages.bytes().max(state.done));
        let counts = state.stages.is_open();
        let is_other = core::mem::replace(&mut state.counts, counts) != counts;
        let bar = state.bar.get_or_insert_with(|| self.bar(stage, done, bytes, counts));
        if is_other {
            self.form(bar, counts);
        }
        bar.set_length(bytes);
        bar.set_message(stage.name());
    }
}

impl State {
    /// So many bytes more were gone through.
    fn advance(&mut self, bytes: u64) {
        self.done = self.done.saturating_add(bytes);
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }
}

/// Speed and time that is left are of the whole command, not of the last moment: stages differ.
fn keys(style: ProgressStyle, start: Instant) -> ProgressStyle {
    style
        .with_key("speed", move |state: &ProgressState, out: &mut dyn Write| {
            let seconds = start.elapsed().as_secs_f64().max(0.001);
            let _ = write!(out, "{}/s", HumanBytes((state.pos() as f64 / seconds) as u64));
        })
        .with_key("left", move |state: &ProgressState, out: &mut dyn Write| {
            let text = left(start.elapsed(), state.pos(), state.len().unwrap_or_default());
            let _ = out.write_str(&text);
        })
}

/// How long it takes yet, in words: nothing is said before there is enough to say it by, as the first bytes come
/// out of a cache, or wait for a disk.
fn left(elapsed: Duration, done: u64, all: u64) -> String {
    let fraction = done as f64 / all.max(1) as f64;
    match elapsed < EARLY || fraction < 0.01 {
        true => "…".to_owned(),
        false => {
            let left = elapsed.mul_f64((1.0 - fraction).max(0.0) / fraction);
            HumanDuration(left).to_string()
        }
    }
}

/// Says ahead how often a command goes through what it reads afterwards: to write it, to hash it.
pub(crate) fn passes(passes: u64) {
    change(|stages| stages.set_passes(passes));
}

/// Says ahead that what is read is copied afterwards as it lies.
pub(crate) fn copied() {
    change(Stages::set_copied);
}

/// Says ahead how many bytes of inputs will be read.
pub(crate) fn expect(bytes: u64) {
    change(|stages| stages.expect(bytes));
}

/// Says ahead how many bytes of inputs will be checked before they are read.
pub(crate) fn expect_checks(bytes: u64) {
    change(|stages| stages.expect_checks(bytes));
}

fn change(change: impl FnOnce(&mut Stages)) {
    if let Some(line) = &*LINE {
        change(&mut line.state().stages);
    }
}

/// A stage at work. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Its number, and whether it is known how long it is.
    stage: Option<(u64, bool)>,
    /// Bytes that it counted.
    done: AtomicU64,
}

impl Progress {
    /// A stage of so many bytes, if that is known.
    pub(crate) fn new(stage: Stage, total: Option<u64>) -> Self {
        let number = LINE.as_ref().map(|line| {
            let mut state = line.state();
            let number = state.stages.begin(stage, total);
            line.show(&mut state);
            (number, total.is_some())
        });
        Self { stage: number, done: AtomicU64::new(0) }
    }

    /// Counts bytes. One may be read twice: a stage ends at its end.
    pub(crate) fn inc(&self, bytes: u64) {
        let (Some(line), Some((number, known))) = (&*LINE, self.stage) else { return };
        let mut state = line.state();
        let before = self.done.fetch_add(bytes, Ordering::Relaxed);
        let left = state.stages.length(number).saturating_sub(before);
        if !known && left < bytes {
            state.stages.grow(number, bytes - left);
        }
        state.advance(if known { bytes.min(left) } else { bytes });
    }

    /// An observer as the library takes it, which counts.
    pub(crate) fn observer(&self) -> impl Fn(u64) + Sync + '_ {
        |bytes| self.inc(bytes)
    }

    /// A reader that counts. The stage ends when the reader is dropped.
    pub(crate) fn wrap<R: Read>(self, reader: R) -> impl Read {
        Counted(reader, self)
    }

    /// A reader that counts.
    pub(crate) fn reader<R: Read>(&self, reader: R) -> impl Read + use<'_, R> {
        Counted(reader, self)
    }

    /// A file that counts what is read of it.
    pub(crate) fn file<'p, R: ReadAt + ?Sized>(&'p self, file: &'p R) -> impl ReadAt + 'p {
        Counted(file, self)
    }

    fn rename(&self, stage: Stage) {
        if let (Some(line), Some((number, _))) = (&*LINE, self.stage) {
            let mut state = line.state();
            state.stages.rename(number, stage);
            line.show(&mut state);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let (Some(line), Some((number, _))) = (&*LINE, self.stage) else { return };
        let mut state = line.state();
        // What it did not go through after all counts as done.
        let left = state.stages.length(number).saturating_sub(*self.done.get_mut());
        state.advance(left);
        state.stages.end(number);
        line.show(&mut state);
    }
}

/// Disks that are written and hashed, in any order: a stage that says which is being done, and counts the bytes
/// of both.
#[derive(Debug)]
pub(crate) struct Steps {
    progress: Progress,
    hashing: Mutex<bool>,
}

impl Steps {
    /// A stage of so many bytes, which are asked for only where a line is shown. It is the last that counts any.
    pub(crate) fn new(bytes: impl FnOnce() -> Option<u64>) -> Self {
        let bytes = LINE.as_ref().and_then(|_| bytes());
        let progress = Progress::new(Stage::Writing, bytes);
        if let (Some(line), Some(_)) = (&*LINE, bytes) {
            let mut state = line.state();
            state.stages.expect_no_more();
            line.show(&mut state);
        }
        Self { progress, hashing: Mutex::new(false) }
    }

    /// Counts bytes of a step.
    pub(crate) fn inc(&self, hashing: bool, bytes: u64) {
        let mut before = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        if core::mem::replace(&mut *before, hashing) != hashing {
            self.progress.rename(if hashing { Stage::Hashing } else { Stage::Writing });
        }
        drop(before);
        self.progress.inc(bytes);
    }
}

/// Something that is read, and the stage that counts it.
struct Counted<R, P>(R, P);

impl<R: Read, P: core::borrow::Borrow<Progress>> Read for Counted<R, P> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buf)?;
        self.1.borrow().inc(n as u64);
        Ok(n)
    }
}

impl<R: ReadAt + ?Sized> ReadAt for Counted<&R, &Progress> {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buf, offset)?;
        self.1.inc(buf.len() as u64);
        Ok(())
    }

    fn view(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let view = self.0.view(offset, len)?;
        self.1.inc(view.len() as u64);
        Some(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_estimate_is_none() {
        let seconds = Duration::from_secs;
        for (elapsed, done, said) in [
            (0, 500, "…"),
            (1, 990, "…"),
            (100, 1, "…"),
            (2, 10, "3 minutes"),
            (180, 500, "3 minutes"),
            (9, 1000, "0 seconds"),
            (9, 1001, "0 seconds"),
        ] {
            assert_eq!(left(seconds(elapsed), done, 1000), said);
        }
        assert_eq!(left(seconds(9), 0, 0), "…");
    }
}
