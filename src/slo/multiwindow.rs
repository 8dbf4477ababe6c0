//! Recording rules and alerts of any objective, by the SRE Workbook: two windows for each burn rate, four burn rates.

use std::collections::BTreeMap;

use super::counters::{counters, selector};
use super::generated::{Bundle, Group, Kind, Rule};
use super::lint::{Tier, traps};
use super::objective::{Indicator, Measure, MeasureKind, Method, Quality, Slo, over};
use super::sloth::{AlertWindow, Windows};
use super::window::{CalendarUnit, Window};
use crate::model::number::{format_general, format_value, quote};
use crate::model::{Duration, METRIC_NAME, Matcher, Millis, metric_of};
use crate::text::{Diagnostic, distinct};

const DAY: Millis = 86_400_000;

/// The rules of an objective.
///
/// # Errors
///
/// An objective that burn rates say nothing of: of less than a day, or counted in slices of time that are good or bad.
pub fn generate(slo: &Slo) -> Result<Bundle, Diagnostic> {
    let refuse = |message: &str, help: &str| {
        let fault = Diagnostic::error(message).at(&slo.place.source, slo.place.span);
        Err(fault.help(help))
    };
    if matches!(slo.method, Method::TimeSlices { .. }) {
        let help = "write `method: occurrences` to have alerts on the share of bad events";
        return refuse(
            "there are no burn rates over slices that are good or bad",
            help,
        );
    }
    let period = length(&slo.window);
    if period < DAY {
        let help = "give a window of a day or more: alert windows are parts of it";
        return refuse(
            "an objective of less than a day is too short for burn rates",
            help,
        );
    }
    let windows = Windows::of(period);
    let mut labels = BTreeMap::from([("slo".to_owned(), slo.name.clone())]);
    if let Some(service) = &slo.service {
        labels.insert("service".to_owned(), service.clone());
    }
    labels.extend(slo.labels.iter().cloned());
    let records = windows.lengths().into_iter().map(|window| {
        let expr = bad_share(slo, window);
        Rule::record(record(window), expr, labels.clone())
    });
    let records = Group {
        name: format!("slo-ratios-{}", slo.name),
        interval: None,
        rules: records.collect(),
    };
    let alerts = [
        ("page", [windows.page_quick, windows.page_slow]),
        ("ticket", [windows.ticket_quick, windows.ticket_slow]),
    ];
    let alerts = alerts.map(|(severity, tiers)| alert(slo, &windows, severity, tiers));
    let alerts = Group {
        name: format!("slo-alerts-{}", slo.name),
        interval: None,
        rules: alerts.into(),
    };
    Ok(Bundle {
        object: None,
        groups: vec![records, alerts],
    })
}

/// The traps in an objective.
pub fn lint(slo: &Slo) -> Vec<Diagnostic> {
    let windows = Windows::of(length(&slo.window));
    let traps = windows.tiers().into_iter().flat_map(|(name, tier)| {
        traps(&Tier {
            name,
            factor: windows.factor(tier),
            budget: slo.target.budget(),
            short: Some(tier.short),
            long: tier.long,
            period: windows.period,
        })
    });
    let found = traps.map(|trap| {
        let fault = Diagnostic::warning(trap.message).at(&slo.place.source, slo.place.span);
        fault.help(trap.help)
    });
    distinct(found.collect())
}

/// How long a window is, as a rule.
fn length(window: &Window) -> Millis {
    match window {
        Window::Rolling(length) => *length,
        Window::Calendar(calendar) => {
            let unit = match calendar.unit {
                CalendarUnit::Minute => 60_000,
                CalendarUnit::Hour => 3_600_000,
                CalendarUnit::Day => DAY,
                CalendarUnit::Week => 7 * DAY,
                CalendarUnit::Month => 30 * DAY,
                CalendarUnit::Quarter => 90 * DAY,
                CalendarUnit::Year => 365 * DAY,
            };
            unit.saturating_mul(Millis::from(calendar.count))
        }
    }
}

/// The name under which the share of bad events over a window is recorded.
fn record(window: Millis) -> String {
    format!("slo:bad_events:ratio_rate{}", Duration(window))
}

fn alert(slo: &Slo, windows: &Windows, severity: &str, tiers: [AlertWindow; 2]) -> Rule {
    let budget = format_general(slo.target.budget());
    let parts = tiers.map(|tier| {
        let factor = format_general(windows.factor(tier));
        let half = |window| {
            let name = quote(&slo.name);
            format!(
                "  {}{{slo={name}}} > ({factor} * {budget})\n",
                record(window)
            )
        };
        format!("(\n{}  and\n{})\n", half(tier.short), half(tier.long))
    });
    // The alerts of all objectives have one name, so their labels tell them apart.
    let labels = [
        ("severity".to_owned(), severity.to_owned()),
        ("slo".to_owned(), slo.name.clone()),
    ];
    let summary = "{{ $labels.slo }} spends its error budget too fast".to_owned();
    Rule {
        kind: Kind::Alert,
        name: "ErrorBudgetBurn".to_owned(),
        expr: parts.join("or\n"),
        hold: None,
        labels: labels.into(),
        annotations: [("summary".to_owned(), summary)].into(),
    }
}

/// The share of bad events over a window.
fn bad_share(slo: &Slo, window: Millis) -> String {
    let text = Duration(window).to_string();
    let sum = |inner: String| match slo.grouping.is_empty() {
        true => format!("sum({inner})"),
        false => format!("sum by ({}) ({inner})", slo.grouping.join(", ")),
    };
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
            let mean = match share.kind {
                MeasureKind::Windowed => over(&share.text.text, Duration(window)).into_owned(),
                _ => format!("avg_over_time({})", steps(share, &text)),
            };
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
    match selector(&measure.query.expr) {
        Some(matchers) => format!("{}[{window}]", written(matchers, &[])),
        None => format!("({})[{window}:1m]", measure.text.text),
    }
}

/// The share of what took longer than a limit.
fn slow(histogram: &Measure, within: f64, window: &str, sum: &impl Fn(String) -> String) -> String {
    let limit = format_value(within);
    let matchers = selector(&histogram.query.expr).unwrap_or_default();
    let name = metric_of(matchers).unwrap_or_default();
    let Some(base) = name.strip_suffix("_bucket") else {
        let all = sum(format!("rate({}[{window}])", written(matchers, &[])));
        return format!("1 - histogram_fraction(0, {limit}, {all})");
    };
    // Prometheus 3 writes whole bounds with a point, 2 without.
    let le = match within.fract() == 0.0 {
        true => format!("le=~{}", quote(&format!(r"{limit}(\.0)?"))),
        false => format!("le={}", quote(&limit)),
    };
    let fast = written(matchers, &[le]);
    let mut all: Vec<Matcher> = matchers.to_vec();
    all.retain(|it| it.name != METRIC_NAME && it.name != "le");
    all.push(Matcher::equal(METRIC_NAME, format!("{base}_count")));
    let all = sum(format!("rate({}[{window}])", written(&all, &[])));
    let fast = sum(format!("rate({fast}[{window}])"));
    format!("1 - {fast} / {all}")
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
