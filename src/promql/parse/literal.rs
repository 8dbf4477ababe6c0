//! Numbers, durations and strings as the query language writes them.

use crate::model::bytes::text_of;
use crate::model::escape::{self, EscapeFault};
use crate::model::{Duration, Millis};

use super::super::ast::NumberLiteral;

/// What is wrong inside a string, and where, in bytes from the start of the literal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StringFault {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) message: String,
}

/// Reads a number (`1.5`, `0x1F`, `017`, `1_000`, `Inf`) or a duration (`1h30m`, in seconds).
pub(super) fn number(text: &str) -> Result<NumberLiteral, String> {
    if let Some(value) = special(text) {
        return Ok(NumberLiteral {
            value,
            is_duration: false,
        });
    }
    if looks_like_duration(text) {
        let length = Duration::parse(text).map_err(|error| error.to_string())?;
        return Ok(NumberLiteral {
            value: seconds(length.millis()),
            is_duration: true,
        });
    }
    let value = plain_number(text)?;
    Ok(NumberLiteral {
        value,
        is_duration: false,
    })
}

/// Milliseconds as seconds, rounded as Go's `Duration.Seconds` does.
pub(super) fn seconds(length: Millis) -> f64 {
    let (whole, rest) = (length / 1000, length % 1000);
    whole as f64 + (rest * 1_000_000) as f64 / 1e9
}

/// `Inf` and `NaN` in any case.
pub(super) fn special(text: &str) -> Option<f64> {
    match text.len() == 3 {
        true if text.eq_ignore_ascii_case("inf") => Some(f64::INFINITY),
        true if text.eq_ignore_ascii_case("nan") => Some(f64::NAN),
        _ => None,
    }
}

/// Resolves the escapes of a literal with its quotes.
pub(super) fn unquote(literal: &str) -> Result<String, StringFault> {
    let inner = literal.get(1..literal.len() - 1).unwrap_or_default();
    if let Some(at) = inner.find('\u{fffd}') {
        return Err(fault(1 + at, 3, "invalid UTF-8 rune"));
    }
    let quote = literal.chars().next().unwrap_or('"');
    if quote == '`' || !inner.contains('\\') {
        return Ok(inner.to_owned());
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(backslash) = rest.find('\\') {
        let (plain, escape) = rest.split_at(backslash);
        bytes.extend_from_slice(plain.as_bytes());
        let at = literal.len() - 1 - escape.len();
        let (unit, used) =
            escape::read(escape, quote).map_err(|problem| bad_escape(problem, at, escape.len()))?;
        unit.push_to(&mut bytes);
        rest = escape.get(used..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(text_of(bytes))
}

/// What is wrong with an escape that stands so far inside a literal, in the lexer's words.
fn bad_escape(problem: EscapeFault, at: usize, left: usize) -> StringFault {
    match problem {
        EscapeFault::Unterminated => fault(at, left, "escape sequence not terminated"),
        EscapeFault::Unknown(letter) => {
            let message = format!("unknown escape sequence {}", unicode(letter));
            fault(at, 1 + letter.len_utf8(), message)
        }
        EscapeFault::NoDigit(c, after) => {
            let message = format!("illegal character {} in escape sequence", unicode(c));
            fault(at, after + c.len_utf8(), message)
        }
        EscapeFault::NoCodePoint(length) => {
            let message = "escape sequence is an invalid Unicode code point";
            fault(at, length, message)
        }
    }
}

/// A character as Go's `%#U` shows it.
pub(super) fn unicode(c: char) -> String {
    match c.is_control() {
        true => format!("U+{:04X}", c as u32),
        false => format!("U+{:04X} '{c}'", c as u32),
    }
}

fn fault(start: usize, length: usize, message: impl Into<String>) -> StringFault {
    StringFault {
        start,
        end: start + length,
        message: message.into(),
    }
}

/// Whether a text is lexed as a duration: numbers with units of one letter, each perhaps with an `s`.
/// Whether the units make sense is another question.
pub(super) fn looks_like_duration(text: &str) -> bool {
    let mut rest = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let mut units = ["s", "m", "h", "d", "w", "y"].as_slice();
    while rest.len() < text.len() {
        let Some(after) = units.iter().find_map(|unit| rest.strip_prefix(unit)) else {
            return false;
        };
        let after = after.strip_prefix('s').unwrap_or(after);
        if after.is_empty() {
            return true;
        }
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() == after.len() {
            return false;
        }
        // Years stand only in front.
        units = &["s", "m", "h", "d", "w"];
    }
    false
}

/// Reads a number as Prometheus does: as an integer in Go's notation, else as a float.
fn plain_number(text: &str) -> Result<f64, String> {
    let malformed = || format!("bad number or duration syntax: {text:?}");
    let digits = match text.contains('_') {
        true if !underscores_separate_digits(text) => return Err(malformed()),
        true => text.replace('_', ""),
        false => text.to_owned(),
    };
    if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16)
            .ok()
            .filter(|_| !hex.starts_with(['+', '-']))
            .map(|value| value as f64)
            .ok_or_else(malformed);
    }
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) {
        // A leading zero means octal, unless a digit does not fit that.
        if let Ok(value) = i64::from_str_radix(&digits, 8) {
            return Ok(value as f64);
        }
    }
    let is_float = digits
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    match digits.parse::<f64>() {
        Ok(value) if is_float && value.is_infinite() => Err(format!(
            "error parsing number: strconv.ParseFloat: parsing {text:?}: value out of range"
        )),
        Ok(value) if is_float => Ok(value),
        _ => Err(malformed()),
    }
}

