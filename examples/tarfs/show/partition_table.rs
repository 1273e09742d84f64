//! A disk's partition table, as JSON and for people.

use std::io::{self, Write};
use std::path::Path;

use erofs_tarfs::io::Partitions;
use serde::Serialize;

use crate::cli::quote::Names;
use crate::files::partition;

/// A disk with partitions. Sizes and offsets are in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    path: String,
    size: u64,
    guid: String,
    partitions: Vec<Partition>,
    /// What is wrong with the table at either end.
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Partition {
    number: u32,
    name: String,
    #[serde(rename = "type")]
    partition_type: String,
    /// What the type means.
    what: String,
    guid: String,
    attributes: u64,
    offset: u64,
    size: u64,
}

impl Table {
    pub(crate) fn new(path: &Path, size: u64, found: &Partitions) -> Self {
        let partitions = found.table.partitions.iter().map(|partition| Partition {
            number: partition.number,
            name: partition.name.clone(),
            partition_type: partition.partition_type.to_string(),
            what: partition::kind(partition),
            guid: partition.guid.to_string(),
            attributes: partition.attributes,
            offset: partition.offset,
            size: partition.bytes,
        });
        Self {
            path: path.display().to_string(),
            size,
            guid: found.table.guid.to_string(),
            partitions: partitions.collect(),
            problems: partition::problems(found),
        }
    }

    pub(crate) fn write(&self, out: &mut impl Write, names: Names) -> io::Result<()> {
        writeln!(out, "{}: {} bytes, GPT {}", names.text(&self.path), self.size, self.guid)?;
        for Partition { number, name, what, guid, offset, size, .. } in &self.partitions {
            let name = names.text(name);
            writeln!(out, "partition {number}: {offset} + {size}, {what}, {guid}, {name}")?;
        }
        self.problems.iter().try_for_each(|problem| writeln!(out, "table:      {problem}"))
    }
}
