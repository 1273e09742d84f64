//! Disks that are not plain files: over tars as they lie, or in partitions of one.

use std::fs;
use std::path::{Path, PathBuf};

use erofs_tarfs::export::Product;
use erofs_tarfs::io::{Mapped, NamedFile};
use erofs_tarfs::outputs::{
    self, Architecture, Extents, Gpt, Partition, Placed, Role, Volume, vmdk,
};
use erofs_tarfs::tree::Tree;
use erofs_tarfs::verity::Sealed;

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::Progress;
use crate::cli::quote;
use crate::files::output::{self, Output};
use crate::files::place;
use crate::layers::noted::Noted;
use crate::make::disk_files::{Disk, DiskFiles, Sealing};
use crate::make::disk_form::{DiskForm, DiskForms};
use crate::make::job::Job;
use crate::make::{image, volume};
use crate::show::dm_script;
use crate::show::hash_tree_report::HashTreeReport;
use crate::show::partitioned::Partitioned;
use crate::show::report::{self, Report};

/// A disk to be made.
pub(crate) struct Wanted<'a> {
    /// What a partition of it is called.
    pub(crate) name: String,
    pub(crate) tree: &'a Tree,
    pub(crate) sources: Vec<NamedFile>,
    /// What of its layers was not taken as it stands.
    pub(crate) noted: Noted,
}

/// What was made, without names yet.
pub(crate) struct Made {
    outputs: Vec<Output>,
    report: Reported,
}

enum Reported {
    Disk(Report),
    Partitions(Partitioned),
}

impl Reported {
    fn made(&mut self, made: report::HowMade) {
        match self {
            Self::Disk(report) => report.made = made,
            Self::Partitions(report) => report.made = made,
        }
    }
}

impl Made {
    /// Gives the files their names, and others with them.
    pub(crate) fn finish(outputs: Vec<Self>, mut files: Vec<Output>, json: bool) -> Done {
        let mut reports = Vec::new();
        for Self { outputs, report } in outputs {
            files.extend(outputs);
            reports.push(report);
        }
        output::finish(files)?;
        reports.iter().try_for_each(|report| match report {
            Reported::Disk(report) => report.print(json),
            Reported::Partitions(report) => report.print(json),
        })
    }
}

/// Refuses outputs that can't have the wanted form.
pub(crate) fn check(forms: &DiskForms, output: &Path, product: Product) -> Done {
    if product == Product::HashTree {
        let text = "*_verity_only modes make no disk: --form and --gpt say nothing of hash trees";
        return Err(Fail::Usage(text.to_owned()));
    }
    if forms.form == DiskForm::Raw {
        return Ok(());
    }
    // The other forms name files beside the output, relative to its directory.
    if place::is_stdout(output) {
        let why = "this form names files beside it: -o FILE, not standard output";
        return Err(Fail::Usage(why.to_owned()));
    }
    match output.is_symlink() && !output.is_dir() {
        true => {
            let why = "is a link: this form names files beside it, where it lies";
            Err(Fail::Usage(format!("{}: {why}", quote::name(output))))
        }
        false => Ok(()),
    }
}

/// The name of the file for all that is in no tar.
fn metadata_path(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".metadata");
    name.into()
}

/// Makes one disk, or one with all of them in partitions.
pub(crate) fn make(
    job: &Job,
    forms: &DiskForms,
    out: &Path,
    wanted: Vec<Wanted<'_>>,
    volume: Option<(Volume, Architecture)>,
) -> Done<Made> {
    let form = forms.form;
    let output = Output::new(out)?;
    let mut outputs = Vec::new();
    let metadata = if form == DiskForm::Raw {
        // It is temporary: its bytes are copied into the disk, or shared.
        let file = tempfile::tempfile_in(place::beside(out));
        NamedFile::new(out, file.map_err(|error| Fail::of(out, error))?)
    } else {
        outputs.push(Output::new(&metadata_path(out))?);
        outputs[0].file()?
    };
    let mut disk_files = DiskFiles::new(metadata);
    let (params, options, apart) = (&job.options.verity, &job.hashing, volume.is_some());
    let sealing =
        (job.product == Product::SealedDisk).then_some(Sealing { params, options, apart });
    let mut disks = Vec::new();
    for Wanted { name, tree, sources, noted } in wanted {
        let layout = image::plan(out, tree, &job.options.layout)?;
        let disk = disk_files.add(out, &layout, sources, sealing)?;
        let report = Report::new(out, disk.extents.bytes(), &layout, disk.data_bytes);
        let report = Report { noted, ..report };
        disks.push((name, disk, report));
    }
    let (extents, mut report, sealed) = match forms.gpt {
        Some(_) => partitioned(&mut disk_files, out, disks, volume)?,
        None => single(out, disks)?,
    };
    let file = output.file()?;
    let mut made = report::HowMade { form: form.into(), files: Vec::new(), copied: None };
    if form == DiskForm::Raw {
        let progress = Progress::new("writing", Some(extents.bytes()));
        let mapped = Mapped::new(&extents, disk_files.files())?;
        made.copied = Some(mapped.write(&file, &mut progress.observer())?.into());
    } else {
        let (text, files) = over_files(form, &mut disk_files, out, extents, sealed.as_ref())?;
        file.write_all_at(text.as_bytes(), 0)?;
        made.files = files;
    }
    report.made(made);
    outputs.push(output);
    Ok(Made { outputs, report })
}

