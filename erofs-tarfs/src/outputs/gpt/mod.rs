//! Disks in one disk, a partition each: GUID Partition Tables.

mod architecture;
mod crc32;
mod guid;
mod partition;
mod plan;
mod read;
mod role;
mod sizes;
mod table;
mod table_error;
mod volume;

pub use architecture::Architecture;
pub use partition::{Partition, Placed};
pub use plan::Gpt;
pub use read::{FoundPartition, PartitionTable, TableHeader};
pub use role::Role;
pub use table_error::TableError;
pub use volume::Volume;
