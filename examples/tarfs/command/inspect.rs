//! `tarfs inspect`.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args as Group;
use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::Image;
use erofs_tarfs::verity::Params;

use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::{self, Preset};
use crate::cli::quote::Names;
use crate::files::durable::Durability;
use crate::files::kind::{self, NO_EROFS};
use crate::files::output::Output;
use crate::files::{open, partition, place};
use crate::hash_tree::search;
use crate::layers::needed_tars;
use crate::show::partition_table::Table;
use crate::show::picture::{self, Bar};
use crate::show::{folded, image_picture, image_report, print, segments};

#[derive(Debug, Group)]
#[command(after_help = "\
A hash tree behind the filesystem is found if it has the parameters of the options, of its
superblock, or of a preset.")]
pub(crate) struct Inspect {
    /// Print one JSON object, one a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw to scale what lies where, all images to one scale.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) verity: Preset,
    #[command(flatten)]
    pub(crate) durability: Durability,
    /// Bootstraps or disks.
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<PathBuf>,
}

/// The metadata of what was opened.
fn read(path: &Path, file: NamedFile, kind: kind::Kind) -> Done<(NamedFile, Vec<u8>)> {
    match kind {
        kind::Kind::Erofs => {
            let bytes = tarfs_io::read_metadata(&file)?;
            Ok((file, bytes))
        }
        _ => Err(Fail::of(path, NO_EROFS)),
    }
}

pub(crate) fn run(args: &Inspect) -> Done {
    args.durability.set();
    if args.svg.as_deref().map(place::named).transpose()?.is_some_and(|svg| place::is_stdout(&svg))
    {
        return Err(Fail::Usage("--svg: the listing goes to standard output".to_owned()));
    }
    let params = hash_tree_options::params(&args.verity)?;
    let mut work = Work { args, params, bars: Vec::new(), out: io::stdout().lock() };
    for path in &args.images {
        let (file, kind) = open::input_or_disk(path)?;
        match kind {
            kind::Kind::Gpt => work.disk(path, &file)?,
            _ => work.image(path, file, kind)?,
        }
    }
    let Work { bars, .. } = work;
    let Some(svg) = &args.svg else { return Ok(()) };
    args.images.iter().try_for_each(|image| needed_tars::bootstrap(image))?;
    let out = Output::new(svg)?;
    out.file()?.write_all_at(picture::draw(&folded::folded(bars)).as_bytes(), 0)?;
    out.finish()
}

/// What is done for each image.
struct Work<'a> {
    args: &'a Inspect,
    params: Params,
    bars: Vec<Bar>,
    out: io::StdoutLock<'static>,
}

impl Work<'_> {
    /// A disk with partitions: what they are, then those with EROFS in them.
    fn disk(&mut self, path: &Path, file: &NamedFile) -> Done {
        let found = partition::read(path, file)?;
        let table = Table::new(path, file.bytes()?, &found);
        let (out, json) = (&mut self.out, self.args.json);
        print::report(out, &table, json, |out| table.write(out, Names::new(false)))?;
        for with in partition::with_erofs(file, &found.table.partitions)? {
            let name = partition::name(path, with);
            self.image(&name, partition::open(file, with)?, kind::Kind::Erofs)?;
        }
        Ok(())
    }

    fn image(&mut self, path: &Path, file: NamedFile, kind: kind::Kind) -> Done {
        let (file, bytes) = read(path, file, kind)?;
        let image = Image::new(&bytes).map_err(|error| Fail::of(path, error))?;
        let len = file.bytes()?;
        let tree = search::find(&file, image.end(len), &self.params)?;
        let segments = segments::segments(&image, &bytes, len, tree.as_ref());
        if self.args.svg.is_some() {
            self.bars.extend(image_picture::bars(path, &image, len, &segments));
        }
        let report = image_report::of(path, &image, len, segments);
        let (out, json) = (&mut self.out, self.args.json);
        print::report(out, &report, json, |out| report.write(out, Names::new(false)))
    }
}
