//! `tarfs ls` and `tarfs stat`.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use erofs_tarfs::tree::{Body, Content, InodeId, NodeKind, Place, Tree};

use crate::args::{Ls, Stat};
use crate::fail::{Done, Fail};
use crate::images::Reference;
use crate::input::{self, Kind, STDIN};
use crate::load::{self, Loaded};
use crate::quote::Names;
use crate::sizes::to_hex;
use crate::spool::Spool;
use crate::{notes, view};

/// An image as a mount shows it, a layer, or the layers of an image merged.
pub(crate) fn open(arg: &Path, how: &load::How<'_>) -> Done<Loaded> {
    if arg != Path::new(STDIN) && Reference::parse(arg).is_none() {
        let (file, kind) = input::open(arg)?;
        if kind == Kind::Erofs {
            return load::read_image(arg, file, how, false);
        }
    }
    let mut spool = Spool::Temporary(std::env::temp_dir());
    let layers = load::load(arg, how, &mut spool)?;
    notes::all(&layers, false)?;
    load::one(arg, layers, how)
}

pub(crate) fn run(args: &Ls) -> Done {
    let image = open(&args.image, &args.at.how(false))?;
    let id = view::find(&image.tree, &args.image, &args.path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let how = How {
        names: Names::new(args.raw || args.zero),
        end: if args.zero { b"\0" } else { b"\n" },
        long: args.long,
    };
    list(&mut out, &image.tree, id, args, how).and_then(|()| out.flush()).map_err(Fail::stdout)
}

/// How lines are written.
#[derive(Clone, Copy)]
struct How {
    names: Names,
    /// What a line ends with.
    end: &'static [u8],
    long: bool,
}

fn list(out: &mut impl Write, tree: &Tree, id: InodeId, args: &Ls, how: How) -> io::Result<()> {
    if tree.kind(id) != NodeKind::Directory {
        return line(out, tree, id, args.path.as_encoded_bytes(), how);
    }
    tree.children(id).try_for_each(|(name, child)| line(out, tree, child, name, how))
}

fn line(out: &mut impl Write, tree: &Tree, id: InodeId, name: &[u8], how: How) -> io::Result<()> {
    if !how.long {
        how.names.write(out, name)?;
        return out.write_all(how.end);
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
        view::mode(kind, attributes.mode),
        tree.nlink(id),
        attributes.uid,
        attributes.gid,
        view::time(attributes.mtime.secs, attributes.mtime.nanos),
    )?;
    how.names.write(out, name)?;
    if let Content::Target(target) = content {
        out.write_all(b" -> ")?;
        how.names.write(out, target)?;
    }
    out.write_all(how.end)
}

pub(crate) fn stat(args: &Stat) -> Done {
    let (file, names) = (&args.file, Names::new(args.raw));
    let image = open(&file.image, &file.at.how(false))?;
    let id = view::find(&image.tree, &file.image, &file.path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    show(&mut out, &image.tree, id, file.path.as_encoded_bytes(), names)
        .and_then(|()| out.flush())
        .map_err(Fail::stdout)
}

fn show(
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
    writeln!(out, "type:  {:?}", tree.kind(id))?;
    let text = view::mode(tree.kind(id), attributes.mode);
    writeln!(out, "mode:  {:04o} {text}", attributes.mode)?;
    writeln!(out, "owner: {}:{}", attributes.uid, attributes.gid)?;
    let mtime = attributes.mtime;
    writeln!(
        out,
        "mtime: {} UTC ({}.{:09})",
        view::time(mtime.secs, mtime.nanos),
        mtime.secs,
        mtime.nanos
    )?;
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
            _ => writeln!(out, "=0x{}", to_hex(value))?,
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
