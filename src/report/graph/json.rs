//! `{"version": 1, "rules": [{"id", "kind": alert|record, "name", "labels", "file", "line", "column", "group", "interval",
//! "depth", "late", "read_by": [id], "reads": [{"selector", "metric", "line", "column", "rules": [{"id", "order":
//! before|behind|apart, "late"}]}]}], "findings": [{"finding", "rule": id, "severity", "message", "file", "line", "column",
//! "help"}]}`
//!
//! `id` counts all rules of the call from 0, those that `--focus` leaves out, too. Times are seconds: `late` of a rule is how
//! old the metrics that it sees in the end may be, null where a circle lies between; that of a read is by how much what is
//! read may lag behind, null where an `@` fixes the moment. `metric` is null for a selector that names none; a template that queries has
//! the selector null. `labels` are those that a recording rule sets.

use serde::Serialize;
use serde_json::{Value, json};

use super::{View, kind};
use crate::model::Millis;
use crate::replay::{DependentRule, Order, RuleRead};
use crate::report::json::Finding;
use crate::rules::RuleKind;

/// What is odd about a rule.
#[derive(Serialize)]
struct Odd<'d> {
    finding: &'static str,
    rule: usize,
    #[serde(flatten)]
    told: Finding<'d>,
}

/// For programs, on one line.
pub fn json(view: &View<'_>) -> String {
    let rules: Vec<Value> = view
        .rules()
        .map(|(index, it)| rule(view, index, it))
        .collect();
    let findings = view.findings.iter().map(|finding| Odd {
        finding: finding.kind.name(),
        rule: finding.rule,
        told: Finding::new(&finding.warning),
    });
    let findings: Vec<Odd<'_>> = findings.collect();
    format!(
        "{}\n",
        json!({"version": 1, "rules": rules, "findings": findings})
    )
}

fn rule(view: &View<'_>, index: usize, rule: &DependentRule<'_>) -> Value {
    let place = rule.place();
    let at = place.source.line_column(place.span.start);
    let labels = match &rule.rule.kind {
        RuleKind::Recording { labels } => labels.as_slice(),
        RuleKind::Alert(_) => &[],
    };
    let labels: serde_json::Map<String, Value> = labels
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let read_by: Vec<usize> = rule
        .read_by
        .iter()
        .copied()
        .filter(|&rule| view.rules[rule])
        .collect();
    let reads: Vec<Value> = rule
        .reads
        .iter()
        .filter_map(|it| read(view, index, it))
        .collect();
    json!({
        "id": index, "kind": kind(rule), "name": rule.rule.name, "labels": labels, "file": place.source.name(),
        "line": at.line, "column": at.column, "group": rule.group.name, "interval": seconds(rule.interval),
        "depth": rule.depth, "late": rule.late.map(seconds), "read_by": read_by, "reads": reads,
    })
}

/// What is read, unless only what is not shown.
fn read(view: &View<'_>, index: usize, read: &RuleRead<'_>) -> Option<Value> {
    let at = read.place.source.line_column(read.place.span.start);
    let sources = read.sources.iter().filter(|source| view.rules[source.rule]);
    let rules: Vec<Value> = sources
        .map(|source| {
            let order = match source.order {
                Order::Before => "before",
                Order::Behind => "behind",
                Order::Apart => "apart",
            };
            json!({"id": source.rule, "order": order, "late": source.late.map(seconds)})
        })
        .collect();
    let is_shown = !rules.is_empty() || view.shows_metrics(index, read);
    let selector = read.matchers.as_ref().map(|_| &read.text);
    is_shown.then(|| {
        json!({
            "selector": selector, "metric": read.metric(), "line": at.line, "column": at.column, "rules": rules,
        })
    })
}

/// Whole where it is.
fn seconds(millis: Millis) -> Value {
    match millis % 1000 {
        0 => json!(millis / 1000),
        _ => json!(millis as f64 / 1000.0),
    }
}
