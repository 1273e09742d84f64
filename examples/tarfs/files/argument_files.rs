//! The files that arguments name. They are protected when a command begins, because it creates its
//! outputs before it opens its inputs.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use crate::files::stream::STDIN;
use crate::files::{partition, protected};

/// How deep files of an image in a directory lie: `blobs/sha256/DIGEST`.
const DEPTH: usize = 3;

/// Protects what arguments name that will be read: files, and all files of images that are named as
/// `FORM:PATH[:TAG]`.
pub(crate) fn protect<P: AsRef<Path>>(args: &[P]) {
    for arg in args {
        let arg = arg.as_ref();
        if arg == Path::new(STDIN) {
            stdin();
            continue;
        }
        let (file, _) = partition::split(arg);
        if file.exists() {
            protected::named(&file);
            continue;
        }
        let Some((_, mut image)) = arg.to_str().and_then(|arg| arg.split_once(':')) else {
            continue;
        };
        // The name of an image may have colons, so all beginnings of the text are tried as a path.
        loop {
            within(Path::new(image), 0);
            match image.rfind([':', '@']) {
                Some(at) => image = &image[..at],
                None => break,
            }
        }
    }
}

/// What is read from standard input, which may be a file: `tarfs layer -o FILE - <FILE`.
fn stdin() {
    let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    stdin.iter().for_each(|file| protected::opened(Path::new("standard input"), file));
}

fn within(path: &Path, depth: usize) {
    if path == Path::new(STDIN) {
        return stdin();
    }
    if !path.is_dir() {
        return protected::named(path);
    }
    if depth < DEPTH {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| within(&entry.path(), depth + 1));
    }
}
