//! `whole-bound`: a bucket that is asked for by a whole number.

use std::collections::BTreeSet;

use super::rules::Subject;
use super::tree::{metric, nodes};
use super::{Level, Lint, Look};
use crate::promql::ast::{ExprKind, VectorSelector};
use crate::slo::lint::whole_bound;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "whole-bound",
    level: Level::Warn,
    doc: "a bucket asked for by a whole number, `le=\"5\"`, which Prometheus 3 writes 5.0",
    why: "From version 3 on Prometheus stores the bounds of classic histograms as floating-point numbers with a point, \
          whatever the exposition says. A matcher with a whole number selects nothing of what is scraped since. A regular \
          expression selects both.",
    wrong: r#"
- alert: Slow
  expr: sum(rate(request_seconds_bucket{le="5"}[5m])) / sum(rate(request_seconds_count[5m])) < 0.9
"#,
    right: r#"
- alert: Slow
  expr: sum(rate(request_seconds_bucket{le=~"5(\\.0)?"}[5m])) / sum(rate(request_seconds_count[5m])) < 0.9
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    // A rule often asks for a bucket several times.
    let (mut found, mut told) = (Vec::new(), BTreeSet::new());
    for node in nodes(subject.expr()) {
        let selector: &VectorSelector = match &node.kind {
            ExprKind::Vector(selector) => selector,
            ExprKind::Matrix(matrix) => &matrix.selector,
            _ => continue,
        };
        if metric(selector).is_some_and(|name| name.contains(':')) {
            continue;
        }
        for trap in selector.matchers.iter().filter_map(whole_bound) {
            if told.insert(trap.message.clone()) {
                found.push(subject.warn(node.span, trap.message).help(trap.help));
            }
        }
    }
    found
}
