//! Names the shared library as the dynamic loader should look for it.

/// The ABI that the soname promises: `TARFS_ABI_VERSION`, which `erofs-tarfs-ffi/check` compares.
const ABI: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libtarfs.so.{ABI}");
    }
}
