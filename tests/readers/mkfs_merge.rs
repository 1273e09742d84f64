//! `mkfs.erofs` where it merges images: the layers of a stack in a form, or what is merged already.
//!
//! By default it writes new metadata over the devices of its sources; with `--clean=data` it reads
//! all files and writes them anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::dump::{Ignore, Kind, dump};
use testkit::mount::{self, Erofs};
use testkit::oracle::{self, Verdict};
use testkit::stacks::Stack;

use crate::forms::{Form, Image};
use crate::table::Cell::{OtherBytes, Refuses, Right};
use crate::table::{Shown, hold, row};
use crate::{labelled, open_ended, sparse, stacks};

fn merged(
    mkfs: &Path,
    options: &[&str],
    (stack, form, dir): (&Stack, Form, &Path),
) -> Result<Shown, String> {
    let images = match form {
        Form::ImageDisk => vec![Image::merged(stack)],
        _ => (0..stack.layers.len()).map(|layer| Image::layer(stack, layer)).collect(),
    };
    let (mut sources, mut devices) = (Vec::new(), Vec::new());
    for (number, image) in images.iter().enumerate() {
        let files = image.write(dir, &format!("source{number}"), form);
        // Its own device table has one slot for each source.
        devices.push(files.devices.first().unwrap_or(&files.image).clone());
        sources.push(files.image);
    }
    let out = dir.join("out");
    // Where it looks for a body behind its source's end it does not end.
    let mut command = Command::new("timeout");
    command
        .arg("60")
        .arg(mkfs)
        .args(["--quiet", "--ovlfs-strip=1"])
        .args(options)
        .arg(&out)
        .args(&sources);
    let verdict = Verdict::of(&mut command);
    if !verdict.ok {
        return Err(verdict.output);
    }
    let devices: Vec<PathBuf> = if options.is_empty() { devices } else { Vec::new() };
    let mounted = Erofs::new(out).devices(devices).mount_by_fd().map_err(|e| e.to_string())?;
    let mut shown = dump(mounted.path()).map_err(|error| error.to_string())?;
    let mut want = Image::merged(stack).dump();
    // Hard links that are no regular files come out as files of their own.
    let nodes = shown.0.iter_mut().chain(&mut want.0);
    for (path, node) in nodes.filter(|(_, node)| !matches!(node.kind, Kind::File | Kind::Dir)) {
        (node.link, node.nlink) = (path.clone(), 1);
    }
    // The root is one of its own, and directories that a layer only implies are that layer's, as for
    // overlayfs.
    let implied = stack.overlay_dump(mount::tmpfs().unwrap().path()).unwrap().unknowable;
    let ignore = Ignore::nothing().attributes_of([Vec::new()]).attributes_of(implied);
    Ok(Shown { shown, want, ignore })
}

/// Stacks whose merge it takes and means as overlayfs does: all layers have bodies, since it refuses
/// bootstraps with and without a device together; and no directory is there again after something else
/// was in its place, which it joins with the older one.
fn mergeable() -> Vec<Stack> {
    let mut stacks = [labelled(), stacks(40)].concat();
    stacks.retain(|stack| {
        let layers = (0..stack.layers.len()).map(|layer| Image::layer(stack, layer));
        // For each path: a directory, then something else.
        let mut was: BTreeMap<Vec<u8>, (bool, bool)> = BTreeMap::new();
        layers.into_iter().all(|layer| {
            let good = layer.dump().0.into_iter().all(|(path, node)| {
                let (dir, other) = was.entry(path).or_default();
                let again = node.kind == Kind::Dir && *other;
                *other |= *dir && node.kind != Kind::Dir;
                *dir |= node.kind == Kind::Dir;
                !again
            });
            good && !layer.tars.is_empty()
        })
    });
    assert!(stacks.len() >= 10, "{}", stacks.len());
    stacks
}

#[test]
fn mkfs_merges_metadata() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let row = row([Right, Right, Right, Right, Right, Right, OtherBytes, OtherBytes, Right]);
    hold("mkfs.erofs of images", &row, &mergeable(), &|stack, form, dir| {
        merged(&mkfs, &[], (stack, form, dir))
    });
}

#[test]
fn mkfs_merges_data() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let chunks = Refuses("chunk-based files not yet supported");
    let plain = Refuses("[Error 5] Input/output error");
    let row = row([chunks, Right, Right, Right, Right, Right, plain, plain, Right]);
    hold("mkfs.erofs --clean=data of images", &row, &mergeable()[..4], &|stack, form, dir| {
        merged(&mkfs, &["--clean=data"], (stack, form, dir))
    });
}

/// For a hole among chunk indexes its new metadata have the device's first blocks. Disks have block
/// numbers, where it keeps the one that says hole.
#[test]
fn mkfs_fills_holes_of_bootstraps() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let row = row([OtherBytes, Right, Right, Right, Right, Right, OtherBytes, OtherBytes, Right]);
    let stacks = [sparse(), open_ended()].concat();
    hold("mkfs.erofs of holes", &row, &stacks, &|stack, form, dir| {
        merged(&mkfs, &[], (stack, form, dir))
    });
}

#[test]
fn mkfs_refuses_the_data_of_holes() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let row = row([Refuses("chunk-based files not yet supported"); 9]);
    hold("mkfs.erofs --clean=data of holes", &row, &sparse(), &|stack, form, dir| {
        merged(&mkfs, &["--clean=data"], (stack, form, dir))
    });
}
