//! `--gpt=dps`: for which volume and which architecture systemd is to find the partitions.

use erofs_tarfs::outputs::{Architecture, Volume};

use crate::cli::fail::{Done, Fail};
use crate::cli::platform::Platform;
use crate::layers::loaded::Loaded;
use crate::make::disk_form::DiskForms;

/// What systemd is to find, and on what: the platform that was asked for, that of the image, or that of
/// this machine.
pub(crate) fn wanted(
    forms: &DiskForms,
    platform: Option<&Platform>,
    layers: &[Loaded],
) -> Done<Option<(Volume, Architecture)>> {
    let Some(volume) = forms.volume() else { return Ok(None) };
    let mut of_layers = layers.iter().filter_map(|layer| layer.platform.as_ref());
    let platform = match (platform, of_layers.next()) {
        (Some(platform), _) => platform.clone(),
        (None, None) => Platform::here(),
        (None, Some(first)) => {
            let differs = |other: &&Platform| other.architecture() != first.architecture();
            if let Some(other) = of_layers.find(differs) {
                let text = format!("--gpt=dps: layers for {first} and for {other} make no system");
                return Err(Fail::Usage(text));
            }
            first.clone()
        }
    };
    match Architecture::named(platform.architecture()) {
        Some(_) if platform.os() != "linux" => {
            let text = format!("--gpt=dps: {platform}: systemd looks for what runs on Linux");
            Err(Fail::Usage(text))
        }
        Some(architecture) => Ok(Some((volume, architecture))),
        None => {
            let all: Vec<_> = Architecture::all().map(Architecture::name).collect();
            let why = "the specification has no partition types for it, but for";
            Err(Fail::Usage(format!("--gpt=dps: {platform}: {why} {}", all.join(", "))))
        }
    }
}
