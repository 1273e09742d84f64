//! What outputs by layer are called.

use alloc::format;
use alloc::string::String;

use crate::tree::Tree;

/// What the file of a layer is called, without what it ends with: by its first device's tag, or by its
/// number, from 0 on, if nothing in it has any data.
///
/// ```
/// use erofs_tarfs::{export, tree::Builder};
///
/// assert_eq!(export::stem(&Builder::new().finish()?, 2), "layer-3");
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
pub fn stem(tree: &Tree, index: usize) -> String {
    match tree.devices().first().map(|device| &device.tag[..]) {
        None | Some([]) => format!("layer-{}", index + 1),
        Some(tag) => plain(&String::from_utf8_lossy(tag)),
    }
}

/// A tag as the name of a file: what is no letter, digit or one of `-_.+=@` becomes `-`, and no name
/// starts with a dot.
///
/// ```
/// use erofs_tarfs::export;
///
/// assert_eq!(export::plain("sha256:0a/b"), "sha256-0a-b");
/// assert_eq!(export::plain("../x"), "tar..-x");
/// ```
pub fn plain(tag: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+=@".contains(c);
    let name: String = tag.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    if name.starts_with('.') { format!("tar{name}") } else { name }
}
