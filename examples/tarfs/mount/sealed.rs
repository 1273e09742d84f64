//! The plan of a sealed disk: data, hash tree and root hash, held against each other as far as the
//! first blocks tell.

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::Image;
use erofs_tarfs::verity::{HashPlacement, Sealed, TreeDigest};

use super::plan::Plan;
use super::subject::Subject;
use crate::cli::fail::{Done, Fail};
use crate::files::open;
use crate::hash_tree::sought::Sought;
use crate::hash_tree::unfinished;

/// Data with the hash tree behind it, or in a file of its own.
pub(crate) fn sealed(
    subject: &Subject<'_>,
    image: &Image<'_>,
    len: u64,
    root: TreeDigest,
) -> Done<Plan> {
    let Subject { args, name, file, .. } = subject;
    if !image.holds_devices(len) {
        let why = "is a bootstrap over tars: dm-verity protects disks";
        return Err(Fail::of(name, why));
    }
    if args.hash.is_none() {
        unfinished::refuse(file)?;
    }
    let (hashes, place) = match &args.hash {
        Some(hash) => (open::input_or_disk(hash)?.0, HashPlacement::OwnFile),
        None => (file.try_clone()?, HashPlacement::BehindData),
    };
    let data = file.try_clone()?;
    let sought = Sought::of_filesystem(data, image.end(len), hashes, place);
    let sealed = mountable(subject, &sought, image, root)?;
    let tree = args.hash.is_some().then_some(sought.hashes);
    let sealed = Box::new(sealed);
    Ok(Plan::Sealed { data: file.try_clone()?, tree, sealed, root_given: true })
}

/// What is sealed, if it is so by this root hash, as far as its first blocks tell, and if Linux mounts
/// it.
fn mountable(
    subject: &Subject<'_>,
    sought: &Sought,
    image: &Image<'_>,
    root: TreeDigest,
) -> Done<Sealed> {
    let sealed = Sealed::new(sought.geometry(&subject.args.verity)?, root);
    sought.is_whole(&sealed)?;
    sought.has_root(&sealed)?;
    let (data, block) = (sealed.geometry().data_block().bytes(), image.block_size().bytes());
    if data > block {
        let why =
            format!("has data blocks of {data} bytes over a filesystem with blocks of {block}");
        return Err(Fail::of(&subject.name, format_args!("{why}: Linux refuses the mount")));
    }
    Ok(sealed)
}

/// A volume and its hash tree, whose superblock says how it was made.
pub(crate) fn pair(subject: &Subject<'_>, tree: NamedFile, root: TreeDigest) -> Done<Plan> {
    let Subject { args, name, file, .. } = subject;
    if !args.devices.is_empty() || args.tars.is_some() {
        let why = "--device and --tars are for bootstraps: a sealed disk has all in it";
        return Err(Fail::Usage(why.to_owned()));
    }
    if args.root.is_some_and(|given| given != root) {
        let why = format_args!("its partitions' GUIDs are of the root hash {root}");
        return Err(Fail::of(name, why));
    }
    let bytes = tarfs_io::read_metadata(file)?;
    let image = Image::new(&bytes).map_err(|error| Fail::of(name, error))?;
    let (data, end) = (file.try_clone()?, image.end(file.bytes()?));
    let sought = Sought::of_filesystem(data, end, tree, HashPlacement::OwnFile);
    let sealed = Box::new(mountable(subject, &sought, &image, root)?);
    let (data, tree) = (file.try_clone()?, Some(sought.hashes));
    Ok(Plan::Sealed { data, tree, sealed, root_given: args.root.is_some() })
}
