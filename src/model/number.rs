//! Numbers and strings as Go's `strconv` writes and reads them.

use std::fmt::{self, Write};
use std::ops::Deref;

use super::bytes::byte_of;
use super::unicode::is_print;

/// A float as Prometheus prints sample values: `strconv.FormatFloat(value, 'f', -1, 64)`, the shortest
/// digits that read back the same, never with an exponent; `NaN`, `+Inf`, `-Inf`.
pub fn format_value(value: f64) -> String {
    match shortest(value) {
        Some((digits, exponent)) => without_exponent(&digits, exponent),
        None => non_finite(value).unwrap_or("NaN").to_owned(),
    }
}

/// A float as Go's `%v` and so `{{ $value }}` prints it: `strconv.FormatFloat(value, 'g', -1, 64)`, the
/// shortest digits, with an exponent below `1e-04` and from `1e+06` on.
pub fn format_general(value: f64) -> String {
    match shortest(value) {
        Some((digits, exponent)) => match exponent {
            -4..6 => without_exponent(&digits, exponent),
            _ => with_exponent(&digits, 'e', exponent),
        },
        None => format_value(value),
    }
}

/// A float as promtool prints expected and got values: `strconv.FormatFloat(value, 'E', -1, 64)`, the
/// shortest digits and always an exponent of two digits or more: `1E+00`.
pub fn format_scientific(value: f64) -> String {
    match shortest(value) {
        Some((digits, exponent)) => with_exponent(&digits, 'E', exponent),
        None => format_value(value),
    }
}

/// A float as Prometheus's HTTP API prints the value of an alert: `strconv.FormatFloat(value, 'e', -1, 64)`, the
/// shortest digits and always an exponent: `1e+00`.
pub fn format_exponent(value: f64) -> String {
    match shortest(value) {
        Some((digits, exponent)) => with_exponent(&digits, 'e', exponent),
        None => format_value(value),
    }
}

/// A float as Prometheus's HTTP API prints it: the shortest digits, with an exponent below `1e-06` and from
/// `1e+21` on.
pub fn format_json(value: f64) -> String {
    match shortest(value) {
        Some((digits, exponent)) => match exponent {
            // 0 has the exponent 0.
            -6..21 => without_exponent(&digits, exponent),
            _ => with_exponent(&digits, 'e', exponent),
        },
        None => format_value(value),
    }
}

/// A float as Go's `%.3g` prints it: `strconv.FormatFloat(value, 'g', digits, 64)`, at most so many digits, no trailing
/// zeros, with an exponent below `1e-04` and where the digits don't reach the point.
pub fn format_digits(value: f64, digits: usize) -> String {
    /// A float has no more digits, and Rust's own formatting has a limit.
    const MOST_DIGITS: usize = 1100;
    if let Some(text) = non_finite(value) {
        return text.to_owned();
    }
    let digits = digits.max(1);
    let text = format!("{value:.*e}", (digits - 1).min(MOST_DIGITS));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    let shown = mantissa.bytes().filter(u8::is_ascii_digit).count();
    // More digits than there are do not postpone the exponent form of a whole number.
    let limit = match digits > shown && i64::from(exponent) < shown as i64 {
        true => shown,
        false => digits,
    };
    match exponent < -4 || i64::from(exponent) >= i64::try_from(limit).unwrap_or(i64::MAX) {
        true => with_exponent(mantissa, 'e', exponent),
        false => without_exponent(mantissa, exponent),
    }
}

/// Reads a float as Go's `strconv.ParseFloat`: decimal or, with an exponent, hexadecimal
/// (`0x1.8p-2`); underscores between digits; `inf`, `infinity` and `nan` in any case. `None` where Go
/// has an error, which it also has where the number is too large.
pub fn parse_float(text: &str) -> Option<f64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let is = |name: &str| unsigned.eq_ignore_ascii_case(name);
    let size = if is("inf") || is("infinity") {
        f64::INFINITY
    } else if is("nan") && unsigned.len() == text.len() {
        f64::NAN
    } else if !underscores_separate_digits(unsigned) {
        return None;
    } else {
        // From here on underscores say nothing.
        let plain = unsigned.replace('_', "");
        match strip_hex(&plain) {
            Some(hex) => parse_hex(hex)?,
            None => parse_decimal(&plain)?,
        }
    };
    Some(if negative { -size } else { size })
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

/// The greater of two numbers as Go's `math.Max`: `+Inf` wins, then NaN; 0 is greater than -0.
pub fn max(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        if a.is_sign_negative() { b } else { a }
    } else if a > b {
        a
    } else {
        b
    }
}

/// The lesser of two numbers as Go's `math.Min`: `-Inf` wins, then NaN; -0 is less than 0.
pub fn min(a: f64, b: f64) -> f64 {
    -max(-a, -b)
}

