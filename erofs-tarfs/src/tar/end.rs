//! What a whole stream came to.

/// How an archive ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EndMarker {
    /// Two zero blocks, as POSIX has it.
    TwoBlocks,
    /// One zero block and the end of the stream.
    OneBlock,
    /// No zero block: the stream ends at a block boundary, or is empty.
    #[default]
    None,
}

/// Totals of a stream, from [`Parser::finish`](super::Parser::finish).
///
/// ```
/// use erofs_tarfs::tar::{EndMarker, ParseOptions, Parser};
///
/// let mut parser = Parser::new(ParseOptions::default());
/// parser.push(&[0; 10_240])?; // a record of zeros: an empty tar, as `tar -cf` makes it
/// let end = parser.finish()?;
/// assert_eq!((end.entries, end.bytes, end.marker), (0, 10_240, EndMarker::TwoBlocks));
/// assert_eq!(end.trailing, 10_240 - 1024); // bytes behind the two blocks that end it
/// # Ok::<(), erofs_tarfs::tar::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// Entries handed out.
    pub entries: u64,
    /// Length of the whole stream in bytes, everything after the end marker too.
    pub bytes: u64,
    /// How the archive ended.
    pub marker: EndMarker,
    /// Bytes that followed the two zero blocks: padding of the record, or anything else.
    pub trailing: u64,
    /// Entries of unknown type that were passed over
    /// ([`ParseOptions::skip_unknown_types`](super::ParseOptions::skip_unknown_types)).
    pub skipped_unknown: u64,
    /// GNU volume labels (type `V`), which are passed over.
    pub skipped_labels: u64,
    /// Directories, links, devices and FIFOs that state a size. No body follows them, as GNU tar
    /// extracts and Go reads them; but `tar -t` and some other readers skip one.
    pub sizes_ignored: u64,
}

impl End {
    /// Counts an entry that states a size and has no body.
    pub(super) fn count_ignored(&mut self) {
        self.sizes_ignored = self.sizes_ignored.saturating_add(1);
    }

    /// Whether the length of the stream is a multiple of 512 bytes.
    pub const fn is_whole_blocks(&self) -> bool {
        self.bytes.is_multiple_of(512)
    }

    /// What to say of a tar that does not end with its two zero blocks, so that it may have been cut short.
    /// Nobody can tell: GNU tar and containerd take it as it is.
    ///
    /// ```
    /// use erofs_tarfs::tar::{ParseOptions, Parser};
    ///
    /// let mut parser = Parser::new(ParseOptions::default());
    /// parser.push(&[0; 512])?;
    /// let warning = parser.finish()?.warning();
    /// assert_eq!(warning, Some("ends with one zero block instead of two"));
    /// # Ok::<(), erofs_tarfs::tar::Error>(())
    /// ```
    pub const fn warning(&self) -> Option<&'static str> {
        match self.marker {
            EndMarker::TwoBlocks => None,
            EndMarker::OneBlock => Some("ends with one zero block instead of two"),
            EndMarker::None => {
                Some("ends without zero blocks, and may have been cut short between two entries")
            }
        }
    }
}
