//! Numbers of the series notation, as Prometheus's lexer cuts them and Go's `strconv` reads them.

use super::super::fault::{Parsed, fail};
use crate::model::number::parse_float;

/// An unsigned number: `5`, `.5`, `1e3`, `1_000`, `010` (octal, 8). No hexadecimal, `0x3` repeats.
pub(super) fn number(input: &str) -> Parsed<'_, f64> {
    let (rest, text) = number_text(input)?;
    match value(text) {
        Some(value) => Ok((rest, value)),
        None => fail(
            input,
            format!("{text:?} is not a number, or too large for one"),
            "write a decimal number such as 5, 0.25 or 1e3",
        ),
    }
}

/// A whole number without sign, as stands after `x`.
pub(super) fn repetitions(input: &str) -> Parsed<'_, u64> {
    let (rest, text) = number_text(input)?;
    match text.parse() {
        Ok(count) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok((rest, count)),
        _ => fail(
            input,
            format!("invalid repetition in series values: {text:?} is no whole number"),
            "write how often to repeat as a whole number below 2^64, as in 1x5",
        ),
    }
}

/// The text of a number, by the lexer's rules.
fn number_text(input: &str) -> Parsed<'_, &str> {
    if input.is_empty() {
        return fail(input, "unexpected end of input in series values", EXPECTED);
    }
    let bytes = input.as_bytes();
    let end = scan(bytes);
    let (length, good) = match end {
        Ok(length) => (length, length > 0),
        Err(length) => (length, false),
    };
    // A letter after a number belongs to it, except the `x` of a repetition.
    let glued = |byte: &u8| *byte != b'x' && (byte.is_ascii_alphanumeric() || *byte == b'_');
    if good && !bytes.get(length).is_some_and(glued) {
        return match (input.get(length..), input.get(..length)) {
            (Some(rest), Some(text)) => Ok((rest, text)),
            _ => fail(input, "bad number syntax", EXPECTED),
        };
    }
    if let (0, Some(first)) = (length, input.chars().next()) {
        return fail(
            input,
            format!("unexpected {first:?} in series values"),
            EXPECTED,
        );
    }
    let shown = input.get(..length).unwrap_or_default();
    fail(
        input,
        format!("bad number syntax: {shown:?}"),
        "separate values by spaces and write no units: durations are no values",
    )
}

const EXPECTED: &str = "expected a number, as in 5, 1x3 or 1+2x3";

/// How far a number reaches; as error where it can't be one, with how far that was seen.
fn scan(bytes: &[u8]) -> Result<usize, usize> {
    let at = |index: usize| bytes.get(index).copied();
    let one_of = |index: usize, set: &[u8]| at(index).is_some_and(|byte| set.contains(&byte));
    let ended_badly = |index: usize| at(index).is_none() || one_of(index, b"._eE");
    let mut end = usize::from(one_of(0, b"."));
    if at(end).is_some_and(|byte| byte.is_ascii_digit()) {
        end += 1;
    }
    let (mut dot, mut exponent) = (false, false);
    while let Some(byte) = at(end) {
        match byte {
            b'0'..=b'9' => end += 1,
            b'.' => {
                end += 1;
                if dot || one_of(end, b"_.") {
                    return Err(end);
                }
                dot = true;
            }
            b'e' | b'E' => {
                end += 1;
                if exponent {
                    return Err(end);
                }
                exponent = true;
                end += usize::from(one_of(end, b"+-"));
                if ended_badly(end) {
                    return Err(end);
                }
            }
            b'_' => {
                end += 1;
                if ended_badly(end) {
                    return Err(end);
                }
            }
            _ => break,
        }
    }
    Ok(end)
}

/// What Go reads: a whole number with a leading zero is octal if it can be.
fn value(text: &str) -> Option<f64> {
    if !text.starts_with('0') && !text.contains('_') {
        return text.parse().ok().filter(|value: &f64| value.is_finite());
    }
    let decimal = parse_float(text)?;
    if !text.starts_with('0') {
        return Some(decimal);
    }
    let octal = i64::from_str_radix(&text.replace('_', ""), 8);
    Some(octal.map_or(decimal, |octal| octal as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_go_does() {
        for (text, expected) in [
            ("0", 0.0),
            ("010", 8.0),
            ("08", 8.0),
            ("0_10", 8.0),
            ("01_0", 8.0),
            ("0777777777777777777777777777", 7.777777777777778e26),
            ("1_000", 1000.0),
            ("1_0.5", 10.5),
            ("1_0e0_1", 100.0),
            (".5", 0.5),
            ("1.", 1.0),
            ("1e3", 1000.0),
            ("1E-3", 0.001),
            ("010.5", 10.5),
            ("9223372036854775808", 9223372036854775808.0),
        ] {
            assert_eq!(number(text), Ok(("", expected)), "{text}");
        }
        for text in [
            "", "x", "5m", "1..2", "1._2", "1e", "1e5e5", "1__0", "1_", "1_x", ".", "1e999", "0b1",
            "1.5_.5", "0x10g", "-1",
        ] {
            assert!(
                number(text).map_or(true, |(rest, _)| !rest.is_empty()),
                "{text}"
            );
        }
    }
}
