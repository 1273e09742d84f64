//! Directories.

use super::source::part;
use super::{Error, Image, Inode, Rule};
use crate::format::Dirent;
use crate::tree::NodeKind;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use zerocopy::FromBytes;

/// The longest name, in bytes.
const MAX_NAME: usize = 255;

/// A name in a directory.
///
/// ```
/// use erofs_tarfs::{image, layout, read::Image};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n"), ("srv/", "")]);
/// let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
/// let image = Image::new(&bytes)?;
/// let names: Vec<_> = image.entries(image.root())?.into_iter().map(|entry| entry.name).collect();
/// assert_eq!(names, [&b"etc"[..], b"srv"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name: borrowed of an image in memory, a copy of one that is read.
    pub name: Cow<'a, [u8]>,
    /// Whose name it is.
    pub nid: u64,
    /// The [`FileType`](crate::format::FileType), as stored.
    pub file_type: u8,
}

impl<'a> Image<'a> {
    /// Entries of a directory in ascending order of names, without `.` and `..`.
    ///
    /// # Errors
    /// [`Error::Inode`]: [`Rule::WrongType`] of what is no directory, else what is wrong with it; [`Error::Read`].
    pub fn entries(&self, nid: u64) -> Result<Vec<Entry<'a>>, Error> {
        self.children(&self.inode(nid)?)
    }

    /// The nid at a path below the root, `/` between names; symbolic links are not followed. `None` if there
    /// is none.
    ///
    /// # Errors
    /// [`Error::Inode`] names the nid, the byte and the rule that is broken; [`Error::Read`].
    pub fn lookup(&self, path: &[u8]) -> Result<Option<u64>, Error> {
        let mut at = self.inode(self.root())?;
        for name in path.split(|b| *b == b'/').filter(|name| !matches!(*name, b"" | b".")) {
            if at.kind() != NodeKind::Directory {
                return Ok(None);
            }
            let entries = self.children(&at)?;
            let found = entries.binary_search_by(|entry| (*entry.name).cmp(name));
            let Some(entry) = found.ok().and_then(|found| entries.get(found)) else {
                return Ok(None);
            };
            at = self.inode(entry.nid)?;
        }
        Ok(Some(at.nid()))
    }

    pub(super) fn children(&self, inode: &Inode) -> Result<Vec<Entry<'a>>, Error> {
        if inode.kind() != NodeKind::Directory {
            return Err(inode.fault(inode.offset(), Rule::WrongType));
        }
        let flat = self.flat(inode)?;
        let mut list =
            List { entries: Vec::new(), last: Cow::Borrowed(b""), dot: false, dot_dot: false };
        let blocks = self.blocks_of(inode, &flat)?;
        let block = self.block_size.bytes();
        let pieces = blocks.clone().step_by(block as usize);
        let pieces = pieces.map(|at| (at, blocks.end.saturating_sub(at).min(block.into())));
        for (at, len) in pieces.chain([flat.tail]).filter(|(_, len)| *len > 0) {
            let piece = self.slice_of(inode, at, len)?;
            list.block(&piece).map_err(|rule| inode.fault(inode.offset(), rule))?;
        }
        if !list.dot_dot || !(list.dot || inode.dot_omitted()) {
            return Err(inode.fault(inode.offset(), Rule::Dots));
        }
        Ok(list.entries)
    }
}

/// The entries of a directory that were read so far.
struct List<'a> {
    entries: Vec<Entry<'a>>,
    last: Cow<'a, [u8]>,
    dot: bool,
    dot_dot: bool,
}

impl<'a> List<'a> {
    #[allow(clippy::ptr_arg, reason = "names are borrowed of a block in memory")]
    fn block(&mut self, block: &Cow<'a, [u8]>) -> Result<(), Rule> {
        let (first, _) = Dirent::ref_from_prefix(block).map_err(|_| Rule::EntryTable)?;
        let table_len = usize::from(first.nameoff.get());
        if table_len == 0 || !table_len.is_multiple_of(size_of::<Dirent>()) {
            return Err(Rule::EntryTable);
        }
        let table = block.get(..table_len).ok_or(Rule::EntryTable)?;
        let table = <[Dirent]>::ref_from_bytes(table).map_err(|_| Rule::EntryTable)?;
        let mut start = table_len;
        let mut following = table.iter().skip(1);
        for dirent in table {
            if usize::from(dirent.nameoff.get()) != start {
                return Err(Rule::EntryTable);
            }
            let end = match following.next() {
                Some(next) => usize::from(next.nameoff.get()),
                None => {
                    let rest = block.get(start..).ok_or(Rule::EntryTable)?;
                    let len = rest.iter().position(|b| *b == 0).unwrap_or(rest.len());
                    start.saturating_add(len)
                }
            };
            let name = part(block, start..end).ok_or(Rule::EntryTable)?;
            self.entry(dirent, name)?;
            start = end;
        }
        Ok(())
    }

    fn entry(&mut self, dirent: &Dirent, name: Cow<'a, [u8]>) -> Result<(), Rule> {
        if !(1..=MAX_NAME).contains(&name.len()) || name.iter().any(|b| matches!(b, 0 | b'/')) {
            return Err(Rule::Name);
        }
        // `last` is empty before the first name. As no name is empty, the first one is greater.
        if name <= self.last {
            return Err(Rule::NameOrder);
        }
        self.last.clone_from(&name);
        match &name[..] {
            b"." => self.dot = true,
            b".." => self.dot_dot = true,
            _ => self.entries.push(Entry {
                name,
                nid: dirent.nid.get(),
                file_type: dirent.file_type,
            }),
        }
        Ok(())
    }
}
