//! The grammar of lines.

use nom::bytes::complete::{take_till, take_while};

use super::super::decimal::{number, plain};
use super::super::fault::{Parsed, fail};
use super::super::time::{FARTHEST_FUTURE, MAX_TIME, exact_seconds, rounded_seconds};
use super::Format;
use crate::model::Timestamp;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Line<'a> {
    /// Nothing that matters here.
    Nothing,
    /// `# EOF`
    End,
    /// `# TYPE`, with the metric and what it is called there.
    Type { metric: &'a str, kind: &'a str },
    /// `# UNIT`
    Unit { metric: &'a str, unit: &'a str },
    /// A sample, its series as written.
    Sample {
        series: &'a str,
        value: f64,
        time: Timestamp,
    },
}

/// What `# TYPE` says of a metric, as far as it changes how labels are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// `le` is a number.
    Histogram,
    /// `quantile` is a number.
    Summary,
    /// Labels are texts.
    Other,
}

impl Kind {
    /// The kind of what `# TYPE` calls a metric.
    pub(super) fn of(name: &str) -> Kind {
        match name {
            "histogram" => Kind::Histogram,
            "summary" => Kind::Summary,
            _ => Kind::Other,
        }
    }
}

/// A line without its end. `known` is the series of the line before.
pub(super) fn line<'a>(
    input: &'a str,
    format: Format,
    known: Option<&str>,
) -> Parsed<'a, Line<'a>> {
    match format {
        Format::OpenMetrics => match input.strip_prefix('#') {
            Some(rest) => open_metrics_comment(input, rest),
            None => sample(input, format, known),
        },
        Format::Classic => {
            let (start, ()) = blanks(input)?;
            match start.strip_prefix('#') {
                Some(rest) => classic_comment(rest),
                None if start.is_empty() => Ok((start, Line::Nothing)),
                None => sample(start, format, known),
            }
        }
    }
}

/// `name{a="b"} value timestamp`.
fn sample<'a>(input: &'a str, format: Format, known: Option<&str>) -> Parsed<'a, Line<'a>> {
    let (rest, series) = series(input, format, known)?;
    let (rest, value) = value(between(rest, format, "value")?.0)?;
    let without_time = match format {
        Format::OpenMetrics => rest.is_empty() || rest.starts_with(" #"),
        Format::Classic => rest.trim_start_matches(is_blank).is_empty(),
    };
    if without_time {
        return fail(
            input,
            "a sample without a timestamp",
            match format {
                Format::OpenMetrics => {
                    "write the time in seconds since 1970 after the value: m 1 1700000000.5"
                }
                Format::Classic => {
                    "write the time in milliseconds since 1970 after the value: m 1 1700000000500"
                }
            },
        );
    }
    let (rest, ()) = between(rest, format, "timestamp")?;
    let (rest, time) = match format {
        Format::OpenMetrics => seconds(rest)?,
        Format::Classic => milliseconds(rest)?,
    };
    let (rest, ()) = end_of_sample(rest, format)?;
    Ok((
        rest,
        Line::Sample {
            series,
            value,
            time,
        },
    ))
}

/// The series as written: up to its last brace, or its name.
fn series<'a>(input: &'a str, format: Format, known: Option<&str>) -> Parsed<'a, &'a str> {
    if let Some(known) = known
        && let Some(rest) = input.strip_prefix(known)
        && (known.ends_with('}') || starts_value(rest))
        && let Some(text) = input.get(..known.len())
    {
        return Ok((rest, text));
    }
    let (after_name, _) = take_till(|c| matches!(c, '{' | ' ' | '\t'))(input)?;
    let brace = match format {
        Format::OpenMetrics => after_name,
        Format::Classic => after_name.trim_start_matches(is_blank),
    };
    let rest = match brace.strip_prefix('{') {
        Some(inside) => after_braces(inside)?.0,
        None => after_name,
    };
    match input.get(..input.len() - rest.len()) {
        Some("") | None => fail(
            input,
            "a line that does not begin with a metric name",
            "write name{label=\"value\"} value timestamp",
        ),
        Some(text) => Ok((rest, text)),
    }
}

/// Whether a value follows, and no brace.
fn starts_value(rest: &str) -> bool {
    let value = rest.trim_start_matches(is_blank);
    value.len() < rest.len() && !value.starts_with('{')
}

/// What stands after the brace that closes; braces in quotes do not count.
fn after_braces(inside: &str) -> Parsed<'_, ()> {
    let bytes = inside.as_bytes();
    let (mut quoted, mut escaped) = (false, false);
    for (position, &byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'}' if !quoted => return Ok((inside.get(position + 1..).unwrap_or_default(), ())),
            _ => {}
        }
    }
    let help = "close strings with a quote and labels with a brace: m{a=\"b\"} 1 1700000000";
    match quoted {
        true => fail(inside, "a label value without a closing quote", help),
        false => fail(inside, "labels without a closing brace", help),
    }
}

/// The space before a value or timestamp.
fn between<'a>(input: &'a str, format: Format, what: &str) -> Parsed<'a, ()> {
    let rest = input.trim_start_matches(is_blank);
    let good = match format {
        Format::OpenMetrics => input.starts_with(' ') && rest.len() + 1 == input.len(),
        Format::Classic => true,
    };
    if rest.is_empty() {
        return fail(
            rest,
            format!("the line ends where a {what} was expected"),
            SAMPLE,
        );
    }
    match good {
        true => Ok((rest, ())),
        false => fail(
            input,
            format!("expected exactly one space before the {what}"),
            "OpenMetrics separates by single spaces: m{a=\"b\"} 1 1700000000",
        ),
    }
}

