//! The verdict on one image: its structure, its tars, its hash tree, and what it is the merge of.

use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::read::Image;
use erofs_tarfs::verity::Digest;

use crate::args::Check;
use crate::fail::{Done, Fail};
use crate::find::Verify;
use crate::layered::Layered;
use crate::load::{self, How, Loaded};
use crate::notes::Noted;
use crate::side::{Merged, Plain};
use crate::spool::Spool;
use crate::verdict::Verdict;
use crate::{compare, digests, geometry, notes, quote, seal, unmoved};

/// The hash tree of a filesystem in another partition.
pub(crate) struct Tree {
    pub(crate) file: NamedFile,
    /// What the partitions' GUIDs say.
    pub(crate) root: Digest,
}

/// The verdict on an image.
pub(crate) fn image(
    path: &Path,
    file: NamedFile,
    tree: Option<&Tree>,
    layers: &[PathBuf],
    args: &Check,
) -> Done<Verdict> {
    let params = geometry::params(&args.verity)?;
    let how = args.at.how(false);
    let bytes = load::metadata(&file)?;
    let again = file.try_clone()?;
    let mut verdict = Verdict { path: path.display().to_string(), ..Verdict::default() };
    let mut loaded = match load::read_image(path, file, &how, true) {
        Ok(loaded) => loaded,
        // What is wrong with the image itself is what was asked for.
        Err(Fail::Failed(text)) => {
            let name = format!("{}: ", quote::name(path));
            verdict.problems.push(text.strip_prefix(&name).unwrap_or(&text).to_owned());
            return Ok(verdict);
        }
        Err(fail) => return Err(fail),
    };
    // What they should be is a part of the verdict, not an error.
    loaded.verify(Verify::OtherNames);
    let image = Image::new(&bytes).map_err(|error| Fail::of(path, error))?;
    let len = again.bytes()?;
    verdict.inodes = loaded.tree.inode_count();
    let devices = image.devices();
    let digests = digests::check(&loaded, &devices, args.quick)?;
    verdict.tars = digests.right;
    verdict.problems.extend(digests.problems);
    verdict.unread.extend(digests.unread);
    let mut no_digest = digests.no_digest;
    if devices.len() < loaded.tree.devices().len() {
        no_digest.push("file data in the image itself: no digest is known of it".to_owned());
    }
    let end = image.end(len);
    if args.quick {
        if len > end {
            verdict.unread.push(format!("{} bytes behind the filesystem (--quick)", len - end));
        }
    } else {
        let hashing = geometry::threads(&args.hashing);
        let wanted = seal::Wanted { end, params: &params, root: args.root, hashing: &hashing };
        let sealed = match tree {
            None => seal::check(&again, &wanted)?,
            Some(tree) => of_pair(&again, tree, wanted)?,
        };
        verdict.verity = sealed.root;
        verdict.problems.extend(sealed.problems);
        verdict.unread.extend(sealed.unread);
    }
    if !layers.is_empty() {
        verdict.noted = against(layers, &how, &loaded, &mut verdict.problems)?;
        verdict.compared = true;
    }
    // A hash tree is over all of a disk, and what was compared was read.
    if verdict.verity.is_none() && !verdict.compared {
        verdict.unread.extend(no_digest);
        let why = "there is no hash tree over them, and nothing to compare them with (--against)";
        verdict.unread.push(format!("names and attributes: {why}"));
    }
    unmoved::check()?;
    verdict.ok = verdict.problems.is_empty();
    Ok(verdict)
}

/// A filesystem and its tree in partitions of their own, whose GUIDs say the root hash.
fn of_pair(data: &NamedFile, tree: &Tree, wanted: seal::Wanted<'_>) -> Done<seal::Found> {
    let said = wanted.root;
    let wanted = seal::Wanted { root: Some(tree.root), ..wanted };
    let mut found = seal::apart(data, &tree.file, &wanted)?;
    match said {
        Some(said) if said != tree.root => {
            let guids = tree.root;
            let text = format!("the partitions' GUIDs are of the root hash {guids}, not of {said}");
            found.problems.push(text);
        }
        Some(_) => {}
        None => {
            if let Some(root) = &mut found.root {
                (root.given, root.by_guids) = (false, true);
            }
            let text =
                "the root hash but by the partitions' GUIDs, which are in the disk too (--root)";
            found.unread.push(text.to_owned());
        }
    }
    Ok(found)
}

/// Compares an image with what the layers make; answers what was met in them.
fn against(
    layers: &[PathBuf],
    how: &How<'_>,
    image: &Loaded,
    problems: &mut Vec<String>,
) -> Done<Noted> {
    let mut spool = Spool::Temporary(std::env::temp_dir());
    let layers = load::all(layers, how, &mut spool)?;
    notes::all(&layers, false)?;
    let noted = Noted::sum(&layers, 0);
    let sources = image.sources()?;
    let left = Plain { tree: &image.tree, sources: &sources, name: &image.name };
    let of_layers: Vec<_> = layers.iter().map(Loaded::sources).collect::<Done<_>>()?;
    // An image of one layer may have kept its whiteouts.
    if let ([layer], [sources]) = (&layers[..], &of_layers[..]) {
        let right = Plain { tree: &layer.tree, sources, name: &layer.name };
        let as_layer = compare::problems(&left, &right);
        if as_layer.is_empty() {
            return Ok(noted);
        }
        if has_marks(image) {
            problems.extend(as_layer);
            return Ok(noted);
        }
    }
    let layered = Layered::new(&layers, how.merge.follow_lower_links)?;
    problems.extend(compare::problems(&left, &Merged::new(&layered, &of_layers)));
    Ok(noted)
}

/// Whether a tree has what merging would have consumed.
fn has_marks(image: &Loaded) -> bool {
    use erofs_tarfs::tree::{InodeId, NodeKind, Tree};
    fn any(tree: &Tree, roots: Vec<InodeId>) -> bool {
        let mut todo = roots;
        while let Some(id) = todo.pop() {
            if tree.is_opaque(id) || tree.kind(id) == NodeKind::Whiteout {
                return true;
            }
            todo.extend(tree.children(id).map(|(_, child)| child));
        }
        false
    }
    any(&image.tree, vec![InodeId::ROOT])
}
