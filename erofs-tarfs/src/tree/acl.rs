//! Access control lists, from the text that tars carry to the form that kernels read.
//!
//! The text is that of POSIX.1e (`acl_to_text`): entries with commas or newlines between them,
//! each `tag:qualifier:permissions`, and behind it, as star and bsdtar write it, the number of the
//! user or group that the qualifier names: `user:lisa:r-x:502`. The form is that of Linux,
//! `include/uapi/linux/posix_acl_xattr.h`.

use alloc::vec::Vec;

/// A list that cannot be had: it is no list, or names somebody without a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoList;

/// A list that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List {
    /// The value of `system.posix_acl_access` or `_default`.
    pub(super) value: Vec<u8>,
    /// Whether it has no entries but those of owner, group and others, so that the mode says the
    /// same.
    pub(super) plain: bool,
    /// The nine permission bits that a file with this list has: the mask, where there is one,
    /// stands for the group.
    pub(super) mode: u16,
}

const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

/// The qualifier of entries that have none.
const NOBODY: u32 = u32::MAX;
const VERSION: u32 = 2;

/// Reads a list.
pub(super) fn read(text: &[u8]) -> Result<List, NoList> {
    let mut entries: Vec<(u16, u32, u16)> = Vec::new();
    for line in text.split(|byte| matches!(byte, b'\n' | b',')) {
        // As acl_from_text: what follows a number sign is a comment.
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
        if !line.is_empty() {
            entries.push(entry(line)?);
        }
    }
    // The order in which kernels have them: by tag, then by number.
    entries.sort_unstable();
    let tags = |wanted: u16| entries.iter().filter(move |(tag, ..)| *tag == wanted);
    let one = |wanted| {
        let mut found = tags(wanted).map(|(_, _, permissions)| *permissions);
        found.next().filter(|_| found.next().is_none()).ok_or(NoList)
    };
    let (user, group, other) = (one(USER_OBJ)?, one(GROUP_OBJ)?, one(OTHER)?);
    let twice = entries.windows(2).any(|pair| match pair {
        [(tag, id, _), (next_tag, next_id, _)] => (tag, id) == (next_tag, next_id),
        _ => false,
    });
    let named = tags(USER).next().is_some() || tags(GROUP).next().is_some();
    let mask = if tags(MASK).next().is_some() { Some(one(MASK)?) } else { None };
    if twice || named && mask.is_none() {
        return Err(NoList);
    }
    let mode = user << 6 | mask.unwrap_or(group) << 3 | other;
    let mut value = VERSION.to_le_bytes().to_vec();
    for (tag, id, permissions) in &entries {
        value.extend_from_slice(&tag.to_le_bytes());
        value.extend_from_slice(&permissions.to_le_bytes());
        value.extend_from_slice(&id.to_le_bytes());
    }
    Ok(List { value, plain: mask.is_none(), mode })
}

/// One entry: tag, number, permissions.
fn entry(line: &[u8]) -> Result<(u16, u32, u16), NoList> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').map(<[u8]>::trim_ascii).collect();
    let (tag, qualifier, permissions, number) = match fields[..] {
        [tag, qualifier, permissions] => (tag, qualifier, permissions, None),
        [tag, qualifier, permissions, number] => (tag, qualifier, permissions, Some(number)),
        // star's short form of entries without a qualifier.
        [tag @ (b"mask" | b"m" | b"other" | b"o"), permissions] => {
            (tag, &b""[..], permissions, None)
        }
        _ => return Err(NoList),
    };
    let tag = match (tag, qualifier.is_empty()) {
        (b"user" | b"u", true) => USER_OBJ,
        (b"user" | b"u", false) => USER,
        (b"group" | b"g", true) => GROUP_OBJ,
        (b"group" | b"g", false) => GROUP,
        (b"mask" | b"m", true) => MASK,
        (b"other" | b"o", true) => OTHER,
        _ => return Err(NoList),
    };
    let number = match (tag, number) {
        (USER | GROUP, Some(number)) => self::number(number)?,
        // A qualifier that is a number is one.
        (USER | GROUP, None) => self::number(qualifier)?,
        _ => NOBODY,
    };
    Ok((tag, number, bits(permissions)?))
}

