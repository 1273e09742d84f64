//! `tarfs oci`.

use std::path::{Path, PathBuf};

use clap::Args as Group;
use erofs_tarfs::layout::LayoutOptions;

use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingArgs;
use crate::cli::{progress, quote};
use crate::files::durable::Durability;
use crate::files::kind::Kind;
use crate::files::stream;
use crate::layers::images::opened::Opened;
use crate::layers::images::reference::Reference;
use crate::layers::images::store::Blob;
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;
use crate::layers::{cut_short, merged, warnings};
use crate::make::image;
use crate::make::oci::documents;
use crate::make::oci::layout::LayoutWriter;
use crate::show::oci_report::OciReport;

/// What the help says behind the options.
const FORM: &str = "\
The layers of the new image are the tars of IMAGE as they are, compressed or not, each with the role
`device`, and behind them one EROFS over them: what mounts it unpacks the tars and passes them as device=,
in their order. Its configuration is that of IMAGE, with the feature `erofs`, so that runtimes that do not
know this form pass it over. This is the draft of https://github.com/erofs/erofs-image-spec, sections 2 to 5.

  tarfs oci oci:images:app-erofs oci:images:app     # in the layout itself: only the EROFS is new
  skopeo copy --preserve-digests oci:images:app-erofs docker://registry.example/app:erofs

Without --preserve-digests skopeo compresses tars that are not compressed, and forgets the roles of these
layers.

OUT is a layout, which is made if it is not there. In one that is there an image of the same name is
replaced in the index, and its blobs stay.";

#[derive(Debug, Group)]
#[command(after_help = FORM)]
pub(crate) struct Oci {
    /// Where the image goes: [oci:]DIR[:NAME].
    #[arg(value_name = "OUT")]
    output: String,
    /// The image: oci:DIR[:NAME], oci-archive:FILE[:NAME], dir:DIR or docker://IMAGE.
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// Fail where else there is a warning about a tar: something in it that an image has no place for.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    durability: Durability,
    /// Print one JSON object about the image.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: ReadingArgs,
}

pub(crate) fn run(args: &Oci) -> Done {
    args.durability.set();
    if args.at.tars.is_some() || args.at.tags_are_names {
        let why = "--tars and --tags-are-names are for bootstraps: an image has its tars";
        return Err(Fail::Usage(why.to_owned()));
    }
    let (out, image) = (output(&args.output)?, input(&args.image)?);
    let mut how = args.at.how(args.strict);
    // The devices of a mount are all the tars, in their order.
    how.merge.device_per_layer = true;
    how.layer.keep_empty_device = true;
    how.tag_blobs = true;
    let mut writer = LayoutWriter::new(&out.path)?;
    let mut spool = Spool::Temporary(out.path.clone());
    let opened = Opened::new(&image, &how, &spool.dir())?;
    progress::copied();
    let layers = opened.layers(&how, &mut spool)?;
    warnings::all(&layers, args.strict)?;
    layers.iter().try_for_each(mountable)?;
    let (tree, noted) = merged::merged(&layers, &how.merge)?;

    let mut config = documents::config(&args.image, &opened.config()?)?;
    let mut descriptors = Vec::new();
    let diff_ids = documents::diff_ids(&config);
    for (descriptor, diff_id) in opened.descriptors().iter().zip(&diff_ids) {
        let hex = descriptor.hex(&opened.manifest().path)?;
        let (path, blob) = opened.blob(descriptor)?;
        let (reader, kind) =
            stream::with_kind(blob.reader).map_err(|error| Fail::of(&path, error))?;
        if matches!(kind, Kind::Xz | Kind::Bzip2) {
            let why = format_args!("is compressed by {kind}, for which images have no media type");
            return Err(Fail::of(path, why));
        }
        let blob = writer.copy(hex, Blob { reader, ..blob })?;
        descriptors.push(documents::device(&blob, kind, diff_id));
    }
    let erofs = writer.made(|file| {
        let layout = LayoutOptions::new().limits(how.limits);
        let layout = image::plan(&args.image, &tree, &layout)?;
        Ok(erofs_tarfs::io::write_metadata(&layout, file.file())?)
    })?;
    let devices =
        descriptors.iter().map(|one| one["digest"].as_str().unwrap_or_default().to_owned());
    let devices = devices.collect();
    descriptors.push(erofs.descriptor(documents::EROFS));

    documents::add_layer(&mut config, &erofs);
    let stored = writer.document(&config.clone().into())?;
    let annotations = &opened.manifest().document.annotations;
    let manifest = documents::manifest(&stored, descriptors, annotations);
    let manifest = writer.document(&manifest)?;
    let entry = documents::entry(&manifest, &config, out.pick.name.as_deref());
    writer.finish(entry)?;
    OciReport {
        image: args.output.clone(),
        manifest: format!("sha256:{}", manifest.hex),
        erofs: format!("sha256:{}", erofs.hex),
        erofs_size: erofs.bytes,
        devices,
        noted,
    }
    .print(args.json)
}

/// The layout that an image goes to, and its name there.
fn output(text: &str) -> Done<Reference> {
    let other = |text: &str| Reference::parse(Path::new(text)).is_some() || text.contains("://");
    let rest = text.strip_prefix("oci:").unwrap_or(text);
    let why = |why| Fail::Usage(format!("{}: {why}", quote::name(Path::new(text))));
    if other(rest) {
        return Err(why("only image layouts are written: oci:DIR or DIR"));
    }
    match Reference::parse(Path::new(&format!("oci:{rest}"))) {
        Some(image) if image.pick.digest.is_some() || image.pick.number.is_some() => {
            Err(why("an image gets a name, no digest or number"))
        }
        Some(image) if !image.path.as_os_str().is_empty() => Ok(image),
        _ => Err(why("a directory is needed: DIR or DIR:NAME")),
    }
}

/// The image that is read.
fn input(arg: &Path) -> Done<Reference> {
    let why = "is no image: oci:DIR[:NAME], oci-archive:FILE[:NAME], dir:DIR or docker://IMAGE are";
    Reference::parse(arg).ok_or_else(|| Fail::Usage(format!("{}: {why}", quote::name(arg))))
}

/// Refuses a layer that Linux could not read as a device.
fn mountable(layer: &Loaded) -> Done {
    let data_end = layer.tree.data_ends().first().copied().unwrap_or_default();
    match cut_short::beyond_whole_sectors(layer.source(0)?.bytes()?, data_end) {
        Some(why) => Err(Fail::of(&layer.name, why)),
        None => Ok(()),
    }
}