fn underscores_separate_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    let digit = |index: usize| match bytes.get(index) {
        Some(byte) if is_hex => byte.is_ascii_hexdigit() || index == 1,
        Some(byte) => byte.is_ascii_digit(),
        None => false,
    };
    let mut underscores = text.match_indices('_');
    underscores.all(|(index, _)| index > 0 && digit(index - 1) && digit(index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_go() {
        for (text, value) in [
            ("1", 1.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("1.5E-1", 0.15),
            ("0x1F", 31.0),
            ("0X_1F", 31.0),
            ("017", 15.0),
            ("08", 8.0),
            ("0_7", 7.0),
            ("1_000.5", 1000.5),
            ("9223372036854775808", 9223372036854775808.0),
            ("inf", f64::INFINITY),
        ] {
            assert_eq!(number(text).map(|n| n.value), Ok(value), "{text}");
        }
        for text in [
            "1_", "1__0", "1_e2", "0x", "1e", "1.2.3", "0b1", "1e400", "5m1h", "1.5h", "1x",
        ] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_seconds() {
        for (text, value) in [
            ("5m", 300.0),
            ("1h30m", 5400.0),
            ("1ms", 0.001),
            ("0s", 0.0),
        ] {
            let literal = number(text).unwrap();
            assert_eq!(
                (literal.value, literal.is_duration),
                (value, true),
                "{text}"
            );
        }
    }

    #[test]
    fn escapes_resolve() {
        for (literal, value) in [
            (r#""a\n\"\\""#, "a\n\"\\"),
            (r"'it\'s \x41\101é\U0001F600'", "it's AAé😀"),
            (r"`a\n`", r"a\n"),
            (r#""\xc3\xa9""#, "é"),
            (r#""\xff""#, "\u{10feff}"),
        ] {
            assert_eq!(unquote(literal).as_deref(), Ok(value), "{literal}");
        }
        for literal in [
            r#""\q""#,
            r#""\'""#,
            r#""\xg0""#,
            r#""\400""#,
            r#""\ud800""#,
            r#""\u12""#,
        ] {
            assert!(unquote(literal).is_err(), "{literal}");
        }
    }
}
