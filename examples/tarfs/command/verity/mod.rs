//! `tarfs verity`: hash trees of files, and devices over them.

mod device;
mod dump;
mod format;
mod of_sidecar;
mod place;
mod status;
mod verify;

use clap::Subcommand;

use self::device::{VerityClose, VerityOpen};
use self::dump::VerityDump;
use self::format::VerityFormat;
use self::status::VerityStatus;
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
    /// Say what the verity superblock of a hash tree says, in the words of veritysetup dump.
    ///
    /// In a disk with EROFS it is found behind the filesystem, in other files at byte 0, or where
    /// --hash-offset says. A superblock has no root hash, and nobody vouches for what it says.
    Dump(VerityDump),
    /// Make /dev/mapper/NAME of a sealed file, by veritysetup: all that is read of it is verified.
    ///
    /// What of the parameters the tree's superblock, the file and the options say is what verify takes. The
    /// file is held against its root hash as far as the first blocks tell; Linux verifies the rest.
    Open(VerityOpen),
    /// Remove a device that open made, by veritysetup.
    Close(VerityClose),
    /// Say of a device whether it is active, and of what, by veritysetup.
    Status(VerityStatus),
}

pub(crate) fn run(args: &Verity) -> Done {
    match args {
        Verity::Format(args) => format::run(args),
        Verity::Verify(args) => verify::run(args),
        Verity::Dump(args) => dump::run(args),
        Verity::Open(args) => device::open(args),
        Verity::Close(args) => device::close(args),
        Verity::Status(args) => status::run(args),
    }
}
