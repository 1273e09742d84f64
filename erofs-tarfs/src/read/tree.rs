//! A tree of an image.

use super::budget::{Budget, Cost};
use super::seen::Seen;
use super::{
    DevicesAt, Entry, Error, Image, Inode, Rule, StoredExtent, StoredPlace, TreeOptions, Xattr,
    marks,
};
use crate::format::DataLayout;
use crate::limits::Limit;
use crate::tree::{
    Attributes, Builder, Device, Extent, Identity, InodeId, Node, NodeKind, Place, Tree, What,
    XattrSet,
};
use crate::units::DeviceNumber;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Blocks of a file that is no longer than 2^63 bytes, whatever the block size.
const MAX_BLOCKS: u64 = 1 << 47;

impl Image<'_> {
    /// Makes a tree of the image. Names that share an inode here share it there.
    ///
    /// The tree has a device for each slot, in this order, and behind them one for the image
    /// itself where files have whole blocks in it, unless the tree
    /// [carries](TreeOptions::carry_own_data) these; with [`DevicesAt::WholeFile`] it has one device.
    /// Inline tails are carried in any case.
    ///
    /// # Errors
    /// [`Error::Inode`], [`Error::Device`], [`Error::Read`]; [`Error::Tree`] of what a tree cannot hold;
    /// [`Rule::Limit`] of what is over [`TreeOptions::limits`].
    pub fn tree(&self, options: &TreeOptions) -> Result<Tree, Error> {
        let mut reading = Reading {
            image: self,
            options,
            builder: Builder::new(),
            budget: Budget::new(self.bytes),
            runs: Vec::new(),
            extents: Vec::new(),
            queue: VecDeque::new(),
            inodes: 1,
            primary: None,
        };
        reading.devices()?;
        let root = self.inode(self.root())?;
        let mut seen = Seen::default();
        *seen.at(root.nid()) = Some(InodeId::ROOT);
        reading.queue.push_back((root, InodeId::ROOT, 1));
        while let Some((inode, id, depth)) = reading.queue.pop_front() {
            reading.directory(&inode, (id, depth), &mut seen)?;
        }
        Ok(reading.builder.finish()?)
    }
}

/// A tree in the making: breadth first, so that depth costs no stack.
struct Reading<'i, 'a> {
    image: &'i Image<'a>,
    options: &'i TreeOptions,
    builder: Builder,
    budget: Budget,
    /// Directories that are known but not read, each with how many names the paths in it have.
    queue: VecDeque<(Inode, InodeId, u64)>,
    /// How many inodes were met, the root counted.
    inodes: u64,
    /// The device that stands for the image itself.
    primary: Option<u16>,
    /// Those of the file at hand, as the image has them and as the tree does: kept, as each file would
    /// allocate two lists.
    runs: Vec<StoredExtent>,
    extents: Vec<Extent>,
}

impl Reading<'_, '_> {
    /// Adds a device for each slot.
    fn devices(&mut self) -> Result<(), Error> {
        self.builder.keep_devices(true);
        if let DevicesAt::WholeFile { bytes, .. } = self.options.devices {
            self.primary = Some(self.image_device(bytes)?);
        }
        for slot in 0..self.image.devices.count() {
            let (blocks, uniaddr) = self.image.devices.extent(slot);
            let tag = self.image.devices.tag(slot);
            let (tag, base_offset) = match &self.options.devices {
                DevicesAt::Separate => (tag, 0),
                DevicesAt::InFile { .. } | DevicesAt::WholeFile { .. }
                    if blocks != 0
                        && !(1..MAX_BLOCKS.saturating_sub(blocks)).contains(&uniaddr) =>
                {
                    return Err(Error::Device { slot, rule: Rule::DeviceAddress });
                }
                DevicesAt::WholeFile { .. } => continue,
                DevicesAt::InFile { tag: given } => {
                    let tag = if tag.is_empty() { given } else { tag };
                    (tag, self.image.block_offset(uniaddr))
                }
            };
            let bytes = self.image.block_offset(blocks);
            let (tag, identity) = (tag.to_vec(), self.identity());
            self.builder.add_device(Device { tag, bytes, base_offset, identity })?;
        }
        Ok(())
    }

    /// What is known of the bytes of devices.
    fn identity(&self) -> Identity {
        match self.options.devices {
            DevicesAt::Separate => Identity::Unknown,
            DevicesAt::InFile { .. } | DevicesAt::WholeFile { .. } => self.options.identity,
        }
    }

    /// Reads a directory: adds the inodes that were not met before, gives all their names, and
    /// completes the inode of the directory itself.
    fn directory(
        &mut self,
        inode: &Inode,
        (id, depth): (InodeId, u64),
        seen: &mut Seen,
    ) -> Result<(), Error> {
        self.budget.take(inode, Cost::Directory, inode.size())?;
        let mut has_whiteout = false;
        for Entry { name, nid, .. } in self.image.children(inode)? {
            let child = self.image.inode(nid)?;
            self.within(&child, Limit::Depth, depth)?;
            has_whiteout |= child.is_whiteout();
            let known = seen.at(nid);
            let child_id = match *known {
                Some(_) if child.kind() == NodeKind::Directory => {
                    return Err(child.fault(child.offset(), Rule::DirectoryOnce));
                }
                Some(id) => id,
                None => {
                    let child_id = self.add(&child, depth)?;
                    *known = Some(child_id);
                    child_id
                }
            };
            self.builder.link(id, &name, child_id)?;
        }
        let mut xattrs = self.image.xattrs_within(inode, &mut self.budget.xattrs)?;
        if self.options.keep_layer_marks {
            self.builder.mark_opaque(id, marks::take(&mut xattrs, has_whiteout));
        }
        let marked = self.options.keep_layer_marks && inode.is_implied();
        self.builder.mark_implied(id, marked);
        let set = self.intern(&xattrs)?;
        self.builder.set(id, inode.attributes(), set);
        Ok(())
    }

