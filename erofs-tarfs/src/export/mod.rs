//! The main job, planned: what comes out of layers in each of the six modes, and how long it is,
//! before a byte is written.
//!
//! `io::Export` (feature `std`) carries it out with files. Without files a [`Plan`] is all there is to
//! know: where each byte of a disk comes from ([`Plan::disk`]), and its root hash ([`Plan::hash`]).
//!
//! ```
//! use erofs_tarfs::export::{Options, Plan, Product};
//! use erofs_tarfs::tree::Builder;
//! use erofs_tarfs::verity::RootOnly;
//!
//! let tree = Builder::new().finish()?;
//! let plan = Plan::new(&tree, Product::SealedDisk, &Options::default())?;
//! let read = &mut |_, _, _: &mut [u8]| unreachable!("no device");
//! let sealed = plan.hash(&[], read, &mut RootOnly)?.expect("it is sealed");
//! assert_eq!(sealed.geometry().end(), plan.bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
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
pub use plan::{Options, Plan};
