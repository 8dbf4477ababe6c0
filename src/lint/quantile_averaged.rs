//! `quantile-averaged`: a mean or a sum of quantiles.

use super::rules::Subject;
use super::tree::{call, core, nodes};
use super::{Level, Lint, Look};
use crate::promql::LabelValue;
use crate::promql::ast::ExprKind;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "quantile-averaged",
    level: Level::Warn,
    doc: "a mean or a sum of quantiles, which is a quantile of nothing",
    why: "The mean of two 99th percentiles is not the 99th percentile of both together: a small slow instance counts as much \
          as a large fast one. Add the buckets first and take the quantile of the sum, or ask for the worst with `max`.",
    wrong: r#"
- alert: Slow
  expr: avg(histogram_quantile(0.99, sum by (le, instance) (rate(request_seconds_bucket[5m])))) > 1
"#,
    right: r#"
- alert: Slow
  expr: histogram_quantile(0.99, sum by (le) (rate(request_seconds_bucket[5m]))) > 1
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in nodes(subject.expr()) {
        let ExprKind::Aggregate(aggregate) = &node.kind else {
            continue;
        };
        let inner = core(&aggregate.expr);
        let of_summary = || {
            let known = subject.rules.known(inner, "quantile")?;
            let is_one = matches!(&known.value, LabelValue::Is(value) if !value.is_empty());
            (is_one && super::tree::selector(inner).is_some()).then_some(())
        };
        let is_quantile = call(inner, &["histogram_quantile"]).is_some() || of_summary().is_some();
        if !["avg", "sum"].contains(&aggregate.op.name) || !is_quantile {
            continue;
        }
        let message = format!("the {} of quantiles is no quantile", aggregate.op.name);
        let help = "add the buckets first: `histogram_quantile(…, sum by (le) (rate(…_bucket[5m])))`, or take `max`";
        found.push(subject.warn(node.span, message).help(help));
    }
    found
}
