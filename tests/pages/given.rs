//! The tars and images that pages are about.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use testkit::oci::{with_shell, write_layout};
use testkit::oracle;
use testkit::registry::Registry;

/// The image of the registry that stands in for Docker Hub.
const IMAGE: &str = "library/small:1";

/// A directory of files, and a registry.
pub(crate) struct Given {
    dir: TempDir,
    registry: Registry,
}

impl Given {
    /// In the directory is an OCI layout `DIR`, whose image is called `NAME`, `app` and `latest`. `None`, said aloud, where a program for it is missing.
    pub(crate) fn new() -> Option<Self> {
        let shell = oracle::tool("busybox", "apt-get install busybox-static")?;
        let dir = TempDir::with_prefix("tarfs-pages-").unwrap();
        let registry = Registry::start(dir.path())?;
        let layers = with_shell(fs::read(shell).unwrap());
        let tars: Vec<Vec<u8>> = layers.into_iter().map(|layer| layer.tar).collect();
        let layout = dir.path().join("DIR");
        write_layout(&layout, &tars).unwrap();
        name_images(&layout.join("index.json"), &["NAME", "app", "latest"]);
        registry.push(&layout, IMAGE);
        Some(Self { dir, registry })
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What all scripts begin with: how the registry is asked, and the tars of the pages.
    pub(crate) fn variables(&self) -> String {
        let config = self.registry.without_tls(self.dir());
        format!(
            "export IMAGE={}/{IMAGE}\ninstall -D {} /etc/containers/registries.conf.d/pages.conf\n{}",
            self.registry.host,
            config.display(),
            include_str!("given.sh")
        )
    }
}

/// The only image of an index, under several names.
fn name_images(index: &Path, names: &[&str]) {
    let text = fs::read_to_string(index).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let image = document["manifests"][0].clone();
    let named = names.iter().map(|name| {
        let mut image = image.clone();
        image["annotations"]["org.opencontainers.image.ref.name"] = (*name).into();
        image
    });
    document["manifests"] = named.collect();
    fs::write(index, document.to_string()).unwrap();
}
