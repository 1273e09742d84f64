//! What our pages say of sealed disks, word by word: QUICKSTART.md from the image of a registry to a shell that runs
//! in it, and the lines of README.md. `tests/pages` runs what needs no dm-verity.

use std::env;
use std::fs;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use testkit::dump::dump;
use testkit::oci::{with_shell, write_layout};
use testkit::oracle::{self, Verdict};
use testkit::page::block;
use testkit::registry::Registry;
use testkit::stacks::Stack;

use crate::given::Folder;
use crate::row::Row;
use crate::run::{Image, mounted};

/// Nothing where a registry, skopeo or busybox is missing, which is said aloud.
pub(crate) fn rows(folder: &Folder) -> Vec<Row> {
    let busybox = oracle::tool("busybox", "apt-get install busybox-static");
    let work = tempfile::tempdir().unwrap();
    let (Some(busybox), Some(registry)) = (busybox, Registry::start(work.path())) else {
        return Vec::new();
    };
    let layers = with_shell(fs::read(busybox).unwrap());
    let layout = work.path().join("layout");
    write_layout(&layout, &layers.iter().map(|layer| &layer.tar).collect::<Vec<_>>()).unwrap();
    registry.push(&layout, "library/small:1");

    // The page, as far as no dm-verity is needed: it makes app.disk, and says the root hash.
    let mut dir = TempDir::with_prefix_in("page-", folder.path()).unwrap();
    dir.disable_cleanup(true);
    let made = block("QUICKSTART.md", "skopeo copy docker://$IMAGE").text;
    let mut shell = Command::new("bash");
    shell.arg("-euc").arg(format!("{made}echo \"made: $ROOT\"")).current_dir(dir.path());
    shell.env("IMAGE", format!("{}/library/small:1", registry.host));
    registry.without_tls(work.path());
    shell.env("HOME", work.path());
    let path = env::var("PATH").unwrap();
    shell.env("PATH", format!("{}:{path}", folder.path().display()));
    let said = Verdict::of(&mut shell);
    said.expect_ok("QUICKSTART.md");
    let root = said.output.lines().find_map(|line| line.strip_prefix("made: ")).unwrap().to_owned();
    std::os::unix::fs::symlink("app.disk", dir.path().join("image.disk")).unwrap();

    let image = Image { dir, stack: Stack { seed: 0, layers }, tars: Vec::new() };
    let shown = mounted(&image.path("app.disk"));
    image.expect_merged(&shown);
    let tree = Arc::new(dump(shown.path()).unwrap());
    // At its end it is unmounted, and so mounted once more to be looked at.
    let row = |page: &str, start: &str, disk: &str| {
        let (tool, dir) = (folder.path().display(), image.dir.path().display());
        let text = block(page, start).text;
        let script = format!(
            "PATH={tool}:$PATH\ncd {dir}\nROOT={root}\n{text}tarfs mount --root $ROOT {disk} /mnt\n"
        );
        Row::shown(format!("{page}, mounted through dm-verity"), script, &tree).sealed()
    };
    vec![
        row("QUICKSTART.md", "tarfs mount --root $ROOT app.disk", "app.disk"),
        row("README.md", "tarfs mount --root $ROOT image.disk", "image.disk"),
    ]
}
