//! A layer as extraction makes it: plain system calls, one entry after the other.
//!
//! The result is a directory in overlayfs form (a whiteout is a character device 0:0, an opaque
//! directory has `trusted.overlay.opaque=y`), so that the kernel's overlayfs over several of them
//! says what the stack means. The one thing overlayfs does not do is an opaque *root*: it looks at
//! the children of directories it finds by name, and the root it does not find. [`Lower`] tells,
//! and [`merged`] leaves out what is below.
//!
//! A directory that holds whiteouts also has `trusted.overlay.origin`, empty: where only one layer
//! has a directory, overlayfs reads it as it is, and would list whiteouts that cannot be found.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{lchown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, makedev};

use crate::dump::{DumpOptions, Kind, Tree, dump_with};
use crate::layer::{Attr, Op, What, ancestors, is_below, parent};
use crate::mount::overlay;

/// A layer, extracted.
#[derive(Debug)]
pub struct Lower {
    /// Where.
    pub dir: PathBuf,
    /// The directories that are in the layer because something is below them, and no more.
    pub implied: BTreeSet<Vec<u8>>,
    /// Those that the layer lists.
    pub listed: BTreeSet<Vec<u8>>,
    /// The character devices 0:0 that say what is gone. All their attributes are 0.
    pub whiteouts: BTreeSet<Vec<u8>>,
    /// Whether nothing below shows through, not even at the root.
    pub opaque_root: bool,
}

/// Extracts a layer into a directory, which is made and must not exist.
///
/// # Errors
/// Whatever a system call says, with the path; a layer that is not legal ends so.
pub fn extract(ops: &[Op], dir: &Path) -> io::Result<Lower> {
    fs::create_dir(dir)?;
    let mut extraction = Extraction {
        dir,
        dirs: BTreeMap::from([(Vec::new(), None)]),
        fresh: BTreeSet::new(),
        whiteouts: BTreeSet::new(),
    };
    for op in ops.iter().filter(|op| !op.what.is_marker()) {
        at(&op.path, extraction.put(op))?;
    }
    // Where the layer has a file, a marker below it has nothing left to hide.
    let markers = ops.iter().filter(|op| op.what.is_marker() && !extraction.is_below_file(op));
    let mut markers: Vec<_> = markers.collect();
    let hidden = extraction.hidden(&markers);
    markers.retain(|op| !hidden.contains(&(&op.path, &op.what)));
    for op in &markers {
        at(&op.path, extraction.parents(&op.path))?;
        if op.what == What::Opaque {
            at(&op.path, extraction.imply(&op.path))?;
        }
    }
    for op in &markers {
        at(&op.path, extraction.mark(op))?;
    }
    let opaque_root = markers.iter().any(|op| op.what == What::Opaque && op.path.is_empty());
    // Directories last and from the deepest, for all that happens in them touches their times.
    for (path, attr) in extraction.dirs.iter().rev() {
        let implied = Attr::implied();
        at(path, attributes(&extraction.at(path), attr.as_ref().unwrap_or(&implied), false))?;
    }
    let paths = |listed: bool| {
        let dirs = extraction.dirs.iter().filter(|(_, attr)| attr.is_some() == listed);
        dirs.map(|(path, _)| path.clone()).collect()
    };
    let (implied, listed) = (paths(false), paths(true));
    let whiteouts = extraction.whiteouts;
    Ok(Lower { dir: dir.to_owned(), implied, listed, whiteouts, opaque_root })
}

/// What overlayfs makes of extracted layers, and where it cannot know.
#[derive(Debug)]
pub struct Merged {
    /// The merged view, with the link counts of the names that are seen.
    pub tree: Tree,
    /// Directories whose topmost layer only implies them: the attributes are those of a lower
    /// layer by our rule, and the implied ones by overlayfs.
    pub unknowable: BTreeSet<Vec<u8>>,
}

/// Mounts an overlay of extracted layers, the lowest first, and dumps it.
///
/// # Errors
/// Those of the mount and the dump.
pub fn merged(lowers: &[Lower]) -> io::Result<Merged> {
    let lowest = lowers.iter().rposition(|lower| lower.opaque_root).unwrap_or(0);
    let dirs: Vec<_> = lowers[lowest..].iter().map(|lower| &lower.dir).collect();
    let mounted = overlay(&dirs)?;
    let mut tree = dump_with(mounted.path(), DumpOptions::default())?;
    tree.recount_links();
    let unknowable = |path: &Vec<u8>| {
        let topmost = lowers.iter().rev().find_map(|lower| {
            let listed = lower.listed.contains(path);
            (listed || lower.implied.contains(path)).then_some(listed)
        });
        topmost == Some(false)
    };
    let dirs = tree.0.iter().filter(|(_, node)| node.kind == Kind::Dir).map(|(path, _)| path);
    let unknowable = dirs.filter(|path| unknowable(path)).cloned().collect();
    Ok(Merged { tree, unknowable })
}

struct Extraction<'a> {
    dir: &'a Path,
    /// All directories there are; without attributes when they are implied.
    dirs: BTreeMap<Vec<u8>, Option<Attr>>,
    /// Those that took the place of something else of the layer: lower ones are hidden.
    fresh: BTreeSet<Vec<u8>>,
    whiteouts: BTreeSet<Vec<u8>>,
}

