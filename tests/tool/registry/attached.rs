//! `push --attach`: what is attached to an image is what other commands make of it, and others find it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json as of};
use testkit::oci::{small_image, write_layout};
use testkit::oracle::{self, Verdict};
use testkit::registry::Registry;

use crate::modes::verify;
use crate::run::{json, ok};

/// A registry with an image in it.
struct Given {
    dir: tempfile::TempDir,
    registry: Registry,
    image: String,
}

impl Given {
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let layout = dir.path().join("layout");
        let tars: Vec<Vec<u8>> = small_image().into_iter().map(|layer| layer.tar).collect();
        write_layout(&layout, &tars).unwrap();
        let registry = Registry::start(dir.path())?;
        registry.push(&layout, "a/image:t");
        let image = format!("docker://{}/a/image:t", registry.host);
        Some(Self { dir, registry, image })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn attach(&self) -> Value {
        json(&ok(["push", "--attach", "--json", &self.image])).remove(0)
    }

    /// A blob as the registry keeps it, a manifest too.
    fn kept(&self, digest: &str) -> Vec<u8> {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let blobs = self.path("registry/docker/registry/v2/blobs/sha256");
        fs::read(blobs.join(&hex[..2]).join(hex).join("data")).unwrap()
    }

    /// The index of what refers to a digest.
    fn index(&self, subject: &str) -> Value {
        let tag = subject.replace(':', "-");
        let tags = self.path("registry/docker/registry/v2/repositories/a/image/_manifests/tags");
        let digest = fs::read_to_string(tags.join(tag).join("current/link")).unwrap();
        serde_json::from_slice(&self.kept(&digest)).unwrap()
    }

    fn made(&self, words: &[&str], name: &str) -> Vec<u8> {
        let out = self.path(name);
        let (out, image) = (out.to_str().unwrap(), self.image.as_str());
        ok(words.iter().copied().chain(["-o", out, image]));
        fs::read(out).unwrap()
    }
}

#[test]
fn what_is_attached_is_what_other_commands_make() {
    let Some(given) = Given::new() else { return };
    let said = given.attach();
    let manifest: Value =
        serde_json::from_slice(&given.kept(said["artifact"].as_str().unwrap())).unwrap();
    assert_eq!(manifest["subject"]["digest"], said["subject"]);
    assert_eq!(manifest["artifactType"], "application/vnd.erofs.tarfs.image.v1");

    let root = &json(&ok(["root", "--json", &given.image]))[0];
    assert_eq!(said["root_hash"], root["root_hash"]);
    let text = |key: &str| manifest["annotations"][format!("org.erofs.tarfs.{key}")].clone();
    assert_eq!(text("root"), format!("sha256:{}", root["root_hash"].as_str().unwrap()));
    assert_eq!(text("data-blocks"), root["data_blocks"].to_string());

    let [bootstrap, tree] = [0, 1].map(|index| manifest["layers"][index].clone());
    let bytes = |descriptor: &Value| given.kept(descriptor["digest"].as_str().unwrap());
    assert!(bytes(&bootstrap) == given.made(&["merge"], "merged.erofs"), "the metadata");
    let tree = bytes(&tree);
    let only = ["export", "--mode", "image_verity_only"];
    assert!(tree == given.made(&only, "only.verity"), "the hash tree");
    // And veritysetup takes the tree for that of the disk.
    given.made(&["export", "--mode", "image_block"], "image.disk");
    fs::write(given.path("image.verity"), tree).unwrap();
    let mut apart = root.clone();
    apart["hash_offset"] = 0.into();
    verify(&given.path("image.disk"), &given.path("image.verity"), &apart);

    // Which layers it was made of is what the image itself says.
    let image: Value =
        serde_json::from_slice(&given.kept(said["subject"].as_str().unwrap())).unwrap();
    let layers = image["layers"].as_array().unwrap().iter();
    let layers: Vec<&str> = layers.map(|layer| layer["digest"].as_str().unwrap()).collect();
    assert_eq!(text("layers"), layers.join(","));
    let config: Value =
        serde_json::from_slice(&given.kept(image["config"]["digest"].as_str().unwrap())).unwrap();
    let ids = config["rootfs"]["diff_ids"].as_array().unwrap().iter();
    let ids: Vec<&str> = ids.map(|id| id.as_str().unwrap()).collect();
    assert_eq!(text("diff-ids"), ids.join(","));
}

