//! Owners and times of all inodes, whiteouts too, as `mkfs.erofs` has it.

use super::options::Changes;
use crate::tree::access::Access;
use crate::tree::error::Error;
use crate::tree::inode::InodeId;
use crate::tree::model::Tree;
use crate::units::Timestamp;

/// The largest owner: the number behind it means "no change" to chown(2).
const LAST: i64 = u32::MAX as i64 - 1;

/// Gives every inode its owner and group.
pub(super) fn owners(tree: &mut Tree, changes: &Changes) -> Result<(), Error> {
    let uid = |id| changed(changes.force_uid, changes.uid_offset, id);
    let gid = |id| changed(changes.force_gid, changes.gid_offset, id);
    // What no inode has any more may be anything.
    let is_wrong = |access: &Access| uid(access.uid).is_none() || gid(access.gid).is_none();
    if tree.access.iter().any(is_wrong) {
        for (number, inode) in (0..).zip(&tree.inodes) {
            let Some(access) = tree.access.get(inode.access as usize) else { continue };
            let (what, id, offset) = match (uid(access.uid), gid(access.gid)) {
                (None, _) => ("owner", changes.force_uid.unwrap_or(access.uid), changes.uid_offset),
                (_, None) => ("group", changes.force_gid.unwrap_or(access.gid), changes.gid_offset),
                _ => continue,
            };
            return Err(Error::Owner { path: tree.path_of(InodeId(number)), what, id, offset });
        }
    }
    for access in &mut tree.access {
        access.uid = uid(access.uid).unwrap_or(access.uid);
        access.gid = gid(access.gid).unwrap_or(access.gid);
    }
    Ok(())
}

/// What becomes of an owner, if it is one.
fn changed(force: Option<u32>, offset: i64, id: u32) -> Option<u32> {
    let id = force.unwrap_or(id);
    if offset == 0 {
        return Some(id);
    }
    let sum = i64::from(id).checked_add(offset)?;
    u32::try_from(sum).ok().filter(|_| sum <= LAST)
}

/// Takes times back that are later than the latest.
pub(super) fn times(tree: &mut Tree, changes: &Changes) {
    let Some(latest) = changes.clamp_mtime else { return };
    for inode in &mut tree.inodes {
        if (Timestamp { secs: inode.mtime_secs, nanos: inode.mtime_nanos }) > latest {
            (inode.mtime_secs, inode.mtime_nanos) = (latest.secs, latest.nanos);
        }
    }
}
