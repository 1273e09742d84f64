//! What a parser accepts, and how much it holds.

use crate::limits::Limits;

/// What a [`Parser`](super::Parser) accepts, and its limits.
///
/// Memory follows the bytes seen, never a length that a header claims; the limits bound what a
/// hostile stream that really sends its bytes can make the parser hold.
///
/// ```
/// use erofs_tarfs::limits::Limits;
/// use erofs_tarfs::tar::ParseOptions;
///
/// let options = ParseOptions::new().strict(true).limits(Limits::new().max_path_bytes(4095));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseOptions {
    /// How much the tar may cost. The parser asks for bytes, paths, extension headers, extended attributes and
    /// sparse maps; the other limits are for later stages.
    pub limits: Limits,
    /// Refuse an archive that does not end in two zero blocks. Default off: GNU tar and Go accept
    /// one zero block, or none, before the end of the stream.
    pub strict: bool,
    /// Pass over entries of types we do not know, with their bodies, and count them. Off, which
    /// is the default, they are errors.
    pub skip_unknown_types: bool,
    /// Refuse a stream whose length is not a multiple of 512 bytes. Off, which is the default,
    /// missing padding of the last block is accepted and can be told from
    /// [`End::bytes`](super::End::bytes).
    pub refuse_partial_last_block: bool,
}

impl ParseOptions {
    /// The default: limits for layers of strangers, and what GNU tar and Go accept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how much the tar may cost; for layers of strangers by default.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets whether an archive must end in two zero blocks; off by default.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Sets whether entries of unknown types are passed over; by default they are errors.
    #[must_use]
    pub fn skip_unknown_types(self, skip_unknown_types: bool) -> Self {
        Self { skip_unknown_types, ..self }
    }

    /// Sets whether a stream must be a multiple of 512 bytes; off by default.
    #[must_use]
    pub fn refuse_partial_last_block(self, refuse_partial_last_block: bool) -> Self {
        Self { refuse_partial_last_block, ..self }
    }
}
