//! `divided-by-itself`: a ratio in which every series is divided by itself.

use super::rules::Subject;
use super::tree::{chain, nodes, selector};
use super::{Level, Lint, Look};
use crate::model::Matcher;
use crate::promql::ast::{BinaryOp, Expr, ExprKind, VectorSelector};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "divided-by-itself",
    level: Level::Warn,
    doc: "a ratio that is always 1, because every series meets itself on the other side",
    why: "Without an aggregation the series with `code=\"500\"` is divided by the one series with the same labels: itself. The \
          result is 1 wherever there is one, not the share of errors. Take both sides as sums that leave the label out.",
    wrong: r#"
- alert: ManyErrors
  expr: rate(requests_total{code=~"5.."}[5m]) / rate(requests_total[5m]) > 0.1
"#,
    right: r#"
- alert: ManyErrors
  expr: sum(rate(requests_total{code=~"5.."}[5m])) / sum(rate(requests_total[5m])) > 0.1
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in nodes(subject.expr()) {
        let Some(chain) = chain(node) else {
            continue;
        };
        let Some(link) = chain.links.first().filter(|link| link.op == BinaryOp::Div) else {
            continue;
        };
        let matching = link.matching();
        let Some(differing) = same(&chain.first, &link.rhs) else {
            continue;
        };
        let Some(label) = differing.first() else {
            continue;
        };
        if matching.group.is_some() || !differing.iter().all(|label| matching.pairs(label)) {
            continue;
        }
        let message = format!(
            "always 1: both sides have the label {label}, so each series is divided by itself"
        );
        let help = format!(
            "sum both sides without it: `sum without ({label}) (…) / sum without ({label}) (…)`"
        );
        found.push(subject.warn(chain.span_to(link), message).help(help));
    }
    found
}

/// The labels in whose matchers two expressions differ that are the same otherwise and keep those labels; `None` where they
/// differ in more.
fn same<'e>(left: &'e Expr, right: &'e Expr) -> Option<Vec<&'e str>> {
    let (left, right) = (left.unwrap_parens(), right.unwrap_parens());
    if let (Some(a), Some(b)) = (selector(left), selector(right)) {
        let ranges = match (&left.kind, &right.kind) {
            (ExprKind::Vector(_), ExprKind::Vector(_)) => true,
            (ExprKind::Matrix(a), ExprKind::Matrix(b)) => a.range == b.range,
            _ => false,
        };
        return differing(a, b).filter(|_| ranges);
    }
    match (&left.kind, &right.kind) {
        (ExprKind::Call(a), ExprKind::Call(b)) if a.function.name == b.function.name => {
            match (a.args.as_slice(), b.args.as_slice()) {
                ([a], [b]) => same(a, b),
                _ => None,
            }
        }
        (ExprKind::Aggregate(a), ExprKind::Aggregate(b))
            if a.op == b.op && a.grouping == b.grouping && a.param == b.param =>
        {
            let labels = same(&a.expr, &b.expr)?;
            let grouping = &a.grouping;
            let keeps = |label: &&str| {
                grouping.labels.iter().any(|named| named == label) != grouping.without
            };
            labels.iter().all(keeps).then_some(labels)
        }
        _ => None,
    }
}

/// The labels of the matchers that only one of two selectors of a metric has: the left one, so that it selects a part of the
/// other.
fn differing<'e>(left: &'e VectorSelector, right: &'e VectorSelector) -> Option<Vec<&'e str>> {
    let has = |of: &VectorSelector, matcher: &Matcher| {
        let key = |it: &Matcher| (it.name.clone(), it.op, it.value.clone());
        of.matchers.iter().any(|it| key(it) == key(matcher))
    };
    let is_part = right.matchers.iter().all(|matcher| has(left, matcher));
    if !is_part
        || left.shift != right.shift
        || super::tree::metric(left) != super::tree::metric(right)
    {
        return None;
    }
    let more = left.matchers.iter().filter(|matcher| !has(right, matcher));
    Some(more.map(|matcher| matcher.name.as_str()).collect())
}
