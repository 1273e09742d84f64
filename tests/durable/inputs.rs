//! The programs, and what they read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;
use testkit::oracle::Verdict;
use testkit::rng::Rng;
use testkit::tarball::TarBuilder;
use testkit::{oci, program};

/// A folder with all files that rows read.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(make).path()
}

/// The program that a row names.
pub(crate) fn program(name: &str) -> PathBuf {
    match name {
        "tarfs" => program::example("tarfs"),
        "mkfs-erofs" => program::example("mkfs-erofs"),
        "nydus-image" => program::example("nydus-image"),
        name => folder().join(name),
    }
}

fn make() -> TempDir {
    let dir = tempfile::Builder::new().prefix("tarfs-inputs-").tempdir().unwrap();
    let (at, mut rng) = (|name: &str| dir.path().join(name), Rng::new(14));
    let tars = [
        TarBuilder::new()
            .dir("etc", 0o755)
            .file("etc/a", rng.bytes(70_000))
            .file("b", rng.bytes(150_001)),
        TarBuilder::new().file("etc/c", rng.bytes(30_000)).file("d", rng.bytes(99_999)),
        TarBuilder::new().whiteout("b").file("etc/a", "changed"),
    ];
    let tars = tars.map(TarBuilder::finish);
    for (name, tar) in ["base", "app", "fix"].iter().zip(&tars) {
        fs::write(at(&format!("{name}.tar")), tar).unwrap();
    }
    fs::write(at("data"), rng.bytes(200_001)).unwrap();
    oci::write_layout(&at("layout"), &tars).unwrap();
    fs::create_dir_all(at("upper/etc")).unwrap();
    fs::write(at("upper/etc/e"), rng.bytes(50_000)).unwrap();
    fs::create_dir(at("blobs")).unwrap();
    for line in [
        "gzip --keep --no-name app.tar",
        "zstd --quiet base.tar",
        "{tarfs} layer --disk --block-size 4096 -o base.disk base.tar",
        "{tarfs} layer --disk --block-size 4096 -o app.disk app.tar",
        "cp base.tar blobs/base",
        "cp app.tar blobs/app",
        "{nydus} create --type tar-tarfs --bootstrap base.boot --blob-id base base.tar",
        "{nydus} create --type tar-tarfs --bootstrap app.boot --blob-id app app.tar",
        "{nydus} merge --bootstrap image.boot base.boot app.boot",
    ] {
        let path = |name| program::example(name).display().to_string();
        let line = line.replace("{tarfs}", &path("tarfs")).replace("{nydus}", &path("nydus-image"));
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        Verdict::of(command.args(words).current_dir(dir.path())).expect_ok(&line);
    }
    examples(dir.path());
    dir
}

/// The library's example in Rust, and the C library's, over the shared library.
fn examples(dir: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = program::example("tarfs");
    let built = built.parent().unwrap().parent().unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "-p", "erofs-tarfs-ffi", "-p", "erofs-tarfs"]);
    build.args(["--lib", "--example", "seal_image"]);
    if built.ends_with("release") {
        build.arg("--release");
    }
    Verdict::of(build.current_dir(root)).expect_ok("cargo build -p erofs-tarfs-ffi");
    fs::copy(built.join("examples/seal_image"), dir.join("seal_image")).unwrap();
    let mut cc = Command::new("cc");
    cc.arg(root.join("examples/c/export.c")).arg("-I").arg(root.join("include"));
    cc.arg("-o").arg(dir.join("export_in_c")).arg("-L").arg(built).arg("-ltarfs");
    // It is looked for by its soname.
    symlink(built.join("libtarfs.so"), dir.join("libtarfs.so.0")).unwrap();
    cc.arg(format!("-Wl,-rpath,{}", dir.display()));
    Verdict::of(&mut cc).expect_ok("cc export.c");
}
