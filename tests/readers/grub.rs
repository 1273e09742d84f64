//! GRUB, by its `grub-fstest`: what a boot loader reads of an image.
//!
//! It knows EROFS from 2.12 on, chunks, but neither device tables nor what `--compact` uses. Of a chunk it takes a hole
//! for an address, and an address in block 1 for a hole (findings/grub-takes-block-1-for-a-hole.sh).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::{Command, Output};

use sha2::{Digest, Sha256};
use testkit::dump::{Kind, Tree};
use testkit::stacks::Stack;
use testkit::{oracle, ours};

use crate::forms::Image;
use crate::table::Cell::{self, Refuses, Right};
use crate::table::{Shown, hold, row};
use crate::{labelled, open_ended, sparse, stacks};

/// Where it is: `.ci/debian-beside` brings it.
const GRUB: &str = "TARFS_GRUB";

const UNKNOWN: Cell = Refuses("unknown filesystem");

#[test]
fn grub() {
    let Some(tool) = oracle::other_versions("grub-fstest", GRUB).pop() else { return };
    let row = row([UNKNOWN, Right, Right, Right, Right, Right, UNKNOWN, UNKNOWN, UNKNOWN]);
    let mut stacks = [stacks(12), labelled()].concat();
    // A bootstrap of files without bytes has no device table, and is read.
    stacks.retain(|stack| is_whole(stack) && !Image::merged(stack).tree.devices().is_empty());
    assert!(stacks.len() > 6, "{} stacks with data, and without sparse files", stacks.len());
    hold("GRUB", &row, &stacks, &|stack, form, dir| {
        let image = Image::of(stack, form);
        read(&tool, &image.write(dir, "image", form).image, image.dump())
    });
}

/// Bodies of sparse files are chunks, holes among them.
#[test]
fn holes_are_errors_to_grub() {
    let Some(tool) = oracle::other_versions("grub-fstest", GRUB).pop() else { return };
    let hole = Refuses("attempt to read or write outside of disk");
    let row = row([UNKNOWN, hole, hole, hole, hole, hole, UNKNOWN, UNKNOWN, UNKNOWN]);
    hold("GRUB, holes", &row, &[sparse(), open_ended()].concat(), &|stack, form, dir| {
        let image = Image::of(stack, form);
        read(&tool, &image.write(dir, "image", form).image, image.dump())
    });
}

/// The names of each directory, and the bytes of each file; or what it says of the first that it cannot read.
fn read(tool: &Path, image: &Path, want: Tree) -> Result<Shown, String> {
    let mut shown = want.clone();
    // It lists a filesystem that it does not know as an empty one, without an error.
    match run(tool, image, &["cat"], b"/") {
        Err(said) if said.contains("not a regular file") => {}
        Err(said) => return Err(said),
        Ok(_) => panic!("the root is a file"),
    }
    for (path, node) in &want.0 {
        let at = [b"/", &path[..]].concat();
        match node.kind {
            Kind::Dir => {
                let listed = run(tool, image, &["ls", "--", "-a"], &[&at[..], b"/"].concat())?;
                if listed.stdout != listing(&want, path) {
                    shown.0.retain(|shown, _| parent(shown) != Some(path));
                }
            }
            Kind::File => {
                let bytes = run(tool, image, &["cat"], &at)?.stdout;
                if let Some(node) = shown.0.get_mut(path) {
                    node.size = bytes.len() as u64;
                    node.sha256 = Some(Sha256::digest(&bytes).into());
                }
            }
            _ => {}
        }
    }
    Ok(Shown::all(shown, want))
}

fn run(tool: &Path, image: &Path, words: &[&str], path: &[u8]) -> Result<Output, String> {
    let mut command = Command::new(tool);
    command.arg(image).args(words).arg(OsString::from_vec(path.to_vec()));
    let output = command.output().unwrap();
    if output.status.success() {
        return Ok(output);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn parent(path: &[u8]) -> Option<&[u8]> {
    if path.is_empty() {
        return None;
    }
    Some(path.iter().rposition(|&byte| byte == b'/').map_or(&[][..], |slash| &path[..slash]))
}

/// What its `ls -a` prints of a directory: names as they lie there, in the order of their bytes, `.` and `..` among
/// them, a slash behind directories.
fn listing(tree: &Tree, dir: &[u8]) -> Vec<u8> {
    let children = tree.0.iter().filter(|(path, _)| parent(path) == Some(dir));
    let name =
        |path: &[u8]| path[path.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1)..].to_vec();
    let mut names: Vec<_> =
        children.map(|(path, node)| (name(path), node.kind == Kind::Dir)).collect();
    names.extend([b".".to_vec(), b"..".to_vec()].map(|name| (name, true)));
    names.sort();
    let mut text = Vec::new();
    for (name, is_dir) in names {
        text.extend_from_slice(&name);
        text.extend_from_slice(if is_dir { b"/ " } else { b" " });
    }
    text.push(b'\n');
    text
}

/// Whether no layer has a sparse file.
fn is_whole(stack: &Stack) -> bool {
    stack.layers.iter().all(|layer| {
        let tree = ours::layer(&layer.tar);
        let all = 0..tree.inode_count() as u32;
        let mut files = all.filter_map(|index| tree.file(tree.inode(index)?));
        files.all(|file| file.extents().iter().map(|extent| extent.len).sum::<u64>() == file.size())
    })
}
