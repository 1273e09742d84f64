//! `tarfs stat`.

use std::io::{self, BufWriter, Write};

use clap::Args as Group;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote::Names;
use crate::cli::reading_options::PathsIn;
use crate::layers::{as_mounted, chosen};
use crate::show::details;
use crate::show::file_json::FileJson;
use crate::show::print;

#[derive(Debug, Group)]
pub(crate) struct Stat {
    /// Names and targets as they are, also on a terminal, where they are quoted as `ls` does.
    #[arg(long)]
    raw: bool,
    /// An object for each file, a line each; extents are where its bytes lie.
    #[arg(long, conflicts_with = "raw")]
    json: bool,
    #[command(flatten)]
    of: PathsIn,
}

pub(crate) fn run(args: &Stat) -> Done {
    let (of, names) = (&args.of, Names::new(args.raw));
    if of.paths.is_empty() {
        return Err(Fail::Usage("stat: say which file of the image, as PATH".to_owned()));
    }
    let image = as_mounted::open(&of.image, &of.at.how(false))?;
    let chosen = chosen::all(&image.tree, &of.image, &of.paths, of.glob)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for (index, (path, id)) in chosen.iter().enumerate() {
        let path = path.as_encoded_bytes();
        let done = match args.json {
            true => print::json_line(&mut out, &FileJson::new(&image.tree, *id, path, true)),
            false => {
                let between = if index > 0 { out.write_all(b"\n") } else { Ok(()) };
                between.and_then(|()| details::write(&mut out, &image.tree, *id, path, names))
            }
        };
        done.map_err(Fail::stdout)?;
    }
    out.flush().map_err(Fail::stdout)
}
