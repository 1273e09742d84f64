//! tar bytes to entries: a push parser without I/O.
//!
//! ```text
//! byte 0       512            1024     1536             2560
//! ┌────────────┬──────────────┬────────┬────────────────┐
//! │ header     │ body, filled │ header │ two blocks of  │  headers and bodies are whole
//! │ etc/motd   │ up to 512    │ srv/   │ zeros: the end │  blocks of 512 bytes
//! └─────┬──────┴──────┬───────┴───┬────┴────────────────┘
//!    Entry       Data, if asked  Entry
//! ```
//!
//! A [`Parser`] is fed the bytes of a tar in pieces of any size and answers with an [`Entry`]
//! each time a header, and the extension headers before it, are complete. It reads v7, ustar,
//! pax, old GNU and star, and knows nothing of EROFS. Where GNU tar and Go's `archive/tar` (so
//! containerd) agree on what an archive holds it does as they do; where they do not it mostly
//! refuses the archive, and `tests/tar_odd.rs` has each case. One thing both take is refused: an end of the
//! archive with entries behind it, in the bytes that a link states ([`ErrorKind::LinkBody`]).
//!
//! ```
//! use erofs_tarfs::tar::{Event, ParseOptions, Parser};
//!
//! fn paths(mut tar: &[u8]) -> Result<Vec<Vec<u8>>, erofs_tarfs::tar::Error> {
//!     let mut parser = Parser::new(ParseOptions::default());
//!     let mut paths = Vec::new();
//!     while !tar.is_empty() {
//!         let step = parser.push(tar)?;
//!         tar = &tar[step.consumed..];
//!         if let Event::Entry(entry) = step.event {
//!             paths.push(entry.path.to_vec());
//!         }
//!         // A caller who can seek passes over bodies without reading them.
//!         let body = parser.skippable().min(tar.len() as u64);
//!         parser.skip(body)?;
//!         tar = &tar[body as usize..];
//!     }
//!     parser.finish()?;
//!     Ok(paths)
//! }
//! # assert!(paths(&[0; 1024]).unwrap().is_empty());
//! ```
//!
//! What is decided here: where entries begin, which header says what (pax over GNU over ustar), and
//! whether the archive is one that all readers read alike. Paths are handed on raw: what `..` or a
//! symbolic link in them means is for the [`tree`](crate::tree) stage.
//!
//! # Limits
//! [`ParseOptions::limits`] bound what a hostile stream can make the parser hold: by default paths of 64 KiB, and
//! 1 MiB of extension headers and of extended attributes an entry. Lengths and offsets are below 2^63.
//!
//! # References
//! - POSIX, `pax`: the ustar and pax formats.
//! - The GNU tar manual: old GNU headers, sparse files, numbers in base 256.
//! - What GNU tar 1.34 and Go's `archive/tar` do, for what is written nowhere.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod assemble;
mod behind;
mod body;
mod claim;
mod end;
mod entry;
mod error;
mod event;
mod extension;
mod fields;
mod finish;
mod header;
mod number;
mod options;
mod parser;
mod part;
mod pax;
mod pending;
mod plain;
mod prefetch;
mod push;
mod said;
mod sparse;
mod xattr;

pub use end::{End, EndMarker};
pub use entry::{Entry, Kind, Xattr, Xattrs};
pub use error::{Compression, Error, ErrorKind, Part};
pub use event::{Event, Step};
pub use options::ParseOptions;
pub use parser::Parser;
pub use sparse::Segment;
