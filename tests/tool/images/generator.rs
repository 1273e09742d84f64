//! Layouts and archives, written as others write them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::tarball::TarBuilder;

use crate::run::{Ran, digest, ok, run};

pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Where images are made, and what comes of them.
pub(super) struct Place {
    pub(super) dir: TempDir,
    /// Two layers: `/etc/a`, `/etc/b`; and `/etc/c`, without `/etc/b`.
    pub(super) tars: Vec<Vec<u8>>,
}

/// What an argument should come to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected<'a> {
    /// Both layers.
    Both,
    /// Some of them, by number.
    Layers(&'a [usize]),
    /// An error with these words in it.
    Error(&'a [&'a str]),
}

impl Place {
    pub(super) fn new() -> Self {
        let lower = TarBuilder::new().dir("etc", 0o755).file("etc/a", b"one").file("etc/b", b"two");
        let upper = TarBuilder::new().whiteout("etc/b").file("etc/c", b"three");
        let dir = TempDir::with_prefix("tarfs-images-").unwrap();
        let place = Self { dir, tars: vec![lower.finish(), upper.finish()] };
        for (number, tar) in place.tars.iter().enumerate() {
            fs::write(place.path(&format!("{number}.tar")), tar).unwrap();
        }
        place
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A path as it stands in an argument.
    pub(super) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).unwrap();
        self.text(name)
    }

    /// The disk that the tars themselves make.
    fn disk_of_tars(&self, numbers: &[usize]) -> Vec<u8> {
        let out = self.text("expected.disk");
        let tars: Vec<_> = numbers.iter().map(|n| self.text(&format!("{n}.tar"))).collect();
        let empty = self.write("empty.tar", [0; 1024]);
        let tars = if tars.is_empty() { vec![empty] } else { tars };
        let words = ["merge", "--disk", "-o", &out].map(str::to_owned);
        ok(words.into_iter().chain(tars));
        fs::read(&out).unwrap()
    }

    /// Runs `merge --disk` over an argument, with more words before it.
    pub(super) fn merge(&self, words: &[&str], arg: &str) -> Ran {
        let out = self.text("out.disk");
        let _ = fs::remove_file(&out);
        run([&["merge", "--disk", "-o", &out][..], words, &[arg]].concat())
    }

    /// An argument gives the bytes that its tars give, or the error.
    #[track_caller]
    pub(super) fn expect(&self, what: &str, words: &[&str], arg: &str, expected: Expected<'_>) {
        let ran = self.merge(words, arg);
        let numbers = match expected {
            Expected::Both => &[0, 1][..],
            Expected::Layers(numbers) => numbers,
            Expected::Error(parts) => {
                assert_eq!(ran.code, 1, "{what}: {}", ran.stderr);
                assert_eq!(ran.stderr.lines().count(), 1, "{what}: {}", ran.stderr);
                for part in parts {
                    assert!(ran.stderr.contains(part), "{what}: no {part:?} in {}", ran.stderr);
                }
                assert!(!self.path("out.disk").exists(), "{what}");
                return;
            }
        };
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{what}");
        let disk = fs::read(self.path("out.disk")).unwrap();
        assert!(disk == self.disk_of_tars(numbers), "{what}: other bytes than of its tars");
    }

    /// A layout in a new directory.
    pub(super) fn layout(&self, name: &str) -> Layout<'_> {
        let dir = self.path(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        Layout { place: self, dir, manifests: Vec::new() }
    }
}

/// An OCI image layout.
pub(super) struct Layout<'p> {
    place: &'p Place,
    pub(super) dir: PathBuf,
    pub(super) manifests: Vec<Value>,
}

