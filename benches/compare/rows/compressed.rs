//! A compressed layer becomes a sealed disk, in memory, beside what only decompresses it, and beside the
//! programs that others do it with.

use std::path::Path;
use std::process::Command;

use super::judge::{found, timed};
use crate::bench::Bench;
use crate::done::Done;
use crate::format::bytes;
use crate::inputs::{self, Fleeting};
use crate::measure::{Work, race};
use crate::path::in_path;
use crate::report::Row;

/// What decompresses one of the formats, and how much longer than that a disk may take.
struct Format {
    compress: [&'static str; 3],
    plain: &'static str,
    bar: f64,
}

const FORMATS: [Format; 2] = [
    Format { compress: ["gzip", "-6", "-c"], plain: "igzip", bar: 1.2 },
    Format { compress: ["zstd", "-3", "-c"], plain: "zstd", bar: 1.3 },
];

/// What is done without us. The diffID's digest is taken on the way.
const OTHERS: &str = r#"set -e
unpigz -c "$1" | tee "$3.fifo" | "$2" --quiet --tar=f "$3" &
sha256sum <"$3.fifo" >/dev/null
wait $!
veritysetup format "$3" "$3.tree" >/dev/null"#;

pub(super) fn run(bench: &Bench, rows: &mut Vec<Row>) -> Done {
    let size = if bench.quick { 2 << 20 } else { 170 << 20 };
    let memory = Fleeting::new(&bench.tmpfs)?;
    let tar = inputs::words(&memory.0, "words", size)?;
    let diff_id = bench.tools.job("SHA-256", ["sha256"]).piped(&tar).run(&bench.plan)?.stdout;
    for format in FORMATS {
        let [program, ..] = format.compress;
        let title = |how: &str| {
            let what =
                format!("{program} layer to a sealed disk + diffID, {how}{}, tmpfs", bytes(size));
            ("unpack", what)
        };
        let stream = memory.0.join(program);
        if let Err(why) = compress(&format.compress, &tar, &stream) {
            rows.push(Row::failed("unpack", why));
            continue;
        }
        let out = memory.0.join("disk");
        let words = ["layer", "--disk", "--verity", "--placement", "data-first", "--json", "-o"];
        let mut works = vec![bench.tools.tarfs(words).out(&out).arg(&stream)];
        if in_path(format.plain).is_some() {
            let only = [r#""$1" -dc "$2" >/dev/null"#, "sh", format.plain];
            works.push(Work::new(format.plain, ["sh", "-c"]).args(only).arg(&stream));
        }
        let runs = race(&works, &bench.plan)?;
        if !runs[0].last().stdout.contains(diff_id.trim()) {
            return Err("the diffID is not the tar's SHA-256".to_owned());
        }
        rows.push(timed(title(""), &runs[0], found(&runs, 1, format.plain), format.bar));
        rows.push(parts(bench, &format, &tar, &memory.0)?);
        if program == "gzip" {
            works.truncate(1);
            works.extend(others(bench, &stream, &memory.0)?);
            let runs = race(&works, &bench.plan)?;
            let peer = found(&runs, 1, "unpigz, mkfs.erofs or veritysetup");
            rows.push(timed(title("by others, "), &runs[0], peer, 0.25));
        }
    }
    Ok(())
}

/// A stream of many members or frames, to nothing: by two threads, beside what decompresses it by one.
fn parts(bench: &Bench, format: &Format, tar: &Path, dir: &Path) -> Done<Row> {
    let [program, level, stdout] = format.compress;
    let stream = dir.join("parts");
    let filter = format!("--filter={program} {level} {stdout}");
    let failed = |error: std::io::Error| format!("split: {error}");
    let out = std::fs::File::create(&stream).map_err(failed)?;
    let mut split = Command::new("split");
    split.args(["-b", "4M", "-a", "4", &filter]).arg(tar).stdout(out);
    let done = split.status().map_err(failed)?;
    if !done.success() {
        return Err("split failed".to_owned());
    }
    let mut works = vec![bench.tools.job("two threads", ["unpack", "2"]).arg(&stream)];
    if in_path(format.plain).is_some() {
        let only = [r#""$1" -dc "$2" >/dev/null"#, "sh", format.plain];
        works.push(Work::new(format.plain, ["sh", "-c"]).args(only).arg(&stream));
    }
    let runs = race(&works, &bench.plan)?;
    std::fs::remove_file(&stream).map_err(failed)?;
    let title = format!("{program} of each 4 MiB of it, to nothing, by two threads, tmpfs");
    Ok(timed(("unpack", title), &runs[0], found(&runs, 1, format.plain), 1.0))
}

/// Writes what a program makes of a tar.
pub(super) fn compress(words: &[&str; 3], tar: &Path, stream: &Path) -> Done {
    let [program, level, stdout] = words;
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let out = std::fs::File::create(stream).map_err(failed)?;
    let done = Command::new(program).args([level, stdout]).arg(tar).stdout(out).status();
    match done.map_err(failed)?.success() {
        true => Ok(()),
        false => Err(format!("{program} {level} failed")),
    }
}

/// The programs of others, if they are all installed.
fn others(bench: &Bench, stream: &Path, dir: &Path) -> Done<Option<Work>> {
    let (Some(mkfs), Some(_), Some(_)) =
        (bench.tools.mkfs.path(), in_path("unpigz"), bench.tools.veritysetup.path())
    else {
        return Ok(None);
    };
    let (out, fifo) = (dir.join("others"), dir.join("others.fifo"));
    let made = Command::new("mkfifo").arg(&fifo).status();
    if !made.is_ok_and(|status| status.success()) {
        return Err(format!("{}: cannot be made", fifo.display()));
    }
    let work = Work::new("unpigz | mkfs.erofs", ["sh", "-c", OTHERS, "sh"]).arg(stream).arg(mkfs);
    Ok(Some(work.out(&out).makes(&dir.join("others.tree"))))
}
