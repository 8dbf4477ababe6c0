//! The literals of Go: quoted strings, characters and numbers.

use super::runes;
use crate::model::escape::{self, Unit};
use crate::model::number;

/// What a number can be; Go lets its use decide.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    /// As it was written.
    pub(super) text: String,
    pub(super) integer: Option<i64>,
    pub(super) unsigned: Option<u64>,
    pub(super) float: Option<f64>,
    pub(super) complex: Option<(f64, f64)>,
}

/// Why a text is no float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FloatError {
    #[error("invalid syntax")]
    Syntax,
    #[error("value out of range")]
    Range,
}

const INVALID: &str = "invalid syntax";

/// `strconv.Unquote` of a string in double quotes or backquotes.
pub(super) fn unquote(text: &str) -> Result<Vec<u8>, String> {
    let inside = text
        .len()
        .checked_sub(1)
        .and_then(|end| text.get(1..end))
        .ok_or(INVALID)?;
    if text.starts_with('`') {
        return Ok(inside.replace('\r', "").into_bytes());
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while !rest.is_empty() {
        let (unit, after) = unquote_unit(rest, '"').ok_or(INVALID)?;
        unit.push_to(&mut out);
        rest = after;
    }
    Ok(out)
}

/// `strconv.UnquoteChar`.
fn unquote_unit(text: &str, mark: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first == mark {
        return None;
    }
    if first != '\\' {
        return Some((Unit::Char(first), chars.as_str()));
    }
    let (unit, length) = escape::read(text, mark).ok()?;
    Some((unit, text.get(length..)?))
}

/// A character between single quotes.
pub(super) fn character(text: &str) -> Result<Number, String> {
    let inside = text.get(1..).ok_or(INVALID)?;
    let (unit, rest) = unquote_unit(inside, '\'').ok_or(INVALID)?;
    if rest != "'" {
        return Err(format!("malformed character constant: {text}"));
    }
    let code = match unit {
        Unit::Byte(byte) => u32::from(byte),
        Unit::Char(c) => u32::from(c),
    };
    Ok(Number {
        text: text.to_owned(),
        integer: Some(i64::from(code)),
        unsigned: Some(u64::from(code)),
        float: Some(f64::from(code)),
        complex: None,
    })
}

/// A real or imaginary number.
pub(super) fn real(text: &str) -> Result<Number, String> {
    if let Some(imaginary) = text
        .strip_suffix('i')
        .and_then(|text| parse_float(text).ok())
    {
        return Ok(from_complex(text, 0.0, imaginary));
    }
    let (integer, unsigned) = integers(text);
    let mut number = Number {
        text: text.to_owned(),
        integer,
        unsigned,
        float: integer
            .map(|integer| integer as f64)
            .or(unsigned.map(|unsigned| unsigned as f64)),
        complex: None,
    };
    if number.float.is_none()
        && let Ok(float) = parse_float(text)
    {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!(
                "integer overflow: {}",
                runes::quote(text.as_bytes())
            ));
        }
        number.float = Some(float);
        number.integer = exact_integer(float);
        number.unsigned = exact_unsigned(float);
    }
    match number.float {
        Some(_) => Ok(number),
        None => Err(format!(
            "illegal number syntax: {}",
            runes::quote(text.as_bytes())
        )),
    }
}

/// A sum of a real and an imaginary number, such as `1+2i`.
pub(super) fn complex(text: &str) -> Result<Number, String> {
    const SCAN: &str = "syntax error scanning complex number";
    let sum = text.strip_suffix('i').ok_or(SCAN)?;
    // The sign of the second part: not the first character and not the sign of an exponent.
    let split = sum
        .char_indices()
        .skip(1)
        .find(|(at, c)| {
            let before = sum.get(..*at).and_then(|head| head.chars().last());
            let hexadecimal = sum.get(..*at).is_some_and(|head| head.contains(['x', 'X']));
            let exponent = match before {
                Some('p' | 'P') => true,
                Some('e' | 'E') => !hexadecimal,
                _ => false,
            };
            matches!(c, '+' | '-') && !exponent
        })
        .map(|(at, _)| at)
        .ok_or(SCAN)?;
    let (real, imaginary) = sum.split_at_checked(split).ok_or(SCAN)?;
    let part = |text: &str| {
        parse_float(text).map_err(|error| {
            let quoted = runes::quote(text.as_bytes());
            format!("strconv.ParseFloat: parsing {quoted}: {error}")
        })
    };
    Ok(from_complex(text, part(real)?, part(imaginary)?))
}

