//! Bootstraps as nydus-image 2.4 of Nydus writes them in tarfs mode: RAFS v6 in blocks of 512 bytes,
//! written here without the library, after what its own ones look like.
//!
//! ```text
//! byte 1024   superblock of EROFS: no checksum, a private bit among the features, root always nid 128
//!      1152   256 bytes of RAFS: flags, where its tables are
//!      1408   device slots, then the blob table: 256 bytes for each blob
//!      M      4096 bytes of nothing, then inodes of 64 bytes with attributes, chunk indexes, tails
//!             blocks of long directories and links
//!             the chunk table
//! ```
//!
//! M is the byte from which nids count: the next multiple of 4096, or 0 where there is no blob.

use std::collections::BTreeMap;
use std::io::Read;

use tar::{Archive, EntryType};

/// What is at a path.
#[derive(Clone, Debug)]
pub struct Node {
    /// Type and permissions, as in `st_mode`.
    pub mode: u16,
    pub owner: (u32, u32),
    /// In seconds; there are no nanoseconds.
    pub mtime: u64,
    /// Prefix of the name by number, the rest of it, the value.
    pub xattrs: Vec<(u8, Vec<u8>, Vec<u8>)>,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Dir,
    /// Blob, byte in it, length.
    Regular(u16, u64, u64),
    Symlink(Vec<u8>),
    /// The device number, as Linux encodes it in 32 bits.
    Special(u32),
    /// The path of the file that it is another name of.
    Hardlink(Vec<u8>),
}

impl Node {
    pub fn dir() -> Self {
        Self { mode: 0o40755, owner: (0, 0), mtime: 0, xattrs: Vec::new(), what: What::Dir }
    }
}

/// Paths, and what is there. The root is the empty path.
pub type Nodes = BTreeMap<Vec<u8>, Node>;

/// Index of the first free inode slot: the root's.
const ROOT: u64 = 4096;
const BLOCK: usize = 512;
const CHUNK: u64 = 1 << 20;

/// What a layer's tar has in it, in the blob of that number. Whiteouts are files like any other.
pub fn nodes(tar: &[u8], blob: u16) -> Nodes {
    let mut nodes = Nodes::from([(Vec::new(), Node::dir())]);
    let mut archive = Archive::new(tar);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path_bytes().into_owned();
        let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
        let path = parts.collect::<Vec<_>>().join(&b'/');
        let mut xattrs = Vec::new();
        for extension in entry.pax_extensions().unwrap().into_iter().flatten() {
            let extension = extension.unwrap();
            let Some(name) = extension.key_bytes().strip_prefix(b"SCHILY.xattr.") else { continue };
            let prefixes: [(u8, &[u8]); 3] = [(1, b"user."), (4, b"trusted."), (6, b"security.")];
            let (prefix, rest) = prefixes
                .iter()
                .find_map(|(number, prefix)| Some((*number, name.strip_prefix(*prefix)?)))
                .unwrap();
            xattrs.push((prefix, rest.to_vec(), extension.value_bytes().to_vec()));
        }
        let header = entry.header();
        let device = |device: Option<u32>| device.unwrap_or(0);
        let number = || {
            let major = device(header.device_major().unwrap_or_default());
            let minor = device(header.device_minor().unwrap_or_default());
            minor & 0xff | major << 8 | (minor & !0xff) << 12
        };
        let link = || entry.link_name_bytes().unwrap().into_owned();
        let (kind, what) = match header.entry_type() {
            EntryType::Directory => (0o40000, What::Dir),
            EntryType::Symlink => (0o120000, What::Symlink(link())),
            EntryType::Link => (0, What::Hardlink(link())),
            EntryType::Char => (0o20000, What::Special(number())),
            EntryType::Block => (0o60000, What::Special(number())),
            EntryType::Fifo => (0o10000, What::Special(0)),
            _ => {
                let (at, size) = (entry.raw_file_position(), entry.size());
                (0o100000, What::Regular(blob, at, size))
            }
        };
        let node = Node {
            mode: kind | header.mode().unwrap() as u16,
            owner: (header.uid().unwrap() as u32, header.gid().unwrap() as u32),
            mtime: header.mtime().unwrap(),
            xattrs,
            what,
        };
        entry.read_to_end(&mut Vec::new()).unwrap();
        let mut above = &path[..];
        while let Some(slash) = above.iter().rposition(|byte| *byte == b'/') {
            above = &above[..slash];
            nodes.entry(above.to_vec()).or_insert_with(Node::dir);
        }
        nodes.insert(path, node);
    }
    nodes
}

