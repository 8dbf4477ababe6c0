//! The grammar of what a series is called.

use std::borrow::Cow;

use nom::bytes::complete::take_while;
use smallvec::SmallVec;

use super::super::fault::{Parsed, fail};
use crate::model::escape::{self, EscapeFault};
use crate::model::{Labels, METRIC_NAME};

/// Names and values, their escapes resolved.
type Pairs<'a> = SmallVec<[(Cow<'a, str>, Cow<'a, str>); 12]>;

/// Words of the query language that are no metric names where a series is named.
const RESERVED: [&str; 8] = [
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "atan2",
    "inf",
    "nan",
];

/// A whole text that names a series.
pub(super) fn series(input: &str) -> Parsed<'_, Labels> {
    let (start, _) = take_while(is_space)(input)?;
    let (rest, name) = metric_name(start)?;
    let (rest, mut pairs) = match rest.starts_with('{') {
        true => label_set(rest)?,
        false => (rest, Pairs::new()),
    };
    let (end, _) = take_while(is_space)(rest)?;
    if let Some(c) = end.chars().next() {
        return fail(
            end,
            format!("unexpected {c:?} after the series"),
            match c {
                '{' => "write the braces right after the name: metric{label=\"value\"}",
                _ => {
                    "name one series, as in metric{label=\"value\"}; its samples go under `values`"
                }
            },
        );
    }
    if !name.is_empty() {
        pairs.push((METRIC_NAME.into(), name.into()));
    }
    Ok((end, Labels::from_pairs(pairs)))
}

fn metric_name(input: &str) -> Parsed<'_, &str> {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    if input.starts_with('{') {
        return Ok((input, ""));
    }
    if !input.starts_with(starts) {
        return fail(
            input,
            match input.chars().next() {
                Some(c) => format!("unexpected {c:?}, expected the name of a series"),
                None => "a series without a name".to_owned(),
            },
            "name it as in metric{label=\"value\"}, or {\"any name\", label=\"value\"}",
        );
    }
    let (rest, name) =
        take_while(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':')(input)?;
    match RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word)) {
        false => Ok((rest, name)),
        true => fail(
            input,
            format!("{name:?} is a word of the query language and can't name a series here"),
            "quote it: {\"name\", label=\"value\"}",
        ),
    }
}

/// `{a="b", "c d"="e"}`, a trailing comma allowed.
fn label_set(input: &str) -> Parsed<'_, Pairs<'_>> {
    let mut pairs = Pairs::new();
    let mut rest = skip_spaces(input.get(1..).unwrap_or_default());
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((after, pairs));
        }
        rest = skip_spaces(label(rest, &mut pairs)?.0);
        if let Some(after) = rest.strip_prefix(',') {
            rest = skip_spaces(after);
        } else if !rest.starts_with('}') {
            return fail(rest, unexpected(rest, "\",\" or \"}\""), CLOSE);
        }
    }
}

const CLOSE: &str = "separate labels by commas and close with a brace: {a=\"b\", c=\"d\"}";

/// `a="b"`, `"a b"="c"`, or `"metric name"`.
fn label<'a>(input: &'a str, pairs: &mut Pairs<'a>) -> Parsed<'a, ()> {
    let (rest, name) = match quoted_start(input) {
        true => {
            let (rest, name) = string(input)?;
            let after = skip_spaces(rest);
            if !after.starts_with(['=', '!']) {
                return set(input, rest, pairs, METRIC_NAME.into(), name);
            }
            (after, name)
        }
        false if input.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
            let (rest, name) = take_while(|c: char| c.is_ascii_alphanumeric() || c == '_')(input)?;
            (skip_spaces(rest), name.into())
        }
        false => return fail(input, unexpected(input, "identifier or \"}\""), CLOSE),
    };
    let value = match rest.strip_prefix('=') {
        Some(after) if !after.starts_with('~') => skip_spaces(after),
        _ => {
            return fail(
                rest,
                unexpected(rest, "\"=\""),
                "a series has labels, no matchers: name=\"value\"",
            );
        }
    };
    if !quoted_start(value) {
        let help = "put the value of a label in quotes: name=\"value\"";
        return fail(value, unexpected(value, "string"), help);
    }
    let (rest, text) = string(value)?;
    set(input, rest, pairs, name, text)
}

fn set<'a>(
    input: &'a str,
    rest: &'a str,
    pairs: &mut Pairs<'a>,
    name: Cow<'a, str>,
    value: Cow<'a, str>,
) -> Parsed<'a, ()> {
    if name.is_empty() {
        return fail(
            input,
            "a label without a name",
            "name the label, or remove it",
        );
    }
    // An empty value removes the label, but its name was given.
    if pairs.iter().any(|(given, _)| *given == name) {
        return fail(
            input,
            format!("label name {name:?} is not unique"),
            "remove one of the two",
        );
    }
    pairs.push((name, value));
    Ok((rest, ()))
}

fn unexpected(rest: &str, expected: &str) -> String {
    match rest.chars().next() {
        Some(c) => format!("unexpected {c:?} in label set, expected {expected}"),
        None => "unexpected end of input inside braces".to_owned(),
    }
}

fn quoted_start(input: &str) -> bool {
    input.starts_with(['"', '\'', '`'])
}

/// A string in `"`, `'` or backquotes, its escapes resolved.
fn string(input: &str) -> Parsed<'_, Cow<'_, str>> {
    let Some(quote) = input.chars().next() else {
        return fail(input, "unexpected end of input", CLOSE);
    };
    let mut bytes = Vec::new();
    let mut rest = input.get(1..).unwrap_or_default();
    loop {
        let stop = |c: char| c == quote || (quote != '`' && matches!(c, '\\' | '\n'));
        let end = rest.find(stop).unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        if text.contains('\u{fffd}') {
            let help = "write the character by \\u, or as it is";
            return fail(rest, "invalid UTF-8 rune", help);
        }
        if let Some(after) = after.strip_prefix(quote).filter(|_| bytes.is_empty()) {
            return Ok((after, text.into()));
        }
        bytes.extend_from_slice(text.as_bytes());
        rest = match after.chars().next() {
            Some('\\') => unescape(after, quote, &mut bytes)?.0,
            Some(c) if c == quote => {
                let after = after.get(1..).unwrap_or_default();
                return match String::from_utf8(bytes) {
                    Ok(text) => Ok((after, text.into())),
                    Err(_) => fail(
                        input,
                        "the string is not valid UTF-8",
                        "write characters by \\u, or as they are",
                    ),
                };
            }
            _ => {
                let help = "close the string with the quote it began with";
                return fail(input, "unterminated quoted string", help);
            }
        };
    }
}

/// An escape such as `\n`, `\x41`, `\101` or `\u00e9`.
fn unescape<'a>(input: &'a str, quote: char, bytes: &mut Vec<u8>) -> Parsed<'a, ()> {
    match escape::read(input, quote) {
        Ok((unit, length)) => {
            unit.push_to(bytes);
            Ok((input.get(length..).unwrap_or_default(), ()))
        }
        Err(EscapeFault::Unknown(letter)) => fail(
            input,
            format!("unknown escape sequence \\{letter}"),
            "write a backslash as \\\\, or put the string in backquotes",
        ),
        Err(_) => fail(
            input,
            format!("bad escape sequence {}", input.get(..2).unwrap_or("\\")),
            "write \\x with 2, \\u with 4, \\U with 8 hexadecimal or \\ with 3 octal digits",
        ),
    }
}

fn skip_spaces(input: &str) -> &str {
    input.trim_start_matches(is_space)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}
