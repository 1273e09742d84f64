//! Options of what is read: where layers are, how their tars are read, how they become one tree.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args as Group;
use erofs_tarfs::limits::Limits;
use erofs_tarfs::tar::ParseOptions;
use erofs_tarfs::tree::{LayerOptions, MergeOptions};
use erofs_tarfs::verity::Params;

use crate::cli::limits::LimitArgs;
use crate::cli::platform::Platform;

/// How tars become layers.
#[derive(Debug, Group)]
pub(crate) struct Rules {
    /// Resolve .. in the names of a tar inside the root; else it is an error.
    #[arg(long)]
    resolve_dot_dot: bool,
    /// Pass over a tar's entries of types that are not known; else they are an error.
    #[arg(long)]
    skip_unknown_types: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Rules {
    /// The library's options. What EROFS has no place for is an error only if `strict` is asked for.
    pub(crate) fn options(&self, strict: bool) -> LayerOptions {
        LayerOptions::new()
            .resolve_dot_dot(self.resolve_dot_dot)
            .tar(ParseOptions::new().skip_unknown_types(self.skip_unknown_types))
            .limits(self.limits())
            .drop_unknown_xattrs(!strict)
    }

    /// How much what is read and made may cost.
    pub(crate) fn limits(&self) -> Limits {
        self.limits.limits()
    }
}

/// Where layers are, which they are, and how they are read.
#[derive(Debug, Group)]
pub(crate) struct ReadingArgs {
    /// Where the tars of bootstraps are; beside each bootstrap if not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) tars: Option<PathBuf>,
    /// Tags of devices are names, also if they look like a SHA-256: Nydus takes the digest of the compressed
    /// layer, which its tar does not have. The tar of that name is taken as it is, if it is as long.
    #[arg(long)]
    pub(crate) tags_are_names: bool,
    /// The image of several that is meant, as linux/arm64; this machine's if not given.
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
    /// Ask registries without TLS. Those of this machine's loopback are always asked so.
    #[arg(long)]
    plain_http: bool,
    /// Seconds that a registry may be silent before it is asked again, and given up after five times.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    registry_timeout: u16,
    #[command(flatten)]
    rules: Rules,
    /// Where a layer has something below a link of a lower layer, follow the link, as what extracts
    /// layers does; else a directory takes the link's place, as overlayfs shows it.
    #[arg(long)]
    follow_lower_links: bool,
}

impl ReadingArgs {
    /// The options together, as those who read layers take them.
    pub(crate) fn how(&self, strict: bool) -> ReadingOptions<'_> {
        let layer = self.rules.options(strict).keep_pending(true);
        let limits = self.rules.limits();
        let merge = MergeOptions::new().follow_lower_links(self.follow_lower_links).limits(limits);
        ReadingOptions {
            tars: self.tars.as_deref(),
            tags_are_names: self.tags_are_names,
            platform: self.platform.as_ref(),
            registry: Asking {
                plain_http: self.plain_http,
                silence: Duration::from_secs(self.registry_timeout.into()),
            },
            layer,
            limits,
            merge,
            ..ReadingOptions::default()
        }
    }
}

/// Layers to be merged, and how they are read.
#[derive(Debug, Group)]
pub(crate) struct Inputs {
    #[command(flatten)]
    at: ReadingArgs,
    /// Fail where else there is a warning about a tar: no end, so that it may have been cut short,
    /// or something in it that an image has no place for.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Layers, lowest first.
    #[arg(value_name = "LAYER", required = true)]
    pub(crate) layers: Vec<PathBuf>,
}

impl Inputs {
    /// The options together, as those who read layers take them.
    pub(crate) fn how(&self) -> ReadingOptions<'_> {
        self.at.how(self.strict)
    }
}

/// How registries are asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asking {
    /// Without TLS.
    pub(crate) plain_http: bool,
    /// How long one may be silent.
    pub(crate) silence: Duration,
}

/// Says of a diffID, as images write it, that its layer need not be read.
pub(crate) type Needless<'a> = &'a dyn Fn(&str) -> bool;

/// How layers are to be found and read.
#[derive(Clone, Default)]
pub(crate) struct ReadingOptions<'a> {
    /// Where the tars of bootstraps are, if the user said it.
    pub(crate) tars: Option<&'a Path>,
    /// Whether a tag is a name alone, and no digest.
    pub(crate) tags_are_names: bool,
    /// Which image of several is meant, if the user said it.
    pub(crate) platform: Option<&'a Platform>,
    /// How registries are asked.
    pub(crate) registry: Asking,
    /// How tars are read.
    pub(crate) layer: LayerOptions,
    /// For which hash tree the blocks of tars that are read whole are hashed on the way: they are in the
    /// cache then, and their digest is computed anyway.
    pub(crate) leaves: Option<Params>,
    /// How much of each stage there may be.
    pub(crate) limits: Limits,
    /// How layers become one.
    pub(crate) merge: MergeOptions,
    /// Tag a device that has no tag with the digest of its file, for a bootstrap, over which the
    /// file is found by that. In a disk, which has the tar alone, it would be a wrong one.
    pub(crate) tag_files: bool,
    /// Tag the device of an image's layer with the digest of its blob, compressed as it may be; else with
    /// that of the tar in it.
    pub(crate) tag_blobs: bool,
    /// Of a disk the file is one device, as a whole.
    pub(crate) whole_files: bool,
    /// Which layers of images are passed over.
    pub(crate) needless: Option<Needless<'a>>,
}

impl ReadingOptions<'_> {
    /// Whether the layer with this diffID is not to be read.
    pub(crate) fn passes_over(&self, diff_id: &str) -> bool {
        self.needless.is_some_and(|needless| needless(diff_id))
    }
}

/// Paths in an image, and how that is read.
#[derive(Debug, Group)]
pub(crate) struct PathsIn {
    #[command(flatten)]
    pub(crate) at: ReadingArgs,
    /// Paths are patterns: * and ? stand for a part of a name, ** for any directories, [abc] and {a,b} for one
    /// of several. Each must match something.
    #[arg(long)]
    pub(crate) glob: bool,
    /// An image, or any LAYER of merge.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
    /// Paths in it; symbolic links are not followed.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,
}

impl PathsIn {
    /// The paths, the root if there are none.
    pub(crate) fn or_root(&self) -> Cow<'_, [OsString]> {
        match self.paths.is_empty() {
            true => vec!["/".into()].into(),
            false => (&self.paths[..]).into(),
        }
    }
}

/// Parts of an image with all that is below them, and how that is read.
#[derive(Debug, Group)]
pub(crate) struct PartsOf {
    #[command(flatten)]
    pub(crate) at: ReadingArgs,
    /// An image, or any LAYER of merge.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
    /// Paths in it, with all that is below; all if none is given.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,
}
