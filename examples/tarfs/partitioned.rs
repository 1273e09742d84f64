//! What was made of disks in partitions, as JSON and for people.

use std::io::Write;
use std::path::Path;

use erofs_tarfs::outputs::{Gpt, Placed};
use serde::Serialize;

use crate::fail::{Done, Fail};
use crate::report::{Form, Report, line, stream};

/// Disks in the partitions of one.
#[derive(Debug, Serialize)]
pub(crate) struct Partitioned {
    path: String,
    /// Length of the disk.
    size: u64,
    guid: String,
    partitions: Vec<OfPartition>,
    #[serde(flatten)]
    pub(crate) made: Form,
}

/// A partition.
#[derive(Debug, Serialize)]
struct OfPartition {
    number: usize,
    name: String,
    guid: String,
    /// Byte of the disk at which it starts.
    offset: u64,
    /// What is in it; its offsets count from its start.
    disk: Report,
}

impl Partitioned {
    pub(crate) fn new(path: &Path, gpt: &Gpt) -> Self {
        Self {
            path: path.display().to_string(),
            size: gpt.bytes(),
            guid: gpt.guid().to_string(),
            partitions: Vec::new(),
            made: Form::default(),
        }
    }

    /// The next partition, and what is in it.
    pub(crate) fn push(&mut self, placed: &Placed, disk: Report) {
        self.partitions.push(OfPartition {
            number: self.partitions.len() + 1,
            name: placed.name.clone(),
            guid: placed.guid.to_string(),
            offset: placed.offset,
            disk,
        });
    }

    /// Prints it: one line of JSON, or lines for people.
    pub(crate) fn print(&self, json: bool) -> Done {
        let mut out = stream(&self.path);
        if json {
            return line(&mut out, self);
        }
        let written = (|| {
            writeln!(out, "{}: {} bytes", self.path, self.size)?;
            self.made.write(&mut out)?;
            for OfPartition { number, name, guid, offset, disk } in &self.partitions {
                writeln!(
                    out,
                    "partition {number}: {} bytes at {offset}, {name:?}, {guid}",
                    disk.size
                )?;
                disk.verity.as_ref().map_or(Ok(()), |verity| verity.write(&mut out))?;
            }
            Ok(())
        })();
        written.map_err(Fail::stdout)
    }
}
