//! Numbers on the command line: sizes with units, hex digits.

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

/// Bytes as lower-case hex digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
