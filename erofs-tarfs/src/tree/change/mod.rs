//! A tree made otherwise than its layers say: owners, times, names left out, labels of SELinux.
//!
//! A step of its own between the tree and its layout, as [`pack`](super::pack()) is: what is chosen here is no
//! layer's, so it is applied to what the layers came to, not to each of them before they are merged.

mod attributes;
mod label;
mod options;
mod without;

pub use label::label;
pub use options::Changes;
pub use without::without;

use super::error::Error;
use super::model::Tree;
use alloc::borrow::Cow;

/// The tree with the changes; borrowed, as it is, where nothing is to be changed.
///
/// Names are left out first. The number of devices and their order stay, so files and digests that belong to
/// the tree's devices belong to those of the answer. A tree is changed before it is [packed](super::pack()).
///
/// ```
/// use erofs_tarfs::tree::{Changes, change};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n"), ("etc/shadow", "x")]);
/// let changed = change(&tree, &Changes::new().exclude("etc/shadow").force_uid(1000))?;
/// assert!(changed.lookup(b"etc/shadow").is_none());
/// let motd = changed.lookup(b"etc/motd").expect("it stays");
/// assert_eq!(changed.attributes(motd).uid, 1000);
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
///
/// # Errors
/// [`Error::Owner`] where an offset leads to a number that no owner has.
pub fn change<'t>(tree: &'t Tree, changes: &Changes) -> Result<Cow<'t, Tree>, Error> {
    if *changes == Changes::default() {
        return Ok(Cow::Borrowed(tree));
    }
    let mut changed = match changes.exclude.is_empty() {
        true => tree.clone(),
        false => without::paths(tree, &changes.exclude)?,
    };
    attributes::owners(&mut changed, changes)?;
    attributes::times(&mut changed, changes);
    Ok(Cow::Owned(changed))
}