/// The bootstrap of a layer.
pub fn layer(tar: &[u8], id: &str) -> Vec<u8> {
    let nodes = nodes(tar, 0);
    let has_data = nodes.values().any(|node| matches!(node.what, What::Regular(_, _, 1..)));
    let blobs = if has_data { vec![(id, tar.len() as u64)] } else { Vec::new() };
    write(&nodes, &blobs)
}

/// A bootstrap over blobs, given by their IDs and lengths.
pub fn write(nodes: &Nodes, blobs: &[(&str, u64)]) -> Vec<u8> {
    let table = (1408 + 128 * blobs.len()).next_multiple_of(4096);
    let meta = match blobs {
        [] => 0,
        _ => (table + 256 * blobs.len()).next_multiple_of(4096),
    };
    let mut image = vec![0; meta + ROOT as usize];
    let places = Places::of(nodes, image.len());
    image.resize(places.end, 0);
    for (path, node) in nodes {
        if !matches!(node.what, What::Hardlink(_)) {
            inode(&mut image, nodes, &places, path, node, meta);
        }
    }
    image.resize(image.len().next_multiple_of(4096), 0);
    let chunks = image.len();
    if !blobs.is_empty() {
        image.resize(chunks + (80 * blobs.len()).next_multiple_of(4096), 0);
    }
    let sectors: u64 = blobs.iter().map(|(_, bytes)| bytes / 512).sum();
    let sb = 1024;
    put(&mut image, sb, &0xE0F5_E1E2_u32.to_le_bytes());
    put(&mut image, sb + 8, &0x4000_0000_u32.to_le_bytes());
    put(&mut image, sb + 12, &[9, 0]);
    put(&mut image, sb + 14, &128_u16.to_le_bytes());
    put(&mut image, sb + 16, &(nodes.len() as u64).to_le_bytes());
    put(&mut image, sb + 36, &(sectors as u32).to_le_bytes());
    put(&mut image, sb + 40, &(meta as u32 / 512).to_le_bytes());
    put(&mut image, sb + 80, &0xC_u32.to_le_bytes());
    put(&mut image, sb + 86, &(blobs.len() as u16).to_le_bytes());
    put(&mut image, sb + 88, &11_u16.to_le_bytes());
    // Flags: no compression, SHA-256, owners as they are, tarfs, no encryption; whether there are attributes.
    let has_xattrs = nodes.values().any(|node| !node.xattrs.is_empty());
    let flags = 1_u64 | 8 | 0x10 | 0x200 | 0x100_0000 | if has_xattrs { 0x20 } else { 0 };
    put(&mut image, 1152, &flags.to_le_bytes());
    put(&mut image, 1160, &(table as u64).to_le_bytes());
    put(&mut image, 1168, &(256 * blobs.len() as u32).to_le_bytes());
    put(&mut image, 1172, &(CHUNK as u32).to_le_bytes());
    put(&mut image, 1176, &(chunks as u64).to_le_bytes());
    put(&mut image, 1184, &(80 * blobs.len() as u64).to_le_bytes());
    let mut mapped = image.len().next_multiple_of(512 << 10);
    for (number, (id, bytes)) in blobs.iter().enumerate() {
        let slot = 1408 + 128 * number;
        put(&mut image, slot, id.as_bytes());
        put(&mut image, slot + 64, &((bytes / 512) as u32).to_le_bytes());
        put(&mut image, slot + 68, &((mapped / 512) as u32).to_le_bytes());
        put(&mut image, table + 256 * number, id.as_bytes());
        mapped = (mapped + *bytes as usize).next_multiple_of(512 << 10);
    }
    image
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..][..bytes.len()].copy_from_slice(bytes);
}

