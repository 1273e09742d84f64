//! Debian's registry, to which skopeo brings an image.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use testkit::oci::{small_image, write_layout};
use testkit::oracle::{self, Verdict};

use crate::run::{ok, run};

/// A registry, which ends with this.
struct Registry {
    process: Child,
    host: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Registry {
    /// One whose blobs are in `dir`.
    fn new(program: &Path, dir: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let config = dir.join("registry.yml");
        let store = dir.join("registry");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: \"{host}\"}}\n\
             storage: {{filesystem: {{rootdirectory: \"{}\"}}}}\n",
            store.display()
        );
        fs::write(&config, text).unwrap();
        let log = fs::File::create(dir.join("registry.log")).unwrap();
        let mut serve = Command::new(program);
        serve.arg("serve").arg(&config).stdout(Stdio::null()).stderr(log);
        let process = serve.spawn().unwrap();
        Self { process, host }
    }
}

#[test]
fn an_image_of_a_registry_is_the_image() {
    let Some(program) = oracle::tool("docker-registry", "Debian: docker-registry") else { return };
    let Some(skopeo) = oracle::tool("skopeo", "Debian: skopeo") else { return };
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("layout");
    let tars: Vec<Vec<u8>> = small_image().into_iter().map(|layer| layer.tar).collect();
    write_layout(&layout, &tars).unwrap();
    let registry = Registry::new(&program, dir.path());
    let image = format!("docker://{}/a/image:t", registry.host);
    let push = || {
        let mut copy = Command::new(&skopeo);
        copy.args(["--insecure-policy", "copy", "--dest-tls-verify=false"]);
        Verdict::of(copy.arg(format!("oci:{}:latest", layout.display())).arg(&image))
    };
    // It takes a moment to listen.
    let mut pushed = push();
    for _ in 0..100 {
        if pushed.ok {
            break;
        }
        sleep(Duration::from_millis(100));
        pushed = push();
    }
    pushed.expect_ok("skopeo copy");

    let local = format!("oci:{}", layout.display());
    let root = |image: &str| ok(["root", image]);
    assert_eq!(root(&image), root(&local));
    let sealed = |image: &str, out: &str| {
        let out = dir.path().join(out);
        let words = ["export", "--mode", "image_block_with_verity", "-o"];
        ok(words.map(str::as_ref).into_iter().chain([out.as_os_str(), image.as_ref()]));
        fs::read(out).unwrap()
    };
    assert_eq!(sealed(&image, "far.disk"), sealed(&local, "near.disk"));

    let inspected =
        Verdict::of(Command::new(&skopeo).args(["inspect", "--tls-verify=false", &image]));
    inspected.expect_ok("skopeo inspect");
    let said: serde_json::Value = serde_json::from_str(&inspected.output).unwrap();
    let digest = said["Digest"].as_str().unwrap();
    let named = format!("docker://{}/a/image@{digest}", registry.host);
    assert_eq!(root(&named), root(&local));

    let host = &registry.host;
    for (image, why) in [
        (format!("docker://{host}/a/image:u"), "MANIFEST_UNKNOWN"),
        (format!("docker://{host}/b/image:t"), "the registry answers 404 Not Found"),
        (format!("docker://{host}/a/image@sha256:{}", "0".repeat(64)), "MANIFEST_UNKNOWN"),
    ] {
        let ran = run(["ls", &image]);
        assert_eq!(ran.code, 1, "{image}: {}", ran.stderr);
        assert!(ran.stderr.contains(&image) && ran.stderr.contains(why), "{image}: {}", ran.stderr);
    }
}
