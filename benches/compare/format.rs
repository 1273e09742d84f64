//! Numbers as people read them.

/// `1,234,567`.
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

/// Three digits that count.
pub(crate) fn three(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// `1.41 s`, `12.3 ms`.
pub(crate) fn seconds(value: f64) -> String {
    match value {
        value if value >= 1.0 => format!("{} s", three(value)),
        value if value >= 1e-3 => format!("{} ms", three(value * 1e3)),
        value => format!("{} µs", three(value * 1e6)),
    }
}

/// `512 B`, `1.35 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{} {unit}", three(value)) }
}

/// A ratio: `1/7.4`, or `1.23`.
pub(crate) fn ratio(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 0.95 => {
            let text = format!("{:.1}", 1.0 / ratio);
            format!("1/{}", text.trim_end_matches(".0"))
        }
        ratio => format!("{ratio:.2}"),
    }
}
