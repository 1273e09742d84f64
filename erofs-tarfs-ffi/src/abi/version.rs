//! Versions of the library and of its ABI.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::{CStr, c_char};

/// Major version that this header belongs to.
pub const TARFS_VERSION_MAJOR: u32 = 0;
/// Minor version that this header belongs to.
pub const TARFS_VERSION_MINOR: u32 = 1;
/// Patch version that this header belongs to.
pub const TARFS_VERSION_PATCH: u32 = 0;

/// Version of the ABI that this header describes. It changes when a program that was built with an
/// older header could go wrong with the newer library; the soname ends in it.
pub const TARFS_ABI_VERSION: u32 = 0;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version without NUL"),
    };

/// Version of the library that runs, such as "0.1.0".
///
/// @return A string that lives as long as the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn tarfs_version() -> *const c_char {
    VERSION.as_ptr()
}

/// Version of the ABI of the library that runs; a program should refuse one that differs from the
/// TARFS_ABI_VERSION it was built with.
#[unsafe(no_mangle)]
pub extern "C" fn tarfs_abi_version() -> u32 {
    TARFS_ABI_VERSION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_say_the_packages_version() {
        let macros = format!("{TARFS_VERSION_MAJOR}.{TARFS_VERSION_MINOR}.{TARFS_VERSION_PATCH}");
        assert_eq!(macros, env!("CARGO_PKG_VERSION"));
        assert_eq!(VERSION.to_str(), Ok(macros.as_str()));
    }
}
