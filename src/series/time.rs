//! Times as files and people write them.

use chrono::{DateTime, NaiveDateTime};

use super::decimal::number;
use crate::model::Timestamp;

/// Times beyond this many milliseconds from 1970 are no times: some 285,000 years.
pub(super) const MAX_TIME: Timestamp = 1 << 53;

/// A stamp as late as this many milliseconds from 1970 was hardly written in seconds.
pub(super) const FARTHEST_FUTURE: Timestamp = 100_000_000_000_000;

/// A moment as Prometheus's HTTP API takes it: RFC 3339, or seconds since 1970 with or without a fraction.
pub fn moment(text: &str) -> Option<Timestamp> {
    unix_seconds(text)
        .or_else(|| Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis()))
        .filter(|time| (-MAX_TIME..=MAX_TIME).contains(time))
}

/// A moment in UTC, to the millisecond where it is no whole second; seconds where the calendar does not reach.
pub fn show(time: Timestamp) -> String {
    match DateTime::from_timestamp_millis(time) {
        None => format!("{} s", time as f64 / 1000.0),
        Some(time) if time.timestamp_subsec_millis() == 0 => {
            time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
        }
        Some(time) => time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    }
}

/// RFC 3339, or a date and a time without a zone, which is UTC: `2026-03-02 09:00:00`. What is finer than a millisecond
/// is cut off.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    // A number is not worth a look.
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let formats = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    let time = formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    Some(time.and_utc().timestamp_millis())
}

/// Seconds since 1970, perhaps with a fraction, before 1970 with a minus. What is finer than a millisecond is cut off.
pub(super) fn unix_seconds(text: &str) -> Option<Timestamp> {
    let exact = match text.strip_prefix('-') {
        Some(before) => exact_seconds(before).map(|time| -time),
        None => exact_seconds(text),
    };
    exact.or_else(|| rounded_seconds(text))
}

/// Seconds as a short decimal number, to the millisecond.
pub(super) fn exact_seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 14 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut millis: Timestamp = 0;
    for position in 0..3 {
        let digit = fraction
            .as_bytes()
            .get(position)
            .map_or(0, |byte| byte - b'0');
        millis = millis * 10 + Timestamp::from(digit);
    }
    Some(whole.parse::<Timestamp>().ok()? * 1000 + millis)
}

/// Seconds as any number.
pub(super) fn rounded_seconds(text: &str) -> Option<Timestamp> {
    let seconds = number(text)?;
    // A number that no timestamp holds becomes the largest, which is refused.
    seconds
        .is_finite()
        .then_some((seconds * 1000.0) as Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_exact_to_the_millisecond() {
        for (text, expected) in [
            ("0", 0),
            ("1700000000.001", 1_700_000_000_001),
            ("-1.001", -1_001),
            ("1.7e9", 1_700_000_000_000),
            ("1.0019", 1_001),
            ("2026-03-02T09:00:00Z", 1_772_442_000_000),
            ("2026-03-02T10:00:00.25+01:00", 1_772_442_000_250),
        ] {
            assert_eq!(moment(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "now",
            "NaN",
            "Inf",
            "1e300",
            "2026-03-02",
            "0x10",
            "1_0",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn dates_without_a_zone_are_utc() {
        for text in [
            "2026-03-02 09:00:00",
            "2026-03-02T09:00:00",
            "2026-03-02 09:00:00.000",
            "2026-03-02 09:00:00Z",
        ] {
            assert_eq!(date(text), Some(1_772_442_000_000), "{text}");
        }
        for text in ["2026-13-02 09:00:00", "2026-03-02", "1772442000"] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
