//! `erofsfuse`: for those who may not mount.

use std::path::Path;
use std::process::Command;

use rustix::mount::{UnmountFlags, unmount};
use tempfile::TempDir;
use testkit::dump::{Ignore, dump};
use testkit::oracle::{self, Verdict};

use crate::forms::{Files, Image};
use crate::table::Cell::{OtherBytes, Right};
use crate::table::{Shown, hold, row};
use crate::{labelled, open_ended, sparse, stacks};

/// A mount, until it is dropped; the process behind it ends with it.
struct Fuse {
    point: Option<TempDir>,
}

impl Fuse {
    fn mount(tool: &Path, files: &Files) -> Result<Self, String> {
        let point = tempfile::Builder::new().prefix("tarfs-fuse-").tempdir().unwrap();
        let mut command = Command::new(tool);
        command.args(files.devices.iter().map(|device| format!("--device={}", device.display())));
        let verdict = Verdict::of(command.arg(&files.image).arg(point.path()));
        if verdict.ok { Ok(Self { point: Some(point) }) } else { Err(verdict.output) }
    }

    fn path(&self) -> &Path {
        self.point.as_ref().expect("taken by drop only").path()
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        // Not through `TempDir`, which would empty what is still mounted.
        let Some(point) = self.point.take().map(TempDir::keep) else { return };
        let gone = unmount(&point, UnmountFlags::DETACH).map_err(Into::into);
        if let Err(error) = gone.and_then(|()| std::fs::remove_dir(&point)) {
            eprintln!("cannot unmount {point:?}: {error}");
        }
    }
}

#[test]
fn erofsfuse() {
    let Some(tool) = oracle::erofs_tool("erofsfuse") else { return };
    let row = row([Right, Right, Right, Right, Right, Right, OtherBytes, OtherBytes, Right]);
    let stacks = [stacks(6), sparse(), open_ended(), labelled()].concat();
    hold("erofsfuse", &row, &stacks, &|stack, form, dir| {
        let image = Image::of(stack, form);
        let files = image.write(dir, "image", form);
        let mounted = Fuse::mount(&tool, &files)?;
        let shown = dump(mounted.path()).map_err(|error| error.to_string())?;
        // It tells whole seconds.
        Ok(Shown { shown, want: image.dump(), ignore: Ignore::nothing().mtime_nanos() })
    });
}