/// One step of a compensated sum (Kahan's, with Neumaier's improvement): the new sum, and what rounding
/// has lost of it so far. An infinite sum forgets what it lost.
pub fn kahan_add(increment: f64, sum: f64, lost: f64) -> (f64, f64) {
    let total = sum + increment;
    let lost = if total.is_infinite() {
        0.0
    } else if sum.abs() >= increment.abs() {
        lost + ((sum - total) + increment)
    } else {
        lost + ((increment - total) + sum)
    };
    (total, lost)
}

/// A string in double quotes with Go's escapes (`strconv.Quote`).
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
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
            c if is_print(c) => out.push(c),
            c => escape(c, &mut out),
        }
    }
    out.push('"');
    out
}

/// Appends a character by its number, or a byte that belongs to none.
fn escape(c: char, out: &mut String) {
    let code = byte_of(c).map_or(u32::from(c), u32::from);
    let written = match code {
        _ if byte_of(c).is_some() => write!(out, "\\x{code:02x}"),
        0..=0x7f => write!(out, "\\x{code:02x}"),
        0x80..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    debug_assert!(written.is_ok(), "a string takes every character");
}

/// The shortest digits that read back the same, as `-1.25`, and the power of ten that they are
/// multiplied with; `None` where the value is not finite.
fn shortest(value: f64) -> Option<(Scientific, i32)> {
    let mut text = Scientific::of(format_args!("{value:e}"));
    // Of two shortest ones that are equally near, Go takes the even one, Rust takes any. That needs
    // 15 digits: fewer are never equally near.
    if text.len() > 15 && may_be_between(value) {
        let places = text.bytes().take_while(|c| *c != b'e');
        let places = places.filter(u8::is_ascii_digit).count().saturating_sub(1);
        let nearest = Scientific::of(format_args!("{value:.places$e}"));
        if nearest.parse() == Ok(value) {
            text = nearest;
        }
    }
    let (digits, exponent) = text.split_once('e')?;
    let (end, exponent) = (digits.len(), exponent.parse().ok()?);
    text.end = end;
    Some((text, exponent))
}

/// Whether a value may lie as near to one of two texts of 17 digits as to the other: then it ends with the digit behind those.
fn may_be_between(value: f64) -> bool {
    let bits = value.to_bits();
    let (exponent, fraction) = (bits >> 52 & 0x7FF, bits & ((1 << 52) - 1));
    let mantissa = fraction | u64::from(exponent != 0) << 52;
    // A value of so many binary places has as many decimal ones.
    let places = 1075 - exponent.max(1) as i32 - mantissa.trailing_zeros() as i32;
    let whole = value.abs().log10().floor() as i32 + 1;
    // One more, as the logarithm is rounded.
    places <= 0 || places + whole <= 19
}

/// A number's digits, on the stack, since many numbers are written.
struct Scientific {
    /// The longest shortest one is as long as `-2.2250738585072014e-308`.
    bytes: [u8; 24],
    end: usize,
}

impl Scientific {
    fn of(written: fmt::Arguments<'_>) -> Scientific {
        let mut text = Scientific {
            bytes: [0; 24],
            end: 0,
        };
        let fits = text.write_fmt(written);
        debug_assert!(fits.is_ok(), "{written} is too long");
        text
    }
}

impl fmt::Write for Scientific {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.end + part.len();
        let free = self.bytes.get_mut(self.end..end).ok_or(fmt::Error)?;
        free.copy_from_slice(part.as_bytes());
        self.end = end;
        Ok(())
    }
}

impl Deref for Scientific {
    type Target = str;

    fn deref(&self) -> &str {
        let written = self.bytes.get(..self.end).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }
}

/// Digits such as `-1.25` times a power of ten, written out.
fn without_exponent(digits: &str, exponent: i32) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let (first, more) = digits.split_once('.').unwrap_or((digits, ""));
    let places = exponent.unsigned_abs() as usize;
    if exponent < 0 {
        let zeros = places.saturating_sub(1);
        return format!("{sign}0.{:0<zeros$}{first}{more}", "");
    }
    match more.split_at_checked(places) {
        None => format!("{sign}{first}{more:0<places$}"),
        Some((whole, "")) => format!("{sign}{first}{whole}"),
        Some((whole, part)) => format!("{sign}{first}{whole}.{part}"),
    }
}

fn with_exponent(digits: &str, letter: char, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}{letter}{sign}{:02}", exponent.unsigned_abs())
}

/// Whether each underscore stands between digits, or between the prefix `0x` and a digit.
fn underscores_separate_digits(unsigned: &str) -> bool {
    if !unsigned.contains('_') {
        return true;
    }
    let hex = strip_hex(unsigned);
    let digit = |c: char| match hex {
        Some(_) => c.is_ascii_hexdigit(),
        None => c.is_ascii_digit(),
    };
    // The prefix counts as a digit.
    let mut after_digit = hex.is_some();
    let mut after_underscore = false;
    for c in hex.unwrap_or(unsigned).chars() {
        if (c == '_' && !after_digit) || (after_underscore && !digit(c)) {
            return false;
        }
        after_underscore = c == '_';
        after_digit = digit(c);
    }
    !after_underscore
}

