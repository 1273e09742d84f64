//! What the operating system says of the CPU; without one, what the build is for.

use super::Backend;

cpufeatures::new!(sha2, "sha2");

/// Whether this CPU has what a backend wants.
pub(in super::super) fn has(backend: Backend) -> bool {
    backend == Backend::Armv8 && sha2::get()
}

/// Nothing is faster here than the order of [`Backend::ALL`] says.
pub(in super::super) fn preferred() -> Option<Backend> {
    None
}