fn from_complex(text: &str, real: f64, imaginary: f64) -> Number {
    let float = (imaginary == 0.0).then_some(real);
    Number {
        text: text.to_owned(),
        integer: float.and_then(exact_integer),
        unsigned: float.and_then(exact_unsigned),
        float,
        complex: Some((real, imaginary)),
    }
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

fn exact_integer(float: f64) -> Option<i64> {
    let fits = (-TWO_TO_63..TWO_TO_63).contains(&float) && float.trunc() == float;
    fits.then_some(float as i64)
}

fn exact_unsigned(float: f64) -> Option<u64> {
    let fits = (0.0..TWO_TO_63 * 2.0).contains(&float) && float.trunc() == float;
    fits.then_some(float as u64)
}

/// `strconv.ParseInt` and `ParseUint` with base 0.
fn integers(text: &str) -> (Option<i64>, Option<u64>) {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or("")),
        Some(b'+') => (false, text.get(1..).unwrap_or("")),
        _ => (false, text),
    };
    let signed = digits.len() != text.len();
    let Some(magnitude) = magnitude(digits) else {
        return (None, None);
    };
    let integer = match negative {
        true => 0i64.checked_sub_unsigned(magnitude),
        false => i64::try_from(magnitude).ok(),
    };
    // ParseUint takes no sign, but -0 and +0 count.
    let unsigned = (!signed || integer == Some(0)).then_some(magnitude);
    (integer, unsigned)
}

fn magnitude(digits: &str) -> Option<u64> {
    let bytes = digits.as_bytes();
    let (radix, body) = match (bytes.first(), bytes.get(1)) {
        (Some(b'0'), Some(b'x' | b'X')) => (16, digits.get(2..)?),
        (Some(b'0'), Some(b'o' | b'O')) => (8, digits.get(2..)?),
        (Some(b'0'), Some(b'b' | b'B')) => (2, digits.get(2..)?),
        (Some(b'0'), Some(_)) => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !underscores_fit(digits) {
        return None;
    }
    let body = body.replace('_', "");
    if body.is_empty() || !body.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u64::from_str_radix(&body, radix).ok()
}

/// Whether underscores stand only between digits, or between a base prefix and a digit.
fn underscores_fit(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    let hexadecimal = lower.starts_with("0x");
    let prefixed = hexadecimal || lower.starts_with("0b") || lower.starts_with("0o");
    let mut before = if prefixed { '0' } else { '^' };
    for c in lower.chars().skip(if prefixed { 2 } else { 0 }) {
        before = match c {
            '0'..='9' => '0',
            'a'..='f' if hexadecimal => '0',
            '_' if before == '0' => '_',
            '_' => return false,
            _ if before == '_' => return false,
            _ => '!',
        };
    }
    before != '_'
}

/// `strconv.ParseFloat` with 64 bits.
pub(super) fn parse_float(text: &str) -> Result<f64, FloatError> {
    number::parse_float(text).ok_or_else(|| {
        // With zeros for all digits it is as well formed, and fits.
        let zeros = text.replace(|c: char| c.is_ascii_digit(), "0");
        match number::parse_float(&zeros) {
            Some(_) => FloatError::Range,
            None => FloatError::Syntax,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_floats_as_go() {
        for (text, expected) in [
            ("0x1p4", Ok(16.0)),
            ("-0X1.8p1", Ok(-3.0)),
            ("0x1p-1074", Ok(f64::from_bits(1))),
            ("0x1p-1075", Ok(0.0)),
            ("0x3p-1075", Ok(f64::from_bits(2))),
            ("0x1.fffffffffffff8p1023", Err(FloatError::Range)),
            ("0x1.fffffffffffffp1023", Ok(f64::MAX)),
            ("1_000.5", Ok(1000.5)),
            ("1__0", Err(FloatError::Syntax)),
            ("1e999", Err(FloatError::Range)),
            ("1e-999", Ok(0.0)),
            ("+Inf", Ok(f64::INFINITY)),
            ("+nan", Err(FloatError::Syntax)),
            ("0x1", Err(FloatError::Syntax)),
            (".", Err(FloatError::Syntax)),
            ("1e", Err(FloatError::Syntax)),
            ("", Err(FloatError::Syntax)),
        ] {
            assert_eq!(parse_float(text), expected, "{text}");
        }
    }

    #[test]
    fn unquotes_as_go() {
        assert_eq!(unquote(r#""a\x41\101\u00e9\n\"""#), Ok("aAAé\n\"".into()));
        assert_eq!(unquote(r#""\xff""#), Ok(vec![0xff]));
        assert_eq!(unquote("`a\\n\r`"), Ok(b"a\\n".to_vec()));
        for bad in [r#""\'""#, r#""\q""#, r#""\ud800""#, r#""\400""#, r#""\x4""#] {
            assert_eq!(unquote(bad), Err(INVALID.to_owned()), "{bad}");
        }
    }
}
