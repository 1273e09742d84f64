//! How C and Rust meet: statuses, errors, pointers, structs that grow, panics. Knows nothing of what
//! the calls are about.
//!
//! - [`status`]: what a call returns. [`error`]: the details, as an object that the caller owns;
//!   [`causes`] makes it of the library's errors, and C reads it by [`error_calls`].
//! - [`panic`]: the boundary that no panic crosses, and the handle that one poisons.
//! - [`pointer`]: the only place that turns a caller's pointer into a Rust reference. [`sized`]: the
//!   same for structs that can grow. [`string`]: texts for C.
//! - [`version`]: of the library and of its ABI.

mod causes;
pub mod error;
pub mod error_calls;
pub(crate) mod panic;
pub(crate) mod pointer;
pub(crate) mod sized;
pub mod status;
pub mod string;
pub mod version;
