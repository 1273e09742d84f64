//! All that is known of one file, as `tarfs stat` shows it.

use std::io::{self, Write};

use erofs_tarfs::tree::{Body, Content, InodeId, Place, Tree};

use crate::cli::numbers;
use crate::cli::quote::Names;
use crate::show::mode;

/// Writes a line for each thing that is known.
pub(crate) fn write(
    out: &mut impl Write,
    tree: &Tree,
    id: InodeId,
    path: &[u8],
    names: Names,
) -> io::Result<()> {
    let attributes = tree.attributes(id);
    out.write_all(b"path:  ")?;
    names.write(out, path)?;
    out.write_all(b"\n")?;
    writeln!(out, "type:  {}", tree.kind(id))?;
    let text = mode::mode(tree.kind(id), attributes.mode);
    writeln!(out, "mode:  {:04o} {text}", attributes.mode)?;
    writeln!(out, "owner: {}:{}", attributes.uid, attributes.gid)?;
    let mtime = attributes.mtime;
    writeln!(out, "mtime: {} UTC ({}.{:09})", mtime, mtime.secs, mtime.nanos)?;
    writeln!(out, "links: {}", tree.nlink(id))?;
    match tree.content(id) {
        Content::Regular { size, body } => {
            writeln!(out, "size:  {size}")?;
            match body {
                Body::Contiguous(_) if size == 0 => {}
                Body::Contiguous(place) => extent(out, tree, (0, size), place, names)?,
                Body::Extents(extents) => {
                    for part in extents {
                        extent(out, tree, (part.logical, part.len), part.place, names)?;
                    }
                }
            }
        }
        Content::Target(target) => {
            out.write_all(b"target: ")?;
            names.write(out, target)?;
            out.write_all(b"\n")?;
        }
        Content::Device(number) => writeln!(out, "device: {},{}", number.major, number.minor)?,
        Content::Directory => writeln!(out, "names: {}", tree.children(id).len())?,
        Content::Nothing => {}
    }
    if tree.is_implied(id) {
        writeln!(out, "implied: no entry of the tar makes this directory")?;
    }
    if tree.is_opaque(id) {
        writeln!(out, "opaque: what lower layers have in it is hidden")?;
    }
    for (name, value) in tree.xattrs(id) {
        out.write_all(b"xattr: ")?;
        names.write(out, name)?;
        match core::str::from_utf8(value) {
            Ok(text) if !text.contains(char::is_control) => writeln!(out, "={text:?}")?,
            _ => writeln!(out, "=0x{}", numbers::to_hex(value))?,
        }
    }
    Ok(())
}

fn extent(
    out: &mut impl Write,
    tree: &Tree,
    (logical, len): (u64, u64),
    place: Place,
    names: Names,
) -> io::Result<()> {
    match place {
        Place::Device { device, offset } => {
            let found = &tree.devices()[usize::from(device)];
            let at = found.base_offset + offset;
            let tag = names.text(&String::from_utf8_lossy(&found.tag));
            writeln!(out, "bytes: {logical}+{len} at {at} of device {} ({tag})", device + 1)
        }
        Place::Carried(_) => writeln!(out, "bytes: {logical}+{len} in the metadata"),
    }
}
