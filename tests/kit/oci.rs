//! OCI image layouts, by hand.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::layer::{Op, What};
use crate::stacks::Layer;

/// Writes an image of the given layer tars, the lowest first, tagged `latest`.
///
/// # Errors
/// Those of writing files.
pub fn write_layout(dir: &Path, layers: &[impl AsRef<[u8]>]) -> io::Result<()> {
    let layers: Vec<_> = layers.iter().map(|tar| (tar.as_ref(), digest(tar.as_ref()))).collect();
    write_layout_of(dir, "image.layer.v1.tar", &layers)
}

/// The same of blobs of one kind, the end of their media type, each with the SHA-256 of its tar in hex.
///
/// # Errors
/// Those of writing files.
pub fn write_layout_of(
    dir: &Path,
    kind: &'static str,
    layers: &[(impl AsRef<[u8]>, String)],
) -> io::Result<()> {
    fs::create_dir_all(dir.join("blobs/sha256"))?;
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    let diff_ids: Vec<_> =
        layers.iter().map(|(_, diff_id)| format!("\"sha256:{diff_id}\"")).collect();
    let layers = layers.iter().map(|(layer, _)| blob(dir, layer.as_ref(), kind));
    let layers: Vec<Blob> = layers.collect::<io::Result<_>>()?;
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        diff_ids.join(",")
    );
    let config = blob(dir, config.as_bytes(), "image.config.v1+json")?;
    let descriptors: Vec<_> = layers.iter().map(|layer| layer.descriptor("")).collect();
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#,
        config.descriptor(""),
        descriptors.join(",")
    );
    let manifest = blob(dir, manifest.as_bytes(), "image.manifest.v1+json")?;
    let tag = r#","annotations":{"org.opencontainers.image.ref.name":"latest"}"#;
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, manifest.descriptor(tag));
    fs::write(dir.join("index.json"), index)
}

struct Blob {
    kind: &'static str,
    digest: String,
    size: usize,
}

impl Blob {
    fn descriptor(&self, more: &str) -> String {
        let Self { kind, digest, size } = self;
        format!(
            r#"{{"mediaType":"application/vnd.oci.{kind}","digest":"sha256:{digest}","size":{size}{more}}}"#
        )
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn blob(dir: &Path, bytes: &[u8], kind: &'static str) -> io::Result<Blob> {
    let digest = digest(bytes);
    fs::write(dir.join("blobs/sha256").join(&digest), bytes)?;
    Ok(Blob { kind, digest, size: bytes.len() })
}

/// Four layers with one of everything that layers do: a base, an addition, changes of type, and
/// whiteouts with an opaque directory.
#[must_use]
pub fn small_image() -> Vec<Layer> {
    let file = |path: &str, content: &str| Op::new(path, What::File(content.into()));
    let op = |path: &str, what| Op::new(path, what);
    let layers = [
        vec![
            op("", What::Dir),
            op("bin", What::Symlink(b"usr/bin".into())),
            op("etc", What::Dir),
            file("etc/passwd", "root:x:0:0::/:/bin/sh\n"),
            file("etc/issue", "Welcome\n"),
            op("usr", What::Dir),
            op("usr/bin", What::Dir),
            file("usr/bin/sh", &"#!".repeat(2000)),
            op("usr/bin/dash", What::Hardlink(b"usr/bin/sh".into())),
            file("usr/share/doc/a", "a"),
            file("usr/share/doc/b", "b"),
            op("var", What::Dir),
            file("var/log/old", "old"),
        ],
        vec![
            file("opt/app/run", "run"),
            file("opt/app/conf", "conf"),
            op("dev/null", What::Char(1, 3)),
            op("run/pipe", What::Fifo),
        ],
        vec![
            file("var", "a file where a directory was"),
            op("etc/issue", What::Dir),
            file("etc/issue/inside", "a directory where a file was"),
        ],
        vec![
            op("opt/app/conf", What::Whiteout),
            op("usr/share/doc", What::Opaque),
            file("usr/share/doc/new", "new"),
            op("usr/bin/dash", What::Whiteout),
            op("run", What::Whiteout),
            op("etc/never", What::Whiteout),
        ],
    ];
    layers.into_iter().map(Layer::plain).collect()
}

/// These layers, and on top one that runs: a shell, which must need no libraries, and what says of which system it is.
#[must_use]
pub fn with_shell(shell: Vec<u8>) -> Vec<Layer> {
    let mut program = Op::new("usr/bin/sh", What::File(shell));
    program.attr.mode = 0o755;
    let release = Op::new("etc/os-release", What::File(b"NAME=small\n".to_vec()));
    let mut layers = small_image();
    layers.push(Layer::plain(vec![program, release]));
    layers
}