#[test]
fn a_second_time_nothing_is_sent_and_what_others_have_attached_stays() {
    let Some(given) = Given::new() else { return };
    let dry = json(&ok(["push", "--attach", "--dry-run", "--json", &given.image])).remove(0);
    assert_eq!(dry.get("sent_bytes"), None);
    let first = given.attach();
    assert_eq!(dry["artifact"], first["artifact"]);
    let size = |part: &str| first[part]["size"].as_u64().unwrap();
    assert_eq!(first["sent_bytes"], size("bootstrap") + size("hash_tree"));
    let subject = first["subject"].as_str().unwrap();
    assert_eq!(first["index_tag"], subject.replace(':', "-"));
    let index = given.index(subject);
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);

    // Somebody else adds his, as the specification has it.
    let mut theirs = index.clone();
    let config = of!({ "mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
        "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" });
    let signature = of!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": [], "annotations": { "who": "somebody else" } });
    let image = given.registry.host.clone();
    let put = |name: &str, media_type: &str, bytes: &str| {
        let url = format!("http://{image}/v2/a/image/manifests/{name}");
        let sent = ureq::put(url).header("Content-Type", media_type).send(bytes).unwrap();
        assert_eq!(sent.status(), 201, "{name}");
    };
    put("theirs", "application/vnd.oci.image.manifest.v1+json", &signature.to_string());
    let digest = digest_of(signature.to_string().as_bytes());
    theirs["manifests"] = of!([{ "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest, "size": signature.to_string().len() }]);
    let tag = subject.replace(':', "-");
    put(&tag, "application/vnd.oci.image.index.v1+json", &theirs.to_string());

    let second = given.attach();
    assert_eq!((&second["artifact"], &second["sent_bytes"]), (&first["artifact"], &of!(0)));
    let digests: Vec<Value> = given.index(subject)["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["digest"].clone())
        .collect();
    assert_eq!(digests, [digest.into(), first["artifact"].clone()]);
}

fn digest_of(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(bytes);
    format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[test]
fn oras_lists_it_and_pulls_it() {
    let Some(given) = Given::new() else { return };
    let Some(oras) = oracle::oras() else { return };
    let said = given.attach();
    let image = given.image.strip_prefix("docker://").unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(&oras);
        command.args(args).env("HOME", given.dir.path());
        let verdict = Verdict::of(&mut command);
        verdict.expect_ok("oras");
        verdict.output
    };
    let kind = "application/vnd.erofs.tarfs.image.v1";
    let found =
        run(&["discover", "--plain-http", "--format", "json", "--artifact-type", kind, image]);
    let found: Value = serde_json::from_str(&found).unwrap();
    let referrers = found["referrers"].as_array().unwrap();
    assert_eq!(referrers.len(), 1, "{found}");
    assert_eq!(referrers[0]["digest"], said["artifact"]);

    let pulled = given.path("pulled");
    let repository = image.rsplit_once(':').unwrap().0;
    let artifact = format!("{repository}@{}", said["artifact"].as_str().unwrap());
    run(&["pull", "--plain-http", "--output", pulled.to_str().unwrap(), &artifact]);
    let read = |name: &str| fs::read(Path::new(&pulled).join(name)).unwrap();
    for (name, part) in [("image.erofs", "bootstrap"), ("image.verity", "hash_tree")] {
        assert!(read(name) == given.kept(said[part]["digest"].as_str().unwrap()), "{name}");
    }
}
