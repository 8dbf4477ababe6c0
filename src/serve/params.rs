//! Parameters that several routes take, read and refused as Prometheus does.

use chrono::DateTime;

use super::Served;
use super::request::{Refusal, Request};
use crate::model::number::{parse_float, quote};
use crate::model::{Duration, Labels, Matcher, Timestamp};
use crate::promql::{MAX_PATTERNS, Query, QueryError};

/// Nanoseconds, as Prometheus counts durations.
pub(super) type Nanos = i64;

const NANOS_PER_MILLI: i64 = 1_000_000;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Times further from 1970 than 285,000 years are taken for that.
const MAX_TIME: Timestamp = 1 << 53;

/// The earliest and the latest time that Prometheus's clients write, in years that RFC 3339 does not know.
const OUTERMOST: [(&str, Timestamp); 2] = [
    ("-292273086-05-16T16:47:06Z", -MAX_TIME),
    ("292277025-08-18T07:12:54.999999999Z", MAX_TIME),
];

/// The time that a parameter names, if it does.
pub(super) fn time(request: &Request, name: &str) -> Result<Option<Timestamp>, Refusal> {
    match request.value(name) {
        "" => Ok(None),
        text => parse_time(text).map(Some).map_err(|fault| {
            Refusal::parameter(name, format!("invalid time value for '{name}': {fault}"))
        }),
    }
}

/// The time that a parameter must name.
pub(super) fn required_time(request: &Request, name: &str) -> Result<Timestamp, Refusal> {
    parse_time(request.value(name)).map_err(|fault| Refusal::parameter(name, fault))
}

/// Seconds since 1970 with a fraction, or RFC 3339; to the millisecond.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    let fault = || format!("cannot parse {} to a valid timestamp", quote(text));
    if let Some(seconds) = parse_float(text) {
        let whole = seconds.trunc();
        if whole.is_nan() {
            return Err(fault());
        }
        if whole.abs() > (MAX_TIME / 1000) as f64 {
            return Ok(if whole < 0.0 { -MAX_TIME } else { MAX_TIME });
        }
        // Rounded to milliseconds, and what is left of a nanosecond cut off.
        let fraction = ((seconds - whole) * 1000.0).round() / 1000.0;
        let nanos = (fraction * NANOS_PER_SECOND as f64) as i64;
        return Ok(whole as i64 * 1000 + nanos.div_euclid(NANOS_PER_MILLI));
    }
    // The separators are in capitals.
    if text.contains('T')
        && !text.contains('z')
        && let Ok(time) = DateTime::parse_from_rfc3339(text)
    {
        return Ok(time.timestamp_millis());
    }
    let outermost = OUTERMOST.iter().find(|(known, _)| *known == text);
    outermost.map(|(_, time)| *time).ok_or_else(fault)
}

/// Seconds with a fraction, or a duration such as `5m`.
pub(super) fn parse_duration(text: &str) -> Result<Nanos, String> {
    let fault = || format!("cannot parse {} to a valid duration", quote(text));
    if let Some(seconds) = parse_float(text) {
        let nanos = seconds * NANOS_PER_SECOND as f64;
        return match nanos {
            nanos if nanos.is_nan() => Err(fault()),
            nanos if nanos.abs() > i64::MAX as f64 => {
                Err(format!("{}. It overflows int64", fault()))
            }
            nanos => Ok(nanos as i64),
        };
    }
    match Duration::parse(text) {
        Ok(Duration(millis)) => Ok(millis.saturating_mul(NANOS_PER_MILLI)),
        Err(_) => Err(fault()),
    }
}

/// Whole milliseconds of nanoseconds.
pub(super) fn millis(nanos: Nanos) -> i64 {
    nanos / NANOS_PER_MILLI
}

/// How many results at most; `None` for any number.
pub(super) fn limit(request: &Request) -> Result<Option<usize>, Refusal> {
    let refuse = |fault: String| Err(Refusal::parameter("limit", fault));
    match request.value("limit") {
        "" => Ok(None),
        text => match integer(text, "strconv.Atoi") {
            Err(fault) => refuse(fault),
            Ok(limit) if limit < 0 => refuse("limit must be non-negative".to_owned()),
            Ok(limit) => Ok(usize::try_from(limit).ok().filter(|&limit| limit > 0)),
        },
    }
}

