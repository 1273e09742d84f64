//! What a push comes to.

use super::Entry;

/// What a push came to.
///
/// ```
/// use erofs_tarfs::tar::{Event, ParseOptions, Parser};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let tar = tar_of(&[("etc/motd", "hello\n")]);
/// let mut parser = Parser::new(ParseOptions::default());
/// // A part of a header is taken, and nothing comes of it; the rest of it completes the entry.
/// assert_eq!(parser.push(&tar[..100])?.consumed, 100);
/// let step = parser.push(&tar[100..])?;
/// assert!(step.consumed == 412 && matches!(step.event, Event::Entry(_)));
/// # Ok::<(), erofs_tarfs::tar::Error>(())
/// ```
#[derive(Debug)]
pub struct Step<'a> {
    /// Bytes of the input that the parser took: the next push goes on after them.
    pub consumed: usize,
    /// What they made.
    pub event: Event<'a>,
}

/// What bytes of a tar make.
///
/// ```
/// use erofs_tarfs::tar::{Event, ParseOptions, Parser};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let tar = tar_of(&[("etc/motd", "hello\n")]);
/// let (mut parser, mut rest) = (Parser::new(ParseOptions::default()), &tar[..]);
/// let mut body = Vec::new();
/// loop {
///     let step = parser.push(rest)?;
///     rest = &rest[step.consumed..];
///     match step.event {
///         Event::NeedInput => break, // here all of it was pushed
///         Event::Entry(_) => parser.want_body(),
///         Event::Data(piece) => body.extend_from_slice(piece),
///     }
/// }
/// assert_eq!(body, b"hello\n");
/// # Ok::<(), erofs_tarfs::tar::Error>(())
/// ```
#[derive(Debug)]
pub enum Event<'a> {
    /// Nothing yet: all of the input was taken. Past the end marker this is all that comes.
    NeedInput,
    /// An entry. Its body comes next in the stream.
    Entry(Entry<'a>),
    /// A piece of the last entry's body as stored, where [`Parser::want_body`](super::Parser::want_body) asked for it.
    Data(&'a [u8]),
}
