//! Bars for long work, on a terminal only.

use std::fmt::Write;
use std::io::{self, IsTerminal, Read};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::cli::loudness;

/// So long nothing is said of how long it takes.
const EARLY: Duration = Duration::from_secs(2);

/// All bars, each on a line of its own.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// A bar that counts bytes, or nothing.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar named `what`; without a total it only counts.
    pub(crate) fn new(what: &str, total: Option<u64>) -> Self {
        if !io::stderr().is_terminal() || loudness::is_quiet() {
            return Self(ProgressBar::hidden());
        }
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let form = match total {
            Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {left}",
            None => "{msg} {spinner} {bytes} {binary_bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style.with_key("left", |state: &ProgressState, out: &mut dyn Write| {
                let text = left(state.elapsed(), f64::from(state.fraction()), state.eta());
                let _ = out.write_str(&text);
            }));
        }
        bar.set_message(what.to_owned());
        let bar = BARS.add(bar);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// An observer as the library takes it, which moves the bar.
    pub(crate) fn observer(&self) -> impl Fn(u64) + Sync + '_ {
        |bytes| self.0.inc(bytes)
    }

    /// A reader that moves the bar. The bar goes when the reader does.
    pub(crate) fn wrap<R: Read>(self, reader: R) -> impl Read {
        Bar(reader, self)
    }

    /// A reader that moves the bar.
    pub(crate) fn reader<R: Read>(&self, reader: R) -> impl Read + use<R> {
        self.0.wrap_read(reader)
    }
}

/// How long it takes yet, in words: nothing is said before there is enough to say it by, as the first bytes come
/// out of a cache, or wait for a disk.
fn left(elapsed: Duration, fraction: f64, eta: Duration) -> String {
    match elapsed < EARLY || fraction < 0.01 {
        true => "…".to_owned(),
        false => HumanDuration(eta).to_string(),
    }
}

/// The bar of disks that are written and hashed, in any order. It says which is being done, and counts
/// the bytes of both.
#[derive(Debug)]
pub(crate) struct Steps {
    bar: Progress,
    hashing: AtomicBool,
}

impl Steps {
    /// A bar over so many bytes, which are asked for only where a bar is shown.
    pub(crate) fn new(bytes: impl FnOnce() -> Option<u64>) -> Self {
        let bytes = if io::stderr().is_terminal() { bytes() } else { None };
        Self { bar: Progress::new("writing", bytes), hashing: AtomicBool::new(false) }
    }

    /// Counts bytes of a step.
    pub(crate) fn inc(&self, hashing: bool, bytes: u64) {
        let bar = &self.bar.0;
        if self.hashing.swap(hashing, Ordering::Relaxed) != hashing {
            bar.set_message(if hashing { "hashing" } else { "writing" });
        }
        // A byte may be read twice: the bar ends at its end.
        let left = bar.length().map_or(u64::MAX, |bytes| bytes.saturating_sub(bar.position()));
        bar.inc(bytes.min(left));
    }
}

/// A reader and its bar.
struct Bar<R>(R, Progress);

impl<R: Read> Read for Bar<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buf)?;
        self.1.0.inc(n as u64);
        Ok(n)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
        BARS.remove(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_estimate_is_none() {
        let seconds = Duration::from_secs;
        for (elapsed, fraction, said) in [
            (0, 0.5, "…"),
            (1, 0.99, "…"),
            (100, 0.001, "…"),
            (2, 0.01, "3 minutes"),
            (3, 0.5, "3 minutes"),
        ] {
            assert_eq!(left(seconds(elapsed), fraction, seconds(180)), said);
        }
    }
}