/// Where each inode is, and the whole blocks of it that are not behind it.
struct Places<'a> {
    inodes: BTreeMap<&'a [u8], usize>,
    blocks: BTreeMap<&'a [u8], usize>,
    end: usize,
}

impl<'a> Places<'a> {
    fn of(nodes: &'a Nodes, start: usize) -> Self {
        let (mut inodes, mut blocks, mut at) = (BTreeMap::new(), BTreeMap::new(), start);
        for (path, node) in nodes {
            let (bytes, tail) = (64 + xattrs(node).len(), tail(nodes, path, node));
            let inline = bytes + tail.len();
            if matches!(node.what, What::Dir | What::Symlink(_)) && at % BLOCK + inline > BLOCK {
                at = at.next_multiple_of(BLOCK);
            }
            inodes.insert(&path[..], at);
            at += match node.what {
                What::Regular(_, _, size) => {
                    bytes.next_multiple_of(8) + 8 * size.div_ceil(CHUNK) as usize
                }
                What::Hardlink(_) => 0,
                _ => inline,
            };
            at = at.next_multiple_of(32);
        }
        at = at.next_multiple_of(BLOCK);
        for (path, node) in nodes {
            let apart = data(nodes, path, node).len() - tail(nodes, path, node).len();
            if apart > 0 {
                blocks.insert(&path[..], at);
                at += apart.next_multiple_of(BLOCK);
            }
        }
        Self { inodes, blocks, end: at }
    }

    /// The nid of what is at a path; a hard link has that of its target.
    fn nid(&self, nodes: &Nodes, path: &[u8], meta: usize) -> u64 {
        match &nodes[path].what {
            What::Hardlink(target) => self.nid(nodes, target, meta),
            _ => (self.inodes[path] - meta) as u64 / 32,
        }
    }
}

/// What is in a directory, `.` and `..` first as they sort: path, name, type in a directory.
fn entries<'a>(nodes: &'a Nodes, path: &'a [u8]) -> Vec<(&'a [u8], &'a [u8], u8)> {
    let above =
        path.iter().rposition(|byte| *byte == b'/').map_or(&b""[..], |slash| &path[..slash]);
    let mut entries = vec![(path, &b"."[..], 2), (above, &b".."[..], 2)];
    for (child, node) in nodes.range(path.to_vec()..) {
        let below = match path {
            b"" => Some(&child[..]),
            _ => child.strip_prefix(path).and_then(|rest| rest.strip_prefix(b"/")),
        };
        let Some(name) = below.filter(|name| !name.is_empty() && !name.contains(&b'/')) else {
            continue;
        };
        let mut node = node;
        while let What::Hardlink(target) = &node.what {
            node = &nodes[target];
        }
        let kind = match node.mode >> 12 {
            0o10 => 1,
            0o4 => 2,
            0o2 => 3,
            0o6 => 4,
            0o1 => 5,
            _ => 7,
        };
        entries.push((child, name, kind));
    }
    entries.sort_by_key(|(_, name, _)| *name);
    entries
}

/// The bytes of a directory, but for its nids, or of a link.
fn data(nodes: &Nodes, path: &[u8], node: &Node) -> Vec<u8> {
    match &node.what {
        What::Dir => directory(&entries(nodes, path), &|_| 0),
        What::Symlink(target) => target.clone(),
        _ => Vec::new(),
    }
}

/// What of these bytes is behind the inode: the last ones, if they fit into its block.
fn tail(nodes: &Nodes, path: &[u8], node: &Node) -> Vec<u8> {
    let data = data(nodes, path, node);
    let tail = data.len() % BLOCK;
    match 64 + xattrs(node).len() + tail <= BLOCK {
        true => data[data.len() - tail..].to_vec(),
        false => Vec::new(),
    }
}

