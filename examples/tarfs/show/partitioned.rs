//! What was made of disks in partitions, as JSON and for people.

use std::io::{self, Write};
use std::path::Path;

use erofs_tarfs::outputs::{Gpt, Placed};
use serde::Serialize;

use crate::cli::fail::Done;
use crate::show::print;
use crate::show::report::{HowMade, Report};

/// A disk whose partitions are disks.
#[derive(Debug, Serialize)]
pub(crate) struct Partitioned {
    path: String,
    /// Length of the disk.
    size: u64,
    guid: String,
    partitions: Vec<OfPartition>,
    #[serde(flatten)]
    pub(crate) made: HowMade,
}

/// A partition.
#[derive(Debug, Serialize)]
struct OfPartition {
    number: usize,
    name: String,
    /// What it is for, as a GUID.
    #[serde(rename = "type")]
    kind: String,
    guid: String,
    /// Byte of the disk at which it starts.
    offset: u64,
    size: u64,
    /// What is in it, if it is a file system; its offsets count from its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<Report>,
}

impl Partitioned {
    pub(crate) fn new(path: &Path, gpt: &Gpt) -> Self {
        Self {
            path: path.display().to_string(),
            size: gpt.bytes(),
            guid: gpt.guid().to_string(),
            partitions: Vec::new(),
            made: HowMade::default(),
        }
    }

    /// The next partition, and what is in it.
    pub(crate) fn push(&mut self, placed: &Placed, disk: Option<Report>) {
        self.partitions.push(OfPartition {
            number: self.partitions.len() + 1,
            name: placed.name.clone(),
            kind: placed.role.partition_type().to_string(),
            guid: placed.guid.to_string(),
            offset: placed.offset,
            size: placed.bytes,
            disk,
        });
    }

    /// Prints it: one line of JSON, or lines for people.
    pub(crate) fn print(&self, json: bool) -> Done {
        print::made(print::stream(&self.path), self, json, |out| self.write(out))
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}: {} bytes", self.path, self.size)?;
        self.made.write(out)?;
        for OfPartition { number, name, guid, offset, size, disk, .. } in &self.partitions {
            writeln!(out, "partition {number}: {size} bytes at {offset}, {name:?}, {guid}")?;
            let verity = disk.as_ref().and_then(|disk| disk.verity.as_ref());
            verity.map_or(Ok(()), |verity| verity.write(out))?;
        }
        Ok(())
    }
}
