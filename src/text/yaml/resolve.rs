//! What a scalar means: Go's rules, a mixture of YAML 1.1 and 1.2.

use super::{Scalar, Style};

/// What a scalar means. A text field takes the letters as they were written whatever they mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolved {
    /// Nothing, `~`, `null`.
    Null,
    /// `true`, `false` and, in YAML 1.1, `yes`, `no`, `on`, `off`, `y`, `n`.
    Bool(bool),
    /// A whole number: `10`, `010` (eight), `0x1F`, `0b1`, `0o17`, `1_000`.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// `1.5`, `1e3`, `.inf`, `.nan`.
    Float(f64),
    /// Everything else.
    Text,
}

impl Scalar<'_> {
    /// Whether it is nothing: no text at all, `~`, `null`.
    pub fn is_null(&self) -> bool {
        match self.tag {
            None => self.style == Style::Plain && is_nothing(&self.text),
            Some(_) => matches!(self.resolve(), Ok(Resolved::Null)),
        }
    }

    /// Whether it is nothing, as [`Scalar::is_null`] says it; an error names a tag that the text does not fit.
    pub fn checked_null(&self) -> Result<bool, String> {
        match self.tag {
            None => Ok(self.is_null()),
            Some(_) => Ok(self.resolve()? == Resolved::Null),
        }
    }

    /// What it means; an error names a tag that the text does not fit.
    pub fn resolve(&self) -> Result<Resolved, String> {
        let text = &*self.text;
        match self.tag.as_deref() {
            None if self.style == Style::Plain => Ok(resolve_plain(text)),
            None | Some("!!str") => Ok(Resolved::Text),
            Some(tag @ ("!!bool" | "!!int" | "!!float" | "!!null")) => {
                match (tag, resolve_plain(text)) {
                    ("!!bool", found @ Resolved::Bool(_))
                    | ("!!int", found @ (Resolved::Int(_) | Resolved::Uint(_)))
                    | ("!!float", found @ Resolved::Float(_))
                    | ("!!null", found @ Resolved::Null) => Ok(found),
                    ("!!float", Resolved::Int(value)) => Ok(Resolved::Float(value as f64)),
                    _ => Err(format!("the tag `{tag}` does not fit `{text}`")),
                }
            }
            Some(_) => Ok(Resolved::Text),
        }
    }
}

/// Whether a text without quotes is nothing.
fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// An untagged scalar without quotes.
pub(super) fn resolve_plain(text: &str) -> Resolved {
    match text {
        _ if is_nothing(text) => return Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Resolved::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Resolved::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Resolved::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'.') => resolve_float(text),
        Some(b'+' | b'-' | b'0'..=b'9') => match text.contains('_') {
            true => resolve_number(&text.replace('_', "")),
            false => resolve_number(text),
        },
        _ => Resolved::Text,
    }
}

/// A number whose underscores are gone.
fn resolve_number(text: &str) -> Resolved {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    let only_digits = digits.bytes().all(|byte| char::from(byte).is_digit(radix));
    if !digits.is_empty() && only_digits {
        let signed = match negative {
            true => i64::from_str_radix(&format!("-{digits}"), radix),
            false => i64::from_str_radix(digits, radix),
        };
        if let Ok(value) = signed {
            return Resolved::Int(value);
        }
        let signless = !text.starts_with(['+', '-']);
        if let (true, Ok(value)) = (signless, u64::from_str_radix(digits, radix)) {
            return Resolved::Uint(value);
        }
    }
    resolve_float(text)
}

/// `[-+]? (digits with at most one dot) ([eE][-+]?digits)?`; what overflows is a text.
fn resolve_float(text: &str) -> Resolved {
    let written_as_float = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    match text.parse::<f64>() {
        Ok(value) if written_as_float && value.is_finite() => Resolved::Float(value),
        _ => Resolved::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_does() {
        for (text, expected) in [
            ("010", Resolved::Int(8)),
            ("08", Resolved::Float(8.0)),
            ("0o17", Resolved::Int(15)),
            ("-0b11", Resolved::Int(-3)),
            ("1_000", Resolved::Int(1000)),
            ("18446744073709551615", Resolved::Uint(u64::MAX)),
            ("+.5e1", Resolved::Float(5.0)),
            ("1.", Resolved::Float(1.0)),
            ("1e400", Resolved::Text),
            ("0x", Resolved::Text),
            ("-", Resolved::Text),
            ("12:30", Resolved::Text),
            ("NaN", Resolved::Text),
            ("inf", Resolved::Text),
            ("Yes", Resolved::Bool(true)),
            ("yEs", Resolved::Text),
        ] {
            assert_eq!(resolve_plain(text), expected, "{text}");
        }
    }
}
