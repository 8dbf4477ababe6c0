//! Reads an objective as strictly as Pyrra does.

use super::{Alerting, Indicator, Metric, Spec};
use crate::model::number::parse_float;
use crate::model::{METRIC_NAME, MatchOp, Matcher, Millis, metric_of};
use crate::promql::ast::{ExprKind, Shift, VectorSelector};
use crate::promql::{Features, Query};
use crate::slo::keys::{Keys, Reader, first_line, object};
use crate::text::yaml::{Embedded, Node};
use crate::text::{Diagnostic, Span};

const SPEC: [&str; 8] = [
    "description",
    "target",
    "window",
    "indicator",
    "alerting",
    "partial_response_strategy",
    "performanceOverAccuracy",
    "ruleOutput",
];

const ALERTING: [&str; 6] = [
    "disabled",
    "burnrates",
    "absent",
    "name",
    "absentName",
    "severities",
];

/// Reads a `ServiceLevelObjective`.
pub(in crate::slo) fn read<'d>(reader: &mut Reader<'d>, root: Node<'d>) -> Option<Spec> {
    let known = ["apiVersion", "kind", "metadata", "spec", "status"];
    let keys = reader.keys(root, "a ServiceLevelObjective", &known)?;
    let metadata = keys.node("metadata");
    let object = object(reader, metadata);
    let name_span = match metadata.and_then(|node| crate::slo::keys::child(node, "name")) {
        Some((_, name)) => name.target().span(),
        None => metadata.map_or(first_line(root), first_line),
    };
    if object.name.is_empty() {
        reader.error(name_span, "name must be set", "write `metadata: {name: …}`");
    }
    let Some(spec) = keys.node("spec") else {
        let help = "write `target`, `window` and `indicator` below it";
        reader.error(
            first_line(root),
            "this ServiceLevelObjective has no `spec:`",
            help,
        );
        return None;
    };
    let keys = reader.keys(spec, "`spec`", &SPEC)?;
    let (target, target_span) = (
        target(reader, &keys, spec),
        value_span(&keys, "target", spec),
    );
    let (window, window_span) = (
        window(reader, &keys, spec),
        value_span(&keys, "window", spec),
    );
    let indicator = indicator(reader, &keys, spec);
    let alerting = alerting(reader, &keys);
    let description_as_label = rule_output(reader, &keys);
    check_strategy(reader, &keys);
    let (indicator, grouping) = indicator?;
    Some(Spec {
        source: reader.decoder.source().clone(),
        description: reader.text_of(&keys, "description"),
        performance_over_accuracy: reader.flag_of(&keys, "performanceOverAccuracy") == Some(true),
        object,
        name_span,
        target: target?,
        target_text: reader.text_of(&keys, "target"),
        target_span,
        window: window?,
        window_span,
        indicator,
        grouping,
        alerting,
        description_as_label,
    })
}

/// Where a value stands, or else the mapping that lacks it.
fn value_span(keys: &Keys<'_>, name: &str, parent: Node<'_>) -> Span {
    match keys.node(name) {
        Some(node) => node.target().span(),
        None => first_line(parent),
    }
}

fn target<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>, spec: Node<'d>) -> Option<f64> {
    let text = reader.text_of(keys, "target");
    let span = value_span(keys, "target", spec);
    let help = "give the per cent of good events, such as '99.9'";
    if text.is_empty() {
        reader.error(span, "target must be set", help);
        return None;
    }
    match parse_float(&text) {
        Some(value) if (0.0..=100.0).contains(&value) => Some(value),
        Some(_) => {
            reader.error(span, "target must be between 0 and 100", help);
            None
        }
        None => {
            reader.error(span, format!("target {text:?} is no number"), help);
            None
        }
    }
}

fn window<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>, spec: Node<'d>) -> Option<Millis> {
    if reader.text_of(keys, "window").is_empty() {
        let help = "give the time over which the target must be met, such as 4w";
        reader.error(value_span(keys, "window", spec), "window must be set", help);
        return None;
    }
    reader.duration_of(keys, "window")
}

const INDICATORS: [&str; 4] = ["ratio", "latency", "latencyNative", "bool_gauge"];

