//! A tar becomes a layer; what is said of it.

use std::path::Path;

use erofs_tarfs::ingest::IngestOptions;
use erofs_tarfs::io as tarfs_io;
use erofs_tarfs::tree::{Layer, LayerOptions};

use crate::fail::{Done, Fail, warn};
use crate::source::Tar;

/// What Linux reads at a time at least: a tar's last bytes that fill no sector can't be read.
const SECTOR: u64 = 512;

/// Reads a tar to its end, and what follows its end too: whoever writes a pipe is never cut off. The
/// layer's device gets the blob ID for a tag, or the tar's SHA-256 if there is none.
pub(crate) fn read(tar: Tar, blob_id: Option<&str>) -> Done<Layer> {
    let layer = LayerOptions::new().drop_unknown_xattrs(true).tag(blob_id.unwrap_or_default());
    let unnamed = blob_id.is_none();
    let options = IngestOptions::new().layer(layer).diff_id(unnamed).tag_diff_id(unnamed);
    let (name, layer) = match tar {
        // The bodies in a file are passed over, if nothing needs them.
        Tar::File(file) if !options.diff_id => {
            let layer = tarfs_io::index_file(&file, options.layer, &mut |_| {})?;
            (file.path().to_owned(), layer)
        }
        Tar::File(file) => {
            let done = tarfs_io::ingest(file.path(), file.file(), options, None, &mut |_| {})?;
            (file.path().to_owned(), done.layer)
        }
        Tar::Stream(name, reader) => {
            let done = tarfs_io::ingest(&name, reader, options, None, &mut |_| {})?;
            (name, done.layer)
        }
    };
    judge(&name, &layer)?;
    Ok(layer)
}

/// Says what of the tar was not taken as it stands, and refuses one that can be no device.
fn judge(name: &Path, layer: &Layer) -> Done {
    let bytes = layer.end.bytes;
    if bytes == 0 {
        return Err(tarfs_io::Error::Empty { file: name.to_owned() }.into());
    }
    let data_end = layer.tree.data_ends().first().copied().unwrap_or(0);
    if data_end > bytes / SECTOR * SECTOR {
        let why =
            format!("has {bytes} bytes, no multiple of {SECTOR}, and a file ends in the last ones");
        return Err(Fail::of(name, format_args!("{why}: Linux could not read them")));
    }
    if let Some(text) = layer.end.warning() {
        warn(name, text);
    }
    layer.notes.warnings().for_each(|text| warn(name, text));
    Ok(())
}
