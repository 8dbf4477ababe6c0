//! Moments and numbers, written as the author writes them.

use chrono::{DateTime, FixedOffset, SecondsFormat};

use crate::model::number::format_value;
use crate::model::{Duration, Millis, Timestamp};

/// The units of durations, longest first, in milliseconds.
const UNITS: [(&str, Millis); 7] = [
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// More of one unit than this are told in hours, too, unless the author counted so far.
const MANY: Millis = 1_000;

/// A moment in place of another: a time where that is one, in its offset; else a duration, in its unit where that can be, and
/// in none that is longer than those there, hours aside.
pub(super) fn rewritten(model: &str, at: Millis, start: Timestamp) -> String {
    if let Ok(time) = DateTime::parse_from_rfc3339(model) {
        return in_offset(model, time.offset(), start.saturating_add(at));
    }
    let digits = model.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let is_single = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let unit = model.get(digits.len()..).unwrap_or("");
    let factor = UNITS.iter().find(|(name, _)| *name == unit);
    if let Some((unit, factor)) = factor.filter(|(_, factor)| is_single && at % factor == 0) {
        let written: Millis = digits.parse().unwrap_or(0);
        let number = at / factor;
        if number < MANY.max(written.saturating_mul(10)) {
            return format!("{number}{unit}");
        }
    }
    in_units_of(model, at)
}

/// A duration in no longer units than another, hours aside.
fn in_units_of(model: &str, at: Millis) -> String {
    let first = model.trim_start_matches(|c: char| c.is_ascii_digit());
    let end = first.find(|c: char| c.is_ascii_digit());
    let longest = first.get(..end.unwrap_or(first.len())).unwrap_or("");
    let place = |unit: &str| UNITS.iter().position(|(name, _)| *name == unit);
    let (Some(longest), Some(hours)) = (place(longest), place("h")) else {
        return Duration(at).to_string();
    };
    let units = UNITS.iter().skip(longest.min(hours));
    let (mut rest, mut written) = (at, String::new());
    for (unit, factor) in units {
        let is_exact_only = matches!(*unit, "y" | "w");
        if rest >= *factor && (!is_exact_only || rest % factor == 0) {
            written.push_str(&format!("{}{unit}", rest / factor));
            rest %= factor;
        }
    }
    match written.is_empty() {
        true => Duration(at).to_string(),
        false => written,
    }
}

fn in_offset(model: &str, offset: &FixedOffset, time: Timestamp) -> String {
    let Some(time) = DateTime::from_timestamp_millis(time) else {
        return model.to_owned();
    };
    let digits = match time.timestamp_subsec_millis() {
        0 if !model.contains('.') => SecondsFormat::Secs,
        _ => SecondsFormat::Millis,
    };
    let in_utc = model.ends_with(['Z', 'z']);
    time.with_timezone(offset).to_rfc3339_opts(digits, in_utc)
}

/// A number in place of another: of a hundred where that is so and can be.
pub(super) fn number_like(model: &str, value: f64) -> String {
    let plain = format_value(value);
    if !model.ends_with('%') {
        return plain;
    }
    let reads_back = |text: &String| text.parse::<f64>().is_ok_and(|it| it / 100.0 == value);
    let of_hundred = value * 100.0;
    let candidates = [format!("{of_hundred:.6}"), format!("{of_hundred:.12}")];
    let candidates =
        candidates.map(|text| text.trim_end_matches('0').trim_end_matches('.').to_owned());
    let mut candidates = candidates.into_iter().chain([format!("{of_hundred}")]);
    candidates
        .find(reads_back)
        .map_or(plain, |text| format!("{text}%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_unit_or_offset() {
        for (model, at, written) in [
            ("35m", 39, "39m"),
            ("90m", 95, "95m"),
            ("1h30m", 95, "1h35m"),
            ("1h", 95, "1h35m"),
            ("300s", 7, "420s"),
            ("1970-01-01T00:05:00Z", 7, "1970-01-01T00:07:00Z"),
            ("1970-01-01T01:05:00+01:00", 7, "1970-01-01T01:07:00+01:00"),
            ("1970-01-01T00:05:00.000Z", 7, "1970-01-01T00:07:00.000Z"),
            ("", 7, "7m"),
        ] {
            assert_eq!(rewritten(model, at * 60_000, 0), written, "{model}");
        }
        assert_eq!(rewritten("35m", 90_500, 0), "1m30s500ms");
        for (model, minutes, written) in [
            ("90m", 4447, "74h7m"),
            ("2000m", 4447, "4447m"),
            ("74h5m", 4447, "74h7m"),
            ("73h", 4447, "74h7m"),
            ("3d2h", 4447, "3d2h7m"),
            ("1w", 4447, "3d2h7m"),
        ] {
            assert_eq!(rewritten(model, minutes * 60_000, 0), written, "{model}");
        }
    }

    #[test]
    fn shares_of_a_hundred_stay_such() {
        assert_eq!(number_like("12%", 0.12), "12%");
        assert_eq!(number_like("12%", 0.107), "10.7%");
        assert_eq!(number_like("12%", f64::NAN), "NaN");
        assert_eq!(number_like("0.12", 0.107), "0.107");
        let third = number_like("12%", 1.0 / 3.0);
        let read = third
            .strip_suffix('%')
            .map(|it| it.parse::<f64>().unwrap() / 100.0);
        assert!(
            read == Some(1.0 / 3.0) || third.parse() == Ok(1.0 / 3.0),
            "{third}"
        );
    }
}
