//! `tarfs mount-args`: commands for a shell.

use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::verity::{Digest, Placement, Sealed};

use crate::args::MountArgs;
use crate::fail::{Done, Fail};
use crate::find::Verify;
use crate::input::{self, Kind};
use crate::load::{self, Backing, How};
use crate::verity::sought::Sought;
use crate::{behind, geometry, inspect, partition, quote, report, unfinished, warn, whole};

/// Options that mount(2) takes: a page, less its end.
const MAX_OPTIONS: usize = 4095;
/// Bytes of a value that fsconfig(2) takes, as mount(8) has called it since util-linux 2.39.
const MAX_VALUE: usize = 255;
/// An option that names a loop device, with its comma.
const LOOP_OPTION: usize = ",device=/dev/loop100".len();

/// What is to be mounted.
struct Subject<'a> {
    args: &'a MountArgs,
    /// What it is called in errors.
    name: PathBuf,
    file: NamedFile,
    mount_point: PathBuf,
}

pub(crate) fn run(args: &MountArgs) -> Done {
    let mut named = vec![&args.image, &args.mount_point];
    named.extend(args.devices.iter().chain(&args.hash));
    named.into_iter().try_for_each(|path| text(path).map(drop))?;
    let (file, kind) = input::whole(&args.image)?;
    let lines = match kind {
        Kind::Gpt => disk(args, &file)?,
        Kind::Erofs => {
            let (name, mount_point) = (args.image.clone(), args.mount_point.clone());
            let subject = Subject { args, name, file, mount_point };
            match partition::tree_beside(&args.image)?.filter(|_| args.hash.is_none()) {
                Some((tree, root)) => pair(&subject, tree, root)?,
                None => image(&subject)?,
            }
        }
        _ => return Err(Fail::of(&args.image, inspect::NO_EROFS)),
    };
    let mut out = io::stdout().lock();
    lines.iter().try_for_each(|line| writeln!(out, "{line}")).map_err(Fail::stdout)
}

/// Of each partition with EROFS in it, at places of their own.
fn disk(args: &MountArgs, disk: &NamedFile) -> Done<Vec<String>> {
    let all = partition::read(&args.image, disk)?.table.partitions;
    let with = partition::with_erofs(disk, &all)?;
    let of_one = args.root.is_some() || args.hash.is_some() || !args.devices.is_empty();
    if with.len() != 1 && (of_one || with.is_empty()) {
        // It says which there are.
        partition::only(&args.image, disk)?;
    }
    let mut lines = Vec::new();
    for one in with.iter().copied() {
        let name = partition::name(&args.image, one);
        let mount_point = match with.len() {
            1 => args.mount_point.clone(),
            _ => args.mount_point.join(one.number.to_string()),
        };
        if with.len() > 1 {
            // A line break would end the comment.
            let label = quote::Line(&format!("{:?}", one.name)).to_string();
            lines.push(format!("# partition {}: {label}", one.number));
            lines.push(format!("mkdir -p {}", shown(&mount_point)));
        }
        let subject = Subject { args, name, file: partition::open(disk, one)?, mount_point };
        match partition::tree_of(one, &all).filter(|_| args.hash.is_none()) {
            Some(tree) => {
                let root = partition::root_of(one, tree);
                lines.extend(pair(&subject, partition::open(disk, tree)?, root)?);
            }
            None => lines.extend(image(&subject)?),
        }
    }
    Ok(lines)
}

fn image(subject: &Subject<'_>) -> Done<Vec<String>> {
    let Subject { args, name, file, .. } = subject;
    let bytes = load::metadata(file)?;
    let image = Image::new(&bytes).map_err(|error| Fail::of(name, error))?;
    whole::check(file, &image, &bytes)?;
    let len = file.bytes()?;
    if let Some(root) = args.root {
        return sealed(subject, &image, len, root);
    }
    let params = geometry::params(&args.verity)?;
    if behind::tree(file, image.end(len), &params)?.is_some() {
        warn::say(name, "is sealed: --root ROOT mounts it through its hash tree");
    }
    plain(subject, &image)
}

