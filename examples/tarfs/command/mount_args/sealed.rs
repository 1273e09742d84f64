//! The commands that mount a sealed disk through dm-verity.

use std::path::Path;

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::Image;
use erofs_tarfs::verity::{Digest, HashPlacement, Sealed};

use super::subject::Subject;
use super::words;
use crate::cli::fail::{Done, Fail};
use crate::cli::warn;
use crate::files::open;
use crate::hash_tree::sought::Sought;
use crate::hash_tree::unfinished;
use crate::show::hash_tree_report;

/// Through dm-verity; veritysetup makes loop devices of files itself.
pub(crate) fn sealed(
    subject: &Subject<'_>,
    image: &Image<'_>,
    len: u64,
    root: Digest,
) -> Done<Vec<String>> {
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
    if args.kata {
        let options = sealed.kata_options().map_err(|error| Fail::of(name, error))?;
        return Ok(vec![options.join(",")]);
    }
    opened(subject, &sealed, args.hash.is_some().then_some(&sought.hashes))
}

/// What is sealed, if it is so by this root hash, as far as its first blocks tell, and if Linux mounts
/// it.
fn mountable(
    subject: &Subject<'_>,
    sought: &Sought,
    image: &Image<'_>,
    root: Digest,
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
pub(crate) fn pair(subject: &Subject<'_>, tree: NamedFile, root: Digest) -> Done<Vec<String>> {
    let Subject { args, name, file, .. } = subject;
    if !args.devices.is_empty() || args.tars.is_some() {
        let why = "--device and --tars are for bootstraps: a sealed disk has all in it";
        return Err(Fail::Usage(why.to_owned()));
    }
    if args.kata {
        let why = "--kata is of a disk with its hash tree behind it, not in another partition";
        return Err(Fail::Usage(why.to_owned()));
    }
    match args.root {
        Some(given) if given != root => {
            let why = format_args!("its partitions' GUIDs are of the root hash {root}");
            return Err(Fail::of(name, why));
        }
        Some(_) => {}
        None => {
            let why =
                "the root hash is that of the partitions' GUIDs: --root ROOT makes sure of it";
            warn::say(name, why);
        }
    }
    let bytes = tarfs_io::read_metadata(file)?;
    let image = Image::new(&bytes).map_err(|error| Fail::of(name, error))?;
    let (data, end) = (file.try_clone()?, image.end(file.bytes()?));
    let sought = Sought::of_filesystem(data, end, tree, HashPlacement::OwnFile);
    let sealed = mountable(subject, &sought, &image, root)?;
    opened(subject, &sealed, Some(&sought.hashes))
}

/// Opens data with veritysetup and mounts it; the hash tree is in the same file if it is not given.
fn opened(subject: &Subject<'_>, sealed: &Sealed, tree: Option<&NamedFile>) -> Done<Vec<String>> {
    let mut lines = Vec::new();
    let mut devices = Vec::new();
    let mut device = |name: &str, file: &NamedFile| match file.is_range() {
        true => {
            lines.push(words::attach(name, file)?);
            devices.push(format!("${name}"));
            Ok(format!("${name}"))
        }
        false => words::text(file.path()),
    };
    let data = device("data", &subject.file)?;
    let hash = tree.map_or(Ok(data.clone()), |tree| device("tree", tree))?;
    let name = hash_tree_report::device_name(sealed);
    let open = sealed.open_command(&data, &name, &hash);
    let word = |word: &String| match devices.contains(word) {
        true => word.clone(),
        false => words::shown(Path::new(word)),
    };
    let words: Vec<_> = open.words().iter().map(word).collect();
    let mount_point = words::shown(&subject.mount_point);
    lines.push(words.join(" "));
    lines.push(format!("mount -t erofs -o ro /dev/mapper/{name} {mount_point}"));
    if !devices.is_empty() {
        let all = devices.join(" ");
        lines.push(format!("losetup --detach {all}  # when it is unmounted and closed"));
    }
    Ok(lines)
}
