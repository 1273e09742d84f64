//! Extended attributes of an entry: what EROFS can hold of them.

use super::acl;
use super::error::Rule;
use crate::tar::{Entry, Kind};
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// Marks a directory as opaque, where its value is `y`.
const OPAQUE: &[u8] = b"trusted.overlay.opaque";
const ACL_ACCESS: &[u8] = b"system.posix_acl_access";
const ACL_DEFAULT: &[u8] = b"system.posix_acl_default";
const SELINUX: &[u8] = b"security.selinux";

const PREFIXES: [&[u8]; 3] = [b"user.", b"trusted.", b"security."];
const WHOLE: [&[u8]; 2] = [ACL_ACCESS, ACL_DEFAULT];

/// The attributes that can be held, the opaque mark left out.
#[derive(Debug, Default)]
pub(super) struct Sifted<'a> {
    pub(super) list: Vec<(&'a [u8], Cow<'a, [u8]>)>,
    pub(super) opaque: bool,
    /// Attributes dropped for their namespace.
    pub(super) dropped: u64,
    /// Lists given as text that cannot be had.
    pub(super) dropped_acls: u64,
    /// The permission bits that a list given as text sets.
    pub(super) mode: Option<u16>,
}

/// Whether an entry has anything to sift.
pub(super) fn any(entry: &Entry<'_>) -> bool {
    !entry.xattrs.is_empty() || entry.is_extended() && any_text(entry)
}

fn any_text(entry: &Entry<'_>) -> bool {
    [entry.acl_access(), entry.acl_default(), entry.selinux()].iter().any(|text| !text.is_empty())
}

pub(super) fn sift<'a>(entry: &Entry<'a>, drop_unknown: bool) -> Result<Sifted<'a>, Rule> {
    let mut sifted = Sifted::default();
    for xattr in entry.xattrs.iter() {
        if !known(xattr.name)? {
            if !drop_unknown {
                return Err(Rule::XattrNamespace(xattr.name.to_vec()));
            }
            sifted.dropped = sifted.dropped.saturating_add(1);
        } else if xattr.name == OPAQUE && xattr.value == b"y" {
            sifted.opaque = true;
        } else {
            sifted.list.push((xattr.name, Cow::Borrowed(xattr.value)));
        }
    }
    sifted.lists(entry);
    if !entry.selinux().is_empty() && !sifted.has(SELINUX) {
        // With the NUL that libselinux writes: so GNU tar restores it.
        sifted.list.push((SELINUX, Cow::Owned([entry.selinux(), b"\0"].concat())));
    }
    sifted.check()?;
    Ok(sifted)
}

/// Whether EROFS has an index for the namespace of a name.
fn known(name: &[u8]) -> Result<bool, Rule> {
    if WHOLE.contains(&name) {
        return Ok(true);
    }
    let Some(rest) = PREFIXES.iter().find_map(|prefix| name.strip_prefix(*prefix)) else {
        return Ok(false);
    };
    match rest.len() {
        0 => Err(Rule::XattrNoName(name.to_vec())),
        1..=255 => Ok(true),
        _ => Err(Rule::XattrName(name.to_vec())),
    }
}

impl<'a> Sifted<'a> {
    fn has(&self, name: &[u8]) -> bool {
        self.list.iter().any(|(known, _)| *known == name)
    }

    /// Takes access control lists that are text. One that is an attribute already counts.
    fn lists(&mut self, entry: &Entry<'a>) {
        for (name, text) in [(ACL_ACCESS, entry.acl_access()), (ACL_DEFAULT, entry.acl_default())] {
            // Symbolic links have no access list, and only directories have a default one.
            let access = name == ACL_ACCESS && entry.kind != Kind::Symlink;
            let wanted = access || entry.kind == Kind::Directory;
            if text.is_empty() || !wanted || self.has(name) {
                continue;
            }
            match acl::read(text) {
                Ok(list) => {
                    if access {
                        self.mode = Some(list.mode);
                    }
                    // An access list that says no more than the mode is the mode. A default list is
                    // kept in any case: there is no other place for what it says.
                    if !access || !list.plain {
                        self.list.push((name, Cow::Owned(list.value)));
                    }
                }
                Err(acl::NoList) => self.dropped_acls = self.dropped_acls.saturating_add(1),
            }
        }
    }

    /// Checks that all fits an inode.
    fn check(&self) -> Result<(), Rule> {
        let mut total = 12_usize;
        for (name, value) in &self.list {
            if value.len() > 65535 {
                return Err(Rule::XattrValue(name.to_vec(), value.len()));
            }
            let prefix = PREFIXES.iter().find(|prefix| name.starts_with(prefix));
            let rest = prefix.map_or(0, |prefix| name.len().saturating_sub(prefix.len()));
            let len = value.len().saturating_add(rest).saturating_add(4).next_multiple_of(4);
            total = len.saturating_add(total);
        }
        if total > 12 + 4 * 65534 { Err(Rule::XattrTotal(total)) } else { Ok(()) }
    }
}
