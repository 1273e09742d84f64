//! Extended attributes: the body of an inode, and those that are shared.

use super::stream::Stream;
use crate::format::{XattrEntry, XattrHeader, XattrPrefix, filter_bit};
use crate::layout::{Layout, Xattr};
use alloc::vec::Vec;
use zerocopy::{FromZeros, IntoBytes};

/// Appends the body of an item: header, ids of those that are shared, the others.
pub(super) fn body(layout: &Layout<'_>, item: u32, out: &mut Vec<u8>) {
    let at = out.len();
    let mut header = XattrHeader::new_zeroed();
    let mut filter = u32::MAX;
    out.extend_from_slice(header.as_bytes());
    for Xattr { name, shared, .. } in layout.scene.xattrs(item) {
        let (prefix, rest) = split(name);
        filter &= !(1 << filter_bit(prefix, rest));
        if let Some(number) = shared {
            header.shared_count += 1;
            out.extend_from_slice(&layout.scene.shared.id(number).to_le_bytes());
        }
    }
    header.name_filter.set(filter);
    out[at..at + size_of::<XattrHeader>()].copy_from_slice(header.as_bytes());
    for Xattr { name, value, shared } in layout.scene.xattrs(item) {
        if shared.is_none() {
            entry(name, value, out);
            out.resize(at + (out.len() - at).next_multiple_of(4), 0);
        }
    }
}

/// Writes those that are shared, each at its place.
pub(super) fn shared<E, S: FnMut(&[u8]) -> Result<(), E>>(
    layout: &Layout<'_>,
    out: &mut Stream<'_, S>,
) -> Result<(), E> {
    let start = layout.xattr_block() << layout.block_size().bits();
    let mut bytes = Vec::new();
    for (id, (name, value)) in layout.scene.shared.placed() {
        out.pad(start + 4 * u64::from(id))?;
        bytes.clear();
        entry(name, value, &mut bytes);
        out.put(&bytes)?;
    }
    Ok(())
}

fn entry(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let (prefix, rest) = split(name);
    let entry = XattrEntry {
        name_len: rest.len() as u8,
        name_index: prefix as u8,
        value_size: (value.len() as u16).into(),
    };
    out.extend_from_slice(entry.as_bytes());
    out.extend_from_slice(rest);
    out.extend_from_slice(value);
}

#[expect(
    clippy::expect_used,
    reason = "a layout is made by `plan` alone, which fails where this does"
)]
fn split(name: &[u8]) -> (XattrPrefix, &[u8]) {
    XattrPrefix::split(name).expect("the plan checked this name")
}
