//! What a reader of images says when it fails.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

/// Why a [`ReadImage`](super::ReadImage) could not read.
///
/// ```
/// use erofs_tarfs::read::ReadFault;
///
/// let fault = ReadFault::new(std::io::Error::other("cable unplugged"));
/// assert_eq!(fault.to_string(), "cable unplugged");
/// ```
#[derive(Clone)]
pub struct ReadFault(Arc<dyn core::error::Error + Send + Sync>);

impl ReadFault {
    /// Made of any error, or of a text.
    pub fn new(error: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }
}

impl fmt::Debug for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for ReadFault {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source()
    }
}

/// Equal is a fault only to itself.
impl PartialEq for ReadFault {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ReadFault {}