/// A whole number as Go reads it, or what the function of this name says.
pub(super) fn integer(text: &str, function: &str) -> Result<i64, String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !unsigned.is_empty() && unsigned.bytes().all(|c| c.is_ascii_digit());
    let fault = |what: &str| format!("{function}: parsing {}: {what}", quote(text));
    match text.parse() {
        _ if !is_number => Err(fault("invalid syntax")),
        Ok(number) => Ok(number),
        Err(_) => Err(fault("value out of range")),
    }
}

/// Cuts a list to the limit; says whether anything was cut off.
pub(super) fn truncate<T>(list: &mut Vec<T>, limit: Option<usize>) -> bool {
    let cut = limit.is_some_and(|limit| list.len() > limit);
    list.truncate(limit.unwrap_or(usize::MAX));
    cut
}

/// The warnings of a list that was cut to the limit or not.
pub(super) fn truncation(cut: bool) -> Vec<String> {
    match cut {
        true => vec!["results truncated due to limit".to_owned()],
        false => Vec::new(),
    }
}

/// The query of a request, or what is wrong with it, with line and column.
pub(super) fn parse_query(served: &Served, text: &str) -> Result<Query, String> {
    Query::parse(text, &served.setting.features).map_err(|faults| describe(text, &faults))
}

/// The first fault as Prometheus words it.
fn describe(text: &str, faults: &[QueryError]) -> String {
    let Some(fault) = faults.first() else {
        return "no query".to_owned();
    };
    if text.is_empty() {
        return format!("unknown position: parse error: {}", fault.message);
    }
    let before = text.get(..place(text, fault)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
    format!("{line}:{column}: parse error: {}", fault.message)
}

/// Where Prometheus sees a fault: behind the bracket that is too many, and at the end where one is missing.
fn place(text: &str, fault: &QueryError) -> usize {
    let says = |words: &str| fault.message.starts_with(words);
    if says("unclosed left") || says("unexpected end of input inside braces") {
        text.len()
    } else if says("unexpected right parenthesis") {
        fault.span.end
    } else {
        fault.span.start
    }
}

/// The conditions of every `match[]`; a series is wanted that meets one of them.
pub(super) fn matchers(served: &Served, request: &Request) -> Result<Vec<Vec<Matcher>>, String> {
    let mut taken = 0;
    let mut all = Vec::new();
    for text in request.values("match[]") {
        let matchers = selector(served, text)?;
        taken += matchers.iter().map(Matcher::memory).sum::<usize>();
        if taken > MAX_PATTERNS {
            return Err(format!(
                "the regular expressions take more than {} MiB together",
                MAX_PATTERNS >> 20
            ));
        }
        all.push(matchers);
    }
    Ok(all)
}

fn selector(served: &Served, text: &str) -> Result<Vec<Matcher>, String> {
    let features = &served.setting.features;
    let selector =
        Query::parse_selector(text, features).map_err(|faults| describe(text, &faults))?;
    let nameless = Labels::empty();
    match selector.iter().all(|matcher| matcher.matches(&nameless)) {
        true => Err("match[] must contain at least one non-empty matcher".to_owned()),
        false => Ok(selector),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let cases = [
            ("1700000000.1239", 1_700_000_000_124),
            ("1700000000.3", 1_700_000_000_300),
            ("-1.5", -1500),
            ("-0.0004", 0),
            ("0x10p2", 64_000),
            ("2023-11-14T22:13:20.123456Z", 1_700_000_000_123),
            ("2023-11-14T22:13:20+01:00", 1_699_996_400_000),
            ("1e300", MAX_TIME),
            ("-292273086-05-16T16:47:06Z", -MAX_TIME),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_time(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "x",
            "NaN",
            "2023-11-14 22:13:20Z",
            "2023-11-14t22:13:20z",
        ] {
            let fault = format!("cannot parse {text:?} to a valid timestamp");
            assert_eq!(parse_time(text), Err(fault));
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("0.1"), Ok(100_000_000));
        assert_eq!(parse_duration("-1"), Ok(-NANOS_PER_SECOND));
        assert_eq!(parse_duration("1h30m"), Ok(5400 * NANOS_PER_SECOND));
        let overflow = "cannot parse \"1e300\" to a valid duration. It overflows int64";
        assert_eq!(parse_duration("1e300"), Err(overflow.to_owned()));
        assert!(parse_duration("").is_err() && parse_duration("NaN").is_err());
    }
}
