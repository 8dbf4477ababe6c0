//! The functions of templates that make numbers readable, or times and lengths of them.

use super::float::format_float;
use super::literal;
use super::runes;
use super::time::{SECOND, Time, duration_in};
use super::value::{IntegerType, UnsignedType, Value};
use crate::model::Duration;

/// The first argument as a number, as Prometheus's `ConvertToFloat`.
pub(super) fn number(values: &[Value]) -> Result<f64, String> {
    match values.first() {
        Some(Value::Float(value)) => Ok(*value),
        Some(Value::String(text)) => {
            let lossy = String::from_utf8_lossy(text);
            literal::parse_float(&lossy).map_err(|error| {
                format!(
                    "strconv.ParseFloat: parsing {}: {error}",
                    runes::quote(text)
                )
            })
        }
        Some(Value::Integer(value, IntegerType::Int | IntegerType::Int64)) => Ok(*value as f64),
        Some(Value::Unsigned(value, UnsignedType::Uint64)) => Ok(*value as f64),
        Some(Value::Integer(value, IntegerType::Duration)) => Ok(duration_in(*value, SECOND)),
        Some(other) => Err(format!("can't convert {} to float", other.type_name())),
        None => Err("can't convert <nil> to float".to_owned()),
    }
}

/// `%.4g`.
fn four_digits(value: f64) -> String {
    format_float(value, 'g', Some(4))
}

/// Divides by `factor` for each prefix while it is not below it.
fn with_large_prefix(value: f64, factor: f64, prefixes: &[&str]) -> String {
    let mut value = value;
    let mut shown = "";
    for prefix in prefixes {
        if value.abs() < factor {
            break;
        }
        shown = prefix;
        value /= factor;
    }
    format!("{}{shown}", four_digits(value))
}

/// Multiplies by a thousand for each prefix while it is below one.
fn with_small_prefix(value: f64) -> String {
    let mut value = value;
    let mut shown = "";
    for prefix in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        shown = prefix;
        value *= 1000.0;
    }
    format!("{}{shown}", four_digits(value))
}

/// `humanize`: prefixes by thousands.
pub(super) fn plain(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return four_digits(value);
    }
    match value.abs() >= 1.0 {
        true => with_large_prefix(value, 1000.0, &["k", "M", "G", "T", "P", "E", "Z", "Y"]),
        false => with_small_prefix(value),
    }
}

/// `humanize1024`.
pub(super) fn binary(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four_digits(value);
    }
    let prefixes = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
    with_large_prefix(value, 1024.0, &prefixes)
}

/// `humanizeDuration`.
pub(super) fn duration(value: f64) -> String {
    if !value.is_finite() {
        return four_digits(value);
    }
    if value == 0.0 {
        return four_digits(value) + "s";
    }
    if value.abs() < 1.0 {
        return with_small_prefix(value) + "s";
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let length = to_i64(value.abs());
    let (days, hours) = (length / 86_400, length / 3600 % 24);
    let (minutes, seconds) = (length / 60 % 60, length % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", four_digits(value.abs())),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, _, _) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}

/// Go's conversion on the machines that Prometheus mostly runs on: what does not fit is the smallest.
fn to_i64(value: f64) -> i64 {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    match (-TWO_TO_63..TWO_TO_63).contains(&value) {
        true => value as i64,
        false => i64::MIN,
    }
}

/// `toTime`: to the millisecond.
pub(super) fn to_time(value: f64) -> Result<Time, String> {
    if !value.is_finite() {
        return Err("value is NaN or Inf".to_owned());
    }
    let nanoseconds = value * 1e9;
    if nanoseconds > i64::MAX as f64 || nanoseconds < i64::MIN as f64 {
        let value = format_float(value, 'g', None);
        return Err(format!(
            "{value} cannot be represented as a nanoseconds timestamp since it overflows int64"
        ));
    }
    Ok(Time::from_millis(to_i64(nanoseconds) / 1_000_000))
}

/// `humanizePercentage`.
pub(super) fn percentage(value: f64) -> String {
    four_digits(value * 100.0) + "%"
}

/// `humanizeTimestamp`.
pub(super) fn timestamp(value: f64) -> Result<String, String> {
    match value.is_finite() {
        true => Ok(to_time(value)?.text()),
        false => Ok(four_digits(value)),
    }
}

/// `toDuration`, in nanoseconds.
pub(super) fn to_duration(value: f64) -> i64 {
    to_i64(value * SECOND as f64)
}

/// `parseDuration`, in seconds; a minus sign may stand before the length.
pub(super) fn parse_duration(text: &str) -> Result<f64, String> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text),
    };
    let duration = Duration::parse(length).map_err(|error| error.to_string())?;
    let nanoseconds = duration.millis().saturating_mul(sign * 1_000_000);
    Ok(nanoseconds as f64 / SECOND as f64)
}
