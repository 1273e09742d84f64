//! Where and when: no figure without them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::done::Done;

/// One line: processor, threads, memory, kernel, date.
pub(crate) fn line() -> String {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let threads = available_parallelism().map_or(1, usize::from);
    let memory = memory("MemTotal")
        .map_or_else(String::new, |bytes| format!(", {} GiB", (bytes + (1 << 29)) >> 30));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output();
    let date =
        date.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    let s = if threads == 1 { "" } else { "s" };
    format!("{cpu}, {threads} thread{s}{memory}, Linux {}; {}", kernel.trim(), date.trim())
}

/// A line of /proc/meminfo, in bytes.
fn memory(name: &str) -> Option<u64> {
    let kib: u64 = field("/proc/meminfo", name)?.split_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

/// What the control group that we are in, as a container sees it, may still take, in bytes.
fn granted() -> u64 {
    let number = |file: &str| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let groups = [
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ];
    let left = groups.iter().filter_map(|(limit, used)| {
        let [limit, used] = [limit, used].map(|file| number(&format!("/sys/fs/cgroup/{file}")));
        Some(limit?.saturating_sub(used.unwrap_or(0)))
    });
    left.min().unwrap_or(u64::MAX)
}

/// Sees to it that memory, up to `bytes` of what is to be had, stays with this machine as long as
/// `file` is there, a file in memory.
///
/// A virtual machine may give memory back to its host that is free for two seconds, and the first
/// write to a page costs several times as much as any later: what is measured then is how long ago
/// memory was freed. Only free pieces of 2 MiB are given back. So all is written to once, and of
/// each 256 KiB one page is kept.
///
/// # References
/// Linux, `mm/page_reporting.c`.
pub(crate) fn keep_memory(file: &Path, bytes: u64) -> Done {
    const STEP: u64 = 256 << 10;
    const PAGE: u64 = 4 << 10;
    // Cached files go for it, which come back.
    let spare = memory("MemAvailable").unwrap_or(0).min(granted()).saturating_sub(2 << 30);
    let keep = || -> io::Result<()> {
        let mut out = File::create(file)?;
        let room = statvfs(file)?;
        let bytes = bytes.min(spare).min(room.f_bavail.saturating_mul(room.f_frsize) / 8 * 7);
        let zeros = vec![0; STEP as usize];
        (0..bytes / STEP).try_for_each(|_| out.write_all(&zeros))?;
        for at in (0..bytes / STEP).map(|step| step * STEP) {
            let how = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            fallocate(&out, how, at + PAGE, STEP - PAGE)?;
        }
        Ok(())
    };
    keep().map_err(|error| format!("{}: {error}", file.display()))
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
