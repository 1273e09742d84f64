//! `tarfs mount-args`: commands for a shell.

use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::verity::{Placement, Sealed};

use crate::args::MountArgs;
use crate::fail::{Done, Fail};
use crate::find::Verify;
use crate::load::{self, Backing, How};
use crate::verity::sought::{Extent, Sought};
use crate::{behind, geometry, input, inspect, quote, report, unfinished, warn, whole};

/// Options that mount(2) takes: a page, less its end.
const MAX_OPTIONS: usize = 4095;
/// Bytes of a value that fsconfig(2) takes, as mount(8) has called it since util-linux 2.39.
const MAX_VALUE: usize = 255;
/// An option that names a loop device, with its comma.
const LOOP_OPTION: usize = ",device=/dev/loop100".len();

pub(crate) fn run(args: &MountArgs) -> Done {
    let bytes = inspect::open(&args.image)?;
    let image = Image::new(&bytes).map_err(|error| Fail::of(&args.image, error))?;
    let file = NamedFile::open(&args.image)?;
    whole::check(&file, &image, &bytes)?;
    let mut named = vec![&args.image, &args.mount_point];
    named.extend(args.devices.iter().chain(&args.hash));
    named.into_iter().try_for_each(|path| text(path).map(drop))?;
    let lines = match args.root {
        Some(root) => sealed(args, file, &image, bytes.len() as u64, root)?,
        None => {
            let params = geometry::params(&args.verity)?;
            let end = image.end(bytes.len() as u64);
            if behind::tree(&file, end, &params)?.is_some() {
                warn::say(&args.image, "is sealed: --root ROOT mounts it through its hash tree");
            }
            plain(args, &image)?
        }
    };
    let mut out = io::stdout().lock();
    lines.iter().try_for_each(|line| writeln!(out, "{line}")).map_err(Fail::stdout)
}

/// Through dm-verity; veritysetup makes loop devices of files itself.
fn sealed(
    args: &MountArgs,
    file: NamedFile,
    image: &Image<'_>,
    len: u64,
    root: erofs_tarfs::verity::Digest,
) -> Done<Vec<String>> {
    if !image.holds_devices(len) {
        let why = "is a bootstrap over tars: dm-verity protects disks";
        return Err(Fail::of(&args.image, why));
    }
    if args.hash.is_none() {
        unfinished::refuse(&file)?;
    }
    let hashes = NamedFile::open(args.hash.as_ref().unwrap_or(&args.image))?;
    let place = if args.hash.is_some() { Placement::OwnFile } else { Placement::BehindData };
    let sought = Sought { data: file, extent: Extent::Bytes(image.end(len)), hashes, place };
    let sealed = Sealed::new(sought.geometry(&args.verity)?, root);
    sought.is_whole(&sealed)?;
    sought.has_root(&sealed)?;
    let (data, block) = (sealed.geometry().data_block().bytes(), image.block_size().bytes());
    if data > block {
        let why =
            format!("has data blocks of {data} bytes over a filesystem with blocks of {block}");
        return Err(Fail::of(&args.image, format_args!("{why}: Linux refuses the mount")));
    }
    let name = report::device_name(&sealed);
    let hash = args.hash.as_ref().unwrap_or(&args.image);
    let open = sealed.open_command(&text(&args.image)?, &name, &text(hash)?);
    let words: Vec<_> = open.words().iter().map(|word| shown(Path::new(word))).collect();
    Ok(vec![
        words.join(" "),
        format!("mount -t erofs -o ro /dev/mapper/{name} {}", shown(&args.mount_point)),
    ])
}

