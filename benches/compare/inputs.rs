//! What is read: made once, the same bytes each time.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use erofs_tarfs::{image, layout};

use crate::done::Done;

#[path = "../../erofs-tarfs/benches/tars/mod.rs"]
mod tars;

pub(crate) use tars::{fill, header, small_layer, write_names};

/// Bytes of each file in the large tar.
const LARGE_FILE: usize = 1 << 20;

/// A tar of files of 0 to 4096 bytes, as many in each directory.
pub(crate) fn files(dir: &Path, files: usize, per_directory: usize) -> Done<PathBuf> {
    made(dir.join(format!("files-{files}-{per_directory}.tar")), |out| {
        tars::write_files(files, per_directory, out)
    })
}

/// A tar of random files of 1 MiB, of `bytes` bytes at least, padded to whole blocks of 4096.
pub(crate) fn large(dir: &Path, bytes: u64) -> Done<PathBuf> {
    made(dir.join(format!("large-{}.tar", bytes >> 20)), |out| {
        let mut body = vec![0; LARGE_FILE];
        let mut written = 0;
        for number in 0..bytes.div_ceil(LARGE_FILE as u64) {
            fill(number, &mut body);
            let path = format!("data/file-{number:06}");
            out.write_all(&header(&path, b'0', LARGE_FILE as u64, 0))?;
            out.write_all(&body)?;
            written += 512 + LARGE_FILE;
        }
        let end = (written + 1024).next_multiple_of(4096);
        out.write_all(&vec![0; end - written])
    })
}

/// A tar of files of 64 KiB, in a directory of this name, that compress as a distribution's do, to about a third.
pub(crate) fn words(dir: &Path, name: &str, bytes: u64) -> Done<PathBuf> {
    const FILE: usize = 64 << 10;
    made(dir.join(format!("{name}-{}.tar", bytes >> 20)), |out| {
        let (mut choices, mut body) = (vec![0; FILE], Vec::new());
        for number in 0..bytes / FILE as u64 {
            fill(number, &mut choices);
            body.clear();
            for choice in choices.chunks_exact(8) {
                // Half of all pieces are new, half are of before: some bytes from not far away.
                let (from, len) =
                    (usize::from(choice[0]) * 32 + 8, usize::from(choice[1] % 24) + 4);
                match body.len().checked_sub(from) {
                    Some(from) if choice[2] % 2 == 0 => {
                        body.extend_from_within(from..from + len.min(8))
                    }
                    Some(from) if choice[2] % 4 == 1 => {
                        body.extend_from_within(from..(from + len).min(body.len()));
                    }
                    _ => body.extend(choice.iter().map(|byte| b' ' + byte % 32)),
                }
            }
            body.resize(FILE, 0);
            out.write_all(&header(&format!("{name}/file-{number:06}"), b'0', FILE as u64, 0))?;
            out.write_all(&body)?;
        }
        out.write_all(&[0; 1024])
    })
}

/// Bootstraps of layers of empty files.
pub(crate) fn bootstraps(dir: &Path, layers: usize, entries: usize) -> Done<Vec<PathBuf>> {
    let dir = dir.join(format!("layers-{layers}-{entries}"));
    fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let layer = |number| {
        made(dir.join(format!("{number}.erofs")), |out| {
            let tree = small_layer(entries, number, false);
            let layout = layout::plan(&tree, &layout::LayoutOptions::default());
            out.write_all(&image::bootstrap(&layout.map_err(io::Error::other)?))
        })
    };
    (0..layers).map(layer).collect()
}

/// A file that is made if it is not there.
fn made(
    path: PathBuf,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Done<PathBuf> {
    if !path.exists() {
        let unfinished = path.with_extension("part");
        let done = File::create(&unfinished).and_then(|file| {
            let mut out = BufWriter::with_capacity(1 << 20, file);
            write(&mut out)?;
            out.flush()?;
            fs::rename(&unfinished, &path)
        });
        done.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(path)
}

/// Files that go when the rows that need them are done.
pub(crate) struct Fleeting(pub(crate) PathBuf);

impl Fleeting {
    /// A new directory.
    pub(crate) fn new(parent: &Path) -> Done<Self> {
        let path = parent.join(format!("tarfs-compare-{}", std::process::id()));
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Fleeting {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
