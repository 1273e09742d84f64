//! From a directory to a [`Tree`].

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::{Dir, FileType, Mode, OFlags};
use sha2::{Digest, Sha256};

use super::{Kind, Node, Show, Tree, Xattrs};

/// What a dump holds.
#[derive(Clone, Copy, Debug)]
pub struct DumpOptions {
    /// Keep `trusted.overlay.*` and `user.overlay.*`. Default: yes.
    pub overlay_private: bool,
    /// Read and hash the files. Default: yes.
    pub content: bool,
    /// A file whose content is an I/O error has no hash, and the walk goes on. Default: no.
    pub unreadable: bool,
}

impl Default for DumpOptions {
    fn default() -> Self {
        Self { overlay_private: true, content: true, unreadable: false }
    }
}

/// [`dump_with`] and the default options.
///
/// # Errors
/// As there.
pub fn dump(root: impl AsRef<Path>) -> io::Result<Tree> {
    dump_with(root, DumpOptions::default())
}

/// Walks a directory, without leaving its tree by a symbolic link.
///
/// # Errors
/// Whatever a system call says, with the path; and what no sound filesystem shows: a name that
/// `readdir` lists and `lstat` does not find or finds of another type, a name listed twice,
/// a directory without `.` or `..`, a link target or content of another length than its size.
pub fn dump_with(root: impl AsRef<Path>, options: DumpOptions) -> io::Result<Tree> {
    let root = root.as_ref();
    let metadata = at(b"", fs::symlink_metadata(root))?;
    let mut walk = Walk { options, tree: Tree::default(), links: BTreeMap::new() };
    walk.node(b"", root, &metadata)?;
    // Trees may be thousands of directories deep, and each takes a frame.
    thread::scope(|scope| {
        let walker = thread::Builder::new().stack_size(64 << 20);
        let walker = walker.spawn_scoped(scope, || walk.dir(b"", root))?;
        walker.join().expect("walking does not panic")
    })?;
    Ok(walk.finish())
}

struct Walk {
    options: DumpOptions,
    tree: Tree,
    links: BTreeMap<(u64, u64), Vec<Vec<u8>>>,
}

impl Walk {
    /// Descends by file descriptor, so that paths may be longer than a system call takes.
    fn dir(&mut self, path: &[u8], at_path: &Path) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = at(path, rustix::fs::open(at_path, flags, Mode::empty()).map_err(Into::into))?;
        let base = PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()));
        let mut names = BTreeMap::new();
        for entry in at(path, Dir::read_from(&fd).map_err(Into::into))? {
            let entry = at(path, entry.map_err(Into::into))?;
            let name = entry.file_name().to_bytes().to_vec();
            if names.insert(name.clone(), entry.file_type()).is_some() {
                return Err(wrong(path, &format!("lists {} twice", Show(&name))));
            }
        }
        for dot in [&b"."[..], b".."] {
            if names.remove(dot) != Some(FileType::Directory) {
                return Err(wrong(path, &format!("does not list {}", Show(dot))));
            }
        }
        for (name, listed) in names {
            let child = if path.is_empty() { name.clone() } else { [path, b"/", &name].concat() };
            let child_at = base.join(OsStr::from_bytes(&name));
            let metadata = at(&child, fs::symlink_metadata(&child_at))?;
            let found = FileType::from_raw_mode(metadata.mode());
            if listed != found && listed != FileType::Unknown {
                return Err(wrong(&child, &format!("readdir says {listed:?}, lstat {found:?}")));
            }
            self.node(&child, &child_at, &metadata)?;
            if metadata.is_dir() {
                self.dir(&child, &child_at)?;
            }
        }
        Ok(())
    }

    fn node(&mut self, path: &[u8], at_path: &Path, metadata: &Metadata) -> io::Result<()> {
        let kind = kind(metadata);
        let mut node = Node {
            kind,
            mode: (metadata.mode() & 0o7777) as u16,
            uid: metadata.uid(),
            gid: metadata.gid(),
            mtime: (metadata.mtime(), metadata.mtime_nsec() as u32),
            size: if kind == Kind::Dir { 0 } else { metadata.size() },
            rdev: (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev())),
            target: None,
            xattrs: at(path, xattrs(at_path))?,
            sha256: None,
            link: path.to_vec(),
            nlink: metadata.nlink(),
        };
        if !self.options.overlay_private {
            node.xattrs.retain(|key, _| {
                !key.starts_with(b"trusted.overlay.") && !key.starts_with(b"user.overlay.")
            });
        }
        let length = match kind {
            Kind::Symlink => {
                let target = at(path, fs::read_link(at_path))?.into_os_string().into_vec();
                node.target.insert(target).len() as u64
            }
            Kind::File if self.options.content => match hash(at_path) {
                Err(error) if self.options.unreadable && is_io(&error) => node.size,
                hashed => {
                    let (length, sha256) = at(path, hashed)?;
                    node.sha256 = Some(sha256);
                    length
                }
            },
            _ => node.size,
        };
        if length != node.size {
            return Err(wrong(
                path,
                &format!("size is {}, but {length} bytes were read", node.size),
            ));
        }
        if kind != Kind::Dir {
            self.links.entry((metadata.dev(), metadata.ino())).or_default().push(path.to_vec());
        }
        self.tree.0.insert(path.to_vec(), node);
        Ok(())
    }

    fn finish(mut self) -> Tree {
        for paths in self.links.values() {
            let smallest = paths.iter().min().expect("a group has a path");
            for path in paths {
                self.tree.0.get_mut(path).expect("walked").link.clone_from(smallest);
            }
        }
        self.tree
    }
}

fn kind(metadata: &Metadata) -> Kind {
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => Kind::Dir,
        () if kind.is_symlink() => Kind::Symlink,
        () if kind.is_char_device() => Kind::Char,
        () if kind.is_block_device() => Kind::Block,
        () if kind.is_fifo() => Kind::Fifo,
        () if kind.is_socket() => Kind::Socket,
        () => Kind::File,
    }
}

/// All attributes of a file, not of what it points to.
fn xattrs(path: &Path) -> io::Result<Xattrs> {
    let len = rustix::fs::llistxattr_query(path)?;
    let mut names = vec![0; len];
    let len = if len == 0 { 0 } else { rustix::fs::llistxattr(path, &mut names)? };
    names.truncate(len);
    let names = names.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let mut value = vec![0; rustix::fs::lgetxattr_query(path, name)?];
            let len = match value.len() {
                0 => 0,
                _ => rustix::fs::lgetxattr(path, name, &mut value)?,
            };
            value.truncate(len);
            Ok((name.to_vec(), value))
        })
        .collect()
}

fn hash(path: &Path) -> io::Result<(u64, [u8; 32])> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = [0; 1 << 16];
    let mut total = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((total, hasher.finalize().into())),
            read => {
                hasher.update(&buffer[..read]);
                total += read as u64;
            }
        }
    }
}

/// What a damaged disk gives.
fn is_io(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

fn at<T>(path: &[u8], result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", Show(path))))
}

fn wrong(path: &[u8], what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", Show(path)))
}
