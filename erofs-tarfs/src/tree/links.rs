//! Hard links of a layer: to earlier entries, to files that aufs hides, into lower layers.

use super::apply::attributes;
use super::builder::{Node, What, XattrSet};
use super::error::Rule;
use super::inode::{InodeId, NodeKind};
use super::model::WHITED;
use super::path::{self, Stop, Way};
use super::place::AUFS_LINKS;
use super::state::State;
use crate::tar::Entry;
use alloc::vec::Vec;

impl State {
    /// Gives the target of a link another name. Its inode keeps its attributes, as GNU tar,
    /// containerd and moby leave them: what the link's own header says counts for nothing.
    pub(super) fn hard_link(
        &mut self,
        entry: &Entry<'_>,
        dir: InodeId,
        name: &[u8],
    ) -> Result<(), Stop> {
        let parts = path::components(entry.link, self.options.resolve_dot_dot)?;
        let Some((base, parents)) = parts.split_last() else {
            return Err(Rule::TargetIsDirectory(entry.link.to_vec()).into());
        };
        let id = match self.target(base, parents)? {
            Some(id) if self.builder.kind(id) == NodeKind::Directory => {
                return Err(Rule::TargetIsDirectory(entry.link.to_vec()).into());
            }
            Some(id) => id,
            None if self.options.keep_pending => {
                let target = self.pending_target(base, parents)?;
                let id = self.builder.add(Node {
                    attributes: attributes(entry),
                    xattrs: XattrSet::NONE,
                    what: What::PendingLink(&target),
                })?;
                self.within_limit()?;
                id
            }
            None => return Err(Rule::NoTarget(entry.link.to_vec()).into()),
        };
        self.name(dir, name, id)?;
        if self.builder.kind(id) == NodeKind::Whiteout {
            self.builder.link_mut(dir, name)?.flags |= WHITED;
        }
        Ok(())
    }

    /// The inode that the layer has at a path; links on the way are followed, one at the end is
    /// not.
    fn target(&mut self, base: &[u8], parents: &[&[u8]]) -> Result<Option<InodeId>, Stop> {
        if parents == [AUFS_LINKS] {
            return Ok(self.hidden.get(base).copied());
        }
        match path::directory(&mut self.builder, parents, Way::Find) {
            Ok(parent) => Ok(self.builder.lookup(parent, base)),
            Err(Stop::Missing | Stop::Rule(Rule::BelowNonDirectory)) => Ok(None),
            Err(stop) => Err(stop),
        }
    }

    /// The path of a target in a lower layer, with `/` between its components: this layer's
    /// symbolic links are followed now, as an extraction does at this point of the tar.
    fn pending_target(&mut self, base: &[u8], parents: &[&[u8]]) -> Result<Vec<u8>, Stop> {
        let mut parts = match path::followed(&mut self.builder, parents) {
            Ok(parts) => parts,
            // Below a file of this layer: the target can be in a lower one only.
            Err(Stop::Rule(Rule::BelowNonDirectory)) => {
                parents.iter().map(|part| part.to_vec()).collect()
            }
            Err(stop) => return Err(stop),
        };
        parts.push(base.to_vec());
        Ok(parts.join(&b'/'))
    }
}
