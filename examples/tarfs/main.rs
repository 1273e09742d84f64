//! `tarfs`: container layers to EROFS over their tars, and back to listings.
//!
//! A program over the public API of `erofs-tarfs`; `tarfs --help` teaches its use. Each folder is a
//! room, which imports only rooms that come before it in this list (ARCHITECTURE.md has more):
//!
//! | room | duty |
//! |---|---|
//! | `cli` | options, help, errors, warnings, progress, quoting |
//! | `files` | inputs that are opened, outputs that are whole or not there |
//! | `hash_tree` | dm-verity hash trees, made and found |
//! | `registry` | images where registries have them |
//! | `layers` | what a LAYER argument is |
//! | `show` | what is printed |
//! | `restore` | images back to files and tars |
//! | `mount` | images mounted, and the plan of that |
//! | `make` | bootstraps and disks |
//! | `check` | what is wrong with an image |
//! | `command` | a file for each command |

mod check;
mod cli;
mod command;
mod files;
mod hash_tree;
mod layers;
mod make;
mod mount;
mod registry;
mod restore;
mod show;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use cli::fail::Fail;
use cli::loudness::Loudness;
use cli::{quote, warn};
use command::{
    cache, cat, completions, diff, du, export, extract, fsmeta, inspect, layer, ls, manual, merge,
    mount_args, oci, push, root, stat, tar, umount, verity,
};
use files::{descriptors, unchanged};

/// What the help says behind the list of commands.
const PROGRAM: &str = "\
A bootstrap is EROFS metadata whose file data stays in tars; a disk has both in one file.

  Index a layer, and see what is in it:
    tarfs layer layer.tar                  # makes layer.tar.erofs
    tarfs ls -l layer.tar.erofs /etc
  Mount it, the tar as its device; or print the commands for that:
    tarfs mount layer.tar.erofs /mnt && tarfs umount /mnt
    tarfs mount-args layer.tar.erofs
  Merge layers, lowest first, into one image over their tars:
    tarfs merge -o image.erofs base.tar app.tar config.tar
  One raw disk with a dm-verity tree behind the data:
    tarfs export --mode image_block_with_verity -o image.disk base.tar app.tar
  The same of an OCI image as skopeo or umoci write it, or of `docker save`:
    tarfs export --mode image_block_with_verity -o image.disk oci:DIR:latest
    tarfs export --mode image_block_with_verity -o image.disk docker-archive:FILE:NAME

  The root hash that it has, ahead, for a policy or a signature:
    tarfs root oci:DIR:latest

  Layers for containerd's EROFS snapshotter, so that it fetches and converts none:
    tarfs cache /var/lib/layers oci:DIR:latest

A file may be a block device. DISK:N is partition N of a disk with a GPT, for all that read images or
layers; without :N it is the only one with EROFS in it, or all for inspect, check and mount-args.

An output is whole or not there. It takes no place of a file that is read, or that an input needs; a
link is followed to its regular file. -o - is standard output, all of it at once when it is whole, and
what is said of it goes to standard error; a file of that name is ./-. Exit codes: 0 done, 1 bad input or
a file that cannot be read or written, 2 a command line that makes no sense.";

/// Container layers as EROFS filesystems over the tars as they lie, sealed with dm-verity.
#[derive(Debug, Parser)]
#[command(name = "tarfs", version, max_term_width = 100, after_help = PROGRAM)]
struct Args {
    #[command(flatten)]
    loudness: Loudness,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a bootstrap, or a disk, of one tar.
    Layer(layer::Layer),
    /// Merge layers into one bootstrap, or disk.
    Merge(merge::Merge),
    /// Make disks and hash trees, in one of six modes.
    Export(export::Export),
    /// Print the root hash that the sealed disk of layers has, and write nothing.
    Root(root::Root),
    /// Make an OCI image whose tars are devices of one EROFS.
    Oci(oci::Oci),
    /// Give a registry what an image is mounted by, as a referrer of the image.
    Push(push::Push),
    /// Put layers into a cache of containerd's EROFS snapshotter.
    Cache(cache::Cache),
    /// Merge the layers of a chain of containerd's snapshots into its fsmeta.erofs.
    #[command(name = "fsmeta")]
    FsMeta(fsmeta::FsMeta),
    /// Seal a file with dm-verity, or verify one.
    #[command(subcommand)]
    Verity(verity::Verity),
    /// Check an image: its structure, its tars, its hash tree, and against the layers it was made of.
    Check(command::check::Check),
    /// List directories of an image.
    Ls(ls::Ls),
    /// Show all that is known of files in an image.
    Stat(stat::Stat),
    /// Write files of an image to standard output.
    ///
    /// A tar that has the name of its digest is taken as it is: to see whether it has that digest
    /// all of it would be read, as `tarfs check` does.
    Cat(cat::Cat),
    /// Show how much data directories of an image have.
    Du(du::Du),
    /// Compare two images, path by path.
    Diff(diff::Diff),
    /// Extract an image, or a part of it, into a directory.
    Extract(extract::Extract),
    /// Write an image, or a part of it, as a tar.
    Tar(tar::Tar),
    /// Show the superblock, devices and segments of an image.
    Inspect(inspect::Inspect),
    /// Mount an image on a directory.
    Mount(command::mount::Mount),
    /// Unmount what `tarfs mount` has mounted.
    Umount(umount::Umount),
    /// Print the commands that mount an image.
    ///
    /// The tars of a bootstrap are looked for, but not read: `tarfs check` does that.
    MountArgs(mount_args::MountArgs),
    /// Print the script by which a shell completes command lines of this tool.
    Completions(completions::Completions),
    /// Write the manual pages of all commands.
    Manual(manual::Manual),
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return told(&error),
    };
    args.loudness.set();
    descriptors::take_all();
    let done = match args.command {
        Command::Layer(args) => layer::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Root(args) => root::run(&args),
        Command::Oci(args) => oci::run(&args),
        Command::Push(args) => push::run(&args),
        Command::Cache(args) => cache::run(&args),
        Command::FsMeta(args) => fsmeta::run(&args),
        Command::Verity(args) => verity::run(&args),
        Command::Check(args) => command::check::run(&args),
        Command::Ls(args) => ls::run(&args),
        Command::Stat(args) => stat::run(&args),
        Command::Cat(args) => cat::run(&args),
        Command::Extract(args) => extract::run(&args),
        Command::Tar(args) => tar::run(&args),
        Command::Du(args) => du::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Mount(args) => command::mount::run(&args),
        Command::Umount(args) => umount::run(&args),
        Command::MountArgs(args) => mount_args::run(&args),
        Command::Completions(args) => completions::run(&args, Args::command()),
        Command::Manual(args) => manual::run(&args, Args::command()),
    };
    // What was shown of a file that changed meanwhile is not what is in it.
    match done.and_then(|()| unchanged::check()) {
        // Whoever read our output has enough of it.
        Ok(()) | Err(Fail::Pipe) => ExitCode::SUCCESS,
        Err(Fail::Differs) => ExitCode::FAILURE,
        Err(fail) => {
            warn::line(format_args!("tarfs: {fail}"));
            ExitCode::from(fail.code())
        }
    }
}

/// Says what the command line lacks, or the help that was asked for.
fn told(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Whoever reads it has enough of it.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // It has words of the command line in it, which may be names of others.
    error.render().to_string().lines().for_each(|line| warn::line(quote::Line(line)));
    ExitCode::from(2)
}
