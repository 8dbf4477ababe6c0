//! `buckets-summed`: buckets of a histogram added up as if they were separate.

use super::rules::Subject;
use super::tree::{core, metric, nodes, selector, series_argument};
use super::{Level, Lint, Look};
use crate::promql::ast::{Expr, ExprKind};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "buckets-summed",
    level: Level::Warn,
    doc: "the buckets of a histogram are added up without regard to `le`",
    why: "Each bucket counts everything up to its bound, so each observation is in several buckets. Their sum counts it \
          several times, the more the faster it was. `_count` is the number of observations, and the bucket \
          `le=\"+Inf\"` too.",
    wrong: r#"
- record: job:requests:rate5m
  expr: sum by (job) (rate(request_seconds_bucket[5m]))
"#,
    right: r#"
- record: job:requests:rate5m
  expr: sum by (job) (rate(request_seconds_count[5m]))
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in nodes(subject.expr()) {
        let ExprKind::Aggregate(aggregate) = &node.kind else {
            continue;
        };
        let grouping = &aggregate.grouping;
        let keeps_le = grouping.labels.iter().any(|label| label == "le") != grouping.without;
        if keeps_le || !["sum", "avg"].contains(&aggregate.op.name) {
            continue;
        }
        let Some(name) = buckets(&aggregate.expr) else {
            continue;
        };
        if subject.rules.known(&aggregate.expr, "le").is_some() {
            continue;
        }
        let message = format!(
            "{} adds all buckets of {name}, each of which counts what the smaller ones count too",
            aggregate.op.name
        );
        let count = name.strip_suffix("_bucket").unwrap_or(name);
        let help = format!("keep le with `by (…, le)`, or take `{count}_count`");
        found.push(subject.warn(node.span, message).help(help));
    }
    found
}

/// The buckets that an expression yields, or their rates.
fn buckets(expr: &Expr) -> Option<&str> {
    let mut expr = core(expr);
    if let ExprKind::Call(call) = &expr.kind
        && ["rate", "increase", "irate", "delta"].contains(&call.function.name)
    {
        expr = series_argument(call)?;
    }
    metric(selector(expr)?).filter(|name| name.ends_with("_bucket"))
}
