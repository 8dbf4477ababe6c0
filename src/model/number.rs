//! Numbers and strings as Go's `strconv` writes and reads them.

/// A float as Prometheus prints sample values: `strconv.FormatFloat(value, 'f', -1, 64)`, the shortest
/// digits that read back the same, never with an exponent; `NaN`, `+Inf`, `-Inf`.
pub fn format_value(value: f64) -> String {
    match non_finite(value) {
        Some(text) => text.to_owned(),
        None => format!("{value}"),
    }
}

/// `NaN`, `+Inf` and `-Inf`.
pub fn non_finite(value: f64) -> Option<&'static str> {
    match value {
        value if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

/// Whether two values differ by less than `epsilon` times their sum, or are both NaN; the stale marker
/// equals only itself (Prometheus's `almost.Equal`).
pub fn almost_equal(a: f64, b: f64, epsilon: f64) -> bool {
    /// The bits of the stale marker, which the store names for those below this room.
    const STALE: u64 = 0x7ff0_0000_0000_0002;
    if a.to_bits() == STALE || b.to_bits() == STALE {
        return a.to_bits() == b.to_bits();
    }
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let sum = a.abs() + b.abs();
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < epsilon * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < epsilon
}

/// A string in double quotes with Go's escapes (`strconv.Quote`).
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0b' => out.push_str("\\v"),
            '\x0c' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                out.push_str(&format!("\\x{:02x}", c as u32))
            }
            c if c.is_control() || c == '\u{feff}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
