//! `tarfs cat`.

use std::ffi::OsStr;
use std::io::{self, Read, Write};

use clap::Args as Group;
use erofs_tarfs::io::{Buffer, NamedFile};
use erofs_tarfs::tree::{Content, InodeId};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::cli::reading_options::PathsIn;
use crate::layers::file_data::FileData;
use crate::layers::loaded::Loaded;
use crate::layers::tar_search::Verify;
use crate::layers::{as_mounted, chosen};

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs cat image.disk etc/passwd etc/group
  tarfs cat --glob image.disk 'etc/apt/sources.list.d/*'")]
pub(crate) struct Cat {
    #[command(flatten)]
    of: PathsIn,
}

pub(crate) fn run(args: &Cat) -> Done {
    let of = &args.of;
    if of.paths.is_empty() {
        return Err(Fail::Usage("cat: say which file of the image, as PATH".to_owned()));
    }
    let mut image = as_mounted::open(&of.image, &of.at.how(false))?;
    // A few files are read, which may be a small part of their tars.
    image.verify(Verify::OtherNames);
    let chosen = chosen::all(&image.tree, &of.image, &of.paths, of.glob)?;
    let has_bytes = |id| matches!(image.tree.content(id), Content::Regular { size: 1.., .. });
    let sources = match chosen.iter().any(|(_, id)| has_bytes(*id)) {
        true => image.sources()?,
        false => Vec::new(),
    };
    for (path, id) in &chosen {
        one(args, &image, path, *id, &sources)?;
    }
    Ok(())
}

/// Writes one file.
fn one(args: &Cat, image: &Loaded, path: &OsStr, id: InodeId, sources: &[NamedFile]) -> Done {
    let name = &args.of.image;
    let mut body = FileData::new(&image.tree, id, sources, name)?;
    let mut out = io::stdout().lock();
    let mut buf = Buffer::new(256 << 10);
    loop {
        let n = body
            .read(&mut buf)
            .map_err(|error| Fail::of(name, format_args!("{}: {error}", quote::name(path))))?;
        if n == 0 {
            return out.flush().map_err(Fail::stdout);
        }
        out.write_all(&buf[..n]).map_err(Fail::stdout)?;
    }
}
