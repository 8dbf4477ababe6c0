//! `lost-addend`: a sum that is nothing as soon as one of its parts is.

use super::rules::Subject;
use super::tree::{core, joins, metric, nodes, selector};
use super::{Level, Lint, Look};
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "lost-addend",
    level: Level::Pedantic,
    doc: "`sum(a) + sum(b)`, which is nothing until both have happened",
    why: "Many client libraries show a counter with labels from its first increment on. Until something fails there is no \
          `failed_total`, and `sent + failed` is not `sent` but nothing: no ratio, no alert. Write `… or vector(0)` behind what \
          may be missing.",
    wrong: r#"
- record: job:failed:ratio5m
  expr: sum(rate(failed_total[5m])) / (sum(rate(sent_total[5m])) + sum(rate(failed_total[5m])))
"#,
    right: r#"
- record: job:failed:ratio5m
  expr: (sum(rate(failed_total[5m])) or vector(0)) / (sum(rate(sent_total[5m])) + (sum(rate(failed_total[5m])) or vector(0)))
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let sums = joins(subject.expr()).into_iter();
    let found = sums.filter_map(|(chain, index, link)| {
        if link.op != BinaryOp::Add || index > 0 || link.matching().fill_left.is_some() {
            return None;
        }
        let (left, right) = (counter(&chain.first)?, counter(&link.rhs)?);
        let whole = chain.span_to(link);
        (left != right).then(|| {
            let message =
                format!("nothing until both have happened: {left} or {right} may not be there yet");
            subject
                .warn(whole, message)
                .help("write `(… or vector(0))` for what may be missing")
        })
    });
    found.collect()
}

/// The counter whose rate an aggregation without labels adds.
fn counter(expr: &Expr) -> Option<&str> {
    let ExprKind::Aggregate(aggregate) = &expr.unwrap_parens().kind else {
        return None;
    };
    let is_bare = aggregate.grouping.labels.is_empty() && !aggregate.grouping.without;
    let mut selectors = nodes(core(&aggregate.expr))
        .into_iter()
        .filter_map(selector);
    let name = selectors.find_map(metric)?;
    (is_bare && aggregate.op.name == "sum" && name.ends_with("_total")).then_some(name)
}
