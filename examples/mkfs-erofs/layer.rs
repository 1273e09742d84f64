//! A tar becomes a layer; what is said of it.

use std::borrow::Cow;
use std::path::Path;

use erofs_tarfs::ingest::IngestOptions;
use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::layout::Layout;
use erofs_tarfs::tree::{self, Layer, LayerOptions};

use crate::fail::{Done, warn};
use crate::source::Tar;
use crate::wanted::Wanted;

/// What was made.
pub(crate) struct Made {
    pub(crate) inodes: u64,
    pub(crate) block_size: u32,
}

impl Made {
    pub(crate) fn of(layout: &Layout<'_>) -> Self {
        Self { inodes: layout.inode_count(), block_size: layout.block_size().bytes() }
    }
}

/// Reads a tar to its end. Every byte of a stream also goes to the file of `tee`, from that offset on.
pub(crate) fn read(tar: Tar, wanted: &Wanted, tee: Option<(&NamedFile, u64)>) -> Done<Layer> {
    // A UUID that nobody gave is made of the content, of which the tar's digest is a part.
    let diff_id = wanted.layout.uuid.is_none();
    let options = IngestOptions::new()
        .layer(LayerOptions::new().drop_unknown_xattrs(true))
        .diff_id(diff_id)
        .tag_diff_id(diff_id);
    let mut layer = match tar {
        // The bodies in a file are passed over, if nothing needs them.
        Tar::File(file) if !diff_id => {
            let layer = tarfs_io::index_file(&file, options.layer, &mut |_| {})?;
            judge(file.path(), &layer)?;
            layer
        }
        Tar::File(file) => {
            let reader = file.file();
            let done = tarfs_io::ingest(file.path(), reader, options, None, &mut |_| {})?;
            judge(file.path(), &done.layer)?;
            done.layer
        }
        Tar::Stream(name, reader) => {
            let done = tarfs_io::ingest(&name, reader, options, tee, &mut |_| {})?;
            judge(&name, &done.layer)?;
            done.layer
        }
    };
    if let Cow::Owned(changed) = tree::change(&layer.tree, &wanted.changes)? {
        layer.tree = changed;
    }
    Ok(layer)
}

/// Says what of the tar was not taken as it stands, and refuses one that is empty.
fn judge(name: &Path, layer: &Layer) -> Done {
    if layer.end.bytes == 0 {
        return Err(tarfs_io::Error::Empty { file: name.to_owned() }.into());
    }
    if let Some(text) = layer.end.warning() {
        warn(name, text);
    }
    layer.notes.warnings().for_each(|text| warn(name, text));
    Ok(())
}
