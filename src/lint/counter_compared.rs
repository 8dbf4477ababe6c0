//! `counter-compared`: a counter that is compared as if it were a gauge.

use super::rules::Subject;
use super::tree::{core, deciding, metric, number, selector};
use super::{Level, Lint, Look};
use crate::promql::ast::BinaryOp;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "counter-compared",
    level: Level::Warn,
    doc: "a `_total` is compared with a number, without `rate` or `increase`",
    why: "A counter only grows until its process restarts. Once it has passed a threshold it stays there: the alert fires for \
          good, however long ago things happened. Compare `rate` or `increase` over a window. If the metric is a gauge, \
          its name promises something else: call it without `_total`.",
    wrong: r#"
- alert: ManyErrors
  expr: errors_total > 500
"#,
    right: r#"
- alert: ManyErrors
  expr: increase(errors_total[10m]) > 500
"#,
    look: Look::Rule(look),
};

/// Gauges of well-known libraries that are named so all the same.
const GAUGES: [&str; 3] = [
    "nodejs_active_handles_total",
    "nodejs_active_requests_total",
    "nodejs_active_resources_total",
];

/// Words for what happens at a moment.
const EVENTS: [&str; 7] = [
    "error", "fail", "restart", "crash", "timeout", "reject", "request",
];

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for compared in deciding(subject.expr()) {
        let core = core(compared.value);
        let Some(selector) = selector(core) else {
            continue;
        };
        let is_above = matches!(compared.op, BinaryOp::Greater | BinaryOp::GreaterEqual);
        let Some(name) = metric(selector).filter(|name| name.ends_with("_total")) else {
            continue;
        };
        let Some(bound) = number(compared.bound).filter(|_| is_above) else {
            continue;
        };
        // Above 0 may be anything that somebody calls a total, if it does not speak of events.
        if GAUGES.contains(&name)
            || (bound == 0.0 && !EVENTS.iter().any(|word| name.contains(word)))
        {
            continue;
        }
        let message = format!(
            "{name} is a counter by its name: once above {} it stays there until its process restarts",
            crate::model::number::format_digits(bound, 6)
        );
        let help =
            format!("compare `increase({name}[…])` or `rate`, or name a gauge without `_total`");
        found.push(subject.warn(compared.span, message).help(help));
    }
    found
}
