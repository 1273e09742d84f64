//! Images in registries, read and added to by the protocol of the OCI's distribution specification.
//!
//! | file | duty |
//! |---|---|
//! | `name` | what `docker://HOST/REPOSITORY:TAG` names |
//! | `connection` | requests to one repository: tried again, and answered in words when they fail |
//! | `places` | addresses: whose they are, and where one leads to |
//! | `challenge` | what a registry wants to know of who asks |
//! | `login` | tokens, for names and passwords of the usual files |
//! | `error` | why there is no answer, and whether it may come yet |
//! | `content` | a blob or a manifest as a stream, which goes on where it was cut off |
//! | `upload` | blobs and manifests that a registry is given |
//! | `referrers` | what a registry lists as referring to an image |
//!
//! HTTP and TLS are ureq's, credentials are found by `docker_credential`. The rest is some requests: a
//! client with all of the protocol would bring an asynchronous runtime and 150 crates.

mod challenge;
pub(crate) mod connection;
pub(crate) mod content;
pub(crate) mod error;
mod login;
pub(crate) mod name;
mod places;
pub(crate) mod referrers;
pub(crate) mod upload;
