//! `tarfs verity`: hash trees of files.

mod format;
mod of_sidecar;
mod verify;

use clap::Subcommand;

use self::format::VerityFormat;
use self::verify::VerityVerify;
use crate::cli::fail::Done;

#[derive(Debug, Subcommand)]
pub(crate) enum Verity {
    /// Append a hash tree to DATA, or write it to a file of its own.
    ///
    /// DATA is padded with zeros to whole blocks first.
    ///
    /// A run that is killed leaves DATA as it was, or with a mark at its end that the next run knows:
    /// it puts DATA back as it was, and begins anew.
    Format(VerityFormat),
    /// Verify all of DATA and its tree.
    ///
    /// The parameters are those of --preset and the options; if none is given, those of a verity
    /// superblock before the tree, and without one those of the preset nydus. Where the tree lies
    /// behind the data, --data-blocks says how much is data; in a disk with EROFS it is found by itself.
    ///
    /// With --sidecar the root hash and the place of the hash area are those that containerd keeps beside
    /// a layer. That shows that the two belong together, and not that nobody has changed both: a root hash
    /// that is known from elsewhere may be given too. A sidecar is never looked for unasked.
    Verify(VerityVerify),
}

pub(crate) fn run(args: &Verity) -> Done {
    match args {
        Verity::Format(args) => format::run(args),
        Verity::Verify(args) => verify::run(args),
    }
}
