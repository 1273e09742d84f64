//! `fsck.erofs --extract`: the reader that people check images with.

use std::path::Path;
use std::process::Command;

use testkit::dump::{Ignore, Kind, Tree, dump};
use testkit::mount;
use testkit::oracle::{self, Verdict};

use crate::forms::{Form, Image};
use crate::table::Cell::{OtherBytes, Right};
use crate::table::{Shown, hold, row};
use crate::{labelled, open_ended, sparse, stacks};

#[test]
fn fsck_extract() {
    let Some(fsck) = oracle::erofs_tool("fsck.erofs") else { return };
    let row = row([Right, Right, Right, Right, Right, Right, OtherBytes, OtherBytes, Right]);
    // It has no way to paths that a system call does not take.
    let mut stacks = [stacks(20), sparse(), labelled()].concat();
    stacks.retain(|stack| Image::merged(stack).dump().paths().all(|path| path.len() < 3000));
    hold("fsck.erofs --extract", &row, &stacks, &|stack, form, dir| {
        extract(&fsck, &Image::of(stack, form), form, dir)
    });
}

/// A hole among chunk indexes, at a file's end, is left out: the file is shorter, and the exit status
/// 0. Disks have block numbers.
#[test]
fn fsck_leaves_out_holes_at_the_end_of_bootstraps() {
    let Some(fsck) = oracle::erofs_tool("fsck.erofs") else { return };
    let row = row([OtherBytes, Right, Right, Right, Right, Right, OtherBytes, OtherBytes, Right]);
    hold("fsck.erofs --extract, holes", &row, &open_ended(), &|stack, form, dir| {
        extract(&fsck, &Image::of(stack, form), form, dir)
    });
}

fn extract(fsck: &Path, image: &Image, form: Form, dir: &Path) -> Result<Shown, String> {
    let files = image.write(dir, "image", form);
    // Holds all kinds of attributes.
    let scratch = mount::tmpfs().unwrap();
    let out = scratch.path().join("out");
    let mut command = Command::new(fsck);
    command.arg(format!("--extract={}", out.display())).arg("--xattrs");
    command.args(files.devices.iter().map(|device| format!("--device={}", device.display())));
    let verdict = Verdict::of(command.arg(&files.image));
    if verdict.ok { Ok(seen(dump(&out).unwrap(), image.dump())) } else { Err(verdict.output) }
}

/// Without what it does not extract.
fn seen(mut shown: Tree, mut want: Tree) -> Shown {
    // The root is the directory that it was told to make, and sockets are left out.
    shown.0.remove(&b""[..]);
    want.0.retain(|path, node| !path.is_empty() && node.kind != Kind::Socket);
    // Its list of attributes ends at the first with an empty value, and links and the like have
    // none.
    for (path, node) in &mut want.0 {
        let whole = matches!(node.kind, Kind::File | Kind::Dir)
            && node.xattrs.values().all(|value| !value.is_empty());
        if !whole {
            node.xattrs.clear();
            if let Some(shown) = shown.0.get_mut(path) {
                shown.xattrs.clear();
            }
        }
    }
    // Capabilities are gone when it sets the owner after them.
    Shown { shown, want, ignore: Ignore::nothing().xattrs("security.capability") }
}
