//! Where an entry of a tar belongs in its layer.

use super::error::Rule;
use super::inode::InodeId;
use super::path::{self, Stop, Way};
use super::state::{IMPLIED_PER_ENTRY, State};
use crate::limits::Limit;

/// The directory in which aufs keeps the files that have several names.
pub(super) const AUFS_LINKS: &[u8] = b".wh..wh.plnk";

/// Where a path leads.
#[derive(Debug)]
pub(super) enum Target<'p> {
    /// The root of the layer.
    Root,
    /// A file of aufs, or a marker with nothing to mark.
    Nowhere,
    /// A file that aufs keeps out of sight, under this name: hard links lead to it.
    Hidden(&'p [u8]),
    /// A name in a directory.
    Name(InodeId, &'p [u8]),
    /// A whiteout of a name in a directory.
    Whiteout(InodeId, &'p [u8]),
    /// The opaque marker of a directory.
    Opaque(InodeId),
}

impl<'p> Target<'p> {
    fn of(dir: InodeId, name: &'p [u8]) -> Result<Self, Rule> {
        Ok(match name.strip_prefix(b".wh.") {
            None => Self::Name(dir, name),
            Some(b"" | b"." | b"..") => return Err(Rule::BadWhiteout),
            Some(b".wh..opq") => Self::Opaque(dir),
            Some(hidden) if hidden.starts_with(b".wh.") => Self::Nowhere,
            Some(hidden) => Self::Whiteout(dir, hidden),
        })
    }
}

impl State {
    /// Where an entry belongs. Missing directories are made.
    ///
    /// A marker goes the way of any other entry, through symbolic links of its layer too, as
    /// containerd, moby and umoci do.
    pub(super) fn place<'p>(&mut self, raw: &'p [u8]) -> Result<Target<'p>, Stop> {
        let cut = raw.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let (parent, tail) = raw.split_at(cut);
        let name = tail.strip_prefix(b"/").unwrap_or(tail);
        let marker = name.starts_with(b".wh.");
        let limits = &self.options.tar.limits;
        let most = limits.max_name_bytes.min(255);
        let plain = !marker && !matches!(name, b"" | b"." | b"..") && name.len() as u64 <= most;
        if plain && !self.builder.replaced && !parent.is_empty() && parent == self.last.0 {
            return Target::of(self.last.1, name).map_err(Stop::Rule);
        }
        let parts = path::components(raw, self.options.resolve_dot_dot)?;
        for part in &parts {
            limits.check(Limit::NameBytes, part.len() as u64)?;
        }
        let Some((name, parents)) = parts.split_last() else { return Ok(Target::Root) };
        if parents.iter().any(|part| part.starts_with(b".wh..wh.")) {
            return Ok(if parents == [AUFS_LINKS] {
                Target::Hidden(name)
            } else {
                Target::Nowhere
            });
        }
        if parents.iter().any(|part| part.starts_with(b".wh.")) {
            return Err(Rule::BelowWhiteout.into());
        }
        let before = self.builder.tree.inode_count();
        let with_entries = self.entries.saturating_mul(IMPLIED_PER_ENTRY);
        let way = Way::Make { before: self.implied, with_entries, limits };
        let dir = match path::directory(&mut self.builder, parents, way) {
            Ok(dir) => dir,
            // Below what is no directory there is nothing to hide: the marker does nothing.
            Err(Stop::Rule(Rule::BelowNonDirectory)) if marker => {
                Target::of(InodeId::ROOT, name)?;
                return Ok(Target::Nowhere);
            }
            Err(stop) => return Err(stop),
        };
        let made = self.builder.tree.inode_count().saturating_sub(before);
        self.implied = self.implied.saturating_add(made as u64);
        if plain {
            self.builder.replaced = false;
            self.last.0.clear();
            self.last.0.extend_from_slice(parent);
            self.last.1 = dir;
        }
        Target::of(dir, name).map_err(Stop::Rule)
    }
}
