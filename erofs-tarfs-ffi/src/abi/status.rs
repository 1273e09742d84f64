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
    /// memory has, a flag or number that is not in the header.
    InvalidArgument = -1,
    /// A panic, which is a defect of the library, was caught. The handle that the call was given
    /// is poisoned.
    Panic = -2,
    /// An earlier call on this handle panicked. All that is left to do with it is to free it.
    Poisoned = -3,
    /// The call comes at the wrong time: after the object was finished, or after an error that
    /// ended its work.
    WrongOrder = -4,
    /// A tar is malformed, or cut short.
    Tar = -5,
    /// A layer breaks a rule, or layers do not merge.
    Tree = -6,
    /// Something does not fit EROFS.
    Layout = -7,
    /// An image is malformed, or of a kind that is not read.
    Read = -8,
    /// Parameters, superblock or use of a hash tree is wrong.
    Verity = -9,
    /// Data does not have the digest that the hash tree or root hash says.
    Mismatch = -10,
    /// The system failed to read or write; tarfs_error_errno has its number.
    Io = -11,
    /// There is no such path, inode, device or index.
    NotFound = -12,
    /// Something does not fit a device-mapper table, a VMDK descriptor or a partition table.
    Output = -13,
    /// A compressed stream is malformed, cut short, or over max_ratio; or this library was built without
    /// what reads it.
    Compressed = -14,
}

impl Status {
    /// The number that C sees.
    pub(crate) const fn code(self) -> i32 {
        self as i32
    }
}
