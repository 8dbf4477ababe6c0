//! Recording rules of the share of bad events over windows, for every kind of objective.

use std::collections::BTreeMap;

use super::counters::{self, counters};
use super::generated::Rule;
use super::objective::{EmptySlice, Indicator, Measure, MeasureKind, Method, Quality, Slo, over};
use crate::model::number::{format_general, format_value, quote};
use crate::model::{Duration, METRIC_NAME, Matcher, Millis, metric_of};
use crate::text::Diagnostic;

/// The rules that record the share over each window. An objective that counts slices of time has a rule more, for its
/// slices.
///
/// # Errors
///
/// Slices that are longer than a window, and such that PromQL has no words for.
pub fn records(slo: &Slo, windows: &[Millis]) -> Result<Vec<Rule>, Diagnostic> {
    let labels = labels(slo);
    let (slice, empty, is_bad) = match slo.method {
        Method::Occurrences => {
            let records = windows.iter().map(|window| {
                let expr = bad_share(slo, *window);
                Rule::record(record(*window), expr, labels.clone())
            });
            return Ok(records.collect());
        }
        Method::TimeSlices {
            slice,
            target,
            empty,
        } => {
            let bound = format_general(target.budget());
            (slice, empty, format!(" > bool {bound}"))
        }
        Method::RatioTimeSlices { slice, empty } => (slice, empty, String::new()),
    };
    let short = windows.iter().find(|window| **window < slice);
    if let Some(short) = short {
        let message = format!(
            "a slice of {} is longer than the alert window of {}",
            Duration(slice),
            Duration(*short)
        );
        return refuse(
            slo,
            &message,
            "take shorter slices, or alerts over longer windows",
        );
    }
    let share = format!("({}) > -Inf", bad_share(slo, slice));
    let expr = match empty {
        EmptySlice::Skipped => share,
        _ if !slo.grouping.is_empty() => {
            let message = "a slice without events can be good or bad only for all groups together";
            return refuse(slo, message, "write `empty: skip`, or remove `by`");
        }
        EmptySlice::Good => format!("({share}) or on() vector(0)"),
        EmptySlice::Bad => format!("({share}) or on() vector(1)"),
    };
    let mut rules = vec![Rule::record(slice_record(slice), expr, labels.clone())];
    let one = format!("{}{{slo={}}}", slice_record(slice), quote(&slo.name));
    let one = match is_bad.is_empty() {
        true => one,
        false => format!("({one}{is_bad})"),
    };
    rules.extend(windows.iter().map(|window| {
        let expr = format!(
            "avg_over_time({one}[{}:{}])",
            Duration(*window),
            Duration(slice)
        );
        Rule::record(record(*window), expr, labels.clone())
    }));
    Ok(rules)
}

fn refuse<T>(slo: &Slo, message: &str, help: &str) -> Result<T, Diagnostic> {
    let fault = Diagnostic::error(message).at(&slo.place.source, slo.place.span);
    Err(fault.help(help))
}

/// What tells the series of an objective from those of others, and its own labels.
pub fn labels(slo: &Slo) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<String, String> = slo.labels.iter().cloned().collect();
    if let Some(service) = &slo.service {
        labels.insert("service".to_owned(), service.clone());
    }
    labels.insert("slo".to_owned(), slo.name.clone());
    labels
}

/// Selects the share over a window.
pub fn selector(slo: &Slo, window: Millis) -> String {
    format!("{}{{slo={}}}", record(window), quote(&slo.name))
}

/// The name under which the share of bad events over a window is recorded.
fn record(window: Millis) -> String {
    format!("slo:bad_events:ratio_rate{}", Duration(window))
}

/// The name under which the share of bad events of slices is recorded.
fn slice_record(slice: Millis) -> String {
    format!("slo:slice_bad_events:ratio_rate{}", Duration(slice))
}

/// A query that yields something while there were no events over a window.
pub fn silence(slo: &Slo, window: Millis) -> String {
    let text = Duration(window).to_string();
    let sum = |inner: String| sum_by(slo, &inner);
    let all = match &slo.indicator {
        Indicator::Events { total, .. } => events(total, window, &sum),
        Indicator::Ratio { share, .. } => {
            return format!("absent({} > -Inf)", mean(share, window));
        }
        Indicator::Latency { histogram, .. } => observations(histogram, &text, &sum).1,
        Indicator::Threshold { value, .. } | Indicator::Boolean { value } => {
            let query = &value.text.text;
            sum(format!("count_over_time(({query})[{text}:1m])"))
        }
    };
    format!("absent({all} > 0)")
}

fn sum_by(slo: &Slo, inner: &str) -> String {
    match slo.grouping.is_empty() {
        true => format!("sum({inner})"),
        false => format!("sum by ({}) ({inner})", slo.grouping.join(", ")),
    }
}

