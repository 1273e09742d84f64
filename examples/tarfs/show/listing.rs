//! A directory of an image, or a file, as `tarfs ls` lists it.

use std::io::{self, Write};

use erofs_tarfs::tree::{Content, InodeId, NodeKind, Tree};

use crate::cli::quote::Names;
use crate::show::mode;

/// How lines are written.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) names: Names,
    /// What a line ends with.
    pub(crate) end: &'static [u8],
    pub(crate) long: bool,
}

/// Writes what is in a directory, or of anything else a line with the path that it was named by.
pub(crate) fn write(
    out: &mut impl Write,
    tree: &Tree,
    id: InodeId,
    path: &[u8],
    lines: Lines,
) -> io::Result<()> {
    if tree.kind(id) != NodeKind::Directory {
        return line(out, tree, id, path, lines);
    }
    tree.children(id).try_for_each(|(name, child)| line(out, tree, child, name, lines))
}

fn line(
    out: &mut impl Write,
    tree: &Tree,
    id: InodeId,
    name: &[u8],
    lines: Lines,
) -> io::Result<()> {
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
