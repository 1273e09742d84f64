//! `--print`: what is printed of an output, because others write it down elsewhere.

use clap::{Args as Group, ValueEnum};
use erofs_tarfs::verity::{Digest, Error, Geometry, HashPlacement, Params, Sealed};

use crate::cli::fail::{Done, Fail};

/// What can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mark {
    /// Annotations of the output as a layer of an image: org.erofs.role and others, as JSON.
    ErofsAnnotations,
    /// Options by which Kata mounts a sealed disk: X-kata.dmverity.roothash and others.
    KataOptions,
}

/// What is to be printed of an output.
#[derive(Debug, Default, Group)]
pub(crate) struct Marks {
    /// Print this of the output too.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) print: Vec<Mark>,
}

impl Marks {
    pub(crate) fn has(&self, mark: Mark) -> bool {
        self.print.contains(&mark)
    }

    /// Refuses what could not be said of an output with a hash tree of these parameters behind it, or
    /// without one.
    pub(crate) fn check(&self, params: Option<&Params>) -> Done {
        let Some(params) = params else {
            return match self.has(Mark::KataOptions) {
                true => {
                    Err(Fail::Usage("--print kata-options: is of a disk with a hash tree".into()))
                }
                false => Ok(()),
            };
        };
        // Whether it can be said does not depend on the data.
        let sealed = Geometry::new(params, 1 << 20, HashPlacement::BehindData)
            .map(|geometry| Sealed::new(geometry, Digest([0; Digest::LEN])));
        let said = |name: &str, said: Result<(), Error>| {
            let ways = "(--preset containerd-4k)";
            said.map_err(|error| Fail::Usage(format!("--print {name}: {error} {ways}")))
        };
        if let (true, Ok(sealed)) = (self.has(Mark::ErofsAnnotations), &sealed) {
            said("erofs-annotations", sealed.erofs_annotations().map(drop))?;
        }
        match (self.has(Mark::KataOptions), &sealed) {
            (true, Ok(sealed)) => said("kata-options", sealed.kata_options().map(drop)),
            _ => Ok(()),
        }
    }
}
