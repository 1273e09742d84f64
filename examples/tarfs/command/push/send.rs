//! What is attached goes to the registry: the parts first, what leads to them last.

use std::path::PathBuf;

use serde_json::Value;

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::{Progress, Stage};
use crate::cli::reading_options::ReadingOptions;
use crate::layers::images::reference::Reference;
use crate::make::attachment::documents::{EMPTY_BYTES, EMPTY_DIGEST};
use crate::make::attachment::parts::{Part, Parts};
use crate::make::oci::documents::MANIFEST;
use crate::registry::connection::Connection;
use crate::registry::error::Error;
use crate::registry::name::Name;
use crate::registry::referrers;
use crate::registry::upload::{self, Bytes};
use crate::show::attached_report::Sent;

/// Sends all that the repository does not have. Until the manifest is there nothing refers to the image, so an
/// error leaves nothing half.
pub(crate) fn all(
    image: &Reference,
    how: &ReadingOptions<'_>,
    subject: &str,
    parts: &Parts,
    (manifest, entry): (&str, &Value),
) -> Done<Sent> {
    let text = image.path.to_str().unwrap_or_default();
    let name = Name::parse(text).map_err(|why| Fail::Usage(format!("docker://{text}: {why}")))?;
    let repository = PathBuf::from(format!("docker://{}/{}", name.host, name.repository));
    let connection = Connection::pushing(name, how.registry);
    let failed = |what: &str, error: Error| Fail::of(repository.join(what), explained(&error));

    let mut bytes = 0;
    let all = parts.bootstrap.blob.bytes + parts.tree.blob.bytes;
    let progress = Progress::new(Stage::Sending, Some(all));
    let sending = &progress.observer();
    for Part { file, blob } in [&parts.bootstrap, &parts.tree] {
        let digest = format!("sha256:{}", blob.hex);
        let sent = upload::blob(&connection, &digest, Bytes::File(file, blob.bytes), sending);
        if sent.map_err(|error| failed(&format!("blobs/{digest}"), error))? {
            bytes += blob.bytes;
        }
    }
    upload::blob(&connection, EMPTY_DIGEST, Bytes::Few(EMPTY_BYTES), sending)
        .map_err(|error| failed(&format!("blobs/{EMPTY_DIGEST}"), error))?;
    let digest = entry["digest"].as_str().unwrap_or_default();
    let listed = upload::document(&connection, digest, MANIFEST, manifest.as_bytes())
        .map_err(|error| failed(&format!("manifests/{digest}"), error))?;
    if !listed {
        referrers::add(&connection, subject, entry, how.limits)
            .map_err(|error| failed(&format!("manifests/{}", referrers::tag(subject)), error))?;
    }
    Ok(Sent { bytes, index: (!listed).then(|| referrers::tag(subject)) })
}

/// Why a registry does not take something, and what may help.
fn explained(error: &Error) -> String {
    let hint = match error {
        Error::Refused(why) if ["401", "403", "405"].iter().any(|status| why.contains(status)) => {
            " (a login that may push is wanted: docker login, podman login)"
        }
        _ => "",
    };
    format!("{error}{hint}")
}
