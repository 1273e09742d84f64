//! Extended attributes of an entry: what EROFS can hold of them.

use super::error::Rule;
use crate::tar::Xattrs;
use alloc::vec::Vec;

/// Marks a directory as opaque, where its value is `y`.
pub(super) const OPAQUE: &[u8] = b"trusted.overlay.opaque";

const PREFIXES: [&[u8]; 3] = [b"user.", b"trusted.", b"security."];
const WHOLE: [&[u8]; 2] = [b"system.posix_acl_access", b"system.posix_acl_default"];

/// The attributes that can be held, the opaque mark left out.
#[derive(Debug)]
pub(super) struct Sifted<'a> {
    pub(super) list: Vec<(&'a [u8], &'a [u8])>,
    pub(super) opaque: bool,
    pub(super) dropped: u64,
}

pub(super) fn sift(xattrs: Xattrs<'_>, drop_unknown: bool) -> Result<Sifted<'_>, Rule> {
    let mut sifted = Sifted { list: Vec::new(), opaque: false, dropped: 0 };
    let mut total = 12;
    for xattr in xattrs.iter() {
        let rest = if WHOLE.contains(&xattr.name) {
            Some(0)
        } else {
            PREFIXES
                .iter()
                .find_map(|prefix| xattr.name.strip_prefix(*prefix))
                .map(<[u8]>::len)
                .filter(|len| *len > 0)
        };
        let Some(rest) = rest else {
            if drop_unknown {
                sifted.dropped += 1;
                continue;
            }
            return Err(Rule::XattrNamespace(xattr.name.to_vec()));
        };
        if rest > 255 {
            return Err(Rule::XattrName(xattr.name.to_vec()));
        }
        if xattr.value.len() > 65535 {
            return Err(Rule::XattrValue(xattr.name.to_vec(), xattr.value.len()));
        }
        if xattr.name == OPAQUE && xattr.value == b"y" {
            sifted.opaque = true;
            continue;
        }
        total += (4 + rest + xattr.value.len()).next_multiple_of(4);
        sifted.list.push((xattr.name, xattr.value));
    }
    if total > 12 + 4 * 65534 { Err(Rule::XattrTotal(total)) } else { Ok(sifted) }
}
