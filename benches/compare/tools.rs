//! What is run: our tool, this program again, and the peers that are installed.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::Args;
use crate::child;
use crate::done::Done;
use crate::measure::Work;
use crate::path::in_path;

/// Another's program.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    path: Option<PathBuf>,
    /// As it calls itself.
    pub(crate) version: String,
}

impl Peer {
    fn new(name: &'static str, path: Option<PathBuf>, ask: &str) -> Self {
        let path = path.filter(|path| path.is_file());
        let version = path.as_deref().and_then(|path| version(path, ask)).unwrap_or_default();
        Self { name, path, version }
    }

    /// A command of it, if it is installed.
    pub(crate) fn work<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Option<Work> {
        self.path.as_ref().map(|path| Work::new(self.name, [path]).args(words))
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Its name and version, or that it is not installed.
    pub(crate) fn title(&self) -> String {
        match (&self.path, self.version.as_str()) {
            (None, _) => format!("{} not installed", self.name),
            (Some(_), "") => self.name.to_owned(),
            (Some(_), version) => format!("{} {version}", self.name),
        }
    }
}

/// All programs.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    tarfs: PathBuf,
    this: PathBuf,
    pub(crate) mkfs: Peer,
    pub(crate) veritysetup: Peer,
    pub(crate) nydus: Peer,
    pub(crate) go_dmverity: Peer,
}

impl Tools {
    pub(crate) fn find(args: &Args) -> Done<Self> {
        let this = env::current_exe().map_err(|error| error.to_string())?;
        let erofs_utils = env::var_os("TARFS_EROFS_UTILS").map(PathBuf::from);
        let mkfs = erofs_utils.map(|dir| dir.join("mkfs.erofs")).or_else(|| in_path("mkfs.erofs"));
        let mut mkfs = Peer::new("mkfs.erofs", mkfs, "-V");
        if !is_new_enough(&mkfs.version) {
            mkfs.path = None;
        }
        let given = |option: &Option<PathBuf>, variable: &str, name| {
            let found = option.clone().or_else(|| env::var_os(variable).map(PathBuf::from));
            found.or_else(|| in_path(name))
        };
        let nydus = given(&args.nydus_image, "NYDUS_IMAGE", "nydus-image");
        let go_dmverity = given(&args.go_dmverity, "GO_DMVERITY", "go-dmverity");
        let go_dmverity = match go_dmverity {
            Some(path) => Peer::new("go-dmverity", Some(path), ""),
            None => go_dmverity_built(&this),
        };
        Ok(Self {
            tarfs: tool(&this)?,
            this,
            mkfs,
            veritysetup: Peer::new("veritysetup", in_path("veritysetup"), "--version"),
            nydus: Peer::new("nydus-image", nydus, "--version"),
            go_dmverity,
        })
    }

    /// A command of our tool.
    pub(crate) fn tarfs<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Work {
        Work::new("tarfs", [&self.tarfs]).args(words)
    }

    /// A job of this program, by the library.
    pub(crate) fn job<'a>(&self, label: &str, words: impl IntoIterator<Item = &'a str>) -> Work {
        Work::new(label, [&self.this]).arg(child::WORD).args(words)
    }

    pub(crate) fn peers(&self) -> [&Peer; 4] {
        [&self.mkfs, &self.veritysetup, &self.nydus, &self.go_dmverity]
    }
}

/// Whether this program and the tool inflate gzip by ISA-L: `cargo bench --features isal`.
pub(crate) const HAS_ISAL: bool = cfg!(feature = "isal");

/// The example program, brought up to date: Cargo builds none for a benchmark.
fn tool(this: &Path) -> Done<PathBuf> {
    let profile = this.parent().and_then(Path::parent).ok_or("this program lies nowhere")?;
    if let Some(cargo) = env::var_os("CARGO") {
        let name = match profile.file_name().and_then(OsStr::to_str) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let mut build = Command::new(cargo);
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        build.args(["build", "--quiet", "--example", "tarfs", "--profile", name]);
        build.args(HAS_ISAL.then_some("--features=isal"));
        let built = build.status().map_err(|error| format!("cargo: {error}"))?;
        if !built.success() {
            return Err("cargo build --example tarfs failed".to_owned());
        }
    }
    let tool = profile.join("examples/tarfs");
    if tool.is_file() { Ok(tool) } else { Err(format!("{} is missing", tool.display())) }
}

/// No package of Debian's has it, so Go builds it, once, beside this program; not installed where there is
/// no Go, or no module to be had.
fn go_dmverity_built(this: &Path) -> Peer {
    const VERSION: &str = "0.1.0";
    let dir = this.with_file_name(format!("go-dmverity-{VERSION}"));
    let path = dir.join("go-dmverity");
    if !path.is_file() {
        let module = format!("github.com/containerd/go-dmverity/cmd/go-dmverity@v{VERSION}");
        // What it says, such as that a network is missing, is not this program's to tell.
        let built = Command::new("go").args(["install", &module]).env("GOBIN", &dir).output();
        drop(built);
    }
    Peer { version: VERSION.to_owned(), ..Peer::new("go-dmverity", Some(path), "") }
}

/// The first word that is a version.
fn version(path: &Path, ask: &str) -> Option<String> {
    if ask.is_empty() {
        return None;
    }
    let said = Command::new(path).arg(ask).output().ok()?;
    let text = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    let is_version = |word: &&str| {
        word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) && word.contains('.')
    };
    let word = text.split_whitespace().find(is_version)?;
    Some(word.trim_start_matches('v').trim_end_matches(',').to_owned())
}

/// `--tar=i` as it is compared needs 1.9.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(1), Some(9))
}
