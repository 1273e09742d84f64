//! Debian's registry on loopback, to which skopeo brings images.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::oracle::{self, Verdict};

/// A registry, which ends with this.
#[derive(Debug)]
pub struct Registry {
    process: Child,
    /// `127.0.0.1:PORT`.
    pub host: String,
    /// skopeo, which brings images there.
    pub skopeo: PathBuf,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Registry {
    /// One whose blobs are in `dir`; `None` where there is no such program.
    ///
    /// # Panics
    /// As [`oracle::tool`], and when it does not answer within ten seconds.
    #[must_use]
    #[track_caller]
    pub fn start(dir: &Path) -> Option<Self> {
        let program = oracle::tool("docker-registry", "apt-get install docker-registry")?;
        let skopeo = oracle::tool("skopeo", "apt-get install skopeo")?;
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (config, store) = (dir.join("registry.yml"), dir.join("registry"));
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: \"{address}\"}}\n\
             storage: {{filesystem: {{rootdirectory: \"{}\"}}}}\n",
            store.display()
        );
        fs::write(&config, text).unwrap();
        let log = fs::File::create(dir.join("registry.log")).unwrap();
        let mut serve = Command::new(program);
        serve.arg("serve").arg(&config).stdout(Stdio::null()).stderr(log);
        let process = serve.spawn().unwrap();
        let registry = Self { process, host: address.to_string(), skopeo };
        for _ in 0..100 {
            if TcpStream::connect(address).is_ok() {
                return Some(registry);
            }
            sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(dir.join("registry.log")).unwrap_or_default();
        panic!("docker-registry does not listen: {log}");
    }

    /// Brings the image that is called `latest` in an OCI layout there, and calls it `name`.
    ///
    /// # Panics
    /// When skopeo fails.
    #[track_caller]
    pub fn push(&self, layout: &Path, name: &str) {
        let mut copy = Command::new(&self.skopeo);
        copy.args(["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"]);
        copy.arg(format!("oci:{}:latest", layout.display()));
        Verdict::of(copy.arg(format!("docker://{}/{name}", self.host))).expect_ok("skopeo copy");
    }

    /// Says to skopeo that this registry is asked without TLS, as the tool does of itself on loopback; the file that
    /// says so, which is found where `home` is `HOME`, or from a folder of the system's configuration.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn without_tls(&self, home: &Path) -> PathBuf {
        let path = home.join(".config/containers/registries.conf");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", self.host);
        fs::write(&path, text).unwrap();
        path
    }
}