/// The indicator that counts: the first of those that are given.
fn indicator<'d>(
    reader: &mut Reader<'d>,
    keys: &Keys<'d>,
    spec: Node<'d>,
) -> Option<(Indicator, Vec<String>)> {
    let help = "write one of ratio, latency, latencyNative and bool_gauge below `indicator:`";
    let none = "one of ratio, latency, latencyNative or bool_gauge must be set";
    let Some(node) = keys.node("indicator") else {
        reader.error(first_line(spec), none, help);
        return None;
    };
    let keys = reader.keys(node, "`indicator`", &INDICATORS)?;
    let given = INDICATORS.into_iter().filter_map(|name| keys.get(name));
    let given: Vec<_> = given.collect();
    let Some(first) = given.first() else {
        reader.error(first_line(node), none, help);
        return None;
    };
    for other in given.iter().skip(1) {
        let is_refused = first.name == "ratio" && other.name == "latency";
        let message = match is_refused {
            true => "cannot have ratio and latency indicators at the same time".to_owned(),
            false => format!(
                "`{}` does not count: `{}` comes before it",
                other.name, first.name
            ),
        };
        let help = "remove one of the two";
        match is_refused {
            true => reader.error(other.key.span(), message, help),
            false => reader.warn(other.key.span(), message, help),
        }
    }
    let what = format!("`{}`", first.name);
    let mut read = Reading {
        reader,
        node: first.value,
    };
    let (name, node) = (first.name, first.value);
    match name {
        "ratio" => {
            let keys = read.keys(&what, &["errors", "total", "grouping"])?;
            let (errors, total) = (read.metric(&keys, "errors"), read.metric(&keys, "total"));
            let grouping = read.reader.texts_of(&keys, "grouping");
            let (errors, total) = (errors?, total?);
            Some((Indicator::Ratio { errors, total }, grouping))
        }
        "latency" => {
            let keys = read.keys(&what, &["success", "total", "grouping"])?;
            let (success, total) = (read.metric(&keys, "success"), read.metric(&keys, "total"));
            let grouping = read.reader.texts_of(&keys, "grouping");
            let (success, total) = (success?, total?);
            check_bucket(read.reader, &success);
            Some((Indicator::Latency { success, total }, grouping))
        }
        "latencyNative" => {
            let keys = read.keys(&what, &["total", "latency", "grouping"])?;
            let total = read.metric(&keys, "total");
            let grouping = read.reader.texts_of(&keys, "grouping");
            if keys.get("latency").is_none() {
                let message = "latencyNative latency objective must be set";
                let help = "give the time within which a request is fast enough, such as 200ms";
                read.reader.error(first_line(node), message, help);
            }
            let latency = read.reader.duration_of(&keys, "latency");
            let (total, latency) = (total?, latency?);
            Some((Indicator::LatencyNative { total, latency }, grouping))
        }
        _ => {
            let keys = read.keys(&what, &["metric", "grouping"])?;
            let grouping = read.reader.texts_of(&keys, "grouping");
            let metric = selector(read.reader, &keys, "bool_gauge", node)?;
            Some((Indicator::BoolGauge(metric), grouping))
        }
    }
}

/// An indicator that is being read.
struct Reading<'r, 'd> {
    reader: &'r mut Reader<'d>,
    node: Node<'d>,
}

impl<'d> Reading<'_, 'd> {
    fn keys(&mut self, what: &str, known: &[&str]) -> Option<Keys<'d>> {
        self.reader.keys(self.node, what, known)
    }

    /// `name: {metric: …}`
    fn metric(&mut self, keys: &Keys<'d>, name: &str) -> Option<Metric> {
        let Some(node) = keys.node(name) else {
            let message = format!("the {name} metric must be set");
            let help = format!("write `{name}: {{metric: …}}`");
            self.reader.error(first_line(self.node), message, help);
            return None;
        };
        let keys = self.reader.keys(node, &format!("`{name}`"), &["metric"])?;
        selector(self.reader, &keys, name, node)
    }
}

/// The selector behind `metric:`.
fn selector<'d>(
    reader: &mut Reader<'d>,
    keys: &Keys<'d>,
    name: &str,
    parent: Node<'d>,
) -> Option<Metric> {
    let help =
        "give a metric with conditions and nothing around it, such as requests_total{job=\"shop\"}";
    let Some(text) = reader.embedded_of(keys, "metric") else {
        let message = format!("the {name} metric must be set");
        reader.error(first_line(parent), message, help);
        return None;
    };
    let query = match Query::parse(&text.text, &Features::default()) {
        Ok(query) => query,
        Err(errors) => {
            for error in errors {
                let message = format!("the {name} metric is no query: {}", error.message);
                let help = error.help.as_deref().unwrap_or(help);
                reader.error(text.span(error.span), message, help);
            }
            return None;
        }
    };
    let ExprKind::Vector(vector) = &query.expr.kind else {
        let message = format!("the {name} metric must be a vector selector");
        reader.error(text.whole(), message, help);
        return None;
    };
    let Some(metric) = metric_of(&vector.matchers).filter(|_| vector.is_named) else {
        let message =
            format!("the {name} metric does not begin with its name: Pyrra makes no rules of it");
        reader.error(text.whole(), message, help);
        return None;
    };
    Some(Metric {
        name: metric.to_owned(),
        matchers: conditions(vector),
        is_shifted: is_shifted(vector),
        text,
    })
}

