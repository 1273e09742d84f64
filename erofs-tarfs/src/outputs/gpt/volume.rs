//! What systemd finds partitions for.

/// Which part of a system a partition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Volume {
    /// The root file system.
    Root,
    /// What is mounted at `/usr`.
    Usr,
}
