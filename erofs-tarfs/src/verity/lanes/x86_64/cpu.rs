//! CPUID, and XGETBV for what the operating system saves; asked once.
#![allow(unsafe_code)]

use core::arch::x86_64::__cpuid;
use core::sync::atomic::{AtomicU8, Ordering};

cpufeatures::new!(sha, "sha", "sse2", "ssse3", "sse4.1");
cpufeatures::new!(avx2, "avx2");
cpufeatures::new!(avx512, "avx2", "avx512f", "avx512bw", "avx512vl");

/// SHA instructions, and the SSE that goes with them.
pub(in super::super) fn has_sha() -> bool {
    sha::get()
}

/// AVX2.
pub(in super::super) fn has_avx2() -> bool {
    avx2::get()
}

/// AVX-512 F, BW and VL.
pub(in super::super) fn has_avx512() -> bool {
    avx512::get()
}

/// Another architecture's.
pub(in super::super) fn has_armv8() -> bool {
    false
}

/// Whether 512-bit instructions are cut in two and the SHA unit takes one every cycle, so that
/// four messages there beat sixteen in AVX-512: Zen 3 and 4, family 19h of AMD.
pub(in super::super) fn prefers_sha_unit() -> bool {
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
