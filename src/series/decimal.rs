//! Numbers in files, with a fast road for short decimal ones, which is what most files hold.

use crate::model::number::parse_float;

/// A short decimal number with an optional minus, up to a space or the end: its value and its length.
/// `None` for everything that needs a second look, an integer with a leading zero too.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> Option<(f64, usize)> {
    let negative = bytes.first() == Some(&b'-');
    let start = usize::from(negative);
    let mut mantissa = 0u64;
    let mut end = start;
    let mut point = None;
    loop {
        let byte = bytes.get(end).copied().unwrap_or(b' ');
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa
                    .wrapping_mul(10)
                    .wrapping_add(u64::from(byte - b'0'));
            }
            b'.' if point.is_none() => point = Some(end),
            b' ' => break,
            _ => return None,
        }
        end += 1;
    }
    let digits = end - start - usize::from(point.is_some());
    let whole_digits = point.unwrap_or(end) - start;
    let leading_zero = whole_digits > 1 && bytes.get(start) == Some(&b'0') && point.is_none();
    // Fifteen digits stay below 2^53: the number and the power of ten are exact, and so their quotient
    // is correctly rounded.
    if whole_digits == 0 || digits > 15 || leading_zero {
        return None;
    }
    let value = mantissa as f64 / POWERS_OF_TEN.get(digits - whole_digits)?;
    Some((if negative { -value } else { value }, end))
}

/// A whole text as a number, `NaN`, `+Inf` or `-Inf`. All NaN are one: the bits of a stale marker mean something.
pub(super) fn number(text: &str) -> Option<f64> {
    match plain(text.as_bytes()) {
        Some((value, length)) if length == text.len() => Some(value),
        _ => match parse_float(text).filter(|_| !text.contains(['p', 'P', '_']))? {
            value if value.is_nan() => Some(f64::NAN),
            value => Some(value),
        },
    }
}

const POWERS_OF_TEN: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_as_exact_as_the_slow_road() {
        for text in [
            "0",
            "-0",
            "5",
            "-5",
            "0.1",
            "123456.789",
            "999999999999999",
            "1.",
            "0.000001",
        ] {
            let (value, length) = plain(text.as_bytes()).unwrap_or((f64::NAN, 0));
            let expected: f64 = text.parse().unwrap_or(f64::NAN);
            assert_eq!(
                (value.to_bits(), length),
                (expected.to_bits(), text.len()),
                "{text}"
            );
        }
        for text in [
            "",
            "-",
            ".",
            "-.",
            ".5",
            "010",
            "1e5",
            "1x3",
            "1+2",
            "1234567890123456",
            "1.2.3",
        ] {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
    }
}
