//! Proof that `erofs-tarfs` without its default features needs `core` and `alloc` only.
//!
//! A static library must be complete: it needs exactly one panic handler and one allocator. This one
//! brings its own, so that `std` sneaking in, by the core or by a dependency, is a second panic
//! handler, which the compiler refuses (E0152). Feature `std` does just that, and `./check nostd`
//! wants to see it fail.
#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;

use erofs_tarfs::units::BlockSize;

/// Refuses every request: this code is compiled, not run.
struct Refuse;

// SAFETY: a null pointer is what an allocator returns when it has no memory, and so nothing is
// ever handed to `dealloc`.
unsafe impl GlobalAlloc for Refuse {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Refuse = Refuse;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Something of the core and something of `alloc`.
#[unsafe(no_mangle)]
pub extern "C" fn no_std_proof(bytes: u64) -> u64 {
    *Box::new(BlockSize::B512.blocks(bytes))
}
