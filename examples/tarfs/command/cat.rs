//! `tarfs cat`.

use std::io::{self, Read, Write};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::cli::reading_options::PathIn;
use crate::layers::file_data::FileData;
use crate::layers::tar_search::Verify;
use crate::layers::{as_mounted, paths};

pub(crate) fn run(args: &PathIn) -> Done {
    let mut image = as_mounted::open(&args.image, &args.at.how(false))?;
    // One file is read, which may be a small part of its tar.
    image.verify(Verify::OtherNames);
    let id = paths::at(&image.tree, &args.image, &args.path)?;
    let sources = match image.tree.content(id) {
        erofs_tarfs::tree::Content::Regular { size: 1.., .. } => image.sources()?,
        _ => Vec::new(),
    };
    let mut body = FileData::new(&image.tree, id, sources, &args.image)?;
    let mut out = io::stdout().lock();
    let mut buf = vec![0; 256 << 10];
    loop {
        let n = body.read(&mut buf).map_err(|error| {
            Fail::of(&args.image, format_args!("{}: {error}", quote::name(&args.path)))
        })?;
        if n == 0 {
            return out.flush().map_err(Fail::stdout);
        }
        out.write_all(&buf[..n]).map_err(Fail::stdout)?;
    }
}
