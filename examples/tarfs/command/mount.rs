//! `tarfs mount`: carries out what `tarfs mount-args` prints.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args as Group;
use erofs_tarfs::io::NamedFile;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::files::directory::NewDirectories;
use crate::files::unchanged;
use crate::mount::erofs::{self, Detached};
use crate::mount::overlay::{self, Setting};
use crate::mount::placed::{self, Placed};
use crate::mount::plan::Plan;
use crate::mount::planning;
use crate::mount::source::Source;
use crate::mount::table;
use crate::mount::verity_device::VerityDevice;
use crate::show::mount_report::{By, MountReport};
use crate::show::print;

#[derive(Debug, Group)]
#[command(after_help = "\
Files are mounted as they are where Linux can (from 6.12, not of tmpfs), else by loop devices, which end with
the mount. A sealed disk is opened by veritysetup, as a device that is closed with its last user. If anything
fails, nothing is left mounted, attached or open. `tarfs umount DIR` undoes it, and so does umount(8).

Examples:
  tarfs mount image.erofs /mnt                       # over its tars
  tarfs mount --root $ROOT image.disk /mnt           # through dm-verity
  tarfs verity verify image.disk $ROOT && tarfs mount --no-verity image.disk /mnt
  tarfs mount --overlay changes image.disk /mnt      # what is written goes to changes/")]
pub(crate) struct Mount {
    #[command(flatten)]
    source: Source,
    /// Mount a sealed disk past its hash tree: nothing checks what is read from then on.
    #[arg(long, conflicts_with = "root")]
    no_verity: bool,
    /// Mount it over loop devices also where Linux could read the files themselves: programs that open a file of the
    /// image with O_DIRECT get an error there, and its bytes here.
    #[arg(long = "loop")]
    by_loop: bool,
    /// Mount it so that it can be written to: what is changed goes to UPPERDIR, by overlayfs. UPPERDIR and its
    /// working directory are made if they are not there, and stay. An UPPERDIR that is made gets the attributes
    /// of the image's root, which overlayfs shows of it. One that an overlay has that is mounted here is refused.
    #[arg(long, value_name = "UPPERDIR")]
    overlay: Option<PathBuf>,
    /// The overlay's working directory, on the filesystem of UPPERDIR; UPPERDIR.work if not given.
    #[arg(long, value_name = "WORKDIR", requires = "overlay")]
    work: Option<PathBuf>,
    /// An option of overlayfs, such as `volatile` or `redirect_dir=on`; may be given more than once. Without one
    /// `xino` is `auto`: with `xino=off` files have other device numbers than their directories, and what stays on one
    /// filesystem (`du -x`, `restic backup --one-file-system`) passes them over; but old 32-bit programs can read
    /// their inode numbers, which have 64 bits else.
    #[arg(long = "overlay-option", value_name = "NAME[=VALUE]", requires = "overlay")]
    settings: Vec<Setting>,
    /// Say what was mounted as one line of JSON.
    #[arg(long)]
    json: bool,
    /// The directory to mount on.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(crate) fn run(args: &Mount) -> Done {
    let plan = planning::only(&args.source)?;
    let directory = placed::directory(&args.directory)?;
    allowed(args, &plan)?;
    // What is declared first is undone last.
    let mut made = NewDirectories::default();
    let (mut device, image) = mounted(&plan, args)?;
    // What was looked at is what is mounted.
    unchanged::check()?;
    let mut placed = Placed::on(&directory);
    placed.put(&image.mount)?;
    let upper = match &args.overlay {
        Some(upper) => Some(put_overlay(args, upper, &directory, &mut made, &mut placed)?),
        None => None,
    };
    let report = MountReport {
        image: &args.source.image,
        mount_point: &directory,
        by: match (&device, image.by_files) {
            (Some(_), _) => By::Verity,
            (None, true) => By::Files,
            (None, false) => By::Devices,
        },
        device: device.as_ref().map(|device| device.name().to_owned()),
        overlay: upper.as_deref(),
    };
    print::made(io::stdout().lock(), &report, args.json, |out| {
        report.write(out).and_then(|()| out.flush())
    })?;
    // If that fails, it goes when all that uses it is gone.
    if let Some(device) = &mut device {
        device.close_with_last_user()?;
    }
    made.keep()?;
    placed.keep();
    Ok(())
}

/// Refuses a sealed disk that nobody would check.
fn allowed(args: &Mount, plan: &Plan) -> Done {
    let image = &args.source.image;
    let unsealed =
        "to mount it past its hash tree, `tarfs verity verify` it first, and say --no-verity";
    match plan {
        Plan::Plain { has_tree: true, .. } if !args.no_verity => {
            let why = "is sealed: --root ROOT mounts it through its hash tree";
            Err(Fail::of(image, format_args!("{why}; {unsealed}")))
        }
        Plan::Sealed { root_given: false, .. } if !args.no_verity => {
            let why = "is sealed, and who wrote it chose the root hash that its partitions' GUIDs say: \
                       --root ROOT, with a root hash that is known otherwise, mounts it";
            Err(Fail::of(image, format_args!("{why}; {unsealed}")))
        }
        _ => Ok(()),
    }
}

/// The filesystem, mounted nowhere yet, and the device of dm-verity that it is on.
fn mounted(plan: &Plan, args: &Mount) -> Done<(Option<VerityDevice>, Detached)> {
    let of_files = |image: &NamedFile, devices: &[NamedFile]| match args.by_loop {
        true => erofs::over_loop_devices(image, devices),
        false => erofs::of_files(image, devices),
    };
    match plan {
        Plan::Plain { image, devices, .. } => Ok((None, of_files(image, devices)?)),
        // Past its tree: the volume alone.
        Plan::Sealed { data, root_given: false, .. } => Ok((None, of_files(data, &[])?)),
        Plan::Sealed { data, tree, sealed, .. } => {
            let device = VerityDevice::open(data, tree.as_ref(), sealed)?;
            let mount = erofs::of_device(&device.path(), &args.source.image)?;
            Ok((Some(device), mount))
        }
    }
}

/// Puts an overlay over what is mounted; gives the upper directory.
fn put_overlay(
    args: &Mount,
    upper: &Path,
    directory: &Path,
    made: &mut NewDirectories,
    placed: &mut Placed,
) -> Done<PathBuf> {
    let work = args.work.clone().unwrap_or_else(|| {
        let mut work = upper.as_os_str().to_owned();
        work.push(".work");
        work.into()
    });
    let is_new = !upper.exists();
    made.make(upper)?;
    made.make(&work)?;
    let (upper, work) = (placed::directory(upper)?, placed::directory(&work)?);
    for inside in [&upper, &work] {
        if inside.starts_with(directory) {
            let why = format!("lies in {}, which the mount covers", quote::name(directory));
            return Err(Fail::of(inside, why));
        }
        table::unused(inside)?;
    }
    if is_new {
        overlay::as_root_of(directory, &upper)?;
    }
    placed.put(&overlay::over(directory, &upper, &work, &args.settings)?)?;
    Ok(upper)
}
