//! What the tests of the rows share.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part")]

use erofs_tarfs::tree::{
    Content, Error, InodeId, Layer, LayerBuilder, LayerOptions, MergeOptions, NodeKind, Rule, Tree,
    merge,
};
use testkit::tarball::TarBuilder;

/// The layer of a tar, or why there is none.
pub fn try_layer(tar: &[u8], options: LayerOptions) -> Result<Layer, Error> {
    let mut builder = LayerBuilder::new(options);
    builder.push(tar)?;
    builder.finish()
}

pub fn layer(tar: TarBuilder) -> Tree {
    testkit::ours::layer(&tar.finish())
}

/// Checks that an entry is refused, by which rule, and that the message names it.
#[track_caller]
pub fn refused(tar: TarBuilder, offset: u64, path: &str, rule: &Rule) {
    let error = try_layer(&tar.finish(), LayerOptions::default()).unwrap_err();
    let text = error.to_string();
    let Error::Entry(entry) = error else { panic!("{error:?}") };
    assert_eq!((entry.offset, &*entry.path, &entry.rule), (offset, path.as_bytes(), rule));
    let start = format!("entry {:?}", path.chars().take(100).collect::<String>());
    assert!(text.starts_with(start.trim_end_matches('"')), "{text}");
    assert!(text.contains(&format!(" at byte {offset}: ")), "{text}");
    assert!(text.ends_with(&rule.to_string()), "{text}");
}

/// All names but the root's: `dir/`, `file`, `link->target`, `device@1:3`, `whiteout!`, `a=first`.
pub fn names(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    let mut first = vec![None; tree.inode_count()];
    let mut todo = vec![(String::new(), InodeId::ROOT)];
    while let Some((path, id)) = todo.pop() {
        let mut text = path.clone();
        match (tree.kind(id), tree.content(id)) {
            (NodeKind::Directory, _) => text.push('/'),
            (NodeKind::Whiteout, _) => text.push('!'),
            (NodeKind::Fifo, _) => text.push('|'),
            (NodeKind::PendingLink, Content::Target(target)) => {
                text += &format!("=>{}", target.escape_ascii());
            }
            (_, Content::Target(target)) => text += &format!("->{}", target.escape_ascii()),
            (_, Content::Device(at)) => text += &format!("@{}:{}", at.major, at.minor),
            _ => {}
        }
        if id != InodeId::ROOT {
            if let Some(first) = &first[id.index()] {
                text += &format!("={first}");
            }
            out.push(text);
        }
        first[id.index()].get_or_insert(path.clone());
        let children: Vec<_> = tree.children(id).collect();
        for (name, child) in children.into_iter().rev() {
            let name = name.escape_ascii().to_string();
            todo.push((if path.is_empty() { name } else { format!("{path}/{name}") }, child));
        }
    }
    out
}

/// Checks the names of a layer.
#[track_caller]
pub fn holds(tree: &Tree, want: &[&str]) {
    assert_eq!(names(tree), want);
}

pub fn merged(layers: &[&Tree]) -> Tree {
    merge(layers, &MergeOptions::default()).unwrap()
}

#[track_caller]
pub fn at(tree: &Tree, path: &str) -> InodeId {
    tree.lookup(path.as_bytes()).unwrap_or_else(|| panic!("no {path}: {:?}", names(tree)))
}

pub fn mode(tree: &Tree, path: &str) -> u16 {
    tree.attributes(at(tree, path)).mode
}