/// The share of bad events over a window.
pub(super) fn bad_share(slo: &Slo, window: Millis) -> String {
    let text = Duration(window).to_string();
    let sum = |inner: String| sum_by(slo, &inner);
    match &slo.indicator {
        Indicator::Events {
            quality,
            some,
            total,
        } => {
            let count = |measure: &Measure| events(measure, window, &sum);
            let share = format!("({})\n/\n({})", count(some), count(total));
            bad(*quality, share)
        }
        Indicator::Ratio { quality, share } => {
            let mean = mean(share, window);
            bad(*quality, format!("({mean})"))
        }
        Indicator::Latency { histogram, within } => slow(histogram, *within, &text, &sum),
        Indicator::Threshold { value, op, bound } => {
            let bound = format_value(*bound);
            of_samples(value, &format!("{} bool {bound}", op.symbol()), &text, &sum)
        }
        Indicator::Boolean { value } => of_samples(value, "!= bool 0", &text, &sum),
    }
}

/// The share of bad samples, looked at each minute.
fn of_samples(
    value: &Measure,
    is_good: &str,
    window: &str,
    sum: &impl Fn(String) -> String,
) -> String {
    let query = &value.text.text;
    let good = sum(format!("sum_over_time((({query}) {is_good})[{window}:1m])"));
    let all = sum(format!("count_over_time(({query})[{window}:1m])"));
    format!("1 - {good} / {all}")
}

fn bad(quality: Quality, share: String) -> String {
    match quality {
        Quality::Bad => share,
        Quality::Good => format!("1 - {share}"),
    }
}

/// How many events there were over a window, or how many a second.
fn events(measure: &Measure, window: Millis, sum: &impl Fn(String) -> String) -> String {
    let text = Duration(window).to_string();
    let by_counters = match measure.kind {
        MeasureKind::Windowed => return over(&measure.text.text, Duration(window)).into_owned(),
        MeasureKind::Values => None,
        MeasureKind::Counter => counters(&measure.query.expr),
    };
    let Some(counters) = by_counters else {
        return sum(format!("sum_over_time({})", steps(measure, &text)));
    };
    let mut out = String::new();
    for counter in counters {
        let sign = match (out.is_empty(), counter.negative) {
            (true, false) => "",
            (true, true) => "-",
            (false, false) => " + ",
            (false, true) => " - ",
        };
        let rate = sum(format!("rate({}[{text}])", written(counter.matchers, &[])));
        out.push_str(&format!("{sign}{rate}"));
    }
    out
}

/// The samples of a query over a window: those of a selector as they are, else at each minute.
fn steps(measure: &Measure, window: &str) -> String {
    match counters::selector(&measure.query.expr) {
        Some(matchers) => format!("{}[{window}]", written(matchers, &[])),
        None => format!("({})[{window}:1m]", measure.text.text),
    }
}

/// The mean of a share over a window.
fn mean(share: &Measure, window: Millis) -> String {
    match share.kind {
        MeasureKind::Windowed => over(&share.text.text, Duration(window)).into_owned(),
        _ => format!(
            "avg_over_time({})",
            steps(share, &Duration(window).to_string())
        ),
    }
}

/// The share of what took longer than a limit.
fn slow(histogram: &Measure, within: f64, window: &str, sum: &impl Fn(String) -> String) -> String {
    let limit = format_value(within);
    let (matchers, all) = observations(histogram, window, sum);
    let is_classic = metric_of(matchers).is_some_and(|name| name.ends_with("_bucket"));
    if !is_classic {
        let all = sum(format!("rate({}[{window}])", written(matchers, &[])));
        return format!("1 - histogram_fraction(0, {limit}, {all})");
    }
    // Prometheus 3 writes whole bounds with a point, 2 without.
    let le = match within.fract() == 0.0 {
        true => format!("le=~{}", quote(&format!(r"{limit}(\.0)?"))),
        false => format!("le={}", quote(&limit)),
    };
    let fast = sum(format!("rate({}[{window}])", written(matchers, &[le])));
    format!("1 - {fast} / {all}")
}

/// What selects a histogram, and how many observations a second it had over a window.
fn observations<'m>(
    histogram: &'m Measure,
    window: &str,
    sum: &impl Fn(String) -> String,
) -> (&'m [Matcher], String) {
    let matchers = counters::selector(&histogram.query.expr).unwrap_or_default();
    let name = metric_of(matchers).unwrap_or_default();
    let Some(base) = name.strip_suffix("_bucket") else {
        let all = sum(format!("rate({}[{window}])", written(matchers, &[])));
        return (matchers, format!("histogram_count({all})"));
    };
    let mut all: Vec<Matcher> = matchers.to_vec();
    all.retain(|it| it.name != METRIC_NAME && it.name != "le");
    all.push(Matcher::equal(METRIC_NAME, format!("{base}_count")));
    (
        matchers,
        sum(format!("rate({}[{window}])", written(&all, &[]))),
    )
}

/// A selector by its conditions, and some more.
fn written(matchers: &[Matcher], more: &[String]) -> String {
    let name = metric_of(matchers).unwrap_or_default();
    let is_name = |it: &Matcher| it.name == METRIC_NAME && it.value == name;
    let conditions = matchers.iter().filter(|it| !is_name(it));
    let mut conditions: Vec<String> = conditions.map(Matcher::to_string).collect();
    conditions.extend_from_slice(more);
    match conditions.is_empty() {
        true => name.to_owned(),
        false => format!("{name}{{{}}}", conditions.join(",")),
    }
}