/// All conditions but that of the name before the braces.
fn conditions(vector: &VectorSelector) -> Vec<Matcher> {
    let is_name = |it: &Matcher| it.name == METRIC_NAME && it.op == MatchOp::Equal;
    let mut matchers = vector.matchers.clone();
    matchers.retain(|it| !is_name(it));
    matchers
}

fn is_shifted(vector: &VectorSelector) -> bool {
    vector.shift != Shift::default() || vector.extension.is_some()
}

/// What is fast enough is a bucket with a bound.
fn check_bucket(reader: &mut Reader<'_>, success: &Metric) {
    let le = success.matchers.iter().find(|it| it.name == "le");
    let message = match le {
        None => "latency success metric must contain a le label matcher".to_owned(),
        Some(le) if parse_float(&le.value).is_none() => format!(
            "latency success metric must contain a le label matcher with a float value, this is {:?}",
            le.value
        ),
        Some(_) => return,
    };
    let help = "select the bucket of what is fast enough, such as …_bucket{le=\"0.3\"}";
    let whole: &Embedded = &success.text;
    reader.error(whole.whole(), message, help);
}

fn alerting<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>) -> Alerting {
    let mut alerting = Alerting {
        burnrates: true,
        absent: true,
        name: "ErrorBudgetBurn".to_owned(),
        absent_name: "SLOMetricAbsent".to_owned(),
        severities: [None, None, None, None],
        absent_severity: "critical".to_owned(),
    };
    let node = keys.node("alerting");
    let Some(keys) = node.and_then(|node| reader.keys(node, "`alerting`", &ALERTING)) else {
        return alerting;
    };
    let is_disabled = reader.flag_of(&keys, "disabled") == Some(true);
    alerting.burnrates = reader.flag_of(&keys, "burnrates").unwrap_or(true) && !is_disabled;
    alerting.absent = reader.flag_of(&keys, "absent").unwrap_or(true);
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    if let Some(name) = given(reader.text_of(&keys, "name")) {
        alerting.name = name;
    }
    if let Some(name) = given(reader.text_of(&keys, "absentName")) {
        alerting.absent_name = name;
    }
    let tiers = ["fastBurn", "mediumBurn", "slowBurn", "longTermBurn"];
    let known = ["absent", tiers[0], tiers[1], tiers[2], tiers[3]];
    let node = keys.node("severities");
    if let Some(keys) = node.and_then(|node| reader.keys(node, "`severities`", &known)) {
        alerting.severities = tiers.map(|tier| given(reader.text_of(&keys, tier)));
        if let Some(severity) = given(reader.text_of(&keys, "absent")) {
            alerting.absent_severity = severity;
        }
    }
    alerting
}

/// Whether the description shall be a label. The other keys label Kubernetes objects, of which there are none here.
fn rule_output<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>) -> bool {
    let known = [
        "shortRulesLabels",
        "longRulesLabels",
        "enableDescriptionAsLabel",
    ];
    let node = keys.node("ruleOutput");
    let keys = node.and_then(|node| reader.keys(node, "`ruleOutput`", &known));
    keys.is_some_and(|keys| reader.flag_of(&keys, "enableDescriptionAsLabel") == Some(true))
}

fn check_strategy<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>) {
    let strategy = reader.text_of(keys, "partial_response_strategy");
    if !matches!(strategy.as_str(), "" | "abort" | "warn") {
        let message = format!("partial_response_strategy {strategy:?} is neither abort nor warn");
        let span = keys.key_span("partial_response_strategy");
        let fault = Diagnostic::error(message).at(reader.decoder.source(), span);
        let fault = fault.help("it is for Thanos, and counts nothing for Prometheus: remove it");
        reader.decoder.faults.push(fault);
    }
}
