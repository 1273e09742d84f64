//! Which way of hashing this CPU has, and which is the fastest.

use super::arch::cpu;
use super::backend::Backend;

impl Backend {
    /// The fastest one that this CPU has.
    pub fn best() -> Self {
        if let Some(preferred) = cpu::preferred() {
            return preferred;
        }
        let mut all = Self::ALL.into_iter().rev();
        all.find(|backend| backend.is_available()).unwrap_or(Self::Sha2)
    }

    /// Whether this CPU, operating system and build have it.
    pub fn is_available(self) -> bool {
        self == Self::Sha2 || cpu::has(self)
    }
}
