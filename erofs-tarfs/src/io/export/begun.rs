//! A disk that is made in the file into which the tars of its layers were written as they came in.

use super::{Backing, Export};
use crate::image::{DiskPlan, SegmentSource};
use crate::io::{Error, NamedFile, Output};

impl Export<'_> {
    /// Sets a file in which the tars of layers are already, because they were written there as they came in. If
    /// the export makes one raw disk, and each of its devices is a range of that file at the very place that the
    /// disk has for it, the disk is made in it and no byte of a tar is copied. Else it is a file to read as any
    /// other, and the disk another one.
    ///
    /// Where devices will be can be told with the data first: the first at
    /// [`data_first_offset`](crate::layout::data_first_offset), each next one at the next multiple of the larger of
    /// a block and 4096 bytes.
    ///
    /// ```
    /// use erofs_tarfs::export::{ExportOptions, Mode};
    /// use erofs_tarfs::ingest::IngestOptions;
    /// use erofs_tarfs::io::{self, Export, Output};
    /// use erofs_tarfs::layout::{self, Artifact, DiskOrder, LayoutOptions};
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::tar_of;
    /// # let dir = tempfile::tempdir()?;
    /// # let disk = dir.path().join("base.disk");
    /// # let tar = tar_of(&[("etc/motd", "hello\n")]);
    ///
    /// let how = LayoutOptions::disk().artifact(Artifact::Disk(DiskOrder::DataFirst));
    /// let (begun, at) = (Output::new(&disk)?, layout::data_first_offset(1, how.block_size));
    /// let options = IngestOptions::new().tag_diff_id(true);
    /// let done = io::ingest("a tar".as_ref(), &tar[..], options, Some((begun.file(), at)), &mut |_| {})?;
    ///
    /// let place = begun.file().try_clone()?.range(at, tar.len() as u64)?;
    /// let export = Export::new(Mode::LayerBlock).options(ExportOptions::new().layout(how));
    /// let made = export.layer(done.layer.tree, vec![place.into()], vec![]).begun(begun).write(&disk)?;
    /// assert_eq!(made[0].copied.unwrap_or_default().in_place, tar.len() as u64);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn begun(self, output: Output) -> Self {
        Self { begun: Some(output), ..self }
    }
}

/// Whether each device of a disk is in this file already, at its place.
pub(super) fn is_whole(
    plan: &DiskPlan,
    sources: &[&Backing<'_>],
    out: &NamedFile,
) -> Result<bool, Error> {
    let Some((volume, number, start)) = out.place()? else { return Ok(false) };
    for segment in &plan.segments {
        let SegmentSource::Device { index, offset } = segment.source else { continue };
        let Some(file) = sources.get(index).and_then(|source| source.file()) else {
            return Ok(false);
        };
        let Some((file_volume, file_number, from)) = file.place()? else { return Ok(false) };
        let (at, wanted) = (from.checked_add(offset), start.checked_add(segment.offset));
        if (file_volume, file_number) != (volume, number) || at.is_none() || at != wanted {
            return Ok(false);
        }
    }
    Ok(true)
}
