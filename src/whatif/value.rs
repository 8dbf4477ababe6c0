//! What a knob may be set to.

use super::{Knob, KnobKind};
use crate::model::{Duration, DurationError, Millis};
use crate::promql::ast::ExprKind;
use crate::promql::{Features, Query, Reader, Sample, Ticks, View, evaluate};
use crate::store::Store;
use crate::text::Diagnostic;

/// Whether a knob may have a value, as far as that shows without the text around it.
///
/// # Errors
///
/// Why not.
pub(super) fn check(knob: &Knob, value: &str) -> Result<(), Diagnostic> {
    let refused = match knob.kind {
        KnobKind::For | KnobKind::KeepFiringFor => wait(value).err(),
        KnobKind::Objective => number(value.strip_suffix('%').unwrap_or(value)).err(),
        KnobKind::Period => period(value).err(),
        KnobKind::Threshold | KnobKind::Number | KnobKind::Factor => number(value).err(),
        KnobKind::Window | KnobKind::Step => match length(value) {
            Ok(seconds) if seconds > 0.0 => None,
            Ok(seconds) if seconds < 0.0 => Some(refusal("can't be negative", LENGTH_HELP)),
            Ok(_) => Some(refusal("must be above 0", LENGTH_HELP)),
            Err(refused) => Some(refused),
        },
        KnobKind::Offset => length(value).err(),
    };
    match refused {
        None => Ok(()),
        Some((reason, help)) => {
            let message = format!("{} {value:?}: {reason}", knob.shown());
            let place = &knob.place;
            let fault = Diagnostic::error(message).at(&place.source, place.span);
            Err(fault.help(help))
        }
    }
}

/// Why a value is refused, and what to do.
type Refusal = (String, String);

fn refusal(reason: &str, help: &str) -> Refusal {
    (reason.to_owned(), help.to_owned())
}

const WAIT_HELP: &str = "give a duration such as 90s, 5m or 1h30m";
const LENGTH_HELP: &str = "give a length of time above 0 such as 5m";
const NUMBER_HELP: &str = "give a number such as 0.05, 1e3 or -2";

/// How long an alert waits.
fn wait(value: &str) -> Result<Millis, Refusal> {
    if value.starts_with('-') {
        return Err(refusal("can't be negative", WAIT_HELP));
    }
    match Duration::parse(value) {
        Ok(Duration(length)) => Ok(length),
        Err(_) if is_digits(value) => {
            let help = format!("a duration has a unit: {value}s");
            Err(("this is no duration".to_owned(), help))
        }
        Err(DurationError::OutOfRange) => Err(refusal(
            "this is too long",
            "the longest is about 292 years",
        )),
        Err(_) => Err(refusal("this is no duration", WAIT_HELP)),
    }
}

/// A time that an objective holds for; formats have units of their own.
fn period(value: &str) -> Result<(), Refusal> {
    let is_word = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match value.starts_with('-') {
        true => Err(refusal("can't be negative", "give a duration such as 30d")),
        false if is_word => Ok(()),
        false => Err(refusal(
            "this is no duration",
            "give a duration such as 30d",
        )),
    }
}

fn is_digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number as a query may hold it.
fn number(value: &str) -> Result<f64, Refusal> {
    literal(value).ok_or_else(|| refusal("this is no number", NUMBER_HELP))
}

/// A length of time in seconds as a query may hold it.
fn length(value: &str) -> Result<f64, Refusal> {
    let help = "give a duration such as 90s, 5m or 1h30m";
    literal(value).ok_or_else(|| refusal("this is no duration", help))
}

/// The value of a text that is a number of a query, or a duration in seconds, and nothing else.
pub(super) fn literal(value: &str) -> Option<f64> {
    if let Some(number) = plain(value) {
        return Some(number);
    }
    let query = Query::parse(value, &Features::default()).ok()?;
    let span = query.expr.span;
    let is_bare = !value.contains(|c: char| c.is_whitespace() || c == '#');
    match query.expr.kind {
        ExprKind::Number(number) if is_bare && span.end - span.start == value.len() => {
            Some(number.value)
        }
        _ => None,
    }
}

/// The value of a knob as a number: durations in seconds, per cents as they are.
pub(super) fn quantity(text: &str) -> Option<f64> {
    let length = || Some(Duration::parse(text).ok()?.millis() as f64 / 1000.0);
    let per_cent = || text.strip_suffix('%')?.trim().parse::<f64>().ok();
    length().or_else(per_cent).or_else(|| literal(text))
}

/// What is to be said of a value that a knob may have and that is hardly meant.
pub(super) fn doubt(knob: &Knob, value: &str) -> Option<Diagnostic> {
    let is_number = matches!(knob.kind, KnobKind::Threshold | KnobKind::Number);
    let number = quantity(value).filter(|it| is_number && !it.is_finite())?;
    let message = match number.is_nan() {
        true => format!(
            "{}={value}: no comparison with NaN holds, but `!=`",
            knob.shown()
        ),
        false => format!("{}={value}: no sample is beyond it", knob.shown()),
    };
    let place = &knob.place;
    let warning = Diagnostic::warning(message).at(&place.source, place.span);
    Some(warning.help("give a number; an alert that shall never fire is better removed"))
}

/// The value of a text that is digits with at most a point between, which a sweep has thousands of; `None` for any other, octal
/// ones with a zero before them among these.
fn plain(value: &str) -> Option<f64> {
    let (whole, is_fraction) = match value.split_once('.') {
        Some((whole, fraction)) => (whole, is_digits(fraction)),
        None => (value, true),
    };
    let is_octal = whole.len() > 1 && whole.starts_with('0');
    match is_digits(whole) && is_fraction && !is_octal {
        true => value.parse().ok(),
        false => None,
    }
}

/// The value of a text that is made of numbers.
pub fn worked_out(text: &str) -> Option<f64> {
    let query = Query::parse(text, &Features::default()).ok()?;
    let store = Store::default();
    let view = View::new(&store, Reader::After(0), 1);
    let columns = evaluate(&query, &view, Ticks::instant(0)).into_columns()?;
    let series = columns.series.first()?;
    match series.column.get(0)? {
        Sample::Float(value) => Some(value),
        Sample::Histogram(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_what_a_query_makes_of_them() {
        let texts = [
            "0",
            "7",
            "10",
            "0.5",
            "10.0001",
            "0.1",
            "9007199254740993",
            "18446744073709551617",
            "1.7976931348623159",
            "017",
            "08",
            "00.5",
            "1.",
            ".5",
            "1e3",
            "-2",
            "0x10",
            "1_000",
            "5m",
            "",
            ".",
            "1.2.3",
        ];
        let mut tried = 0;
        for text in texts {
            let query = Query::parse(text, &Features::default()).ok();
            let number = query.and_then(|query| match query.expr.kind {
                ExprKind::Number(number) => Some(number.value),
                _ => None,
            });
            if let Some(found) = plain(text) {
                assert_eq!(Some(found), number, "{text}");
                tried += 1;
            }
        }
        assert_eq!(tried, 9);
    }
}
