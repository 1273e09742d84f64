//! A machine that forgets: what a page's commands install and write is gone when they end.
//!
//! A mount namespace of its own, in which overlayfs lies over what they may write to. Build results are kept: this
//! checkout's `target` and Cargo's registry are the real ones.

use std::path::Path;
use std::process::Command;

use testkit::oracle::{self, Verdict};

use crate::given::Given;

/// Where pages write: this checkout, and what `make install`, `install` and `cargo install` are told.
const WRITTEN: [&str; 6] = ["$CHECKOUT", "/usr/local", "/opt", "/etc", "/var/lib", "$crates/bin"];

pub(crate) struct Machine(());

impl Machine {
    /// `None`, said aloud, where this is not root: mounts need it.
    pub(crate) fn find() -> Option<Self> {
        oracle::tool("unshare", "apt-get install util-linux")?;
        let root = rustix::process::geteuid().is_root();
        assert!(root || !oracle::is_ci(), "CI must be root");
        if !root {
            eprintln!("SKIP: pages are run by root alone");
        }
        root.then_some(Self(()))
    }

    /// Runs a script, which must succeed.
    pub(crate) fn run(&self, page: &str, script: &str, given: &Given) {
        match self.ends_well(page, script, given) {
            Ok(output) => eprintln!("{page}: ok, {} lines of output", output.lines().count()),
            Err(why) => panic!("{why}"),
        }
    }

    /// What a script prints, or why it did not end well.
    pub(crate) fn ends_well(
        &self,
        page: &str,
        script: &str,
        given: &Given,
    ) -> Result<String, String> {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "--propagation", "private", "bash", "-euc"]);
        shell.arg(format!("{}\n{script}", prelude(given)));
        shell.current_dir(checkout).env("CHECKOUT", checkout).env("GIVEN", given.dir());
        // What cargo tells a test of its package would make build scripts run anew.
        for (name, _) in std::env::vars_os() {
            let told = name.as_encoded_bytes();
            if told.starts_with(b"CARGO_PKG_") || told.starts_with(b"CARGO_MANIFEST_") {
                shell.env_remove(name);
            }
        }
        // Go keeps what pkg-config said in its build cache, and asks again only where flags of its own differ: what is
        // installed here alone must not be what later builds look for.
        shell.env("CGO_CFLAGS", "-O2 -g -DTARFS_PAGES");
        let target = checkout.join("target");
        shell.env("CARGO_TARGET_DIR", target).env("LC_ALL", "C").env_remove("CARGO");
        let verdict = Verdict::of(&mut shell);
        match verdict.ok {
            true => Ok(verdict.output),
            false => {
                Err(format!("{page} does not run. Its last words:\n{}", last(&verdict.output)))
            }
        }
    }
}

/// Mounts, and what all pages find.
fn prelude(given: &Given) -> String {
    let written = WRITTEN.map(|dir| format!("over \"{dir}\"\n")).concat();
    format!(
        "exec 2>&1 </dev/null
set -o pipefail
held() {{
  local status=$?
  [ $status = 0 ] || {{ echo \"exit status $status\"; exit $status; }}
}}
crates=${{CARGO_HOME:-$HOME/.cargo}}
keep=$(mktemp -d) && mount -t tmpfs tmpfs \"$keep\" && mkdir \"$keep/target\" && mkdir -p \"$CHECKOUT/target\"
mount --bind \"$CHECKOUT/target/\" \"$keep/target\"
over() {{
  [ -d \"$1\" ] || return 0
  local own=$keep/layers$1
  mkdir -p \"$own/upper\" \"$own/work\"
  mount -t overlay -o \"lowerdir=$1,upperdir=$own/upper,workdir=$own/work\" overlay \"$1\"
}}
{written}[ -L \"$CHECKOUT/target\" ] || mount --bind \"$keep/target\" \"$CHECKOUT/target\"
cd \"$CHECKOUT\"
PATH=$crates/bin:/usr/local/bin:$PATH:/usr/sbin:/sbin
{}",
        given.variables()
    )
}

/// The last lines of a text.
fn last(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
