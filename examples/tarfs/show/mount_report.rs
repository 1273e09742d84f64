//! What was mounted, as JSON and for people.

use std::io::{self, Write};
use std::path::Path;

use serde::{Serialize, Serializer};

use crate::cli::quote;

/// What Linux reads an image by.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    /// The files themselves.
    Files,
    /// Block devices: the image is one, or a loop device is over it.
    Devices,
    /// A device of dm-verity.
    Verity,
}

/// A mount.
#[derive(Debug, Serialize)]
pub(crate) struct MountReport<'a> {
    #[serde(serialize_with = "text")]
    pub(crate) image: &'a Path,
    #[serde(serialize_with = "text")]
    pub(crate) mount_point: &'a Path,
    pub(crate) by: By,
    /// The name of the device of dm-verity, below /dev/mapper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<String>,
    /// Where an overlay's changes go.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_text")]
    pub(crate) overlay: Option<&'a Path>,
}

impl MountReport<'_> {
    /// A line for people.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let by = match (&self.by, &self.device) {
            (By::Files, _) => "read from the files themselves".to_owned(),
            (By::Devices, _) => "read by block devices".to_owned(),
            (By::Verity, device) => {
                let device = device.as_deref().unwrap_or_default();
                format!("each block checked by dm-verity, as {device}")
            }
        };
        let (image, point) = (quote::name(self.image), quote::name(self.mount_point));
        write!(out, "{image}: mounted on {point}, {by}")?;
        if let Some(upper) = self.overlay {
            write!(out, "; changes go to {}", quote::name(upper))?;
        }
        writeln!(out)
    }
}

/// A path as text, as far as it is.
fn text<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_string_lossy())
}

fn optional_text<S: Serializer>(path: &Option<&Path>, to: S) -> Result<S::Ok, S::Error> {
    text(path.unwrap_or(Path::new("")), to)
}
