//! Images by hand: blocks of 512 bytes, each inode at the start of one.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "test code; each binary uses a part"
)]

use erofs_tarfs::format::{
    CompactInode, DataLayout, Dirent, ExtendedInode, Format, HOLE, Incompat, SUPERBLOCK_MAGIC,
    Superblock, seal,
};
use erofs_tarfs::read::{ReadFault, ReadImage};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

pub const B: usize = 512;
pub const DIR: u16 = 0o040755;
pub const FILE: u16 = 0o100644;
pub const LINK: u16 = 0o120777;
pub const CHAR: u16 = 0o020000;

/// Bytes of an image that are read piece by piece, and no more at a time than a table of devices has.
pub struct Pieces<'a>(pub &'a [u8]);

impl ReadImage for Pieces<'_> {
    fn len(&self) -> Result<u64, ReadFault> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFault> {
        assert!(buf.len() <= 8 << 20, "{} bytes at once", buf.len());
        buf.copy_from_slice(&self.0[offset as usize..][..buf.len()]);
        Ok(())
    }
}

/// nid of the inode at the start of a block.
pub fn nid(block: usize) -> u64 {
    (block * B / 32) as u64
}

/// An image in the making; the root is at block 4, and blocks before it are taken.
pub struct Raw(pub Vec<u8>);

impl Raw {
    pub fn new(blocks: usize, devices: &[(u32, u32)]) -> Self {
        let mut raw = Self(vec![0; blocks * B]);
        for (at, (blocks, uniaddr)) in devices.iter().enumerate() {
            raw.put(1152 + 128 * at, format!("blob{at}").as_bytes());
            raw.put(1152 + 128 * at + 64, &blocks.to_le_bytes());
            raw.put(1152 + 128 * at + 68, &uniaddr.to_le_bytes());
        }
        let sb = raw.superblock();
        sb.magic.set(SUPERBLOCK_MAGIC);
        sb.blkszbits = 9;
        sb.rootnid_2b.set(nid(4) as u16);
        sb.blocks_lo.set(blocks as u32);
        sb.epoch.set(1_000);
        sb.extra_devices.set(devices.len() as u16);
        sb.devt_slotoff.set(9);
        sb.feature_incompat.set((Incompat::CHUNKED_FILE | Incompat::DEVICE_TABLE).bits());
        raw.dir(4, 4, &[]);
        raw
    }

    pub fn superblock(&mut self) -> &mut Superblock {
        Superblock::mut_from_prefix(&mut self.0[1024..]).unwrap().0
    }

    pub fn sealed(mut self) -> Vec<u8> {
        seal(&mut self.0);
        self.0
    }

    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub fn compact(&mut self, block: usize, mode: u16, layout: DataLayout, size: u32, u: u32) {
        let mut inode = CompactInode::new_zeroed();
        inode.format.set(Format::new(false, layout).0);
        inode.mode.set(mode);
        inode.nb.set(1);
        inode.size.set(size);
        inode.u.set(u);
        self.put(block * B, inode.as_bytes());
    }

    pub fn compact_mut(&mut self, block: usize) -> &mut CompactInode {
        CompactInode::mut_from_prefix(&mut self.0[block * B..]).unwrap().0
    }

    pub fn extended(&mut self, block: usize, mode: u16, layout: DataLayout, size: u64, u: u32) {
        let mut inode = ExtendedInode::new_zeroed();
        inode.format.set(Format::new(true, layout).0);
        inode.mode.set(mode);
        inode.nlink.set(1);
        inode.size_lo.set(size as u32);
        inode.size_hi.set((size >> 32) as u32);
        inode.u.set(u);
        self.put(block * B, inode.as_bytes());
    }

    pub fn extended_mut(&mut self, block: usize) -> &mut ExtendedInode {
        ExtendedInode::mut_from_prefix(&mut self.0[block * B..]).unwrap().0
    }

    /// A chunk-based file, with its table.
    pub fn chunks(&mut self, block: usize, size: u64, format: u32, table: &[u8]) {
        self.extended(block, FILE, DataLayout::ChunkBased, size, format);
        self.put(block * B + 64, table);
    }

    /// An inline directory; `.` and `..` are added, the order is the caller's.
    pub fn dir(&mut self, block: usize, parent: usize, names: &[(&str, usize)]) {
        let mut all: Vec<(&str, usize)> = vec![(".", block), ("..", parent)];
        all.extend(names);
        self.raw_dir(block, &all);
    }

    pub fn raw_dir(&mut self, block: usize, names: &[(&str, usize)]) {
        let data = dirents(names);
        self.compact(block, DIR, DataLayout::FlatInline, data.len() as u32, HOLE);
        self.put(block * B + 32, &data);
    }

    /// An xattr body for the inode at `block`, extended or compact: its length is a multiple of 4.
    pub fn xattr_body(&mut self, block: usize, body: &[u8]) {
        let inode = self.compact_mut(block);
        inode.xattr_icount.set(((body.len() - 12) / 4 + 1) as u16);
        let header = if Format(inode.format.get()).is_extended() { 64 } else { 32 };
        self.put(block * B + header, body);
    }
}

/// A directory block.
pub fn dirents(names: &[(&str, usize)]) -> Vec<u8> {
    let mut table = Vec::new();
    let mut text = Vec::new();
    for (name, block) in names {
        let mut dirent = Dirent::new_zeroed();
        dirent.nid.set(nid(*block));
        dirent.nameoff.set((12 * names.len() + text.len()) as u16);
        table.extend_from_slice(dirent.as_bytes());
        text.extend_from_slice(name.as_bytes());
    }
    [table, text].concat()
}

/// A chunk index.
pub fn index(hi: u16, device: u16, lo: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..2].copy_from_slice(&hi.to_le_bytes());
    bytes[2..4].copy_from_slice(&device.to_le_bytes());
    bytes[4..].copy_from_slice(&lo.to_le_bytes());
    bytes
}

/// An xattr entry, filled up to a multiple of 4.
pub fn xattr(index: u8, name: &str, value: &[u8]) -> Vec<u8> {
    let mut entry = vec![name.len() as u8, index];
    entry.extend_from_slice(&(value.len() as u16).to_le_bytes());
    entry.extend_from_slice(name.as_bytes());
    entry.extend_from_slice(value);
    entry.resize(entry.len().next_multiple_of(4), 0);
    entry
}
