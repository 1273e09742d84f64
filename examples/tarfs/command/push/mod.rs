//! `tarfs push`: what an image is mounted by travels with it.

mod send;

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args as Group};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::{self, Hashing};
use crate::cli::reading_options::{ReadingArgs, ReadingOptions};
use crate::cli::{numbers, progress, quote};
use crate::layers::images::opened::Opened;
use crate::layers::images::reference::{Reference, Transport};
use crate::layers::spool::Spool;
use crate::layers::{merged, same_devices, warnings};
use crate::make::attachment::documents::{self, Image};
use crate::make::attachment::parts::{self, Part, Parts};
use crate::make::oci::documents::{BlobOf, MANIFEST};
use crate::show::attached_report::{AttachedReport, File};

/// What the help says behind the options.
const FORM: &str = "\
What is attached is an artifact of its own in the repository of the image, which does not change: its
manifest names the image as its subject, and brings the image's metadata (EROFS over the tars of the layers)
and the dm-verity hash tree of the image's disk. Its annotations say the root hash, which is the one that
`tarfs root` prints, and of which layers it was made. Whoever pulls the image and finds it need neither index
nor hash the layers; tarfs-snapshotter does so.

  tarfs push --attach docker://registry.example/app:1
  oras discover registry.example/app:1                     # lists it
  tarfs push --attach --platform linux/arm64 docker://registry.example/app:1

The layers are read from the registry once, in a stream. The same image gives the same artifact, byte for byte,
and what the registry has already is not sent again. Where it knows nothing of referrers the artifact is put
into the index with the tag sha256-DIGEST, and what others have there stays. A login that may push is
taken from the files of docker login and podman login.

It is believed as far as its root hash is: sign that, or list it where images are mounted.";

#[derive(Debug, Group)]
#[command(after_help = FORM)]
pub(crate) struct Push {
    /// Attach metadata, hash tree and root hash to the image: all that this command does.
    #[arg(long, required = true, action = ArgAction::SetTrue)]
    attach: bool,
    /// Make all of it, say what it is, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Fail where else there is a warning about a tar: something in it that an image has no place for.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    hashing: Hashing,
    /// Print one JSON object about what is attached.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: ReadingArgs,
    /// The image: docker://REGISTRY/REPOSITORY[:TAG][@DIGEST].
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
}

pub(crate) fn run(args: &Push) -> Done {
    let image = input(args)?;
    let dir = std::env::temp_dir();
    let mut how = args.at.how(args.strict);
    // Their blocks are hashed while they are unpacked.
    how.leaves = Some(parts::params());
    let opened = Opened::new(&image, &how, &dir)?;
    let subject = Subject::of(&opened)?;
    let parts = parts(args, &opened, &how, &dir)?;
    let manifest = documents::manifest(
        &Image {
            subject: &subject.descriptor,
            layers: &subject.layers,
            diff_ids: &subject.diff_ids,
            follows_links: how.merge.follow_lower_links,
        },
        &parts,
    );
    let bytes = manifest.to_string();
    let blob = BlobOf { hex: hex_of(bytes.as_bytes()), bytes: bytes.len() as u64 };
    let (of, artifact) = (subject.digest(), format!("sha256:{}", blob.hex));
    let mut report = AttachedReport::new(
        &args.image,
        (&of, &artifact),
        parts.sealed.root().to_string(),
        file(&parts.bootstrap),
        file(&parts.tree),
    );
    if !args.dry_run {
        let entry = documents::entry(&manifest, &blob);
        let sent = send::all(&image, &how, &of, &parts, (&bytes, &entry))?;
        report.sent(sent);
    }
    report.print(args.json)
}

fn file(part: &Part) -> File {
    File { digest: format!("sha256:{}", part.blob.hex), size: part.blob.bytes }
}

/// Indexes, merges and hashes the layers.
fn parts(args: &Push, opened: &Opened, how: &ReadingOptions<'_>, dir: &Path) -> Done<Parts> {
    progress::passes(1);
    let mut layers = opened.layers(how, &mut Spool::Temporary(dir.to_owned()))?;
    warnings::all(&layers, args.strict)?;
    same_devices::identify(&mut layers);
    let (tree, _) = merged::merged(&layers, &how.merge)?;
    let hashing = hash_tree_options::threads(&args.hashing);
    parts::made(&args.image, &tree, &layers, &hashing, dir, how.limits)
}

/// What the artifact refers to.
struct Subject {
    descriptor: Value,
    layers: Vec<String>,
    diff_ids: Vec<String>,
}

impl Subject {
    fn of(opened: &Opened) -> Done<Self> {
        let bytes = opened.manifest_bytes()?;
        let blob = BlobOf { hex: hex_of(&bytes), bytes: bytes.len() as u64 };
        // A manifest of OCI need not say what it is.
        let media_type = match &opened.manifest().document.media_type {
            none if none.is_empty() => MANIFEST,
            said => said,
        };
        let layers = opened.descriptors().iter().map(|layer| layer.digest.clone());
        Ok(Self {
            descriptor: blob.descriptor(media_type),
            layers: layers.collect(),
            diff_ids: opened.diff_ids()?,
        })
    }

    fn digest(&self) -> String {
        self.descriptor["digest"].as_str().unwrap_or_default().to_owned()
    }
}

fn hex_of(bytes: &[u8]) -> String {
    numbers::to_hex(&Sha256::digest(bytes))
}

/// The image that is meant, which is one of a registry.
fn input(args: &Push) -> Done<Reference> {
    if args.at.tars.is_some() || args.at.tags_are_names {
        let why = "--tars and --tags-are-names are for bootstraps: an image has its tars";
        return Err(Fail::Usage(why.to_owned()));
    }
    match Reference::parse(&args.image) {
        Some(image) if image.transport == Transport::Registry => Ok(image),
        _ => {
            let name = quote::name(&args.image);
            let why = "is no image of a registry: docker://REGISTRY/REPOSITORY:TAG is wanted";
            Err(Fail::Usage(format!("{name}: {why}")))
        }
    }
}
