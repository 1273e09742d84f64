//! Adapters to files and threads, for programs with `std`.

pub mod verity;
