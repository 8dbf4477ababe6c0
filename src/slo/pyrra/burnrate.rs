//! The share of bad events over each window, and the alerts on it.

use std::collections::BTreeMap;

use super::query::{Selector, sum};
use super::windows::{Tier, exhaustion, lengths, tiers};
use super::{Indicator, Options, Spec, equals, passed_on};
use crate::model::number::format_value;
use crate::model::{Duration, MatchOp, Matcher, Millis};
use crate::slo::generated::{Kind, Rule};

/// The records and the alerts.
pub(super) fn rules(spec: &Spec, options: &Options) -> Vec<Rule> {
    let labels = spec.labels_without(&spec.groups());
    let records = lengths(spec.window).into_iter().map(|window| {
        let expr = share(spec, window, options);
        Rule::record(name(spec, window), expr, labels.clone())
    });
    let mut rules: Vec<Rule> = records.collect();
    if spec.alerting.burnrates {
        let tiers = tiers(spec.window).into_iter().enumerate();
        rules.extend(tiers.map(|(index, tier)| alert(spec, index, tier, options)));
    }
    rules
}

/// What the share of bad events over a window is called.
fn name(spec: &Spec, window: Millis) -> String {
    let metric = &spec.total().name;
    let metric = metric.strip_suffix("_total").unwrap_or(metric);
    let metric = metric.strip_suffix("_count").unwrap_or(metric);
    format!("{metric}:burnrate{}", Duration(window))
}

/// The share of bad events over a window.
fn share(spec: &Spec, window: Millis, options: &Options) -> String {
    let groups = spec.groups();
    let both = options.prometheus3_migration;
    let summed = |function: &str, selector: &Selector| {
        sum(&groups, &format!("{function}({})", selector.over(window)))
    };
    match &spec.indicator {
        Indicator::Ratio { errors, total } => {
            let errors = summed("rate", &Selector::of(errors));
            format!("{errors} / {}", summed("rate", &Selector::of(total)))
        }
        Indicator::Latency { success, total } => {
            let all = summed("rate", &Selector::of(total).for_both_bounds(both));
            let fast = summed("rate", &Selector::of(success).for_both_bounds(both));
            format!("({all} - {fast}) / {all}")
        }
        Indicator::LatencyNative { total, latency } => {
            let all = summed("rate", &Selector::of(total));
            format!("1 - histogram_fraction(0, {}, {all})", seconds(*latency))
        }
        Indicator::BoolGauge(metric) => {
            let selector = Selector::of(metric);
            let all = summed("count_over_time", &selector);
            let good = summed("sum_over_time", &selector);
            format!("({all} - {good}) / {all}")
        }
    }
}

/// A length of time as a number in a query.
pub(super) fn seconds(length: Millis) -> String {
    format_value(length as f64 / 1000.0)
}

fn alert(spec: &Spec, index: usize, tier: Tier, options: &Options) -> Rule {
    let matchers = alert_matchers(spec);
    let threshold = format!(
        "({:.0} * (1-{}))",
        tier.factor,
        format_value(spec.fraction())
    );
    let half = |window| format!("{}{{{matchers}}} > {threshold}", name(spec, window));
    let hold = match spec.indicator {
        Indicator::Ratio { .. } => in_go(tier.hold),
        _ => Duration(tier.hold).to_string(),
    };
    Rule {
        kind: Kind::Alert,
        name: spec.alerting.name.clone(),
        expr: format!("{} and {}", half(tier.short), half(tier.long)),
        hold: Some(hold),
        labels: alert_labels(spec, index, tier),
        annotations: annotations(spec, options.external_url.as_deref()),
    }
}

/// What selects the records: the conditions of the total metric that the records still have, sorted as texts.
fn alert_matchers(spec: &Spec) -> String {
    let is_kept = |matcher: &&Matcher| {
        let is_pattern = matches!(matcher.op, MatchOp::Regex | MatchOp::NotRegex);
        !is_pattern || spec.grouping.contains(&matcher.name)
    };
    let kept = spec.total().matchers.iter().filter(is_kept);
    let mut matchers: Vec<String> = kept.map(Matcher::to_string).collect();
    matchers.push(format!("slo=\"{}\"", spec.object.name));
    matchers.sort();
    matchers.join(",")
}

fn alert_labels(spec: &Spec, index: usize, tier: Tier) -> BTreeMap<String, String> {
    let mut labels = spec.common_labels();
    let ungrouped = equals(spec.total()).filter(|(name, _)| !spec.grouping.contains(name));
    labels.extend(ungrouped);
    let own = spec.alerting.severities.get(index).cloned().flatten();
    let exhaustion = exhaustion(spec.window, tier.factor);
    let more = [
        ("short", Duration(tier.short).to_string()),
        ("long", Duration(tier.long).to_string()),
        ("severity", own.unwrap_or_else(|| tier.severity.to_owned())),
        ("exhaustion", Duration(exhaustion).to_string()),
    ];
    labels.extend(more.map(|(name, value)| (name.to_owned(), value)));
    labels
}

/// The annotations that are passed on, and a link to Pyrra's page.
pub(super) fn annotations(spec: &Spec, external_url: Option<&str>) -> BTreeMap<String, String> {
    let mut annotations: BTreeMap<String, String> = passed_on(&spec.object.annotations).collect();
    if let Some(url) = external_url.filter(|url| !url.is_empty()) {
        annotations.insert("pyrra_url".to_owned(), link(spec, url));
    }
    annotations
}

fn link(spec: &Spec, url: &str) -> String {
    let rest = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(rest..).and_then(|it| it.find(['/', '?', '#']));
    let host = url.get(..end.map_or(url.len(), |end| rest + end));
    let expr = escaped(&format!("{{__name__=\"{}\"}}", spec.object.name));
    let mut link = format!(
        "{}/objectives?expr={expr}&from=now-1h&to=now",
        host.unwrap_or_default()
    );
    if !spec.grouping.is_empty() {
        // What stands between braces is for Prometheus, which fills it in.
        let groups = spec.grouping.iter().map(|label| {
            let name = escaped(label);
            format!("{name}%3D%22{{{{$labels.{label}}}}}%22")
        });
        let groups: Vec<String> = groups.collect();
        link.push_str(&format!("&grouping=%7B{}%7D", groups.join("%2C")));
    }
    link
}

/// A text as it stands in the query of a link.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Whole minutes as Go prints them, which Pyrra lets stand in one place: `1h4m0s`.
fn in_go(length: Millis) -> String {
    let minutes = length / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "0s".to_owned(),
        (0, minutes) => format!("{minutes}m0s"),
        (hours, minutes) => format!("{hours}h{minutes}m0s"),
    }
}
