//! `tarfs du`.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};

use clap::Args as Group;
use erofs_tarfs::tree::{InodeId, NodeKind, Tree};
use serde::Serialize;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote::Names;
use crate::cli::reading_options::PathsIn;
use crate::layers::{as_mounted, chosen};
use crate::show::print;

#[derive(Debug, Group)]
#[command(after_help = "\
Bytes are those of file data that are stored: holes, and the metadata of names, count nothing, and a file with several
names counts once, where it is met first.

Examples:
  tarfs du -s image.disk 'usr' 'var'
  tarfs du --json image.disk | jq -s 'sort_by(-.bytes)[:10]'")]
pub(crate) struct Du {
    /// A line for each PATH alone, and none for the directories below.
    #[arg(short, long)]
    summarize: bool,
    /// An object for each line, with bytes and names.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    of: PathsIn,
}

/// A line.
#[derive(Debug, Serialize)]
struct Used {
    path: String,
    bytes: u64,
    /// What is in it, directories too, itself not.
    names: u64,
}

pub(crate) fn run(args: &Du) -> Done {
    let image = as_mounted::open(&args.of.image, &args.of.at.how(false))?;
    let chosen = chosen::all(&image.tree, &args.of.image, &args.of.or_root(), args.of.glob)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let (names, mut seen) = (Names::new(false), HashSet::new());
    for (path, id) in &chosen {
        let path = path.as_encoded_bytes();
        used(&image.tree, *id, path, &mut seen, |path, bytes, inside, is_top| {
            if args.summarize && !is_top {
                return Ok(());
            }
            if args.json {
                let path = String::from_utf8_lossy(path).into_owned();
                return print::json_line(&mut out, &Used { path, bytes, names: inside });
            }
            write!(out, "{bytes}\t")?;
            names.write(&mut out, path)?;
            out.write_all(b"\n")
        })
        .map_err(Fail::stdout)?;
    }
    out.flush().map_err(Fail::stdout)
}

/// A directory that is summed up.
struct Open {
    id: InodeId,
    next: usize,
    /// How long its path is.
    len: usize,
    bytes: u64,
    names: u64,
}

/// Adds up what is below a path, and tells of each directory at its end; of a file, of that alone. `seen` has the files
/// with several names that were counted.
fn used(
    tree: &Tree,
    id: InodeId,
    path: &[u8],
    seen: &mut HashSet<InodeId>,
    mut tell: impl FnMut(&[u8], u64, u64, bool) -> io::Result<()>,
) -> io::Result<()> {
    let mut stored = |id: InodeId| match tree.nlink(id) > 1 && !seen.insert(id) {
        true => 0,
        false => tree.file(id).map_or(0, |file| file.extents().iter().map(|part| part.len).sum()),
    };
    if tree.kind(id) != NodeKind::Directory {
        return tell(path, stored(id), 0, true);
    }
    let mut here = path.to_vec();
    let mut open = vec![Open { id, next: 0, len: here.len(), bytes: 0, names: 0 }];
    while let Some(last) = open.last_mut() {
        here.truncate(last.len);
        let Some((name, child)) = tree.nth_child(last.id, last.next) else {
            let (bytes, names) = (last.bytes, last.names);
            open.pop();
            tell(&here, bytes, names, open.is_empty())?;
            if let Some(above) = open.last_mut() {
                above.bytes += bytes;
                above.names += names;
            }
            continue;
        };
        last.next += 1;
        last.names += 1;
        if tree.kind(child) != NodeKind::Directory {
            last.bytes += stored(child);
            continue;
        }
        if !here.is_empty() && !here.ends_with(b"/") {
            here.push(b'/');
        }
        here.extend_from_slice(name);
        open.push(Open { id: child, next: 0, len: here.len(), bytes: 0, names: 0 });
    }
    Ok(())
}
