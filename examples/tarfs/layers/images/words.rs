//! Words of others in errors: escaped, and never too many.

/// A text of somebody else in an error: escaped, and not endless.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(120).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}

/// Choices in an error: some of them, if there are many.
pub(crate) fn listed(choices: impl IntoIterator<Item = String>) -> String {
    let mut choices = choices.into_iter();
    let some: Vec<String> = choices.by_ref().take(16).collect();
    match choices.count() {
        0 => some.join(", "),
        more => format!("{} and {more} more", some.join(", ")),
    }
}
