//! `rate-of-sum`: a rate of a sum of counters.

use super::rules::Subject;
use super::tree::{call, core, metric, nodes, selector, series_argument};
use super::{Level, Lint, Look};
use crate::promql::ast::{Expr, ExprKind};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "rate-of-sum",
    level: Level::Warn,
    doc: "`rate` or `increase` of a sum of counters",
    why: "`rate` sees that a counter began anew because it fell. The sum of many falls when one of them begins anew or goes, \
          and `rate` takes the whole sum for what was counted since: a peak that never was. First the rate, then the sum.",
    wrong: r#"
- alert: ManyErrors
  expr: rate(sum(errors_total)[5m:1m]) > 10
"#,
    right: r#"
- alert: ManyErrors
  expr: sum(rate(errors_total[5m])) > 10
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let calls = nodes(subject.expr()).into_iter();
    let calls = calls.filter_map(|node| Some((node, call(node, &["rate", "increase", "irate"])?)));
    let found = calls.filter_map(|(node, call)| {
        let argument = series_argument(call)?.unwrap_parens();
        let (sum, by) = match &argument.kind {
            ExprKind::Subquery(subquery) => (summed(&subquery.expr)?, String::new()),
            _ => {
                let name = metric(selector(argument)?)?;
                let recorded = subject.rules.recording(name);
                let sum = recorded.iter().find_map(|rule| summed(&rule.expr.expr))?;
                (sum, format!(", which {name} records"))
            }
        };
        let function = call.function.name;
        let message = format!(
            "{function} of a sum of the counter {sum}{by}: when one of its series begins anew or goes, the sum falls, and \
             {function} takes it for a restart of all"
        );
        let help = format!("first the rate, then the sum: `sum({function}({sum}[…]))`");
        Some(subject.warn(node.span, message).help(help))
    });
    found.collect()
}

/// The counter of which an expression is the sum.
fn summed(expr: &Expr) -> Option<&str> {
    let ExprKind::Aggregate(aggregate) = &expr.unwrap_parens().kind else {
        return None;
    };
    let name = metric(selector(core(&aggregate.expr))?)?;
    let is_counter = ["_total", "_count", "_sum", "_bucket"]
        .iter()
        .any(|end| name.ends_with(end));
    (aggregate.op.name == "sum" && is_counter && !name.contains(':')).then_some(name)
}