impl Extraction<'_> {
    fn at(&self, path: &[u8]) -> PathBuf {
        if path.is_empty() { self.dir.to_owned() } else { self.dir.join(OsStr::from_bytes(path)) }
    }

    fn parents(&mut self, path: &[u8]) -> io::Result<()> {
        let above: Vec<_> = ancestors(path).collect();
        above.into_iter().rev().try_for_each(|dir| self.imply(dir))
    }

    fn imply(&mut self, path: &[u8]) -> io::Result<()> {
        if !self.dirs.contains_key(path) {
            fs::create_dir(self.at(path))?;
            self.dirs.insert(path.to_vec(), None);
        }
        Ok(())
    }

    /// For the path of a marker: the marker itself is a child of an opaque directory.
    fn is_below_file(&self, marker: &Op) -> bool {
        let own = (marker.what == What::Opaque).then_some(&marker.path[..]);
        let mut above = ancestors(&marker.path).chain(own);
        above.any(|path| fs::symlink_metadata(self.at(path)).is_ok_and(|found| !found.is_dir()))
    }

    /// Markers in directories that only markers would make, where another marker says that they
    /// are gone, or nothing of lower layers is seen in them.
    fn hidden<'a>(&self, markers: &[&'a Op]) -> Vec<(&'a Vec<u8>, &'a What)> {
        let says = |path: &[u8], what| markers.iter().any(|op| op.path == path && op.what == what);
        let gone = |dir: &[u8]| {
            !self.dirs.contains_key(dir)
                && (says(dir, What::Whiteout)
                    || ancestors(dir).any(|dir| {
                        says(dir, What::Whiteout)
                            || says(dir, What::Opaque)
                            || self.fresh.contains(dir)
                    }))
        };
        let is_hidden = |op: &&&Op| {
            let own = (op.what == What::Opaque).then_some(&op.path[..]);
            ancestors(&op.path).chain(own).any(gone)
        };
        markers.iter().filter(is_hidden).map(|op| (&op.path, &op.what)).collect()
    }

    fn put(&mut self, op: &Op) -> io::Result<()> {
        self.parents(&op.path)?;
        let path = self.at(&op.path);
        if op.what == What::Dir {
            if !self.dirs.contains_key(&op.path) {
                if fs::symlink_metadata(&path).is_ok() {
                    self.fresh.insert(op.path.clone());
                }
                self.clear(&op.path)?;
                fs::create_dir(&path)?;
            }
            self.dirs.insert(op.path.clone(), Some(op.attr.clone()));
            return Ok(());
        }
        self.clear(&op.path)?;
        let node = |kind, dev| rustix::fs::mknodat(CWD, &path, kind, Mode::empty(), dev);
        match &op.what {
            What::File(content) => fs::write(&path, content)?,
            What::Symlink(target) => symlink(OsStr::from_bytes(target), &path)?,
            What::Hardlink(target) => return fs::hard_link(self.at(target), &path),
            What::Char(0, 0) => return self.whiteout(&op.path),
            What::Char(major, minor) => node(FileType::CharacterDevice, makedev(*major, *minor))?,
            What::Block(major, minor) => node(FileType::BlockDevice, makedev(*major, *minor))?,
            What::Fifo => node(FileType::Fifo, 0)?,
            What::Dir | What::Whiteout | What::Opaque => unreachable!("handled elsewhere"),
        }
        attributes(&path, &op.attr, matches!(op.what, What::Symlink(_)))
    }

    /// Removes what an earlier entry put there.
    fn clear(&mut self, path: &[u8]) -> io::Result<()> {
        let on_disk = self.at(path);
        if self.dirs.remove(path).is_some() {
            self.dirs.retain(|dir, _| !is_below(dir, path));
            self.fresh.retain(|dir| dir != path && !is_below(dir, path));
            self.whiteouts.retain(|gone| !is_below(gone, path));
            return fs::remove_dir_all(on_disk);
        }
        match fs::remove_file(on_disk) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    fn mark(&mut self, op: &Op) -> io::Result<()> {
        let path = self.at(&op.path);
        if self.dirs.contains_key(&op.path) {
            rustix::fs::lsetxattr(&path, "trusted.overlay.opaque", b"y", XattrFlags::empty())?;
        } else if fs::symlink_metadata(&path).is_err() {
            self.whiteout(&op.path)?;
        }
        Ok(())
    }

    fn whiteout(&mut self, path: &[u8]) -> io::Result<()> {
        let (kind, none) = (FileType::CharacterDevice, makedev(0, 0));
        rustix::fs::mknodat(CWD, self.at(path), kind, Mode::empty(), none)?;
        attributes(&self.at(path), &Attr::of(0), false)?;
        self.whiteouts.insert(path.to_vec());
        let dir = self.at(parent(path).expect("the root is no whiteout"));
        Ok(rustix::fs::lsetxattr(dir, "trusted.overlay.origin", b"", XattrFlags::empty())?)
    }
}

/// The owner first, for changing it clears the setuid bit; the time last.
fn attributes(path: &Path, attr: &Attr, is_symlink: bool) -> io::Result<()> {
    lchown(path, Some(attr.uid), Some(attr.gid))?;
    for (key, value) in &attr.xattrs {
        rustix::fs::lsetxattr(path, key, value, XattrFlags::empty())?;
    }
    if !is_symlink {
        rustix::fs::chmodat(CWD, path, Mode::from_raw_mode(attr.mode.into()), AtFlags::empty())?;
    }
    let time = Timespec { tv_sec: attr.mtime.0, tv_nsec: attr.mtime.1.into() };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(())
}

fn at<T>(path: &[u8], result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| {
        io::Error::new(error.kind(), format!("{}: {error}", crate::dump::Show(path)))
    })
}
