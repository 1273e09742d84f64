//! `tarfs inspect`.

use std::io::{self, Write};
use std::path::Path;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::read::Image;
use erofs_tarfs::verity::{Params, Uuid};
use serde::Serialize;

use crate::fail::{Done, Fail};
use crate::output::Output;
use crate::picture::{self, Bar, Part};
use crate::quote::Names;
use crate::report::{self, Device};
use crate::segments::{self, Kind, Segment};
use crate::table::Table;
use crate::{args, behind, geometry, input, load, partition, place, spare};

/// An image. Sizes and offsets are in bytes, unless they are called blocks.
#[derive(Debug, Serialize)]
struct Report {
    path: String,
    size: u64,
    block_size: u32,
    /// All blocks of the address space, devices in the file included.
    blocks: u64,
    /// Length of the disk that it says it is, without a hash tree.
    disk_bytes: Option<u64>,
    checksum: Option<bool>,
    uuid: String,
    volume_name: String,
    inodes: u64,
    root_nid: u64,
    build_time: i64,
    feature_compat: String,
    feature_incompat: String,
    devices: Vec<Device>,
    segments: Vec<Segment>,
}

/// What is wrong with what is none.
pub(crate) const NO_EROFS: &str = "is not an EROFS image (no superblock at offset 1024)";

/// The metadata of what was opened.
fn read(path: &Path, file: NamedFile, kind: input::Kind) -> Done<(NamedFile, Vec<u8>)> {
    match kind {
        input::Kind::Erofs => {
            let bytes = load::metadata(&file)?;
            Ok((file, bytes))
        }
        _ => Err(Fail::of(path, NO_EROFS)),
    }
}

pub(crate) fn run(args: &args::Inspect) -> Done {
    if args.svg.as_deref().map(place::named).transpose()?.is_some_and(|svg| place::is_stdout(&svg))
    {
        return Err(Fail::Usage("--svg: the listing goes to standard output".to_owned()));
    }
    let params = geometry::params(&args.verity)?;
    let mut work = Work { args, params, bars: Vec::new(), out: io::stdout().lock() };
    for path in &args.images {
        let (file, kind) = input::whole(path)?;
        match kind {
            input::Kind::Gpt => work.disk(path, &file)?,
            _ => work.image(path, file, kind)?,
        }
    }
    let Work { bars, .. } = work;
    let Some(svg) = &args.svg else { return Ok(()) };
    args.images.iter().try_for_each(|image| spare::bootstrap(image))?;
    let out = Output::new(svg)?;
    out.file()?.write_all_at(picture::draw(&bars).as_bytes(), 0)?;
    out.finish()
}

/// What is done for each image.
struct Work<'a> {
    args: &'a args::Inspect,
    params: Params,
    bars: Vec<Bar>,
    out: io::StdoutLock<'static>,
}

impl Work<'_> {
    /// A disk with partitions: what they are, then those with EROFS in them.
    fn disk(&mut self, path: &Path, file: &NamedFile) -> Done {
        let found = partition::read(path, file)?;
        let table = Table::new(path, file.bytes()?, &found);
        match self.args.json {
            true => report::line(&mut self.out, &table)?,
            false => table.write(&mut self.out, Names::new(false)).map_err(Fail::stdout)?,
        }
        for with in partition::with_erofs(file, &found.table.partitions)? {
            let name = partition::name(path, with);
            self.image(&name, partition::open(file, with)?, input::Kind::Erofs)?;
        }
        Ok(())
    }

    fn image(&mut self, path: &Path, file: NamedFile, kind: input::Kind) -> Done {
        let (file, bytes) = read(path, file, kind)?;
        let image = Image::new(&bytes).map_err(|error| Fail::of(path, error))?;
        let len = file.bytes()?;
        let tree = behind::tree(&file, image.end(len), &self.params)?;
        let segments = segments::segments(&image, &bytes, len, tree.as_ref());
        if self.args.svg.is_some() {
            self.bars.extend(drawn(path, &image, len, &segments));
        }
        let report = report(path, &image, len, segments);
        match self.args.json {
            true => report::line(&mut self.out, &report),
            false => report.write(&mut self.out, Names::new(false)).map_err(Fail::stdout),
        }
    }
}

