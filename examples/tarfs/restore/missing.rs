//! What could not be restored: counted, and told with one name of each kind.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use serde::Serialize;

use crate::cli::quote;

/// What a process without rights, or a filesystem, does not have.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Missing {
    /// Files that belong to who extracts, and not to their owners; their setuid and setgid bits are not set, and
    /// their capabilities count as attributes.
    pub(crate) owners: u64,
    /// Extended attributes that the filesystem, or the kernel without root, refuses, and capabilities where files
    /// are not given to their owners.
    pub(crate) xattrs: u64,
    /// Devices that only root makes.
    pub(crate) devices: u64,
    /// Hard links into layers below, of a layer alone.
    pub(crate) links: u64,
    /// The first of each, for an example.
    #[serde(skip)]
    first: [Option<String>; 4],
}

/// Of which kind something is.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    Owner,
    Xattr,
    Device,
    Link,
}

impl Missing {
    /// One more, of this path.
    pub(crate) fn count(&mut self, of: Of, path: &[u8]) {
        let count = match of {
            Of::Owner => &mut self.owners,
            Of::Xattr => &mut self.xattrs,
            Of::Device => &mut self.devices,
            Of::Link => &mut self.links,
        };
        *count += 1;
        let first = &mut self.first[of as usize];
        first.get_or_insert_with(|| quote::name(OsStr::from_bytes(path)));
    }

    /// What is odd and yet no error, as GNU tar sees it.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let first = |of: Of| self.first[of as usize].clone().unwrap_or_default();
        if self.owners > 0 {
            lines.push(format!(
                "{} files are yours, and not of their owners, as only root can give files away; setuid and setgid \
                 bits are not set (the first: {})",
                self.owners,
                first(Of::Owner)
            ));
        }
        if self.xattrs > 0 {
            lines.push(format!(
                "{} extended attributes are not set: the filesystem does not have them, only root may, or \
                 they are capabilities of files that are not their owners' (the first: {})",
                self.xattrs,
                first(Of::Xattr)
            ));
        }
        lines
    }

    /// What is not there at all.
    pub(crate) fn errors(&self) -> Option<String> {
        let first = |of: Of| self.first[of as usize].clone().unwrap_or_default();
        let mut parts = Vec::new();
        if self.devices > 0 {
            let first = first(Of::Device);
            parts.push(format!(
                "{} devices, which only root makes (the first: {first})",
                self.devices
            ));
        }
        if self.links > 0 {
            let first = first(Of::Link);
            parts.push(format!(
                "{} hard links into lower layers, which only a merge of them all has (the first: {first})",
                self.links
            ));
        }
        (!parts.is_empty()).then(|| format!("all is extracted but {}", parts.join(" and ")))
    }
}
