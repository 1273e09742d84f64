//! Numbers on the command line: sizes with units, hex digits, UUIDs.

use erofs_tarfs::verity::{self, Uuid};

/// A number of bytes: `4096`, `4k`, `512KiB`, `1M`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => return Err("not a number of bytes such as 4096, 512k or 1MiB".into()),
    };
    let number: u64 = number.parse().map_err(|_| "not a number of bytes".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "too large".into())
}

/// A salt: pairs of hex digits, or `-` for none.
pub(crate) fn hex(text: &str) -> Result<Salt, String> {
    if text == "-" {
        return Ok(Salt(Vec::new()));
    }
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("not pairs of hex digits, nor - for none".into());
    }
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).map_err(|error| error.to_string());
    (0..text.len()).step_by(2).map(pair).collect::<Result<_, _>>().map(Salt)
}

/// The bytes of a salt.
#[derive(Clone, Debug)]
pub(crate) struct Salt(pub(crate) Vec<u8>);

/// A UUID, or `blob:DIGEST` for that of a layer's digest.
pub(crate) fn uuid(text: &str) -> Result<Uuid, String> {
    let Some(digest) = text.strip_prefix("blob:") else {
        return text.parse().map_err(|error: verity::Error| error.to_string());
    };
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    let lower = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
    match hex.len() == 64 && hex.bytes().all(lower) {
        true => Ok(Uuid::of_blob(digest)),
        false => Err("blob: wants a digest as images write it: sha256: and 64 hex digits".into()),
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
