//! A directory of an image, or a file, as `tarfs ls` lists it.

use std::io::{self, Write};

use erofs_tarfs::tree::{Content, InodeId, NodeKind, Tree};

use crate::cli::quote::Names;
use crate::show::file_json::FileJson;
use crate::show::{mode, print};

/// How lines are written.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) names: Names,
    /// What a line ends with.
    pub(crate) end: &'static [u8],
    pub(crate) long: bool,
    /// Each line is an object of JSON.
    pub(crate) json: bool,
}

/// Writes what is in a directory. With `first` its path is above it, and an empty line between it and what was
/// listed before.
pub(crate) fn directory(
    out: &mut impl Write,
    tree: &Tree,
    id: InodeId,
    path: &[u8],
    lines: Lines,
    first: Option<&mut bool>,
) -> io::Result<()> {
    if let Some(first) = first {
        if !std::mem::take(first) {
            out.write_all(lines.end)?;
        }
        lines.names.write(out, path)?;
        out.write_all(b":")?;
        out.write_all(lines.end)?;
    }
    tree.children(id).try_for_each(|(name, child)| match lines.json {
        // Whoever reads it has no heading.
        true => line(out, tree, child, &joined(path, name), lines),
        false => line(out, tree, child, name, lines),
    })
}

/// Writes what is in a directory, and then of each directory in it. It is no recursion, as trees may be deep.
pub(crate) fn below(
    out: &mut impl Write,
    tree: &Tree,
    id: InodeId,
    path: &[u8],
    lines: Lines,
    first: &mut bool,
) -> io::Result<()> {
    // Directories that are to be listed, the next one last: each with the length of its parent's path.
    let mut todo: Vec<(InodeId, &[u8], usize)> = vec![(id, b"", path.len())];
    let mut here = path.to_vec();
    while let Some((id, name, len)) = todo.pop() {
        here.truncate(len);
        if !name.is_empty() {
            here = joined(&here, name);
        }
        let heading = (!lines.json).then_some(&mut *first);
        directory(out, tree, id, &here, lines, heading)?;
        let directories = tree.children(id).filter(|(_, id)| tree.kind(*id) == NodeKind::Directory);
        let at = todo.len();
        todo.extend(directories.map(|(name, id)| (id, name, here.len())));
        todo[at..].reverse();
    }
    Ok(())
}

fn joined(path: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if path.is_empty() || path.ends_with(b"/") { b"" } else { b"/" };
    [path, slash, name].concat()
}

/// A line of a file, which is called `name` there.
pub(crate) fn line(
    out: &mut impl Write,
    tree: &Tree,
    id: InodeId,
    name: &[u8],
    lines: Lines,
) -> io::Result<()> {
    if lines.json {
        return print::json_line(out, &FileJson::new(tree, id, name, false));
    }
    if !lines.long {
        lines.names.write(out, name)?;
        return out.write_all(lines.end);
    }
    let (kind, attributes, content) = (tree.kind(id), tree.attributes(id), tree.content(id));
    let size = match content {
        Content::Regular { size, .. } => size.to_string(),
        Content::Target(target) => target.len().to_string(),
        Content::Device(number) => format!("{},{}", number.major, number.minor),
        Content::Directory | Content::Nothing => "0".to_owned(),
    };
    write!(
        out,
        "{} {:>3} {:>5} {:>5} {size:>10} {} ",
        mode::mode(kind, attributes.mode),
        tree.nlink(id),
        attributes.uid,
        attributes.gid,
        attributes.mtime,
    )?;
    lines.names.write(out, name)?;
    if let Content::Target(target) = content {
        out.write_all(b" -> ")?;
        lines.names.write(out, target)?;
    }
    out.write_all(lines.end)
}
