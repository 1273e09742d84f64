//! JSON read as leniently as other tools read it: a list or an object that is null is one that is
//! not there. What is not used is not parsed.

use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::error::Category;

use crate::cli::fail::{Done, Fail};

/// Parses JSON; errors say what it should have been, and where it is not.
pub(crate) fn parse<T: DeserializeOwned>(file: &Path, bytes: &[u8], what: &str) -> Done<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Fail::of(file, format_args!("cannot be read as {what}: {}", why(&error))))
}

/// What is wrong with it, and where, in words of JSON and not of the parser.
fn why(error: &serde_json::Error) -> String {
    let place = format!("line {} column {}", error.line(), error.column());
    match error.classify() {
        Category::Eof => format!("it ends in the middle, at {place}: it was cut short"),
        Category::Syntax => format!("it is no JSON from {place} on"),
        Category::Data => {
            let text = error.to_string();
            let text = text.split(" at line ").next().unwrap_or_default();
            let text = text.strip_prefix("invalid type: ").unwrap_or(text);
            match text.split_once(", expected ") {
                Some((found, wanted)) => {
                    format!("{found}, where {} is wanted, at {place}", in_json(wanted))
                }
                None => format!("{text}, at {place}"),
            }
        }
        Category::Io => error.to_string(),
    }
}

/// What the parser calls by names of Rust.
fn in_json(wanted: &str) -> &str {
    match wanted {
        _ if wanted.starts_with("struct ") || wanted == "a map" => "an object",
        "a sequence" => "a list",
        "u64" | "u32" | "i64" => "a number",
        other => other,
    }
}

/// Null is what is there when nothing is said.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
