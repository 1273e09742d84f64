//! What a call returns.

/// What a fallible call returns, as an int32_t: zero for success, negative for a failure. The list
/// is append-only: a number never changes its meaning, and newer libraries may return newer ones.
///
/// Positive numbers are the callbacks': the library returns none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    /// Success.
    Ok = 0,
    /// An argument breaks a rule of this header: NULL where none is allowed, a length that no
    /// memory has.
    InvalidArgument = -1,
    /// A panic, which is a defect of the library, was caught. The handle that the call was given
    /// is poisoned.
    Panic = -2,
    /// An earlier call on this handle panicked. All that is left to do with it is to free it.
    Poisoned = -3,
}

impl Status {
    /// The number that C sees.
    pub(crate) const fn code(self) -> i32 {
        self as i32
    }
}