/// The file as a bar, and another one of its devices if they are files of their own.
fn drawn(path: &Path, image: &Image<'_>, len: u64, segments: &[Segment]) -> Vec<Bar> {
    let block = u64::from(image.block_size().bytes());
    let parts = segments.iter().map(|segment| Part {
        kind: segment.kind,
        offset: segment.offset,
        bytes: segment.bytes,
        what: segment.what.clone(),
    });
    let name = path.file_name().unwrap_or(path.as_os_str()).display().to_string();
    let size = picture::thousands(len);
    let mut bars = vec![Bar {
        subtitle: format!("{size} bytes; {} inodes, blocks of {block}", image.superblock().inos),
        title: name.clone(),
        parts: parts.collect(),
        apart: false,
    }];
    if !image.holds_devices(len) {
        let parts = image.devices().into_iter().enumerate().map(|(index, device)| Part {
            kind: Kind::Tar,
            offset: device.uniaddr.saturating_mul(block),
            bytes: device.blocks.saturating_mul(block),
            what: segments::device_name(index, &device.tag),
        });
        let (title, subtitle) = (format!("devices of {name}"), "in the order of the table".into());
        bars.push(Bar { title, subtitle, parts: parts.collect(), apart: true });
    }
    bars
}

fn report(path: &Path, image: &Image<'_>, len: u64, segments: Vec<Segment>) -> Report {
    let superblock = image.superblock();
    let inside = image.holds_devices(len);
    let block = u64::from(image.block_size().bytes());
    let devices = image.devices().into_iter().map(|device| Device {
        tag: String::from_utf8_lossy(&device.tag).into_owned(),
        blocks: device.blocks,
        uniaddr: device.uniaddr,
        base_offset: if inside { device.uniaddr * block } else { 0 },
    });
    let name = &superblock.volume_name;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let named = |names: Vec<String>| names.join(" ");
    Report {
        path: path.display().to_string(),
        size: len,
        block_size: image.block_size().bytes(),
        blocks: image.end(len) / block,
        disk_bytes: image.disk_bytes(),
        checksum: image.checksum(),
        uuid: Uuid(superblock.uuid).to_string(),
        volume_name: String::from_utf8_lossy(name).into_owned(),
        inodes: superblock.inos.get(),
        root_nid: image.root(),
        build_time: superblock.epoch.get(),
        feature_compat: named(
            superblock.compat().iter_names().map(|(name, _)| name.to_lowercase()).collect(),
        ),
        feature_incompat: named(
            superblock.incompat().iter_names().map(|(name, _)| name.to_lowercase()).collect(),
        ),
        devices: devices.collect(),
        segments,
    }
}

impl Report {
    fn write(&self, out: &mut impl Write, names: Names) -> io::Result<()> {
        writeln!(out, "{}: {} bytes", names.text(&self.path), self.size)?;
        writeln!(out, "blocks:     {} of {} bytes", self.blocks, self.block_size)?;
        match self.disk_bytes {
            Some(bytes) if bytes > self.size => {
                let missing = bytes - self.size;
                writeln!(out, "disk:       {bytes} bytes, cut short: {missing} are missing")?;
            }
            Some(bytes) => writeln!(out, "disk:       {bytes} bytes")?,
            None => {}
        }
        let checksum = match self.checksum {
            Some(true) => "right",
            Some(false) => "WRONG",
            None => "none",
        };
        writeln!(out, "checksum:   {checksum}")?;
        writeln!(out, "uuid:       {}", self.uuid)?;
        writeln!(out, "volume:     {:?}", self.volume_name)?;
        writeln!(out, "inodes:     {}, root {}", self.inodes, self.root_nid)?;
        writeln!(out, "build time: {}", self.build_time)?;
        writeln!(out, "compat:     {}", self.feature_compat)?;
        writeln!(out, "incompat:   {}", self.feature_incompat)?;
        for (index, device) in self.devices.iter().enumerate() {
            let Device { tag, blocks, uniaddr, base_offset } = device;
            let (index, tag) = (index + 1, names.text(tag));
            writeln!(
                out,
                "device {index}: {blocks} blocks at {uniaddr}, base offset {base_offset}, tag {tag}"
            )?;
        }
        for Segment { offset, bytes, what, .. } in &self.segments {
            let what = names.text(what);
            writeln!(out, "segment:    {offset:>12} + {bytes:>12}  {what}")?;
        }
        Ok(())
    }
}
