//! The caller's files and callbacks: where bytes come from, where they go, who is told of it.

pub(crate) mod file;
pub mod progress;
pub mod sink;
pub mod source;
pub(crate) mod watch;