/// The files themselves, and the same through loop devices.
fn plain(args: &MountArgs, image: &Image<'_>) -> Done<Vec<String>> {
    let tars = match args.devices.is_empty() {
        true => found(args)?,
        false => named(args, image)?,
    };
    let mut options = String::from("ro");
    for tar in &tars {
        options.push_str(",device=");
        options.push_str(&text(tar)?);
    }
    let direct = format!(
        "mount -t erofs -o {} {} {}",
        shown(Path::new(&options)),
        shown(&args.image),
        shown(&args.mount_point)
    );
    if tars.is_empty() {
        // mount(8) makes the loop device itself.
        return Ok(vec![direct]);
    }
    // mount(8) makes a loop device of the image, but none of the tars: so all by hand.
    let attach = |name: &str, path: &Path| {
        format!("{name}=$(losetup --find --show --read-only {})", shown(path))
    };
    let mut lines = vec![attach("image", &args.image)];
    let (mut devices, mut all) = (String::from("ro"), String::from("$image"));
    for (index, tar) in tars.iter().enumerate() {
        let name = format!("tar{}", index + 1);
        lines.push(attach(&name, tar));
        devices.push_str(&format!(",device=${name}"));
        all.push_str(&format!(" ${name}"));
    }
    lines.push(format!("mount -t erofs -o {devices} $image {}", shown(&args.mount_point)));
    lines.push(format!("losetup --detach {all}  # when they are unmounted"));
    if tars.len() * LOOP_OPTION > MAX_OPTIONS {
        let why = "so many devices want util-linux 2.39, which passes them one by one";
        lines.push(format!("# Before that all options are one text of 4095 bytes: {why}."));
    }
    // A comma would end the option.
    let fits = |tar: &PathBuf| {
        let name = tar.as_os_str().as_bytes();
        name.len() <= MAX_VALUE && !name.contains(&b',')
    };
    // And a line break would end the comment, and begin a command.
    if tars.iter().all(fits) && !direct.contains('\n') {
        lines.push("# With Linux 6.12 and util-linux 2.41, the files themselves:".to_owned());
        lines.push(format!("#   {direct}"));
    }
    Ok(lines)
}

/// The files of the devices as their tags find them.
fn found(args: &MountArgs) -> Done<Vec<PathBuf>> {
    let (file, _) = input::open(&args.image)?;
    let how = How { tars: args.tars.as_deref(), ..How::default() };
    let mut loaded = load::read_image(&args.image, file, &how, true)?;
    // They are named, not read.
    loaded.verify(Verify::OtherNames);
    let Backing::Tars { slots, reach, .. } = &loaded.backing else { return Ok(Vec::new()) };
    let tars = reach.iter().take(*slots).enumerate().map(|(index, reach)| {
        let tar = loaded.source(index)?;
        serves(tar.path(), tar.bytes()?, *reach)?;
        Ok(tar.path().to_owned())
    });
    tars.collect()
}

/// Refuses a tar of which Linux would not read all.
fn serves(tar: &Path, bytes: u64, reach: u64) -> Done {
    whole::left_out(bytes, reach).map_or(Ok(()), |why| Err(Fail::of(tar, why)))
}

/// The files of the devices as they are named, if they can be those.
fn named(args: &MountArgs, image: &Image<'_>) -> Done<Vec<PathBuf>> {
    let (has, wants) = (args.devices.len(), image.devices().len());
    if has != wants {
        return Err(Fail::Usage(format!("--device: {wants} are wanted, {has} are given")));
    }
    let mut options = TreeOptions::default();
    (options.devices, options.keep_layer_marks) = (DevicesAt::Separate, true);
    let tree = image.tree(&options).map_err(|error| Fail::of(&args.image, error))?;
    let block = u64::from(image.block_size().bytes());
    for ((path, device), reach) in args.devices.iter().zip(image.devices()).zip(whole::reach(&tree))
    {
        let bytes = NamedFile::open(path)?.bytes()?;
        if bytes.div_ceil(block) < device.blocks {
            let needed = device.blocks.saturating_mul(block);
            let why = format_args!("has {bytes} bytes, {needed} are needed");
            return Err(Fail::of(path, why));
        }
        serves(path, bytes, reach)?;
    }
    Ok(args.devices.clone())
}

/// A path as it stands in a command, which would name another file if it were no text.
fn text(path: &Path) -> Done<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Fail::of(path, "has a name that is not UTF-8: no command is printed"))
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
