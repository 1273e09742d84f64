//! Stacks that have no meaning.

/// Why a stack has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illegal {
    /// By the rules it is an error.
    Refused(&'static str),
    /// The rules do not say: no test should ask.
    Unsaid(&'static str),
}
