//! `tarfs ls` and `tarfs stat`.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use erofs_tarfs::tree::{Body, Content, InodeId, NodeKind, Place, Tree};

use crate::args::{Ls, PathIn};
use crate::fail::{Done, Fail};
use crate::images::Reference;
use crate::input::{self, Kind, STDIN};
use crate::load::{self, How, Loaded};
use crate::sizes::to_hex;
use crate::spool::Spool;
use crate::view;

/// An image as a mount shows it, a layer, or the layers of an image merged.
pub(crate) fn open(arg: &Path, how: &How<'_>) -> Done<Loaded> {
    if arg != Path::new(STDIN) && Reference::parse(arg).is_none() {
        let (file, kind) = input::open(arg)?;
        if kind == Kind::Erofs {
            return load::read_image(arg, file, how.tars, false);
        }
    }
    let mut spool = Spool::Temporary(std::env::temp_dir());
    load::one(arg, load::load(arg, how, &mut spool)?)
}

pub(crate) fn run(args: &Ls) -> Done {
    let image = open(&args.image, &args.at.how())?;
    let id = view::find(&image.tree, &args.image, &args.path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    list(&mut out, &image.tree, id, args).and_then(|()| out.flush()).map_err(Fail::stdout)
}

fn list(out: &mut impl Write, tree: &Tree, id: InodeId, args: &Ls) -> io::Result<()> {
    if tree.kind(id) != NodeKind::Directory {
        return line(out, tree, id, args.path.as_encoded_bytes(), args.long);
    }
    tree.children(id).try_for_each(|(name, child)| line(out, tree, child, name, args.long))
}

fn line(out: &mut impl Write, tree: &Tree, id: InodeId, name: &[u8], long: bool) -> io::Result<()> {
    if !long {
        out.write_all(name)?;
        return out.write_all(b"\n");
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
    out.write_all(name)?;
    if let Content::Target(target) = content {
        out.write_all(b" -> ")?;
        out.write_all(target)?;
    }
    out.write_all(b"\n")
}

pub(crate) fn stat(args: &PathIn) -> Done {
    let image = open(&args.image, &args.at.how())?;
    let id = view::find(&image.tree, &args.image, &args.path)?;
    let path = PathBuf::from(&args.path);
    let mut out = BufWriter::new(io::stdout().lock());
    show(&mut out, &image.tree, id, &path).and_then(|()| out.flush()).map_err(Fail::stdout)
}

fn show(out: &mut impl Write, tree: &Tree, id: InodeId, path: &Path) -> io::Result<()> {
    let attributes = tree.attributes(id);
    writeln!(out, "path:  {}", path.display())?;
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
                Body::Contiguous(place) => extent(out, tree, 0, size, place)?,
                Body::Extents(extents) => {
                    for part in extents {
                        extent(out, tree, part.logical, part.len, part.place)?;
                    }
                }
            }
        }
        Content::Target(target) => {
            out.write_all(b"target: ")?;
            out.write_all(target)?;
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
        out.write_all(name)?;
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
    logical: u64,
    len: u64,
    place: Place,
) -> io::Result<()> {
    match place {
        Place::Device { device, offset } => {
            let found = &tree.devices()[usize::from(device)];
            let at = found.base_offset + offset;
            let tag = String::from_utf8_lossy(&found.tag);
            writeln!(out, "bytes: {logical}+{len} at {at} of device {} ({tag})", device + 1)
        }
        Place::Carried(_) => writeln!(out, "bytes: {logical}+{len} in the metadata"),
    }
}
