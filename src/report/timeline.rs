//! What alerts did over time, as text and JSON, and what a recording must hold.
//!
//! JSON: `{"version": 1, "alerts": [{"alert", "group", "labels", "windows": [{"state", "from", "to", "peak"}]}]}`, unix
//! seconds, `to` null while it lasts; and `{"version": 1, "needs": [{"selector", "history"}]}`, seconds, null where an `@`
//! fixes the moments.

use serde_json::{Map, Value, json};
use tabled::builder::Builder;
use tabled::settings::Style;

use super::count;
use crate::model::Duration;
use crate::model::number::format_value;
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::replay::{ALERT_NAME, AlertState, Need, Replay, Stretch};
use crate::rules::RuleGroup;
pub use crate::series::time::show as moment;

/// A line for every instance of an alert, and below it one for every stretch.
pub fn text(replay: &Replay<'_>, groups: &[&RuleGroup]) -> String {
    let mut out = String::new();
    let mut firing = 0;
    for (place, alert) in replay.timeline.alerts.iter().enumerate() {
        for (number, instance) in alert.instances.iter().enumerate() {
            let labels = instance.labels.filtered(|name| name != ALERT_NAME);
            out.push_str(&format!("{} {labels}\n", alert.name));
            for stretch in &instance.stretches {
                let peak = peak(replay, groups, place, number, stretch);
                out.push_str(&line(stretch, peak));
                firing += usize::from(stretch.state == AlertState::Firing);
            }
        }
    }
    let silent: Vec<&str> = replay
        .timeline
        .alerts
        .iter()
        .filter(|alert| alert.instances.is_empty())
        .map(|alert| alert.name.as_str())
        .collect();
    if !silent.is_empty() {
        out.push_str(&format!("never pending or firing: {}\n", silent.join(", ")));
    }
    out.push_str(&format!(
        "{}, fired {}\n",
        count(replay.timeline.alerts.len(), "alert"),
        count(firing, "time")
    ));
    out
}

/// `  firing   2026-01-05T08:48:00Z to 2026-01-05T08:52:00Z  4m      peak 0`.
fn line(stretch: &Stretch, peak: Option<f64>) -> String {
    let to = stretch.to.map_or_else(
        || "the end of the data".to_owned(),
        |to| format!("{:<20}", moment(to)),
    );
    let lasted = stretch
        .to
        .map_or_else(String::new, |to| Duration(to - stretch.from).to_string());
    let peak = peak.map_or_else(String::new, |peak| format!("peak {}", format_value(peak)));
    let (state, from) = (stretch.state.name(), moment(stretch.from));
    let line = format!("  {state:<7}  {from} to {to:<20}  {lasted:<7} {peak}");
    format!("{}\n", line.trim_end())
}

/// The same for programs.
pub fn json(replay: &Replay<'_>, groups: &[&RuleGroup]) -> String {
    let mut alerts = Vec::new();
    for (place, alert) in replay.timeline.alerts.iter().enumerate() {
        for (number, instance) in alert.instances.iter().enumerate() {
            let labels: Map<String, Value> = instance
                .labels
                .iter()
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect();
            let windows: Vec<Value> = instance
                .stretches
                .iter()
                .map(|stretch| {
                    json!({
                        "state": stretch.state.name(),
                        "from": seconds(stretch.from),
                        "to": stretch.to.map(seconds),
                        "peak": peak(replay, groups, place, number, stretch).map(format_value),
                    })
                })
                .collect();
            let group = &groups[alert.rule.group].name;
            alerts.push(
                json!({"alert": alert.name, "group": group, "labels": labels, "windows": windows}),
            );
        }
    }
    format!("{}\n", json!({"version": 1, "alerts": alerts}))
}

/// A table of selectors and histories.
pub fn needs_text(needs: &[Need]) -> String {
    let mut rows = Builder::default();
    rows.push_record(["history", "selector"]);
    for need in needs {
        let history = need.history.map_or_else(
            || "as @ says".to_owned(),
            |history| Duration(history.max(0)).to_string(),
        );
        rows.push_record([history, need.selector.clone()]);
    }
    table(rows)
}

/// The same for programs.
pub fn needs_json(needs: &[Need]) -> String {
    let needs: Vec<Value> = needs
        .iter()
        .map(|need| json!({"selector": need.selector, "history": need.history.map(seconds)}))
        .collect();
    format!("{}\n", json!({"version": 1, "needs": needs}))
}

/// Rows as lines without blanks at either end.
fn table(rows: Builder) -> String {
    let drawn = rows.build().with(Style::blank()).to_string();
    let line = |line: &str| format!("{}\n", line.strip_prefix(' ').unwrap_or(line).trim_end());
    drawn.lines().map(line).collect()
}

/// Seconds, whole ones as an integer.
pub(super) fn seconds(millis: i64) -> Value {
    match millis % 1000 {
        0 => json!(millis / 1000),
        _ => json!(millis as f64 / 1000.0),
    }
}

/// The value of a stretch that went furthest: the greatest, or the least where the alert asks for less.
fn peak(
    replay: &Replay<'_>,
    groups: &[&RuleGroup],
    alert: usize,
    instance: usize,
    stretch: &Stretch,
) -> Option<f64> {
    let id = replay.timeline.alerts[alert].rule;
    let falls = asks_for_less(&groups[id.group].rules[id.rule].expr.expr);
    let values = replay
        .values(alert, instance, stretch)
        .into_iter()
        .map(|(_, value)| value);
    values.reduce(|a, b| if falls { a.min(b) } else { a.max(b) })
}

/// Whether the outermost comparison is `<` or `<=`.
fn asks_for_less(expr: &Expr) -> bool {
    match &expr.unwrap_parens().kind {
        ExprKind::Chain(chain) => match chain.links.last() {
            Some(link) if link.op.is_set() => asks_for_less(&chain.first),
            Some(link) => matches!(link.op, BinaryOp::Less | BinaryOp::LessEqual),
            None => false,
        },
        _ => false,
    }
}
