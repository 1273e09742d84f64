//! A real image, built once by `tests/fixtures/real-image.sh` and kept.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::oracle::{self, Verdict};

/// The directory that keeps fixtures between runs; `target/fixtures` when it is not set.
pub const FIXTURES: &str = "TARFS_FIXTURES";

/// Debian, nginx, small files, and a layer of removals.
#[derive(Clone, Debug)]
pub struct RealImage {
    /// The tars, uncompressed, the lowest first.
    pub layers: Vec<PathBuf>,
    /// The OCI layout, with the tags `layer1` to `layer4`.
    pub oci: PathBuf,
    /// What umoci extracts of it.
    pub rootfs: PathBuf,
}

/// The real image, built on first use (half a minute, and the network).
///
/// `None`, said aloud, where its tools are missing or the build fails, unless `CI=true`.
///
/// # Panics
/// Where it cannot be built and `CI=true`.
#[track_caller]
pub fn real_image() -> Option<RealImage> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = env::var_os(FIXTURES).map_or_else(|| root.join("target/fixtures"), PathBuf::from);
    let dir = kept.join("real-image");
    if !dir.join("done").exists() {
        let tools = [
            ("mmdebstrap", "mmdebstrap"),
            ("umoci", "umoci"),
            ("setfacl", "acl"),
            ("setfattr", "attr"),
            ("setcap", "libcap2-bin"),
        ];
        for (tool, package) in tools {
            oracle::tool(tool, &format!("apt-get install {package}"))?;
        }
    }
    let script = root.join("tests/fixtures/real-image.sh");
    let built = Verdict::of(Command::new("sh").arg(script).arg(&dir));
    if !built.ok {
        let message = format!("the real image cannot be built:\n{}", built.output);
        assert!(!oracle::is_ci(), "{message}");
        let _ = writeln!(io::stderr(), "SKIP: {message}");
        return None;
    }
    let layers = (1..=4).map(|number| dir.join(format!("layers/{number}.tar"))).collect();
    Some(RealImage { layers, oci: dir.join("oci"), rootfs: dir.join("rootfs") })
}
