//! How a step ends.

/// What ends it: a text.
pub(crate) type Done<T = ()> = Result<T, String>;