/// What follows `0x`, if anything does.
fn strip_hex(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('0')?.strip_prefix(['x', 'X'])?;
    (!rest.is_empty()).then_some(rest)
}

/// Digits with or without a point and an exponent, no sign.
fn parse_decimal(text: &str) -> Option<f64> {
    // Rust reads the same numbers with the same rounding, and its own names of infinity.
    let number = |c: char| matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-');
    if !text.starts_with(|c: char| c == '.' || c.is_ascii_digit()) || !text.chars().all(number) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Hexadecimal digits with or without a point, `p` and a decimal exponent of two.
fn parse_hex(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once(['p', 'P'])?;
    let mut exponent = hex_exponent(exponent)?;
    let (mut mantissa, mut sticky) = (0_u64, false);
    let (mut seen_point, mut seen_digit) = (false, false);
    for c in digits.chars() {
        if c == '.' && !seen_point {
            seen_point = true;
            continue;
        }
        let digit = u64::from(c.to_digit(16)?);
        seen_digit = true;
        // Digits that no longer fit only decide how to round.
        let full = mantissa >> 60 != 0;
        match full {
            true => sticky |= digit != 0,
            false => mantissa = mantissa << 4 | digit,
        }
        let places = i64::from(full) - i64::from(seen_point);
        exponent = exponent.saturating_add(places.saturating_mul(4));
    }
    match seen_digit {
        true => scaled(mantissa, sticky, exponent),
        false => None,
    }
}

/// The decimal exponent behind a `p`; very large ones only large.
fn hex_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(i64::MAX / 2);
    Some(if negative { -size } else { size })
}

/// `mantissa * 2^exponent`, a little more where `sticky`, rounded to even; `None` where too large.
fn scaled(mantissa: u64, sticky: bool, exponent: i64) -> Option<f64> {
    if mantissa == 0 {
        return Some(0.0);
    }
    let shift = mantissa.leading_zeros();
    let leading = exponent.saturating_sub(i64::from(shift)).saturating_add(63);
    if leading > 1023 {
        return None;
    }
    // The last place of the result: 52 below the first, but never below that of the smallest float.
    let last = leading.saturating_sub(52).max(-1074);
    let wide = u128::from(mantissa << shift) << 63 | u128::from(sticky);
    // `wide` has its first bit at 126; places from `last` on stay.
    let dropped = 126_i64.saturating_sub(leading.saturating_sub(last));
    if dropped > 127 {
        return Some(0.0);
    }
    let kept = wide >> dropped;
    let rest = wide ^ (kept << dropped);
    let half = 1_u128 << (dropped - 1);
    let up = rest > half || (rest == half && kept & 1 == 1);
    let rounded = u64::try_from(kept).ok()?.saturating_add(u64::from(up));
    Some(rounded as f64 * power_of_two(last)).filter(|value| value.is_finite())
}

/// `2^exponent` for exponents from -1074 to 1023.
fn power_of_two(exponent: i64) -> f64 {
    let bits = match exponent {
        -1022..=1023 => (exponent + 1023) << 52,
        -1074..=-1023 => 1 << (exponent + 1074),
        _ => 0,
    };
    f64::from_bits(bits.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_equally_near_digits_the_even_ones() {
        assert_eq!(format_value(1_281_070_428_832_670.2), "1281070428832670.2");
        assert_eq!(
            format_general(34_761_855_121_141.812),
            "3.4761855121141812e+13"
        );
    }

    proptest! {
        #[test]
        fn no_value_between_two_texts_is_missed(mantissa in 1_u64..1 << 53, places in -40_i32..80) {
            let value = mantissa as f64 * (-f64::from(places)).exp2();
            let short = format!("{value:e}");
            let digits = short.split('e').next().unwrap_or_default();
            let digits = digits.bytes().filter(u8::is_ascii_digit).count();
            let nearest = format!("{value:.*e}", digits - 1);
            if nearest != short && nearest.parse() == Ok(value) {
                prop_assert!(may_be_between(value), "{value:e}");
            }
        }

        #[test]
        fn what_is_written_reads_back(value in any::<f64>()) {
            for text in [format_value(value), format_general(value), format_scientific(value)] {
                let read = parse_float(&text).map(f64::to_bits);
                prop_assert!(value.is_nan() || read == Some(value.to_bits()), "{text}");
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,20}|[+-]?(0[xX])?[0-9a-f_.]{0,20}([ep][+-]?[0-9_]{0,20})?") {
            parse_float(&text);
            prop_assert!(quote(&text).len() >= text.len());
        }
    }
}
