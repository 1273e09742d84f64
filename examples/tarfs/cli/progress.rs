//! Bars for long work, on a terminal only.

use std::io::{self, IsTerminal, Read};
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts bytes, or nothing.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar named `what`; without a total it only counts.
    pub(crate) fn new(what: &str, total: Option<u64>) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let form = match total {
            Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}",
            None => "{msg} {spinner} {bytes} {binary_bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
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

/// The bars of a disk that is written and then hashed. Each bar is shown when its step begins.
#[derive(Debug)]
pub(crate) struct Steps {
    bytes: u64,
    writing: OnceLock<Progress>,
    hashing: OnceLock<Progress>,
}

impl Steps {
    /// Bars over the bytes of these.
    pub(crate) fn new(bytes: impl Iterator<Item = u64>) -> Self {
        Self { bytes: bytes.sum(), writing: OnceLock::new(), hashing: OnceLock::new() }
    }

    /// Counts bytes of a step.
    pub(crate) fn inc(&self, hashing: bool, bytes: u64) {
        let (bar, what) = match hashing {
            false => (&self.writing, "writing"),
            true => (&self.hashing, "hashing"),
        };
        let total = Some(self.bytes).filter(|_| bytes > 0 || !hashing);
        bar.get_or_init(|| {
            if hashing && let Some(written) = self.writing.get() {
                written.0.finish_and_clear();
            }
            Progress::new(what, total)
        });
        bar.get().iter().for_each(|bar| bar.0.inc(bytes));
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
    }
}
