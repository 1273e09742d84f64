//! Structs that begin with their size.

/// A struct of zeros, of which the caller says how long it is. Its type is one of the header's structs, which
/// are integers and pointers, the size first.
pub(crate) fn sized<T: Copy>() -> T {
    // SAFETY: zeros are a value of such a struct, and its first field is a `usize`.
    unsafe {
        let mut zeros: T = core::mem::zeroed();
        (&raw mut zeros).cast::<usize>().write(size_of::<T>());
        zeros
    }
}
