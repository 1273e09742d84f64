//! Text in pictures: escaped, shortened, and numbers that people can read.

use std::fmt::Write;

/// The style of a text that ends at its place.
pub(crate) const END: &str = "text-anchor=\"end\"";

/// Writes a text at a place.
pub(crate) fn text(svg: &mut String, (x, y): (f64, f64), style: &str, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y:.2}\" {style}>{}</text>", escaped(text));
    }
}

/// The beginning of a text, if it is long.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A number with a comma after each thousand.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text as XML has it. Tags and paths are anyone's: what XML cannot say becomes U+FFFD.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
