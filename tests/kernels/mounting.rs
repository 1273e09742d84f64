//! `tarfs mount` and `tarfs umount` in the guests themselves: Linux 6.1 has loop devices alone, 6.12 mounts
//! files, and both have the dm-verity and the overlayfs that are asked for.

use std::path::Path;

use crate::given::{Folder, Given};
use crate::row::{Expect, Row};
use crate::run::ok;

/// Nothing of a mount is left: no device of dm-verity, no loop device, nothing mounted. The kernel detaches
/// loop devices a moment later.
const BARE: &str = "\
bare() {
  for wait in 1 2 3 4 5; do
    ls -d /sys/block/dm-* /sys/block/loop*/loop >/dev/null 2>&1 || break
    sleep 0.2
  done
  ! ls -d /sys/block/dm-* /sys/block/loop*/loop 2>/dev/null
  ! grep ' /mnt ' /proc/mounts
}
";

pub(crate) fn rows(folder: &Folder, given: &Given) -> Vec<Row> {
    let tool = folder.path().join("tarfs").display().to_string();
    // Twice, and in between all of it is gone.
    let twice = |options: &str, image: &Path| {
        let mount = format!("{tool} mount {options} {} /mnt\n", image.display());
        format!("{BARE}{mount}{tool} umount /mnt\nbare\n{mount}")
    };
    let boot = given.path("mounted.erofs");
    ok(given.over_tars(&["merge", "-o", boot.to_str().unwrap()]));
    let (disk, _) = given.export("image_block", "mounted.disk", &[]);
    let shown = |name: &str, options: &str, image: &Path| {
        Row::shown(format!("tarfs mount, {name}"), twice(options, image), &given.merged)
    };
    let mut rows = vec![shown("bootstrap", "", &boot), shown("disk", "", &disk)];
    for preset in ["nydus", "containerd"] {
        let name = format!("mounted-{preset}.sealed");
        let options = ["--preset", preset];
        let (sealed, report) = given.export("image_block_with_verity", &name, &options);
        let root = report["verity"]["root_hash"].as_str().unwrap();
        let options = format!("--root {root}");
        rows.push(shown(&format!("sealed as {preset}"), &options, &sealed).sealed());
        if preset == "nydus" {
            rows.push(damaged(&tool, &options, &sealed));
        }
    }
    let (gpt, report) = given.export("image_block_with_verity", "mounted.gpt", &["--gpt=dps"]);
    let root = report["partitions"][0]["disk"]["verity"]["root_hash"].as_str().unwrap();
    rows.push(opened(&tool, given));
    rows.push(shown("a volume", &format!("--root {root}"), &gpt).sealed());
    let overlay = twice("--overlay /lower/changes/upper", &disk);
    let stacked = Expect::Stacked(given.merged.clone());
    rows.push(Row::new(
        "tarfs mount, an overlay",
        format!("mkdir -p /lower/changes\nmount -t tmpfs tmpfs /lower/changes\n{overlay}\n"),
        stacked,
    ));
    rows
}

/// A device opened twice by a root hash in a file, closed in between, and mounted by hand.
fn opened(tool: &str, given: &Given) -> Row {
    let options =
        ["--hash-algorithm", "sha512", "--hash-format", "0", "--salt", "ab", "--superblock"];
    let (disk, report) = given.export("image_block_with_verity", "opened.sealed", &options);
    let (disk, root) = (disk.display(), report["verity"]["root_hash"].as_str().unwrap());
    let open = format!("{tool} verity open --root-hash-file /tmp/root {disk} image\n");
    let script = format!(
        "{BARE}echo {root} > /tmp/root\n{open}{tool} verity status image > /tmp/status\n\
         grep -q 'is active' /tmp/status\n{tool} verity status --json image > /tmp/status\n\
         grep -q '\"root_hash\":\"{root}\",.*\"status\":\"verified\"' /tmp/status\n\
         {tool} verity close image\nbare\nif {tool} verity status image; then false; fi\n\
         {open}mount -t erofs -o ro /dev/mapper/image /mnt\n"
    );
    Row::shown("tarfs verity open, status and close", script, &given.merged).sealed()
}

/// A sealed disk whose superblock is damaged: dm-verity opens it, the mount fails, and nothing is left.
fn damaged(tool: &str, options: &str, sealed: &Path) -> Row {
    let script = format!(
        "{BARE}cp {} /tmp/damaged\n\
         printf X | dd of=/tmp/damaged bs=1 seek=1200 conv=notrunc 2>/dev/null\n\
         if {tool} mount {options} /tmp/damaged /mnt; then exit 0; fi\n\
         rm /tmp/damaged\nbare || exit 0\nfalse\n",
        sealed.display()
    );
    Row::new("tarfs mount, sealed and damaged", script, Expect::Refused("Linux refuses the mount"))
}
