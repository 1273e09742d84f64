//! Where layers are, how their tars are read, and how they become one tree.

use std::path::PathBuf;

use clap::Args as Group;
use erofs_tarfs::tree::{LayerOptions, MergeOptions};

use crate::images::Platform;
use crate::load::How;

/// How tars become layers.
#[derive(Debug, Group)]
pub(crate) struct Rules {
    /// Resolve .. in the names of a tar inside the root; else it is an error.
    #[arg(long)]
    resolve_dot_dot: bool,
    /// Pass over a tar's entries of types that are not known; else they are an error.
    #[arg(long)]
    skip_unknown_types: bool,
}

impl Rules {
    /// For the library; what EROFS has no place for is an error only if that is asked for.
    pub(crate) fn options(&self, strict: bool) -> LayerOptions {
        let mut options = LayerOptions::default();
        options.resolve_dot_dot = self.resolve_dot_dot;
        options.tar.skip_unknown_types = self.skip_unknown_types;
        options.drop_unknown_xattrs = !strict;
        options
    }
}

/// Where layers are, which they are, and how they are read.
#[derive(Debug, Group)]
pub(crate) struct Where {
    /// Where the tars of bootstraps are; beside each bootstrap if not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) tars: Option<PathBuf>,
    /// The image of several that is meant, as linux/arm64; this machine's if not given.
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
    #[command(flatten)]
    rules: Rules,
    /// Where a layer has something below a link of a lower layer, follow the link, as what extracts
    /// layers does; else a directory takes the link's place, as overlayfs shows it.
    #[arg(long)]
    follow_lower_links: bool,
}

impl Where {
    pub(crate) fn how(&self, strict: bool) -> How<'_> {
        let mut layer = self.rules.options(strict);
        layer.keep_pending = true;
        let mut merge = MergeOptions::default();
        merge.follow_lower_links = self.follow_lower_links;
        let (tars, platform) = (self.tars.as_deref(), self.platform.as_ref());
        How { tars, platform, layer, merge, tag_files: false }
    }
}

#[derive(Debug, Group)]
pub(crate) struct Inputs {
    #[command(flatten)]
    at: Where,
    /// Fail where else there is a warning about a tar: no end, so that it may have been cut short,
    /// or something in it that an image has no place for.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Layers, lowest first.
    #[arg(value_name = "LAYER", required = true)]
    pub(crate) layers: Vec<PathBuf>,
}

impl Inputs {
    pub(crate) fn how(&self) -> How<'_> {
        self.at.how(self.strict)
    }
}
