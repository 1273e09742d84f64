//! What the crate `erofs-rs` reads of an image: a reader of all forms that is neither Linux nor ours.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use erofs_rs::EroFS;
use erofs_rs::backend::SliceImage;
use erofs_rs::types::Inode;
use rustix::fs::FileType;
use sha2::{Digest, Sha256};

use crate::dump::{Kind, Node, Tree};

/// The tree of an image over its devices, in the order of the table.
///
/// # Errors
/// What the reader says.
pub fn dump(image: &[u8], devices: &[&[u8]]) -> Result<Tree, String> {
    let devices = devices.iter().map(|device| SliceImage::new(device)).collect();
    let fs = EroFS::new_with_devices(SliceImage::new(image), devices);
    fs.and_then(|fs| walk(&fs)).map_err(|error| error.to_string())
}

fn walk(fs: &EroFS<SliceImage<'_>>) -> erofs_rs::Result<Tree> {
    let root = fs.get_inode(fs.super_block().root_inode_id())?;
    let mut found = vec![(Vec::new(), root)];
    for entry in fs.walk_dir("/")? {
        let entry = entry?;
        let path = entry.dir_entry.path();
        let path = path.as_bytes();
        found.push((path.strip_prefix(b"/").unwrap_or(path).to_vec(), entry.inode));
    }
    let mut first: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for (path, inode) in &found {
        let smallest = first.entry(inode.id()).or_insert_with(|| path.clone());
        if path < smallest {
            smallest.clone_from(path);
        }
    }
    let nodes = found.into_iter().map(|(path, inode)| {
        let link = first[&inode.id()].clone();
        Ok((path, node(fs, inode, link)?))
    });
    Ok(Tree(nodes.collect::<erofs_rs::Result<_>>()?))
}

fn node(fs: &EroFS<SliceImage<'_>>, inode: Inode, link: Vec<u8>) -> erofs_rs::Result<Node> {
    let kind = match inode.file_type() {
        FileType::Directory => Kind::Dir,
        FileType::Symlink => Kind::Symlink,
        FileType::CharacterDevice => Kind::Char,
        FileType::BlockDevice => Kind::Block,
        FileType::Fifo => Kind::Fifo,
        FileType::Socket => Kind::Socket,
        _ => Kind::File,
    };
    let mut node = Node {
        kind,
        mode: inode.permissions().mode() as u16 & 0o7777,
        uid: inode.uid(),
        gid: inode.gid(),
        mtime: inode.modified_unix(),
        size: 0,
        rdev: inode.device().unwrap_or_default(),
        target: None,
        xattrs: fs.xattrs_inode(inode)?,
        sha256: None,
        link,
        nlink: inode.nlink().into(),
    };
    if inode.is_file() {
        let mut content = Vec::new();
        fs.open_inode_file(inode)?.read_to_end(&mut content)?;
        node.size = content.len() as u64;
        node.sha256 = Some(Sha256::digest(&content).into());
    }
    if inode.is_symlink() {
        let target = fs.read_link_inode(inode)?.into_vec();
        node.size = target.len() as u64;
        node.target = Some(target);
    }
    Ok(node)
}