const SAMPLE: &str = "write name{label=\"value\"} value timestamp";

/// A number, `NaN`, `+Inf` or `-Inf`.
fn value(input: &str) -> Parsed<'_, f64> {
    if let Some((value, length)) = plain(input.as_bytes()) {
        return Ok((input.get(length..).unwrap_or_default(), value));
    }
    let (rest, text) = token(input)?;
    match number(text) {
        Some(value) => Ok((rest, value)),
        None => fail(
            input,
            format!("{text:?} is not a number, or too large for one"),
            "write a decimal number such as 1, 0.25 or 1e3, or NaN, +Inf or -Inf",
        ),
    }
}

/// Seconds with a fraction. What is finer than a millisecond is cut off.
fn seconds(input: &str) -> Parsed<'_, Timestamp> {
    let (rest, text) = token(input)?;
    match exact_seconds(text).or_else(|| rounded_seconds(text)) {
        Some(time) if (FARTHEST_FUTURE..=MAX_TIME).contains(&time) => fail(
            input,
            format!("{text} seconds since 1970 is after the year 5138"),
            "these look like milliseconds: OpenMetrics, which ends with `# EOF`, counts seconds",
        ),
        Some(time) if (-MAX_TIME..=MAX_TIME).contains(&time) => Ok((rest, time)),
        _ => fail(
            input,
            format!("{text:?} is no timestamp"),
            "write seconds since 1970, with a fraction if need be: 1700000000.5",
        ),
    }
}

/// Whole milliseconds.
fn milliseconds(input: &str) -> Parsed<'_, Timestamp> {
    let (rest, text) = token(input)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<Timestamp>() {
        Ok(time) if digits && time <= MAX_TIME => Ok((rest, time)),
        _ if exact_seconds(text).is_some() => fail(
            input,
            format!("{text:?} is no timestamp in whole milliseconds"),
            "timestamps in seconds are OpenMetrics: end the file with a line `# EOF`",
        ),
        _ => fail(
            input,
            format!("{text:?} is no timestamp"),
            "write milliseconds since 1970: 1700000000500",
        ),
    }
}

fn end_of_sample(input: &str, format: Format) -> Parsed<'_, ()> {
    let ended = match format {
        Format::OpenMetrics => input.is_empty() || input.starts_with(" # {"),
        Format::Classic => input.trim_start_matches(is_blank).is_empty(),
    };
    match ended {
        true => Ok(("", ())),
        false => fail(
            input,
            "unexpected text after the timestamp",
            match format {
                Format::OpenMetrics => {
                    "end the line after the timestamp; only an exemplar, ` # {...}`, may follow"
                }
                Format::Classic => {
                    "end the line after the timestamp; exemplars are OpenMetrics, which ends with `# EOF`"
                }
            },
        ),
    }
}

/// What follows the `#` in OpenMetrics, where only four words may.
fn open_metrics_comment<'a>(input: &'a str, rest: &'a str) -> Parsed<'a, Line<'a>> {
    if rest == " EOF" {
        return Ok(("", Line::End));
    }
    let known = [" HELP ", " UNIT ", " TYPE "];
    match known
        .iter()
        .find_map(|word| Some((*word, rest.strip_prefix(word)?)))
    {
        Some((" TYPE ", after)) => metric_kind(after, Format::OpenMetrics),
        Some((" UNIT ", after)) => {
            let (metric, unit) = metric_and(after);
            Ok(("", Line::Unit { metric, unit }))
        }
        Some(_) => Ok(("", Line::Nothing)),
        None => fail(
            input,
            "a comment that OpenMetrics does not know",
            "remove it: only `# HELP`, `# TYPE`, `# UNIT` and `# EOF` are allowed",
        ),
    }
}

/// What follows the `#` in the classic format, where everything may.
fn classic_comment(rest: &str) -> Parsed<'_, Line<'_>> {
    let text = rest.trim_start_matches(is_blank);
    let after = text
        .strip_prefix("TYPE")
        .filter(|after| after.starts_with(is_blank));
    match after {
        Some(after) if text.len() < rest.len() => {
            metric_kind(after.trim_start_matches(is_blank), Format::Classic)
        }
        _ => Ok(("", Line::Nothing)),
    }
}

/// The name and the type of a metric.
fn metric_kind(input: &str, format: Format) -> Parsed<'_, Line<'_>> {
    let (metric, kind) = metric_and(input);
    let known: &[&str] = match format {
        Format::OpenMetrics => &[
            "counter",
            "gauge",
            "histogram",
            "gaugehistogram",
            "summary",
            "info",
            "stateset",
            "unknown",
        ],
        Format::Classic => &["counter", "gauge", "histogram", "summary", "untyped"],
    };
    match known.contains(&kind) {
        true => Ok(("", Line::Type { metric, kind })),
        false => fail(
            kind,
            format!("invalid metric type {kind:?}"),
            format!("write one of {}", known.join(", ")),
        ),
    }
}

/// The name of a metric, without its quotes if it has some, and what follows after a blank.
fn metric_and(input: &str) -> (&str, &str) {
    let (name, rest) = match input
        .strip_prefix('"')
        .and_then(|quoted| quoted.rsplit_once('"'))
    {
        Some(split) => split,
        None => input.split_at(input.find(is_blank).unwrap_or(input.len())),
    };
    (name, rest.strip_prefix(is_blank).unwrap_or(rest))
}

/// Everything up to a space.
fn token(input: &str) -> Parsed<'_, &str> {
    take_till(is_blank)(input)
}

fn blanks(input: &str) -> Parsed<'_, ()> {
    let (rest, _) = take_while(is_blank)(input)?;
    Ok((rest, ()))
}

pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}
