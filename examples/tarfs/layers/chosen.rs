//! Paths of a command line in an image: as they stand, or as patterns.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::tree::{InodeId, Tree};
use globset::{GlobBuilder, GlobMatcher};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::layers::paths;

/// A path, as it is to be shown, and what is there.
pub(crate) type Chosen = (OsString, InodeId);

/// What paths lead to, in their order; symbolic links are not followed. With `glob` each is a pattern, which stands
/// for all that it matches, in byte order.
pub(crate) fn all(tree: &Tree, image: &Path, args: &[OsString], glob: bool) -> Done<Vec<Chosen>> {
    if !glob {
        let one = |path: &OsString| Ok((path.clone(), paths::at(tree, image, path)?));
        return args.iter().map(one).collect();
    }
    let matchers: Vec<_> = args.iter().map(matcher).collect::<Done<_>>()?;
    let mut found = vec![Vec::new(); args.len()];
    let mut walk = tree.walk();
    while let Some(visited) = walk.next() {
        let path = Path::new(OsStr::from_bytes(walk.path()));
        // The root has no name that a pattern could match.
        if visited.depth == 0 {
            continue;
        }
        for (found, matcher) in found.iter_mut().zip(&matchers) {
            if matcher.is_match(path) {
                found.push((path.as_os_str().to_owned(), visited.id));
            }
        }
    }
    for (found, pattern) in found.iter().zip(args) {
        if found.is_empty() {
            let why = format_args!("has nothing that {} matches", quote::name(pattern));
            return Err(Fail::of(image, why));
        }
    }
    Ok(found.concat())
}

/// A pattern: `*` and `?` stay in one name, `**` crosses directories.
fn matcher(pattern: &OsString) -> Done<GlobMatcher> {
    let wrong = |why: &dyn std::fmt::Display| {
        Fail::Usage(format!("the pattern {}: {why}", quote::name(pattern)))
    };
    let text = pattern.to_str().ok_or_else(|| wrong(&"is not UTF-8"))?;
    let glob = GlobBuilder::new(text.trim_start_matches('/'))
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    Ok(glob.map_err(|error| wrong(&error.kind()))?.compile_matcher())
}