fn directory(entries: &[(&[u8], &[u8], u8)], nid: &dyn Fn(&[u8]) -> u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = entries;
    while !rest.is_empty() {
        let mut count = 0;
        let mut used = 0;
        while count < rest.len() && used + 12 + rest[count].1.len() <= BLOCK {
            used += 12 + rest[count].1.len();
            count += 1;
        }
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        let mut name_at = 12 * count as u16;
        for (path, name, kind) in &rest[..count] {
            bytes.extend(nid(path).to_le_bytes());
            bytes.extend(name_at.to_le_bytes());
            bytes.extend([*kind, 0]);
            name_at += name.len() as u16;
        }
        rest[..count].iter().for_each(|(_, name, _)| bytes.extend(*name));
        rest = &rest[count..];
    }
    bytes
}

fn xattrs(node: &Node) -> Vec<u8> {
    if node.xattrs.is_empty() {
        return Vec::new();
    }
    let mut bytes = vec![0; 12];
    for (prefix, name, value) in &node.xattrs {
        bytes.extend([name.len() as u8, *prefix]);
        bytes.extend((value.len() as u16).to_le_bytes());
        bytes.extend(name);
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

fn inode(
    image: &mut [u8],
    nodes: &Nodes,
    places: &Places<'_>,
    path: &[u8],
    node: &Node,
    meta: usize,
) {
    let at = places.inodes[path];
    let xattrs = xattrs(node);
    let icount = if xattrs.is_empty() { 0 } else { (xattrs.len() - 12) / 4 + 1 };
    let behind = at + 64 + xattrs.len();
    let apart = places.blocks.get(path).map_or(0, |at| *at as u32 / 512);
    let bytes = match &node.what {
        What::Dir => directory(&entries(nodes, path), &|path| places.nid(nodes, path, meta)),
        _ => data(nodes, path, node),
    };
    let tail = tail(nodes, path, node).len();
    let (layout, size, u): (u16, u64, u32) = match &node.what {
        What::Regular(blob, offset, size) => {
            let bits = match *size > CHUNK {
                true => size.next_power_of_two().ilog2(),
                false => CHUNK.ilog2(),
            };
            for chunk in 0..size.div_ceil(CHUNK) as usize {
                let index = behind.next_multiple_of(8) + 8 * chunk;
                let block = (offset + chunk as u64 * CHUNK) / 512;
                // The index of the chunk in the blob takes the first two bytes, and one more.
                put(image, index, &(7 + chunk as u16).to_le_bytes());
                put(image, index + 2, &[*blob as u8 + 1, 0]);
                put(image, index + 4, &(block as u32).to_le_bytes());
            }
            (4, *size, 0x20 | (bits - 9))
        }
        What::Dir | What::Symlink(_) => {
            let layout = if tail > 0 { 2 } else { 0 };
            let (first, last) = bytes.split_at(bytes.len() - tail);
            put(image, apart as usize * BLOCK, first);
            put(image, behind, last);
            (layout, bytes.len() as u64, apart)
        }
        What::Special(number) => (0, 0, *number),
        What::Hardlink(_) => return,
    };
    put(image, at, &(1 | layout << 1).to_le_bytes());
    put(image, at + 2, &(icount as u16).to_le_bytes());
    put(image, at + 4, &node.mode.to_le_bytes());
    put(image, at + 8, &size.to_le_bytes());
    put(image, at + 16, &u.to_le_bytes());
    put(image, at + 24, &node.owner.0.to_le_bytes());
    put(image, at + 28, &node.owner.1.to_le_bytes());
    put(image, at + 32, &node.mtime.to_le_bytes());
    put(image, at + 44, &links(nodes, path, node).to_le_bytes());
    put(image, at + 64, &xattrs);
}

/// How many names an inode has: of a directory two, and one for each in it.
fn links(nodes: &Nodes, path: &[u8], node: &Node) -> u32 {
    if matches!(node.what, What::Dir) {
        return entries(nodes, path).iter().filter(|(.., kind)| *kind == 2).count() as u32;
    }
    let same = |other: &&Node| matches!(&other.what, What::Hardlink(target) if target == path);
    1 + nodes.values().filter(same).count() as u32
}
