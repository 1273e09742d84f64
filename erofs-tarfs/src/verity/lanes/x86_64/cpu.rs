//! CPUID, and XGETBV for what the operating system saves; asked once.
#![allow(unsafe_code)]

use core::arch::x86_64::__cpuid;
use core::sync::atomic::{AtomicU8, Ordering};

use super::Backend;

cpufeatures::new!(sha, "sha", "sse2", "ssse3", "sse4.1");
cpufeatures::new!(avx2, "avx2");
cpufeatures::new!(avx512, "avx2", "avx512f", "avx512bw", "avx512vl");

/// Whether this CPU and operating system have what a backend wants.
pub(in super::super) fn has(backend: Backend) -> bool {
    match backend {
        Backend::Avx2 => avx2::get(),
        Backend::ShaNi => sha::get(),
        Backend::ShaNiAvx512 => sha::get() && avx512::get(),
        Backend::Avx512 => avx512::get(),
        Backend::Sha2 | Backend::Armv8 => false,
    }
}

/// What is faster here than the order of [`Backend::ALL`] says.
pub(in super::super) fn preferred() -> Option<Backend> {
    let backend = Backend::ShaNiAvx512;
    (has(backend) && prefers_sha_unit()).then_some(backend)
}

/// Whether 512-bit instructions are cut in two and the SHA unit takes one every cycle, so that
/// eight messages there beat sixteen in AVX-512: Zen 3 and 4, family 19h of AMD.
fn prefers_sha_unit() -> bool {
    /// 0: not asked yet. CPUID is slow where a hypervisor answers it.
    static ANSWER: AtomicU8 = AtomicU8::new(0);
    match ANSWER.load(Ordering::Relaxed) {
        0 => {
            let answer = is_amd_family_19h();
            ANSWER.store(1 + u8::from(answer), Ordering::Relaxed);
            answer
        }
        answer => answer == 2,
    }
}

fn is_amd_family_19h() -> bool {
    #[allow(unused_unsafe, reason = "safe in later versions than 1.89")]
    // SAFETY: every x86-64 CPU has CPUID with leaves 0 and 1.
    let (vendor, version) = unsafe { (__cpuid(0), __cpuid(1).eax) };
    let vendor = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes);
    let family = (version >> 8 & 0xf) + (version >> 20 & 0xff);
    vendor.as_flattened() == b"AuthenticAMD" && family == 0x19
}
