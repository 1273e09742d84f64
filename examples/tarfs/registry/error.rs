//! Why a registry does not answer what it was asked.

use std::fmt;

use ureq::http::StatusCode;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Error {
    /// There is no such thing.
    Absent(String),
    /// It would be the same the next time.
    Refused(String),
    /// The registry fails, or is not reached.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Absent(why) | Self::Refused(why) | Self::Failed(why)) = self;
        f.write_str(why)
    }
}

/// Whether the same question may have another answer soon.
pub(super) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}
