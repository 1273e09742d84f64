//! Tars whose bytes come when they are read: fanotify asks for them where a bootstrap and they are mounted from files. Over loop
//! devices it asks for nothing (findings/loop-asks-for-nothing.sh).

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use testkit::mount::{self, DiskFs, Erofs};
use testkit::oracle;
use testkit::tarball::TarBuilder;

use crate::run::ok;

/// A program that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn tars_may_be_filled_when_they_are_read() {
    let Some(python) = oracle::tool("python3", "apt-get install python3") else { return };
    let Some(disk) = mount::scratch_disk(DiskFs::Ext4, 64 << 20).unwrap() else { return };
    let path = |name: &str| disk.path().join(name).to_str().unwrap().to_owned();
    let big: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    let tar = TarBuilder::new().file("big", &big).file("small", b"here\n").finish();
    let (layer, whole) = (path("layer.tar"), path("whole.tar"));
    fs::write(&layer, &tar).unwrap();
    fs::write(&whole, &tar).unwrap();
    ok(["layer", &layer]);
    // As long as it will be, and nothing of it is there.
    File::create(&layer).unwrap().set_len(tar.len() as u64).unwrap();

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tool/lazy.py");
    let mut filler = Command::new(python);
    let filler = filler.args([script, &layer, &whole]).stdout(Stdio::piped()).spawn().unwrap();
    let mut filler = Ends(filler);
    let mut said = String::new();
    BufReader::new(filler.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    if said != "filling\n" {
        println!("SKIPPED: this kernel's fanotify has no FAN_PRE_ACCESS: {said}");
        return;
    }
    let mounted = Erofs::new(format!("{layer}.erofs")).devices([&layer]).mount_by_fd().unwrap();
    let read = ["big", "small"].map(|name| fs::read(mounted.path().join(name)));
    assert!(read[0].as_ref().unwrap() == &big, "other bytes");
    assert_eq!(read[1].as_ref().unwrap(), b"here\n");
}
