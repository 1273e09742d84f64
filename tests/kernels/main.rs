//! Kernels × forms: what Linux 6.1 and 6.12, as Debian has them, make of our images in guests that
//! QEMU boots: through dm-verity with the commands that the tool prints, and without it.
//!
//! `./check kernels` runs it. The kernels are where `TARFS_KERNELS` says; `.ci/debian-kernels` makes
//! that folder. A guest runs all rows in one boot, each a script over files that lie where they lie
//! here; what must be seen is what this machine's kernel shows, overlayfs above all.

mod forms;
mod given;
mod guest;
mod layers;
mod mounting;
mod page;
mod reply;
mod row;
#[path = "../tool/run.rs"]
#[allow(dead_code, reason = "the tests of the tool use all of it")]
mod run;
mod verity;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

use given::{Folder, Given};
use guest::Tools;
use row::Row;
use testkit::oracle;

const RELEASES: [&str; 2] = ["6.1", "6.12"];

/// Only rows with this in their names are run. Disks of guests are those of such rows.
const PART: &str = "TARFS_ROWS";

#[test]
fn every_row_holds_on_every_kernel() {
    let (Some(kernels), Some(tools)) = (oracle::kernels(), Tools::find()) else { return };
    let folder = Folder::new();
    let given = Given::rich(&folder);
    let mut rows = [
        forms::rows(&folder, &given),
        mounting::rows(&folder, &given),
        page::rows(&folder),
        verity::rows(&given),
    ]
    .concat();
    let names: BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len(), "a name twice");
    let part = env::var(PART).unwrap_or_default();
    rows.retain(|row| row.name.contains(&part));
    assert!(!rows.is_empty(), "no row is called {part:?}");
    folder.put_scripts(&rows);
    let disk = tempfile::NamedTempFile::new().unwrap();
    guest::carrier(&tools, folder.path(), disk.path());
    let wrong: Vec<String> = thread::scope(|scope| {
        let boots = RELEASES.map(|release| {
            let (kernel, rows, folder) = (kernels.join(release), &rows, folder.path());
            let (tools, disk) = (&tools, disk.path());
            scope.spawn(move || run_rows(tools, &kernel, release, rows, folder, disk))
        });
        boots.into_iter().flat_map(|boot| boot.join().unwrap()).collect()
    });
    let count = wrong.len();
    assert!(wrong.is_empty(), "{count} rows do not hold:\n\n{}", wrong.join("\n\n"));
}

/// Boots a kernel; what is wrong with the rows.
fn run_rows(
    tools: &Tools,
    kernel: &Path,
    release: &str,
    rows: &[Row],
    folder: &Path,
    carrier: &Path,
) -> Vec<String> {
    let start = Instant::now();
    let disks: Vec<_> = rows.iter().flat_map(|row| row.disks.clone()).collect();
    let said = match guest::boot(tools, kernel, folder, carrier, &disks) {
        Ok(said) => said,
        Err(why) => return vec![format!("Linux {release}: {why}")],
    };
    let (version, replies) = reply::parse(&said);
    let expected = fs::read_to_string(kernel.join("version")).unwrap();
    assert_eq!(version.split(' ').next(), Some(expected.trim()), "another kernel was booted");
    assert!(version.starts_with(&format!("{release}.")), "{release} is Linux {version}");
    let of = |(number, row): (usize, &Row)| {
        let reply = replies.get(&given::script_name(number, row));
        let wrong = match reply {
            Some(reply) => row.judge(release, reply),
            None => Some(format!("{}: the guest did not run it", row.name)),
        };
        wrong.map(|wrong| format!("Linux {version}, {wrong}"))
    };
    let wrong: Vec<String> = rows.iter().enumerate().filter_map(of).collect();
    let held = rows.len() - wrong.len();
    let seconds = start.elapsed().as_secs();
    eprintln!("Linux {version}: {held} of {} rows hold, {seconds} s", rows.len());
    wrong
}
