//! What a registry lists as referring to an image.
//!
//! A registry that knows of referrers lists them itself. For others whoever pushes one keeps an index of them
//! under a tag that is made of the image's digest.
//!
//! # References
//! OCI distribution specification 1.1, "Pushing Manifests with Subject" and "Referrers Tag Schema".

use serde_json::{Value, json};

use erofs_tarfs::limits::Limits;

use super::connection::Connection;
use super::content;
use super::error::Error;
use super::upload;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// How often an index is looked at again, as somebody else may have written his at the same time.
const TRIES: usize = 5;

/// The tag of the index of what refers to a digest.
pub(crate) fn tag(subject: &str) -> String {
    subject.replacen(':', "-", 1)
}

/// Adds a descriptor to the index of what refers to a digest, and keeps all others in it. Two who do that at
/// the same time may overwrite each other, as registries have no lock: so it is looked at afterwards.
pub(crate) fn add(
    connection: &Connection,
    subject: &str,
    entry: &Value,
    limits: Limits,
) -> Result<(), Error> {
    let tag = tag(subject);
    for _ in 0..TRIES {
        let index = match content::document(connection, &tag, limits) {
            Ok((bytes, _)) => bytes,
            Err(Error::Absent(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let Some(index) = with(&index, entry).map_err(|why| of_tag(&tag, &why))? else {
            return Ok(());
        };
        upload::document(connection, &tag, INDEX, index.to_string().as_bytes())?;
    }
    Err(of_tag(&tag, "others write it all the time"))
}

fn of_tag(tag: &str, why: &str) -> Error {
    Error::Refused(format!("the index of referrers, tag {tag}: {why}"))
}

/// An index with a descriptor in it; nothing if it has that already.
fn with(index: &[u8], entry: &Value) -> Result<Option<Value>, String> {
    let mut index = match index {
        [] => json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }),
        bytes => serde_json::from_slice(bytes).map_err(|_| "is no JSON".to_owned())?,
    };
    let no_index = || "is something else than an index".to_owned();
    let fields = index.as_object_mut().ok_or_else(no_index)?;
    if fields.contains_key("layers") || fields.contains_key("config") {
        return Err(no_index());
    }
    let list = fields.entry("manifests").or_insert_with(|| json!([]));
    if list.is_null() {
        *list = json!([]);
    }
    let list = list.as_array_mut().ok_or_else(no_index)?;
    if list.iter().any(|there| there["digest"] == entry["digest"]) {
        return Ok(None);
    }
    list.push(entry.clone());
    Ok(Some(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_keeps_what_others_have_put_into_it() {
        let ours = json!({ "digest": "sha256:1" });
        let first = with(b"", &ours).unwrap().unwrap();
        assert_eq!(first["manifests"], json!([ours]));
        assert_eq!(with(first.to_string().as_bytes(), &ours), Ok(None));
        let text = br#"{"manifests":[{"digest":"sha256:0","x":1}],"annotations":{"a":"b"}}"#;
        let more = with(text, &ours).unwrap().unwrap();
        assert_eq!(more["manifests"], json!([{ "digest": "sha256:0", "x": 1 }, ours]));
        assert_eq!(more["annotations"], json!({ "a": "b" }));
        assert!(with(br#"{"manifests":null}"#, &ours).unwrap().is_some());
        for other in ["[]", "x", r#"{"manifests":{}}"#, r#"{"config":{},"layers":[]}"#] {
            assert!(with(other.as_bytes(), &ours).is_err(), "{other}");
        }
    }
}
