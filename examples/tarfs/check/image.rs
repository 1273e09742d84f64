//! The verdict on one image: its structure, its tars, its hash tree, and what it is the merge of.

use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::Image;
use erofs_tarfs::verity::TreeDigest;

use crate::check::filesystem::{OfLayers, OfTree};
use crate::check::layered::Layered;
use crate::check::options::Options;
use crate::check::verdict::Verdict;
use crate::check::{compare, sealed_data, tar_digests};
use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::cli::{hash_tree_options, quote};
use crate::files::unchanged;
use crate::layers::loaded::Loaded;
use crate::layers::noted::Noted;
use crate::layers::spool::Spool;
use crate::layers::tar_search::Verify;
use crate::layers::{from_image, load, warnings};

/// The hash tree of a filesystem in another partition.
pub(crate) struct TreePartition {
    pub(crate) file: NamedFile,
    /// What the partitions' GUIDs say.
    pub(crate) root: TreeDigest,
}

/// The verdict on an image.
pub(crate) fn verdict(
    path: &Path,
    file: NamedFile,
    tree: Option<&TreePartition>,
    layers: &[PathBuf],
    options: &Options,
) -> Done<Verdict> {
    let params = hash_tree_options::params(&options.verity)?;
    let how = options.at.how(false);
    let bytes = tarfs_io::read_metadata(&file)?;
    let again = file.try_clone()?;
    let mut verdict = Verdict { path: path.display().to_string(), ..Verdict::default() };
    let mut loaded = match from_image::read(path, file, &how, true) {
        Ok(loaded) => loaded,
        // That something is wrong with the image is an answer, and no failure of the command.
        Err(Fail::Failed(text)) => {
            let name = format!("{}: ", quote::name(path));
            verdict.problems.push(text.strip_prefix(&name).unwrap_or(&text).to_owned());
            return Ok(verdict);
        }
        Err(fail) => return Err(fail),
    };
    // A tar with another digest is a part of the verdict, not an error: digests are checked below.
    loaded.verify(Verify::OtherNames);
    let image = Image::new(&bytes).map_err(|error| Fail::of(path, error))?;
    let len = again.bytes()?;
    verdict.inodes = loaded.tree.inode_count();
    let devices = image.devices();
    let digests = tar_digests::check(&loaded, &devices, options)?;
    verdict.tars = digests.right;
    verdict.problems.extend(digests.problems);
    verdict.unread.extend(digests.unread);
    let mut no_digest = digests.no_digest;
    if devices.len() < loaded.tree.devices().len() {
        no_digest.push("file data in the image itself: no digest is known of it".to_owned());
    }
    let end = image.end(len);
    if options.quick {
        if len > end {
            verdict.unread.push(format!("{} bytes behind the filesystem (--quick)", len - end));
        }
    } else {
        let hashing = hash_tree_options::threads(&options.hashing);
        let wanted =
            sealed_data::Wanted { end, params: &params, root: options.root, hashing: &hashing };
        let sealed = match tree {
            None => sealed_data::check(&again, &wanted)?,
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
    // A hash tree covers all of a disk, and a comparison with layers reads all of it.
    if verdict.verity.is_none() && !verdict.compared {
        verdict.unread.extend(no_digest);
        let why = "there is no hash tree over them, and nothing to compare them with (--against)";
        verdict.unread.push(format!("names and attributes: {why}"));
    }
    unchanged::check()?;
    verdict.ok = verdict.problems.is_empty();
    Ok(verdict)
}

/// A filesystem and its tree in partitions of their own, whose GUIDs say the root hash.
fn of_pair(
    data: &NamedFile,
    tree: &TreePartition,
    wanted: sealed_data::Wanted<'_>,
) -> Done<sealed_data::Found> {
    let said = wanted.root;
    let wanted = sealed_data::Wanted { root: Some(tree.root), ..wanted };
    let mut found = sealed_data::apart(data, &tree.file, &wanted)?;
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
    how: &ReadingOptions<'_>,
    image: &Loaded,
    problems: &mut Vec<String>,
) -> Done<Noted> {
    let mut spool = Spool::Temporary(std::env::temp_dir());
    let layers = load::all(layers, how, &mut spool)?;
    warnings::all(&layers, false)?;
    let noted = Noted::sum(layers.iter().map(|layer| layer.noted), 0);
    let sources = image.sources()?;
    let left = OfTree { tree: &image.tree, sources: &sources, name: &image.name };
    let of_layers: Vec<_> = layers.iter().map(Loaded::sources).collect::<Done<_>>()?;
    // An image of one layer may have kept its whiteouts.
    if let ([layer], [sources]) = (&layers[..], &of_layers[..]) {
        let right = OfTree { tree: &layer.tree, sources, name: &layer.name };
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
    problems.extend(compare::problems(&left, &OfLayers::new(&layered, &of_layers)));
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
