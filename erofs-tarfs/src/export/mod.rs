//! The main job, planned: what comes out of layers in each of the six modes, and how long it is,
//! before a byte is written.
//!
//! ```text
//! Tree ────────────┐             ┌─ disk ──→ where each byte of the disk comes from
//! Product ─────────┼─→ Plan ─────┼─ bytes ─→ how long the output is
//! ExportOptions ───┘             └─ hash ──→ the hash tree, and its root hash
//! ```
//!
//! A [`Mode`] says whether each layer becomes a filesystem, or all of them one, and what is made of it,
//! its [`Product`]: a disk, a disk with its hash tree, or the tree alone. A [`Form`] says whether a disk
//! is a file with all bytes, or a description of it over the tars as they lie, and a [`Partitioning`]
//! puts several disks into one. [`stem`] and [`plain`] name the files.
//!
//! What is decided here: what each output is made of, how long it is, and what it is called. Files are
//! opened, read and written by `io::Export` (feature `std`), which carries this out. Without files a
//! [`Plan`] is all there is to know.
//!
//! ```
//! use erofs_tarfs::export::{Mode, ExportOptions, Plan};
//! # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
//! # use doc::layer_of;
//!
//! let tree = layer_of(&[("etc/motd", "hello\n")]);
//! for mode in Mode::ALL {
//!     let plan = Plan::new(&tree, mode.product(), &ExportOptions::default())?;
//!     println!("{mode}: {} bytes", plan.bytes());
//! }
//! # Ok::<(), erofs_tarfs::export::Error>(())
//! ```

mod error;
mod form;
mod mode;
mod name;
mod plan;

pub use error::Error;
pub use form::{Form, Partitioning};
pub use mode::{Mode, Product};
pub use name::{plain, stem};
pub use plan::{ExportOptions, Plan};
