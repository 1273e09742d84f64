//! What a push comes to.

use super::Entry;

/// What a push came to.
#[derive(Debug)]
pub struct Step<'a> {
    /// Bytes of the input that the parser took: the next push goes on after them.
    pub consumed: usize,
    /// What they made.
    pub event: Event<'a>,
}

/// What bytes of a tar make.
#[derive(Debug)]
pub enum Event<'a> {
    /// Nothing yet: all of the input was taken. Past the end marker this is all that comes.
    NeedInput,
    /// An entry. Its body comes next in the stream.
    Entry(Entry<'a>),
    /// A piece of the last entry's body as stored, where [`Parser::want_body`](super::Parser::want_body) asked for it.
    Data(&'a [u8]),
}
