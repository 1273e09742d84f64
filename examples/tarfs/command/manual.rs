//! `tarfs manual`.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args as Group, Command};
use clap_mangen::Man;
use clap_mangen::roff::Roff;

use crate::cli::fail::{Done, Fail};
use crate::files::directory::NewDirectories;
use crate::files::durable::Durability;
use crate::files::output::{self, Output};

/// The day of the version in Cargo.toml, which pages say: a release changes it. No clock is asked, so that the same
/// program writes the same pages.
const RELEASED: &str = "2026-11-30";

#[derive(Debug, Group)]
#[command(after_help = "\
Examples:
  tarfs manual /usr/share/man/man1     # tarfs.1, tarfs-mount.1, tarfs-verity-format.1, ...")]
pub(crate) struct Manual {
    #[command(flatten)]
    durability: Durability,
    /// Where the pages go, one for each command; it is made if it is not there.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Writes the pages; `program` is the tool's command line.
pub(crate) fn run(args: &Manual, mut program: Command) -> Done {
    args.durability.set();
    program.build();
    let mut directories = NewDirectories::default();
    directories.make(&args.directory)?;
    let (mut pages, mut outputs) = (vec![program.display_name("tarfs")], Vec::new());
    while let Some(command) = pages.pop() {
        let shown = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
        pages.extend(command.get_subcommands().filter(shown).cloned());
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        let path = args.directory.join(format!("{name}.1"));
        let output = Output::new(&path)?;
        let text = page(command).map_err(|error| Fail::of(&path, error))?;
        output.file()?.file().write_all(&text).map_err(|error| Fail::of(&path, error))?;
        outputs.push(output);
    }
    output::finish(outputs)?;
    directories.keep()
}

/// The page of a command. What its help says behind the options stands as it is, lines and all.
fn page(command: Command) -> std::io::Result<Vec<u8>> {
    let extra = command.get_after_long_help().or_else(|| command.get_after_help());
    let extra = extra.map(|text| text.to_string());
    let has_options = command.get_arguments().any(|argument| !argument.is_hide_set());
    let has_commands = command.get_subcommands().any(|command| !command.is_hide_set());
    let title = command.get_display_name().unwrap_or_else(|| command.get_name()).to_uppercase();
    let source = concat!("tarfs ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).title(title).date(RELEASED).source(source).manual("tarfs");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if has_options {
        man.render_options_section(&mut page)?;
    }
    if has_commands {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(extra) = extra {
        let mut roff = Roff::new();
        roff.control("SH", ["NOTES"]).control("nf", []);
        for line in extra.lines() {
            roff.text([clap_mangen::roff::roman(line)]);
        }
        roff.control("fi", []).to_writer(&mut page)?;
    }
    Ok(without_doubled_breaks(&page))
}

/// The same page without empty lines, which are spaces between paragraphs, and without breaks of lines beside those:
/// mandoc(1) complains of both.
fn without_doubled_breaks(page: &[u8]) -> Vec<u8> {
    let lines = page.split_inclusive(|byte| *byte == b'\n');
    let space: &[u8] = b".sp\n";
    let lines: Vec<&[u8]> = lines.map(|line| if line == b"\n" { space } else { line }).collect();
    let is_space = |index: Option<usize>| {
        index.and_then(|index| lines.get(index)).is_some_and(|line| *line == space)
    };
    let kept = lines.iter().enumerate().filter(|(index, line)| {
        let beside = is_space(index.checked_sub(1)) || is_space(index.checked_add(1));
        **line != b".br\n" || !beside
    });
    kept.flat_map(|(_, line)| line.iter().copied()).collect()
}