    /// Adds an inode; a directory is completed when it's read.
    fn add(&mut self, inode: &Inode, depth: u64) -> Result<InodeId, Error> {
        self.inodes = self.inodes.saturating_add(1);
        self.within(inode, Limit::Inodes, self.inodes)?;
        if inode.kind() == NodeKind::Directory {
            let node = Node {
                attributes: Attributes::default(),
                xattrs: XattrSet::NONE,
                what: What::Directory,
            };
            let id = self.builder.add(node)?;
            self.queue.push_back((*inode, id, depth.saturating_add(1)));
            return Ok(id);
        }
        let xattrs = self.image.xattrs_within(inode, &mut self.budget.xattrs)?;
        let xattrs = self.intern(&xattrs)?;
        let target;
        let number = inode.device().unwrap_or_default();
        let what = match inode.kind() {
            NodeKind::Regular => {
                self.body(inode)?;
                regular(inode.size(), &self.extents)
            }
            NodeKind::Symlink => {
                self.budget.take(inode, Cost::Target, inode.size())?;
                target = self.image.target(inode)?;
                What::Symlink(&target)
            }
            NodeKind::CharDevice => {
                if self.options.keep_layer_marks && number == DeviceNumber::default() {
                    What::Whiteout
                } else {
                    What::CharDevice(number)
                }
            }
            NodeKind::BlockDevice => What::BlockDevice(number),
            NodeKind::Fifo => What::Fifo,
            NodeKind::Socket => What::Socket,
            // Directories were dealt with above, and the other two are no types of an image's
            // inodes.
            NodeKind::Directory | NodeKind::Whiteout | NodeKind::PendingLink => {
                return Err(inode.fault(inode.offset(), Rule::FileType));
            }
        };
        Ok(self.builder.add(Node { attributes: inode.attributes(), xattrs, what })?)
    }

    /// Refuses an inode with which there is more of something than may be.
    fn within(&self, inode: &Inode, limit: Limit, value: u64) -> Result<(), Error> {
        let over = self.options.limits.check(limit, value);
        over.map_err(|over| inode.fault(inode.offset(), Rule::Limit(over)))
    }

    fn intern(&mut self, xattrs: &[Xattr<'_>]) -> Result<XattrSet, Error> {
        let mut list: Vec<(&[u8], &[u8])> =
            xattrs.iter().map(|xattr| (&xattr.name[..], &xattr.value[..])).collect();
        Ok(self.builder.xattrs(&mut list)?)
    }

    /// Takes the extents of a regular file as the tree has them.
    fn body(&mut self, inode: &Inode) -> Result<(), Error> {
        if inode.layout() == DataLayout::ChunkBased {
            let (_, len) = self.image.chunk_table(inode)?;
            self.budget.take(inode, Cost::ChunkTable, len)?;
        }
        self.extents.clear();
        self.runs.clear();
        self.image.runs_into(inode, 0..inode.size(), &mut self.runs)?;
        for at in 0..self.runs.len() {
            let Some(&run) = self.runs.get(at) else { break };
            let place = match run.source {
                StoredPlace::Device { slot, offset } => match self.options.devices {
                    DevicesAt::WholeFile { .. } => {
                        let (_, uniaddr) = self.image.devices.extent(slot);
                        let offset = self.image.block_offset(uniaddr).saturating_add(offset);
                        Place::Device { device: self.primary()?, offset }
                    }
                    _ => Place::Device { device: slot, offset },
                },
                StoredPlace::Primary { offset } if !self.options.carry_own_data => {
                    Place::Device { device: self.primary()?, offset }
                }
                StoredPlace::Primary { offset } | StoredPlace::Inline { offset } => {
                    self.budget.take(inode, Cost::Tail, run.len)?;
                    let tail = self.image.slice_of(inode, offset, run.len)?;
                    Place::Carried(self.builder.carry(&tail))
                }
            };
            self.extents.push(Extent { logical: run.logical, len: run.len, place });
        }
        Ok(())
    }

    /// The device that stands for the image itself.
    fn primary(&mut self) -> Result<u16, Error> {
        if let Some(primary) = self.primary {
            return Ok(primary);
        }
        let primary = self.image_device(self.image.len())?;
        self.primary = Some(primary);
        Ok(primary)
    }

    /// Adds a device for the image itself, of this length.
    fn image_device(&mut self, bytes: u64) -> Result<u16, Error> {
        let tag = self.options.devices.tag().to_vec();
        let identity = self.identity();
        Ok(self.builder.add_device(Device { tag, bytes, base_offset: 0, identity })?)
    }
}

/// A regular file: in one piece where it is.
fn regular(size: u64, extents: &[Extent]) -> What<'_> {
    match extents {
        [] if size == 0 => What::Regular { size, place: Place::Device { device: 0, offset: 0 } },
        [Extent { len, place, .. }] if *len == size => What::Regular { size, place: *place },
        _ => What::Pieces { size, extents },
    }
}
