//! `buckets-backwards`: a difference of buckets with the wrong sign, or the share of fast requests taken for that of slow ones.

use super::rules::Subject;
use super::tree::{chain, core, metric, nodes, selector};
use super::{Level, Lint, Look};
use crate::model::number::format_digits;
use crate::promql::LabelValue;
use crate::promql::ast::{BinaryOp, Expr, ExprKind};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "buckets-backwards",
    level: Level::Warn,
    doc: "a difference of two buckets of a histogram that is never above 0",
    why: "A bucket counts everything up to its bound, so one with a greater bound holds all that a smaller one holds. The \
          smaller minus the greater is never above 0. What lies between two bounds is the greater minus the smaller, and \
          what lies above a bound is `_count` minus its bucket.",
    wrong: r#"
- alert: ManySlow
  expr: sum(rate(request_seconds_bucket{le="1.0"}[5m])) - sum(rate(request_seconds_bucket{le="5.0"}[5m])) > 10
"#,
    right: r#"
- alert: ManySlow
  expr: sum(rate(request_seconds_bucket{le="5.0"}[5m])) - sum(rate(request_seconds_bucket{le="1.0"}[5m])) > 10
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in nodes(subject.expr()) {
        let Some(chain) = chain(node) else {
            continue;
        };
        let Some(link) = chain.links.first().filter(|link| link.op == BinaryOp::Sub) else {
            continue;
        };
        let (Some(left), Some(right)) = (bound(subject, &chain.first), bound(subject, &link.rhs))
        else {
            continue;
        };
        if left.0 != right.0 || left.1 >= right.1 {
            continue;
        }
        let message = format!(
            "never above 0: the bucket up to {} is part of that up to {}",
            format_digits(left.1, 6),
            format_digits(right.1, 6)
        );
        let help = "subtract the bucket with the smaller bound from that with the greater";
        found.push(subject.warn(chain.span_to(link), message).help(help));
    }
    found
}

/// The histogram whose observations up to a bound an expression counts, and the bound: infinite for all of them.
fn bound<'e>(subject: &Subject<'_>, expr: &'e Expr) -> Option<(&'e str, f64)> {
    let mut inner = core(expr);
    if let ExprKind::Call(call) = &inner.kind
        && ["rate", "increase", "irate"].contains(&call.function.name)
    {
        inner = super::tree::series_argument(call)?;
    }
    let selector = selector(inner)?;
    let name = metric(selector)?;
    if let Some(histogram) = name.strip_suffix("_count") {
        return Some((histogram, f64::INFINITY));
    }
    let histogram = name.strip_suffix("_bucket")?;
    let LabelValue::Is(le) = subject.rules.known(inner, "le")?.value else {
        return None;
    };
    let bound = match le.as_str() {
        "+Inf" => f64::INFINITY,
        le => le.parse().ok()?,
    };
    Some((histogram, bound))
}
