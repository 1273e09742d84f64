//! An image as a tar: pax headers, holes as GNU tar has them, whiteouts of a layer as layers have them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, Cursor, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::tree::{Content, InodeId, NodeKind, Tree};
use tar::{Builder, EntryType};

use super::pax::Entry;
use super::stored::{self, Stored};
use super::visit::{Step, Visit};
use super::wanted::Wanted;
use crate::cli::fail::{Done, Fail};
use crate::cli::quote;

/// What is in front of a whiteout's name.
const WHITEOUT: &[u8] = b".wh.";
/// The name that makes its directory opaque.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// A tar on its way.
struct Writing<'a, W: Write> {
    tree: &'a Tree,
    sources: &'a [NamedFile],
    image: &'a Path,
    builder: Builder<W>,
    /// The first name of each file that has several.
    links: HashMap<InodeId, Vec<u8>>,
}

/// Writes the wanted part of a tree; gives how many entries there are.
pub(crate) fn write<W: Write>(
    (tree, sources): (&Tree, &[NamedFile]),
    wanted: &Wanted,
    image: &Path,
    out: W,
) -> Done<(u64, W)> {
    let builder = Builder::new(out);
    let mut it = Writing { tree, sources, image, builder, links: HashMap::new() };
    let (mut entries, mut visit) = (0, Visit::new(tree, wanted));
    while let Some(step) = visit.next() {
        if let Step::Name { id, .. } = step {
            it.entry(visit.path(), id)?;
            entries += 1;
        }
    }
    let out = it.builder.into_inner().map_err(Fail::stdout)?;
    Ok((entries, out))
}

impl<W: Write> Writing<'_, W> {
    fn entry(&mut self, path: &[u8], id: InodeId) -> Done {
        let tree = self.tree;
        let kind = tree.kind(id);
        let mut name = if path.is_empty() { b".".to_vec() } else { path.to_vec() };
        let mut entry = Entry::new(&tree.attributes(id));
        if kind == NodeKind::Directory {
            name.push(b'/');
        } else if tree.nlink(id) > 1 {
            if let Some(first) = self.links.get(&id) {
                entry.path(&name);
                entry.link(first);
                entry.header.set_entry_type(EntryType::Link);
                return self.put(path, entry, io::empty());
            }
            self.links.insert(id, name.clone());
        }
        for (key, value) in tree.xattrs(id) {
            entry.xattr(path, key, value)?;
        }
        let kind = match kind {
            NodeKind::Regular => return self.regular(path, entry, id),
            NodeKind::Whiteout => return self.whiteout(path),
            NodeKind::PendingLink => {
                let Content::Target(target) = tree.content(id) else { return Ok(()) };
                entry.link(target);
                EntryType::Link
            }
            NodeKind::Symlink => {
                let Content::Target(target) = tree.content(id) else { return Ok(()) };
                entry.link(target);
                EntryType::Symlink
            }
            NodeKind::CharDevice => EntryType::Char,
            NodeKind::BlockDevice => EntryType::Block,
            NodeKind::Fifo => EntryType::Fifo,
            NodeKind::Directory => EntryType::Directory,
            NodeKind::Socket => {
                return Err(self.failed(path, "is a socket, which a tar can't have"));
            }
        };
        entry.path(&name);
        entry.header.set_entry_type(kind);
        if let Content::Device(number) = tree.content(id) {
            let set = entry.header.set_device_major(number.major);
            set.and_then(|()| entry.header.set_device_minor(number.minor))
                .map_err(|error| self.failed(path, error))?;
        }
        self.put(path, entry, io::empty())?;
        match kind == EntryType::Directory && tree.is_opaque(id) {
            true => self.marker(path, OPAQUE),
            false => Ok(()),
        }
    }

    /// A file. With holes it takes the form of GNU tar; the others have all of their bytes.
    fn regular(&mut self, path: &[u8], mut entry: Entry, id: InodeId) -> Done {
        let Some(file) = self.tree.file(id) else { return Ok(()) };
        let (runs, size) = (stored::runs(&file), file.size());
        let bytes: u64 = runs.iter().map(|(_, len)| len).sum();
        entry.header.set_entry_type(EntryType::Regular);
        let map = match bytes == size {
            true => {
                entry.path(path);
                Vec::new()
            }
            false => {
                // Who knows nothing of the form finds its body, map and all, under this name.
                let cut = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
                let (above, last) = path.split_at(cut);
                entry.path(&[above, b"GNUSparseFile.0/", last].concat());
                entry.sparse(path, size, &runs)
            }
        };
        entry.header.set_size(map.len() as u64 + bytes);
        let body = Cursor::new(map).chain(Stored::new(file, self.sources, runs));
        self.put(path, entry, body)
    }

    /// A name of lower layers that is gone.
    fn whiteout(&mut self, path: &[u8]) -> Done {
        let cut = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let (above, last) = path.split_at(cut);
        self.marker(above, &[WHITEOUT, last].concat())
    }

    /// An empty file with a meaning to who merges layers.
    fn marker(&mut self, directory: &[u8], name: &[u8]) -> Done {
        let mut path = directory.to_vec();
        if !path.is_empty() && path.last() != Some(&b'/') {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        let mut entry = Entry::new(&erofs_tarfs::tree::Attributes::default());
        entry.path(&path);
        entry.header.set_entry_type(EntryType::Regular);
        self.put(&path, entry, io::empty())
    }

    fn put(&mut self, path: &[u8], mut entry: Entry, body: impl Read) -> Done {
        entry.header.set_cksum();
        let records = entry.records.iter().map(|(key, value)| (key.as_str(), &value[..]));
        let mut done = Ok(());
        if !entry.records.is_empty() {
            done = self.builder.append_pax_extensions(records);
        }
        done.and_then(|()| self.builder.append(&entry.header, body)).map_err(|error| {
            match error.kind() {
                io::ErrorKind::BrokenPipe => Fail::Pipe,
                _ => self.failed(path, error),
            }
        })
    }

    fn failed(&self, path: &[u8], why: impl std::fmt::Display) -> Fail {
        let path = quote::name(OsStr::from_bytes(path));
        Fail::of(self.image, format_args!("{path}: {why}"))
    }
}
