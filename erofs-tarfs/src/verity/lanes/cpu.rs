//! CPUID, and XGETBV for what the operating system saves; asked once.
#![allow(unsafe_code)]

use core::arch::x86_64::__cpuid;

cpufeatures::new!(sha, "sha", "sse2", "ssse3", "sse4.1");
cpufeatures::new!(avx2, "avx2");
cpufeatures::new!(avx512, "avx2", "avx512f", "avx512bw", "avx512vl");

/// SHA instructions, and the SSE that goes with them.
pub(super) fn has_sha() -> bool {
    sha::get()
}

/// AVX2.
pub(super) fn has_avx2() -> bool {
    avx2::get()
}

/// AVX-512 F, BW and VL.
pub(super) fn has_avx512() -> bool {
    avx512::get()
}

/// Whether 512-bit instructions are cut in two and the SHA unit takes one every cycle, so that
/// four messages there beat sixteen in AVX-512: Zen 3 and 4, family 19h of AMD.
pub(super) fn prefers_sha_unit() -> bool {
    #[allow(unused_unsafe, reason = "safe since Rust 1.94 or earlier")]
    // SAFETY: every x86-64 CPU has CPUID with leaves 0 and 1.
    let (vendor, version) = unsafe { (__cpuid(0), __cpuid(1).eax) };
    let amd = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes)
        == [*b"Auth", *b"enti", *b"cAMD"];
    amd && (version >> 8 & 0xf) + (version >> 20 & 0xff) == 0x19
}