impl Layout<'_> {
    pub(super) fn blob(&self, bytes: impl AsRef<[u8]>, media_type: &str) -> Value {
        let bytes = bytes.as_ref();
        let hex = digest(bytes);
        fs::write(self.dir.join("blobs/sha256").join(&hex), bytes).unwrap();
        json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": bytes.len()})
    }

    pub(super) fn json(&self, value: &Value, media_type: &str) -> Value {
        self.blob(value.to_string(), media_type)
    }

    /// An image of tars, edited before its parts are written.
    pub(super) fn edited(
        &self,
        blobs: &[(&[u8], &[u8])],
        config: impl FnOnce(&mut Value),
        manifest: impl FnOnce(&mut Value),
    ) -> Value {
        let ids: Vec<_> = blobs.iter().map(|(_, tar)| format!("sha256:{}", digest(tar))).collect();
        let mut of_config = json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": ids},
        });
        config(&mut of_config);
        let layers: Vec<_> = blobs.iter().map(|(blob, _)| self.blob(blob, LAYER)).collect();
        let mut of_manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": self.json(&of_config, CONFIG), "layers": layers,
        });
        manifest(&mut of_manifest);
        self.json(&of_manifest, MANIFEST)
    }

    /// An image of some of the two layers, for a platform that its descriptor names too.
    pub(super) fn image(&self, numbers: &[usize], platform: &str) -> Value {
        let tars: Vec<_> = numbers.iter().map(|number| &self.place.tars[*number][..]).collect();
        let blobs: Vec<_> = tars.iter().map(|tar| (*tar, *tar)).collect();
        let parts: Vec<_> = platform.split('/').collect();
        let mut of = json!({"os": parts[0], "architecture": parts[1]});
        if let Some(variant) = parts.get(2) {
            of["variant"] = json!(variant);
        }
        let said = of.clone();
        let set = move |config: &mut Value| {
            for (key, value) in said.as_object().unwrap() {
                config[key] = value.clone();
            }
        };
        let mut descriptor = self.edited(&blobs, set, |_| {});
        descriptor["platform"] = of;
        descriptor
    }

    /// Both layers, without a word of the platform in the descriptor.
    pub(super) fn both(&self) -> Value {
        let [lower, upper] = &self.place.tars[..] else { unreachable!() };
        self.edited(&[(lower, lower), (upper, upper)], |_| {}, |_| {})
    }

    /// What buildkit puts beside each image.
    pub(super) fn attestation(&self, of: &Value) -> Value {
        let config = json!({
            "architecture": "unknown", "os": "unknown", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", "0".repeat(64))]},
        });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": self.json(&config, CONFIG),
            "layers": [self.blob(r#"{"_type":"x"}"#, "application/vnd.in-toto+json")],
        });
        let mut descriptor = self.json(&manifest, MANIFEST);
        descriptor["platform"] = json!({"architecture": "unknown", "os": "unknown"});
        descriptor["annotations"] = json!({
            "vnd.docker.reference.digest": of["digest"],
            "vnd.docker.reference.type": "attestation-manifest",
        });
        descriptor
    }

    pub(super) fn index(&self, manifests: &[&Value]) -> Value {
        self.index_of_type(manifests, INDEX)
    }

    pub(super) fn index_of_type(&self, manifests: &[&Value], media_type: &str) -> Value {
        let index = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests});
        self.json(&index, media_type)
    }

    /// Takes a blob away.
    pub(super) fn without(&self, descriptor: &Value) {
        let hex = &descriptor["digest"].as_str().unwrap()["sha256:".len()..];
        fs::remove_file(self.dir.join("blobs/sha256").join(hex)).unwrap();
    }

    /// Lists a manifest or index; an empty name is none.
    pub(super) fn add(&mut self, mut descriptor: Value, name: &str) {
        if !name.is_empty() {
            descriptor["annotations"][REF_NAME] = json!(name);
        }
        self.manifests.push(descriptor);
    }

    /// Writes the index; the argument that names the layout.
    pub(super) fn done(&self) -> String {
        self.done_with(&json!({"schemaVersion": 2, "manifests": self.manifests}).to_string())
    }

    /// The same with this index.
    pub(super) fn done_with(&self, index: &str) -> String {
        fs::write(self.dir.join("index.json"), index).unwrap();
        fs::write(self.dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        format!("oci:{}", self.dir.display())
    }

    /// The layout as a tar.
    pub(super) fn archive(&self) -> Vec<u8> {
        let mut tar = TarBuilder::new().dir("./", 0o755);
        for name in ["index.json", "oci-layout"] {
            tar = tar.file(format!("./{name}"), fs::read(self.dir.join(name)).unwrap());
        }
        for blob in fs::read_dir(self.dir.join("blobs/sha256")).unwrap() {
            let path = blob.unwrap().path();
            let name = Path::new("./blobs/sha256").join(path.file_name().unwrap());
            tar = tar.file(name.to_str().unwrap(), fs::read(path).unwrap());
        }
        tar.finish()
    }
}

/// A configuration over tars, as docker archives have it.
pub(super) fn config(tars: &[&[u8]]) -> String {
    let ids: Vec<_> = tars.iter().map(|tar| format!("sha256:{}", digest(tar))).collect();
    json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}})
        .to_string()
}