/// Through dm-verity; veritysetup makes loop devices of files itself.
fn sealed(subject: &Subject<'_>, image: &Image<'_>, len: u64, root: Digest) -> Done<Vec<String>> {
    let Subject { args, name, file, .. } = subject;
    if !image.holds_devices(len) {
        let why = "is a bootstrap over tars: dm-verity protects disks";
        return Err(Fail::of(name, why));
    }
    if args.hash.is_none() {
        unfinished::refuse(file)?;
    }
    let (hashes, place) = match &args.hash {
        Some(hash) => (input::whole(hash)?.0, Placement::OwnFile),
        None => (load::again(file)?, Placement::BehindData),
    };
    let data = load::again(file)?;
    let sought = Sought::of_filesystem(data, image.end(len), hashes, place);
    let sealed = mountable(subject, &sought, image, root)?;
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
fn pair(subject: &Subject<'_>, tree: NamedFile, root: Digest) -> Done<Vec<String>> {
    let Subject { args, name, file, .. } = subject;
    if !args.devices.is_empty() || args.tars.is_some() {
        let why = "--device and --tars are for bootstraps: a sealed disk has all in it";
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
    let bytes = load::metadata(file)?;
    let image = Image::new(&bytes).map_err(|error| Fail::of(name, error))?;
    let (data, end) = (load::again(file)?, image.end(file.bytes()?));
    let sought = Sought::of_filesystem(data, end, tree, Placement::OwnFile);
    let sealed = mountable(subject, &sought, &image, root)?;
    opened(subject, &sealed, Some(&sought.hashes))
}

/// Opens data with veritysetup and mounts it; the hash tree is in the same file if it is not given.
fn opened(subject: &Subject<'_>, sealed: &Sealed, tree: Option<&NamedFile>) -> Done<Vec<String>> {
    let mut lines = Vec::new();
    let mut devices = Vec::new();
    let mut device = |name: &str, file: &NamedFile| match file.is_range() {
        true => {
            lines.push(attach(name, file)?);
            devices.push(format!("${name}"));
            Ok(format!("${name}"))
        }
        false => text(file.path()),
    };
    let data = device("data", &subject.file)?;
    let hash = tree.map_or(Ok(data.clone()), |tree| device("tree", tree))?;
    let name = report::device_name(sealed);
    let open = sealed.open_command(&data, &name, &hash);
    let word = |word: &String| match devices.contains(word) {
        true => word.clone(),
        false => shown(Path::new(word)),
    };
    let words: Vec<_> = open.words().iter().map(word).collect();
    let mount_point = shown(&subject.mount_point);
    lines.push(words.join(" "));
    lines.push(format!("mount -t erofs -o ro /dev/mapper/{name} {mount_point}"));
    if !devices.is_empty() {
        let all = devices.join(" ");
        lines.push(format!("losetup --detach {all}  # when it is unmounted and closed"));
    }
    Ok(lines)
}

/// A loop device of a file, or of a partition.
fn attach(name: &str, file: &NamedFile) -> Done<String> {
    let range = match file.is_range() {
        true => format!("--offset {} --sizelimit {} ", file.start(), file.bytes()?),
        false => String::new(),
    };
    let path = shown(file.path());
    Ok(format!("{name}=$(losetup --find --show --read-only {range}{path})"))
}

/// The files themselves, and the same through loop devices.
fn plain(subject: &Subject<'_>, image: &Image<'_>) -> Done<Vec<String>> {
    let Subject { args, file, mount_point, .. } = subject;
    if image.holds_devices(file.bytes()?) && (!args.devices.is_empty() || args.tars.is_some()) {
        let why = "--device and --tars are for bootstraps: a disk has all in it";
        return Err(Fail::Usage(why.to_owned()));
    }
    let tars = match args.devices.is_empty() {
        true => found(subject)?,
        false => named(subject, image)?,
    };
    let mut options = String::from("ro");
    if file.is_range() && tars.is_empty() {
        options.push_str(&format!(",loop,offset={},sizelimit={}", file.start(), file.bytes()?));
    }
    for tar in &tars {
        options.push_str(",device=");
        options.push_str(&text(tar.path())?);
    }
    let direct = format!(
        "mount -t erofs -o {} {} {}",
        shown(Path::new(&options)),
        shown(file.path()),
        shown(mount_point)
    );
    if tars.is_empty() {
        // mount(8) makes the loop device itself.
        return Ok(vec![direct]);
    }
    // mount(8) makes a loop device of the image, but none of the tars: so all by hand.
    let mut lines = vec![attach("image", file)?];
    let (mut devices, mut all) = (String::from("ro"), String::from("$image"));
    for (index, tar) in tars.iter().enumerate() {
        let name = format!("tar{}", index + 1);
        lines.push(attach(&name, tar)?);
        devices.push_str(&format!(",device=${name}"));
        all.push_str(&format!(" ${name}"));
    }
    lines.push(format!("mount -t erofs -o {devices} $image {}", shown(mount_point)));
    lines.push(format!("losetup --detach {all}  # when they are unmounted"));
    if tars.len() * LOOP_OPTION > MAX_OPTIONS {
        let why = "so many devices want util-linux 2.39, which passes them one by one";
        lines.push(format!("# Before that all options are one text of 4095 bytes: {why}."));
    }
    // A comma would end the option.
    let fits = |tar: &NamedFile| {
        let name = tar.path().as_os_str().as_bytes();
        name.len() <= MAX_VALUE && !name.contains(&b',')
    };
    // And a line break would end the comment, and begin a command. Of a partition there is no file.
    let files = tars.iter().chain([file]).all(|file| !file.is_range());
    if files && tars.iter().all(fits) && !direct.contains('\n') {
        lines.push("# With Linux 6.12 and util-linux 2.41, the files themselves:".to_owned());
        lines.push(format!("#   {direct}"));
    }
    Ok(lines)
}

/// The files of the devices as their tags find them.
fn found(subject: &Subject<'_>) -> Done<Vec<NamedFile>> {
    let Subject { args, name, file, .. } = subject;
    let how = How { tars: args.tars.as_deref(), ..How::default() };
    let mut loaded = load::read_image(name, file.try_clone()?, &how, true)?;
    // They are named, not read.
    loaded.verify(Verify::OtherNames);
    let Backing::Tars { slots, reach, .. } = &loaded.backing else { return Ok(Vec::new()) };
    let tars = reach.iter().take(*slots).enumerate().map(|(index, reach)| {
        let tar = loaded.source(index)?;
        serves(&tar, *reach)?;
        Ok(tar)
    });
    tars.collect()
}

/// Refuses a tar of which Linux would not read all.
fn serves(tar: &NamedFile, reach: u64) -> Done {
    whole::left_out(tar.bytes()?, reach).map_or(Ok(()), |why| Err(Fail::of(tar.path(), why)))
}

/// The files of the devices as they are named, if they can be those.
fn named(subject: &Subject<'_>, image: &Image<'_>) -> Done<Vec<NamedFile>> {
    let Subject { args, name, .. } = subject;
    let (has, wants) = (args.devices.len(), image.devices().len());
    if has != wants {
        return Err(Fail::Usage(format!("--device: {wants} are wanted, {has} are given")));
    }
    let mut options = TreeOptions::default();
    (options.devices, options.keep_layer_marks) = (DevicesAt::Separate, true);
    let tree = image.tree(&options).map_err(|error| Fail::of(name, error))?;
    let block = u64::from(image.block_size().bytes());
    let devices = args.devices.iter().zip(image.devices()).zip(whole::reach(&tree));
    let files = devices.map(|((path, device), reach)| {
        let file = input::whole(path)?.0;
        let bytes = file.bytes()?;
        if bytes.div_ceil(block) < device.blocks {
            let needed = device.blocks.saturating_mul(block);
            let why = format_args!("has {bytes} bytes, {needed} are needed");
            return Err(Fail::of(path, why));
        }
        serves(&file, reach)?;
        Ok(file)
    });
    files.collect()
}

/// A path as it stands in a command, which would name another file if it were no text.
fn text(path: &Path) -> Done<String> {
    // A name that begins as an option does would be one.
    let plain = |text: &str| match text.starts_with('-') {
        true => format!("./{text}"),
        false => text.to_owned(),
    };
    path.to_str()
        .map(plain)
        .ok_or_else(|| Fail::of(path, "has a name that is not UTF-8: no command is printed"))
}

/// A word of a command: as it is, and on a terminal so that nothing in it acts there. Of a command
/// nothing may be left out, however long it is.
fn shown(path: &Path) -> String {
    let quoted = quote::shell(path.as_os_str().as_bytes());
    // Not every shell knows the form that bash and `ls` have for what does not print.
    match io::stdout().is_terminal() && quoted.contains("$'") {
        true => quoted,
        false => word(path),
    }
}

/// A path as a word of a shell.
pub(crate) fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
