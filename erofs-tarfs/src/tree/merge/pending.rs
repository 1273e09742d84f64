//! Hard links of a layer whose targets are in the layers below.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::layers::Merge;
use crate::tree::path::{self, Stop, Way};
use crate::tree::{Content, Error, InodeId, NodeKind};
use alloc::vec::Vec;

impl Merge<'_, '_> {
    /// Finds the targets before this layer hides anything there. Symbolic links of lower layers on
    /// the way are followed inside the root, as an extraction does; one at the end is the target.
    pub(super) fn pending(&mut self) -> Result<(), Error> {
        for at in 0..self.layer.inodes.len() {
            let id = InodeId(at as u32);
            let Content::Target(target) = self.layer.content(id) else { continue };
            if self.layer.kind(id) != NodeKind::PendingLink {
                continue;
            }
            let parts: Vec<&[u8]> = target.split(|byte| *byte == b'/').collect();
            let Some((base, parents)) = parts.split_last() else { continue };
            let found = match path::directory(self.out, parents, Way::Find) {
                Ok(dir) => self.out.lookup(dir, base),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Missing | Stop::Rule(_)) => None,
            };
            let named = || (self.layer.path_of(id), target.to_vec());
            match found.map(|found| (found, self.out.kind(found))) {
                Some((_, NodeKind::Directory)) => {
                    let (path, target) = named();
                    return Err(Error::LinkToDirectory { path, target });
                }
                Some((found, _)) => self.inodes[at] = found.0,
                None => {
                    let (path, target) = named();
                    return Err(Error::MissingTarget { path, target });
                }
            }
        }
        Ok(())
    }
}