type WholeDisk = (Extents<usize>, Reported, Option<Sealed>);

/// The only disk.
fn single(out: &Path, disks: Vec<(String, Disk, Report)>) -> Done<WholeDisk> {
    let Some((_, disk, mut report)) = disks.into_iter().next() else {
        return Err(Fail::of(out, "there is no layer"));
    };
    let name = Path::new("DISK");
    report.verity = disk.sealed.as_ref().map(|sealed| HashTreeReport::new(sealed, name, name));
    Ok((disk.extents, Reported::Disk(report), disk.sealed))
}

/// All disks, in partitions of one; with `volume` the only one, and its hash tree in another.
fn partitioned(
    disk_files: &mut DiskFiles,
    out: &Path,
    disks: Vec<(String, Disk, Report)>,
    volume: Option<(Volume, Architecture)>,
) -> Done<WholeDisk> {
    let failed = |error: outputs::Error| Fail::of(out, error);
    let (mut wanted, mut extents, mut reports) = (Vec::new(), Vec::new(), Vec::new());
    for (name, disk, report) in disks {
        let (role, name) = match volume {
            Some((volume, architecture)) => {
                (Role::Volume(volume, architecture), volume::label(volume, architecture))
            }
            None => (Role::Data, name),
        };
        let (identity, bytes) = (disk.identity.clone(), disk.extents.bytes());
        wanted.push(Partition { name: name.clone(), identity, bytes, role });
        extents.push(disk.extents);
        reports.push(Some((report, disk.sealed)));
        if let (Some(tree), Some((volume, architecture))) = (disk.tree, volume) {
            let role = Role::Tree(volume, architecture);
            let (name, bytes) = (format!("{name}-verity"), tree.bytes());
            wanted.push(Partition { name, identity: disk.identity, bytes, role });
            extents.push(tree);
            reports.push(None);
        }
    }
    let gpt = Gpt::new(wanted, Gpt::ALIGN).map_err(failed)?;
    let at = disk_files.put(&[gpt.head(), gpt.tail()].concat())?;
    let mut report = Partitioned::new(out, &gpt);
    let device = |placed: &Placed| PathBuf::from(format!("/dev/disk/by-partuuid/{}", placed.guid));
    for (index, of_disk) in reports.into_iter().enumerate() {
        let placed = &gpt.partitions()[index];
        let of_disk = of_disk.map(|(mut of_disk, sealed)| {
            // The hash tree is in the partition itself, or for systemd in the next one.
            let tree = gpt.partitions().get(index + 1).filter(|_| volume.is_some());
            let (data, hash) = (device(placed), device(tree.unwrap_or(placed)));
            of_disk.verity = sealed.map(|sealed| HashTreeReport::new(&sealed, &data, &hash));
            of_disk
        });
        report.push(placed, of_disk);
    }
    let extents = gpt.extents(extents, 0, at).map_err(failed)?;
    Ok((extents, Reported::Partitions(report), None))
}

/// The text of a form over files, and the files' names as they stand in it.
fn over_files(
    form: DiskForm,
    disk_files: &mut DiskFiles,
    out: &Path,
    extents: Extents<usize>,
    sealed: Option<&Sealed>,
) -> Done<(String, Vec<String>)> {
    let failed = |error: outputs::Error| Fail::of(out, error);
    let files = disk_files.files().iter().map(|file| name(file.path(), out));
    let files = files.collect::<Done<Vec<String>>>()?;
    let text = if form == DiskForm::Vmdk {
        let extents = disk_files.back_zeros(extents)?;
        vmdk(&extents.map(|index| files[index].as_str())).map_err(failed)?
    } else {
        dm_script::text(&files, extents, sealed).map_err(failed)?
    };
    let first = dm_script::first_of_each(&files);
    let distinct = files.iter().enumerate().filter(|(index, _)| first[*index] == *index);
    let distinct = distinct.map(|(_, file)| file.clone()).collect();
    Ok((text, distinct))
}

/// What a file is called in an output: from the directory of the output on, or from the root.
fn name(path: &Path, out: &Path) -> Done<String> {
    // The file itself may not have its name yet.
    let real = |path: &Path| fs::canonicalize(path).map_err(|error| Fail::of(path, error));
    let dir = real(place::directory(out))?;
    let last = path.file_name().ok_or_else(|| Fail::of(path, "has no name"))?;
    let full = real(place::directory(path))?.join(last);
    let name = full.strip_prefix(&dir).unwrap_or(&full);
    let name = name.to_str().ok_or_else(|| Fail::of(path, "has a name that is not UTF-8"))?;
    Ok(name.to_owned())
}
