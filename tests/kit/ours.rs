//! Our own trees in the shape of a dump, so that they compare with what oracles say.

use std::collections::BTreeMap;

use erofs_tarfs::tree::{
    Body, Content, Error, Identity, InodeId, Layer, LayerBuilder, LayerOptions, MergeOptions,
    Place, Tree, merge,
};
use sha2::{Digest, Sha256};

use crate::dump::{self, Kind, Node};
use erofs_tarfs::tree::NodeKind;

/// The layer of a tar, pushed in pieces of `piece` bytes.
///
/// # Panics
/// If the tar is refused.
#[must_use]
pub fn layer_in_pieces(tar: &[u8], options: LayerOptions, piece: usize) -> Layer {
    let mut builder = LayerBuilder::new(options);
    for bytes in tar.chunks(piece) {
        builder.push(bytes).unwrap();
    }
    builder.finish().unwrap()
}

/// The layer of a tar, tagged with its digest.
///
/// # Panics
/// If the tar is refused.
#[must_use]
pub fn layer(tar: &[u8]) -> Tree {
    tagged(tar, LayerOptions::default()).unwrap()
}

/// The same with other options than the default ones.
///
/// # Errors
/// If the tar is refused.
pub fn tagged(tar: &[u8], options: LayerOptions) -> Result<Tree, Error> {
    let tag = tag(tar);
    let identity = Identity::of_checked_tag(&tag);
    let mut builder = LayerBuilder::new(options.tag(tag).identity(identity));
    builder.push(tar)?;
    Ok(builder.finish()?.tree)
}

/// What the library makes of tars that are merged, the lowest first: in the shape of a dump.
///
/// # Errors
/// If a tar is refused, or the merge.
///
/// # Panics
/// If the merged tree has a device that no tar is.
pub fn merged(tars: &[&[u8]], follow: bool) -> Result<dump::Tree, Error> {
    let (tree, blobs) = merged_tree(tars, follow)?;
    Ok(dump(&tree, &blobs))
}

/// The same as the library has it, with the bytes of its devices.
///
/// # Errors
/// As there.
///
/// # Panics
/// As there.
pub fn merged_tree<'a>(tars: &[&'a [u8]], follow: bool) -> Result<(Tree, Vec<&'a [u8]>), Error> {
    let options = LayerOptions::new().keep_pending(true).drop_unknown_xattrs(true);
    let layers = tars.iter().map(|tar| tagged(tar, options.clone()));
    let layers: Vec<Tree> = layers.collect::<Result<_, _>>()?;
    let options = MergeOptions::new().follow_lower_links(follow);
    let tree = merge(&layers.iter().collect::<Vec<_>>(), &options)?;
    let blob = |tag: &[u8]| {
        let tar = tars.iter().find(|tar| self::tag(tar) == tag);
        *tar.expect("a device of the stack")
    };
    let blobs = tree.devices().iter().map(|device| blob(&device.tag)).collect();
    Ok((tree, blobs))
}

/// The hex SHA-256 of a blob: what a device is called.
#[must_use]
pub fn tag(tar: &[u8]) -> Vec<u8> {
    Sha256::digest(tar).iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

/// A tree as a dump would show it; `blobs` are the bytes of its devices, in order.
///
/// # Panics
/// If a body lies outside its device.
#[must_use]
pub fn dump(tree: &Tree, blobs: &[&[u8]]) -> dump::Tree {
    let mut out = BTreeMap::new();
    let mut first_name: Vec<Option<Vec<u8>>> = vec![None; tree.inode_count()];
    let mut todo = vec![(Vec::new(), InodeId::ROOT)];
    let mut all = Vec::new();
    while let Some((path, id)) = todo.pop() {
        for (name, child) in tree.children(id) {
            let mut path: Vec<u8> = path.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            todo.push((path, child));
        }
        let first = &mut first_name[id.index()];
        if first.as_ref().is_none_or(|first| path < *first) {
            *first = Some(path.clone());
        }
        all.push((path, id));
    }
    for (path, id) in all {
        let attributes = tree.attributes(id);
        let (size, sha256, target, rdev) = match tree.content(id) {
            Content::Regular { size, body } => {
                (size, Some(digest(tree, size, body, blobs)), None, (0, 0))
            }
            Content::Target(target) => (target.len() as u64, None, Some(target.to_vec()), (0, 0)),
            Content::Device(number) => (0, None, None, (number.major, number.minor)),
            _ => (0, None, None, (0, 0)),
        };
        let kind = match tree.kind(id) {
            NodeKind::Regular => Kind::File,
            NodeKind::Directory => Kind::Dir,
            NodeKind::Symlink => Kind::Symlink,
            NodeKind::CharDevice | NodeKind::Whiteout => Kind::Char,
            NodeKind::BlockDevice => Kind::Block,
            NodeKind::Fifo => Kind::Fifo,
            NodeKind::Socket => Kind::Socket,
            NodeKind::PendingLink => panic!("a pending link: {path:?}"),
        };
        let xattrs = tree.xattrs(id).map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        let node = Node {
            kind,
            mode: attributes.mode,
            uid: attributes.uid,
            gid: attributes.gid,
            mtime: (attributes.mtime.secs, attributes.mtime.nanos),
            size,
            rdev,
            target,
            xattrs,
            sha256,
            link: first_name[id.index()].clone().unwrap_or_default(),
            nlink: tree.nlink(id).into(),
        };
        out.insert(path, node);
    }
    dump::Tree(out)
}

fn digest(tree: &Tree, size: u64, body: Body<'_>, blobs: &[&[u8]]) -> [u8; 32] {
    let bytes = |place, len: u64| match place {
        Place::Device { device, offset } => {
            let base = tree.devices()[usize::from(device)].base_offset;
            &blobs[usize::from(device)][(base + offset) as usize..][..len as usize]
        }
        Place::Carried(offset) => tree.carried(offset, len),
    };
    let mut content = vec![0; size as usize];
    match body {
        Body::Contiguous(place) if size > 0 => content.copy_from_slice(bytes(place, size)),
        Body::Contiguous(_) => {}
        Body::Extents(extents) => {
            for extent in extents {
                content[extent.logical as usize..][..extent.len as usize]
                    .copy_from_slice(bytes(extent.place, extent.len));
            }
        }
    }
    Sha256::digest(content).into()
}
