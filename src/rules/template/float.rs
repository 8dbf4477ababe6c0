//! Floats as Go's `strconv.FormatFloat` writes them.

use crate::model::number::{
    format_digits, format_general, format_scientific, format_value, non_finite,
};

/// More digits than a float has are zeros: these are enough, and Rust's own formatting has a limit.
const MOST_DIGITS: usize = 1100;

/// `strconv.FormatFloat(value, format, precision, 64)` for the formats `e E f g G b x X`; a precision
/// of `None` is Go's -1, the fewest digits that read back the same.
pub(super) fn format_float(value: f64, format: char, precision: Option<usize>) -> String {
    if let Some(text) = non_finite(value) {
        return text.to_owned();
    }
    let text = match format {
        'e' | 'E' => exponent_form(value, precision),
        'f' => plain_form(value, precision),
        'g' | 'G' => general_form(value, precision),
        'b' => return binary_form(value),
        _ => hexadecimal_form(value, precision),
    };
    match format {
        'E' | 'G' | 'X' => text.to_ascii_uppercase(),
        _ => text,
    }
}

/// `d.ddde+XX`.
fn exponent_form(value: f64, precision: Option<usize>) -> String {
    let Some(shown) = precision else {
        return format_scientific(value).to_ascii_lowercase();
    };
    let text = format!("{value:.*e}", shown.min(MOST_DIGITS));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let missing = missing_digits(precision);
    format!("{mantissa}{missing}{}", exponent_text(exponent))
}

/// `e+XX`, at least two digits.
fn exponent_text(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:02}", exponent.unsigned_abs())
}

fn missing_digits(precision: Option<usize>) -> String {
    "0".repeat(precision.unwrap_or(0).saturating_sub(MOST_DIGITS))
}

fn plain_form(value: f64, precision: Option<usize>) -> String {
    match precision {
        None => format_value(value),
        Some(shown) => format!(
            "{value:.*}{}",
            shown.min(MOST_DIGITS),
            missing_digits(precision)
        ),
    }
}

/// `%e` where the exponent is below -4 or not below the precision, else plain; no trailing zeros.
fn general_form(value: f64, precision: Option<usize>) -> String {
    match precision {
        None => format_general(value),
        Some(precision) => format_digits(value, precision),
    }
}

/// Mantissa and exponent of two, both decimal: `4503599627370496p-52`.
fn binary_form(value: f64) -> String {
    let (negative, mantissa, exponent) = parts(value);
    let sign = if negative { "-" } else { "" };
    let exponent_sign = if exponent >= 0 { "+" } else { "" };
    format!("{sign}{mantissa}p{exponent_sign}{exponent}")
}

/// `0x1.8p+01`.
fn hexadecimal_form(value: f64, precision: Option<usize>) -> String {
    let (negative, mantissa, exponent) = parts(value);
    let mut exponent = if mantissa == 0 { 0 } else { exponent + 52 };
    let mut mantissa = mantissa;
    // The leading one stands at bit 60, fifteen hexadecimal digits may follow.
    if mantissa != 0 {
        let shift = mantissa.leading_zeros() - 3;
        exponent -= i32::try_from(shift).unwrap_or(0) - 8;
        mantissa <<= shift;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let dropped = 60 - 4 * precision as u32;
        let low = mantissa & ((1 << dropped) - 1);
        let half = 1u64 << (dropped - 1);
        mantissa >>= dropped;
        mantissa += u64::from(low > half || (low == half && mantissa & 1 == 1));
        mantissa <<= dropped;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let first = mantissa >> 60;
    let fraction = format!("{:015x}", mantissa & ((1 << 60) - 1));
    let fraction = match precision {
        None => fraction.trim_end_matches('0').to_owned(),
        Some(precision) if precision < 15 => fraction.get(..precision).unwrap_or("").to_owned(),
        Some(precision) => format!("{fraction}{}", "0".repeat(precision - 15)),
    };
    let sign = if negative { "-" } else { "" };
    let dot = if fraction.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    let exponent = exponent.unsigned_abs();
    format!("{sign}0x{first}{dot}{fraction}p{exponent_sign}{exponent:02}")
}

/// Sign, mantissa and exponent: the value is `mantissa * 2^exponent`.
fn parts(value: f64) -> (bool, u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let biased = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0);
    match biased {
        0 => (value.is_sign_negative(), fraction, -1074),
        _ => (value.is_sign_negative(), fraction | 1 << 52, biased - 1075),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_floats_as_go() {
        for (value, format, precision, expected) in [
            (1e6, 'g', None, "1e+06"),
            (123456.0, 'g', None, "123456"),
            (1234567.0, 'g', None, "1.234567e+06"),
            (0.0001, 'g', None, "0.0001"),
            (0.00001, 'g', None, "1e-05"),
            (-0.0, 'g', None, "-0"),
            (100.0, 'g', Some(10), "100"),
            (1e6, 'g', Some(10), "1000000"),
            (1234.5678, 'G', Some(3), "1.23E+03"),
            (0.125, 'f', Some(2), "0.12"),
            (2.5, 'f', Some(0), "2"),
            (1234.5678, 'x', None, "0x1.34a456d5cfaadp+10"),
            (1.0, 'x', Some(0), "0x1p+00"),
            (1.999, 'x', Some(0), "0x1p+01"),
            (0.0, 'x', None, "0x0p+00"),
            (f64::from_bits(1), 'x', None, "0x1p-1074"),
            (1234.5678, 'b', None, "5429686605511341p-42"),
            (f64::NAN, 'f', Some(2), "NaN"),
            (f64::INFINITY, 'e', Some(2), "+Inf"),
        ] {
            assert_eq!(
                format_float(value, format, precision),
                expected,
                "{value} {format}"
            );
        }
    }
}
