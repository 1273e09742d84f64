//! `tarfs fsmeta`: one merged image over the layers of a chain of containerd's snapshots.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args as Group;
use erofs_tarfs::layout::LayoutOptions;
use erofs_tarfs::limits::Limits;
use erofs_tarfs::tree::MergeOptions;

use crate::cli::fail::{Done, Fail};
use crate::cli::limits::LimitArgs;
use crate::cli::reading_options::ReadingOptions;
use crate::cli::warn;
use crate::files::durable::Durability;
use crate::files::kind::Kind;
use crate::files::output::Output;
use crate::files::{open, place, protected};
use crate::hash_tree::sidecar;
use crate::layers::loaded::{Backing, Loaded};
use crate::layers::{from_image, merged};
use crate::make::image;
use crate::show::report::Report;

/// What containerd calls the layer of a snapshot.
const LAYER: &str = "layer.erofs";

/// What it calls the image over the layers of a snapshot and of all below it.
const FSMETA: &str = "fsmeta.erofs";

#[derive(Debug, Group)]
#[command(after_help = "\
A LAYER is a snapshot's directory, with layer.erofs in it, or the file of a layer itself (of a snapshot from
a layer content cache: the cache's). It may be made by tarfs, by our mkfs.erofs or by that of erofs-utils.

containerd's EROFS snapshotter mounts the fsmeta.erofs of a snapshot in place of the layers of this one and of
all below it, and hands it their files: -o device=LOWEST … device=TOP. So all of them must be named, a layer
that occurs twice twice. Containers that are started from then on have one mount instead of one for each
layer. It is mounted without dm-verity, whatever sidecars the layers have. A directory that an upper layer
has entries in, and does not list, keeps the attributes of the lower one, as it does for what extracts layers;
in a stack of mounts it has those of the upper layer, which nobody gave.

  cd /var/lib/containerd/io.containerd.snapshotter.v1.erofs/snapshots
  tarfs fsmeta 1 2 3                          # makes 3/fsmeta.erofs
  tarfs fsmeta -o fsmeta.erofs /var/lib/layers/sha256/0a/0a….erofs 2/layer.erofs")]
pub(crate) struct FsMeta {
    /// Output; fsmeta.erofs beside the uppermost layer if not given.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) durability: Durability,
    /// Print one JSON object about the output.
    #[arg(long)]
    pub(crate) json: bool,
    /// Layers, lowest first.
    #[arg(value_name = "LAYER", required = true)]
    pub(crate) layers: Vec<PathBuf>,
}

pub(crate) fn run(args: &FsMeta) -> Done {
    args.durability.set();
    let files: Vec<PathBuf> = args.layers.iter().map(|layer| file(layer)).collect();
    files.iter().for_each(|file| protected::named(file));
    let output = match (&args.output, files.last()) {
        (Some(output), _) => place::named(output)?,
        (None, top) => {
            let beside = top.map_or(Path::new("."), |top| place::directory(top));
            beside.join(FSMETA)
        }
    };
    let out = Output::new(&output)?;
    let limits = args.limits.limits();
    let layers = files.iter().map(|file| read(file, limits)).collect::<Done<Vec<_>>>()?;
    let sealed = files.iter().find(|file| sidecar::beside(file).symlink_metadata().is_ok());
    if let Some(sealed) = sealed {
        let why = "has a sidecar: containerd mounts a merged image without dm-verity, and verifies no \
                   layer that it is over";
        warn::say(sealed, why);
    }
    // containerd hands over the file of each layer, in this order.
    let merge = MergeOptions::new().device_per_layer(true).limits(limits);
    let (tree, noted) = merged::merged(&layers, &merge)?;
    let none = || Err(Fail::of(&output, "has no data in it"));
    let report = image::write(&output, &tree, &LayoutOptions::new().limits(limits), &out, none)?;
    let set = out.file()?.file().set_permissions(fs::Permissions::from_mode(0o644));
    set.map_err(|error| Fail::of(&output, error))?;
    out.finish()?;
    Report { noted, ..report }.print(args.json)
}

/// The file of a layer: the argument, or in a snapshot's directory the one that containerd mounts.
fn file(arg: &Path) -> PathBuf {
    if arg.is_dir() { arg.join(LAYER) } else { arg.to_owned() }
}

/// Reads a layer, whose file is one device, from its first byte to its last.
fn read(path: &Path, limits: Limits) -> Done<Loaded> {
    let (file, kind) = open::input(path)?;
    if kind != Kind::Erofs {
        let why = format_args!("is no layer of a snapshot, but {kind}: `tarfs merge` takes tars");
        return Err(Fail::of(path, why));
    }
    if file.is_range() {
        return Err(Fail::of(
            path,
            "is a partition, which can't be named in the options of a mount",
        ));
    }
    let how = ReadingOptions { whole_files: true, limits, ..ReadingOptions::default() };
    let layer = from_image::read(path, file, &how, true)?;
    match layer.backing {
        Backing::File(_) => Ok(layer),
        _ => {
            let why =
                "is a bootstrap, whose file data is in others: containerd names one for a layer";
            Err(Fail::of(path, why))
        }
    }
}
