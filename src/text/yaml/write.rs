//! Writes texts and numbers so that Go's YAML libraries, and those of other languages, read them back
//! the same.

use std::fmt::Write;

use super::resolve::resolve_plain;
use super::{Resolved, Scalar, Style};

/// Where a scalar stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// In a list or mapping in lines.
    Lines,
    /// Somewhere in brackets or braces.
    Brackets,
}

/// A text in one line: without quotes where it can only be a text, else in quotes.
pub fn write_text(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let printable = !text.chars().any(needs_escape);
    if printable && !text.contains(['"', '\\']) {
        return format!("\"{text}\"");
    }
    match printable {
        true => format!("'{}'", text.replace('\'', "''")),
        false => escaped(text),
    }
}

/// A text in one line, in the quotes of another one, or without quotes like that one, where it can be.
///
/// A number among texts stays without quotes: who wrote the other one so reads it as a text.
pub fn write_like(text: &str, model: &Scalar<'_>, around: Around) -> String {
    if text.chars().any(needs_escape) {
        return write_text(text);
    }
    match model.style {
        Style::Single => format!("'{}'", text.replace('\'', "''")),
        Style::Double => escaped(text),
        Style::Plain if is_readable_plain(text, around) => text.to_owned(),
        Style::Plain if is_number(text) && is_number(&model.text) => text.to_owned(),
        Style::Plain | Style::Literal | Style::Folded => write_text(text),
    }
}

/// A text of several lines as a `|` block whose lines begin with `indent`, header and all; `None` where
/// a block can't hold it.
pub fn write_block(text: &str, indent: &str, line_break: &str) -> Option<String> {
    let (body, header) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    let fits = |line: &str| {
        !line.ends_with([' ', '\t']) && !line.chars().any(needs_escape) && !line.contains('\u{85}')
    };
    let starts_well = |body: &str| !body.is_empty() && !body.starts_with([' ', '\t', '\n']);
    let lines: Vec<&str> = body.split('\n').collect();
    let ends_well = lines.last().is_some_and(|line| !line.is_empty());
    if !text.contains('\n') || !starts_well(body) || !ends_well || !lines.iter().all(|it| fits(it))
    {
        return None;
    }
    let mut out = header.to_owned();
    for line in lines {
        out.push_str(line_break);
        if !line.is_empty() {
            out.push_str(indent);
            out.push_str(line);
        }
    }
    Some(out)
}

/// A number that reads back to the same bits, but for the payload of a NaN.
pub fn write_float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    if value == 0.0 && value.is_sign_negative() {
        return "-0.0".to_owned();
    }
    match value.abs() {
        0.0 | 1e-6..1e15 => format!("{value}"),
        _ => format!("{value:e}"),
    }
}

/// Whether a text needs no quotes, in brackets or out of them.
fn is_plain(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    begins_well
        && text.len() <= 256
        && text.chars().all(is_word)
        && resolve_plain(text) == Resolved::Text
}

/// Whether a text of several words needs no quotes.
fn is_readable_plain(text: &str, around: Around) -> bool {
    let begins_well = text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '/'));
    // What begins with a digit may be a number or a date to somebody, unless words follow.
    let has_words = !text.starts_with(|c: char| c.is_ascii_digit())
        || text
            .split(' ')
            .any(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase()));
    let is_sign = |c: char| matches!(c, ',' | '[' | ']' | '{' | '}');
    begins_well
        && has_words
        && text.len() <= 256
        && (around == Around::Lines || !text.contains(is_sign))
        && [": ", " #", "\t"].iter().all(|sign| !text.contains(sign))
        && !text.ends_with([':', ' '])
        && resolve_plain(text) == Resolved::Text
}

/// Digits and at most one dot between them, without a zero in front that might mean eights.
fn is_number(text: &str) -> bool {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(rest) && (whole == "0" || !whole.starts_with('0'))
}

/// Whether a character can't stand in a YAML text as it is.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if !needs_escape(c) => out.push(c),
            c => {
                // Writing to a String can't fail.
                let _ = match u32::from(c) {
                    code @ 0..=0xFF => write!(out, "\\x{code:02x}"),
                    code => write!(out, "\\u{code:04x}"),
                };
            }
        }
    }
    out.push('"');
    out
}
