//! `tarfs verity status`: what is known of a device of dm-verity, by `veritysetup`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args as Group;

use super::device::device_name;
use crate::cli::fail::{Done, Fail};
use crate::mount::verity_device;
use crate::show::print;

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs verity status image
  tarfs verity status --json image               # status is \"verified\", or \"corrupted\" once a block was wrong")]
pub(crate) struct VerityStatus {
    /// Print one JSON object: the device's path, its state, and what veritysetup says of it, field by field, with _ for
    /// the spaces in names.
    #[arg(long)]
    json: bool,
    /// What the device is called.
    #[arg(value_name = "NAME", value_parser = device_name)]
    name: String,
}

pub(super) fn run(args: &VerityStatus) -> Done {
    let said = verity_device::call(&["status"], &args.name)?;
    let mut out = io::stdout().lock();
    match args.json {
        true => print::json_line(&mut out, &fields(&said)),
        false => out.write_all(said.as_bytes()),
    }
    .map_err(Fail::stdout)
}

/// What veritysetup says: a first line `/dev/mapper/NAME is active and is in use.`, then lines `name: value`.
fn fields(said: &str) -> BTreeMap<String, &str> {
    let mut lines = said.lines();
    let first = lines.next().unwrap_or_default().trim_end_matches('.');
    let (device, state) = first.split_once(" is ").unwrap_or((first, ""));
    let rest = lines.filter_map(|line| line.split_once(':'));
    let rest = rest.map(|(name, value)| (name.trim().replace(' ', "_"), value.trim()));
    [("device".to_owned(), device), ("state".to_owned(), state)].into_iter().chain(rest).collect()
}
