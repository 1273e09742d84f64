//! Where and when: no figure without them.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

/// One line: processor, threads, memory, kernel, date.
pub(crate) fn line() -> String {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let threads = available_parallelism().map_or(1, usize::from);
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .map_or_else(String::new, |kib| format!(", {} GiB", (kib + (1 << 19)) >> 20));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output();
    let date =
        date.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    let s = if threads == 1 { "" } else { "s" };
    format!("{cpu}, {threads} thread{s}{memory}, Linux {}; {}", kernel.trim(), date.trim())
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
