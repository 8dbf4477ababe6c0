//! `gone-unseen`: an alert that something no longer happens, silent where not even its metric is left.

use super::silent_when_absent::Guards;
use super::tree::{call, chain, core, deciding, metric, number, selector, series_argument};
use super::{Level, Lint, Look, Rules};
use crate::model::number::format_digits;
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "gone-unseen",
    level: Level::Warn,
    doc: "an alert on a last success or on too low a rate whose metric nobody watches with `absent`",
    why: "The alert is there to tell that something no longer happens. A process that never did it, or forgot it in a restart, \
          has no such metric at all; then nothing is subtracted or compared, and the alert is silent in the worst case of \
          all. Add `or absent(…)`, or an alert of its own on it.",
    wrong: r#"
- alert: BackupOld
  expr: time() - backup_last_success_timestamp_seconds > 86400
- alert: QueueStuck
  expr: rate(messages_sent_total[5m]) < 1
"#,
    right: r#"
- alert: BackupOld
  expr: time() - backup_last_success_timestamp_seconds > 86400 or absent(backup_last_success_timestamp_seconds)
- alert: QueueStuck
  expr: rate(messages_sent_total[5m]) < 1 or absent(messages_sent_total)
"#,
    look: Look::Rules(look),
};

/// Words of what is to happen again and again.
const BEATS: [&str; 9] = [
    "success", "run", "push", "complet", "execut", "sync", "seen", "backup", "ingest",
];

/// What begins the names of exporters' metrics that are there as long as what they describe.
const DESCRIBED: [&str; 4] = ["kube_", "redis_", "prometheus_", "node_"];

fn look(rules: &Rules<'_>) -> Vec<Diagnostic> {
    let guards = Guards::of(rules);
    let mut found = Vec::new();
    for (subject, _) in rules.alerts() {
        // Who asks for several things at once has thought of when they count.
        if chain(subject.expr().unwrap_parens())
            .is_some_and(|chain| chain.links.iter().any(|link| link.op.is_set()))
        {
            continue;
        }
        for compared in deciding(subject.expr()) {
            let Some(bound) = number(compared.bound) else {
                continue;
            };
            let is_least = match compared.op {
                BinaryOp::Less => bound > 0.0,
                BinaryOp::LessEqual | BinaryOp::Equal => bound == 0.0,
                _ => false,
            };
            let is_old = matches!(compared.op, BinaryOp::Greater | BinaryOp::GreaterEqual);
            let (name, why) = match (is_least, is_old) {
                (true, _) => (
                    happening(compared.value),
                    format!(
                        "without it there is no rate to compare with {}",
                        format_digits(bound, 6)
                    ),
                ),
                (_, true) => (
                    last(compared.value),
                    "nothing is old that never was, or that a restart forgot".to_owned(),
                ),
                _ => continue,
            };
            let Some(name) = name.filter(|name| {
                let is_described = DESCRIBED.iter().any(|prefix| name.starts_with(prefix));
                !is_described && rules.recording(name).is_empty() && !guards.watch(subject, name)
            }) else {
                continue;
            };
            let message = format!("silent when {name} is gone: {why}");
            let help = format!("add `or absent({name})`, or an alert on it");
            found.push(subject.warn(compared.span, message).help(help));
        }
    }
    found
}

/// The counter whose rate an expression is.
fn happening(expr: &Expr) -> Option<&str> {
    let rate = call(core(expr), &["rate", "increase"])?;
    metric(selector(series_argument(rate)?)?)
}

/// The metric of which an expression is the age.
fn last(expr: &Expr) -> Option<&str> {
    let age = chain(core(expr))?;
    let [link] = age.links.as_slice() else {
        return None;
    };
    // In minutes or hours.
    if link.op == BinaryOp::Div && number(&link.rhs).is_some() {
        return last(&age.first);
    }
    let is_time = call(age.first.unwrap_parens(), &["time"]).is_some();
    let inner = core(&link.rhs);
    if link.op != BinaryOp::Sub || !is_time || !matches!(inner.kind, ExprKind::Vector(_)) {
        return None;
    }
    let name = metric(selector(inner)?)?;
    let is_beat = name.contains("heartbeat")
        || name.contains("last") && BEATS.iter().any(|word| name.contains(word));
    // A configuration is read when the process starts, and not again until somebody changes it.
    (is_beat && !name.contains("reload")).then_some(name)
}