fn number(digits: &[u8]) -> Result<u32, NoList> {
    let text = core::str::from_utf8(digits).map_err(|_| NoList)?;
    let plain = digits.iter().all(u8::is_ascii_digit);
    text.parse().ok().filter(|number| plain && *number != NOBODY).ok_or(NoList)
}

/// `rwx`, in any order and with dashes in any place, as acl_from_text takes them; or an octal
/// digit.
fn bits(text: &[u8]) -> Result<u16, NoList> {
    if let [digit @ b'0'..=b'7'] = text {
        return Ok(u16::from(digit & 7));
    }
    if text.is_empty() {
        return Err(NoList);
    }
    text.iter().try_fold(0, |bits, letter| {
        Ok(bits
            | match letter {
                b'r' => 4,
                b'w' => 2,
                b'x' => 1,
                b'-' => 0,
                _ => return Err(NoList),
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn value(entries: &[(u16, u16, u32)]) -> Vec<u8> {
        let mut value = vec![2, 0, 0, 0];
        for (tag, permissions, id) in entries {
            value.extend_from_slice(&tag.to_le_bytes());
            value.extend_from_slice(&permissions.to_le_bytes());
            value.extend_from_slice(&id.to_le_bytes());
        }
        value
    }

    #[test]
    fn lists_as_tars_have_them() {
        let named = value(&[
            (1, 6, NOBODY),
            (2, 7, 1000),
            (4, 4, NOBODY),
            (16, 7, NOBODY),
            (32, 0, NOBODY),
        ]);
        for text in [
            "user::rw-\nuser:1000:rwx\ngroup::r--\nmask::rwx\nother::---\n",
            "user::rw-,user:lisa:rwx:1000,group::r--,mask::rwx,other::---",
            "u::rw-,g::r--,o::---,m::rwx,u:1000:rwx",
            "user::rw-\nuser:1000:rwx\t#effective:rwx\n\ngroup::r--\nmask:rwx\nother:---",
            "user::6,user:1000:7,group::4,mask::7,other::0",
        ] {
            let list = read(text.as_bytes()).unwrap();
            assert_eq!(list, List { value: named.clone(), plain: false, mode: 0o670 }, "{text}");
        }
        let plain = read(b"user::rwx,group::r-x,other::r--").unwrap();
        assert_eq!((plain.plain, plain.mode), (true, 0o754));
        let masked = read(b"user::rwx,group::r-x,mask::r--,other::---").unwrap();
        assert_eq!(masked.mode, 0o740);
        let two = read(b"user::rw,group::r,other::-,mask::rw,user:9:r,user:10:w").unwrap();
        let ids: Vec<u8> = two.value[4..].chunks(8).map(|entry| entry[4]).collect();
        assert_eq!(ids, [255, 9, 10, 255, 255, 255]);
    }

    #[test]
    fn what_is_no_list_is_none() {
        for text in [
            "",
            "user::rw-,group::r--",
            "user::rw-,user:lisa:rwx,group::r--,mask::rwx,other::---",
            "user::rw-,user:1000:rwx,group::r--,other::---",
            "user::rw-,user::r--,group::r--,other::---",
            "user::rw-,user:1:r,user:1:w,group::r--,mask::r,other::---",
            "user::rwz,group::r--,other::---",
            "user::,group::r--,other::---",
            "user::rw-,group::r--,other::---,mask:7:r",
            "user::rw-,user:4294967295:r,group::r--,mask::r,other::---",
            "user::rw-,user:+7:r,group::r--,mask::r,other::---",
            "owner@:rw::allow",
            "user:a:b:c:d:e",
        ] {
            assert_eq!(read(text.as_bytes()), Err(NoList), "{text}");
        }
    }
}
