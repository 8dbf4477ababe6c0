//! Expressions with one operator a node, and which labels their results have.

use std::collections::BTreeSet;

use super::rules::Background;
use crate::model::METRIC_NAME;
use crate::promql::ast::{Aggregate, Call, Chain, Expr, ExprKind, Link, Side, Subquery};
use crate::rules::RuleKind;

/// The same expression where every chain of operators has one link.
pub(super) fn paired(expr: &Expr) -> Expr {
    let kind = match &expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Vector(_) | ExprKind::Matrix(_) => {
            expr.kind.clone()
        }
        ExprKind::Subquery(subquery) => ExprKind::Subquery(Box::new(Subquery {
            expr: paired(&subquery.expr),
            ..(**subquery).clone()
        })),
        ExprKind::Call(call) => ExprKind::Call(Call {
            function: call.function,
            args: call.args.iter().map(paired).collect(),
        }),
        ExprKind::Aggregate(aggregate) => ExprKind::Aggregate(Box::new(Aggregate {
            expr: paired(&aggregate.expr),
            ..(**aggregate).clone()
        })),
        ExprKind::Unary(op, inner) => ExprKind::Unary(*op, Box::new(paired(inner))),
        ExprKind::Paren(inner) => return paired(inner),
        ExprKind::Chain(chain) => {
            let mut left = paired(&chain.first);
            for link in &chain.links {
                let span = left.span.to(link.rhs.span);
                let link = Link {
                    rhs: paired(&link.rhs),
                    ..link.clone()
                };
                left = Expr {
                    kind: ExprKind::Chain(Chain {
                        first: Box::new(left),
                        links: vec![link],
                    }),
                    span,
                };
            }
            return left;
        }
    };
    Expr {
        kind,
        span: expr.span,
    }
}

/// The two sides of an operator and what joins them.
pub(super) fn sides(expr: &Expr) -> Option<(&Expr, &Link)> {
    match &expr.kind {
        ExprKind::Chain(chain) => Some((&chain.first, chain.links.first()?)),
        _ => None,
    }
}

/// The labels that the series of an expression have because it asks for them.
pub(super) fn carried(expr: &Expr, background: &Background<'_>, depth: usize) -> BTreeSet<String> {
    let below = |expr: &Expr| carried(expr, background, depth);
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => BTreeSet::new(),
        ExprKind::Vector(_) | ExprKind::Matrix(_) => of_selector(expr, background, depth),
        ExprKind::Subquery(subquery) => below(&subquery.expr),
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => below(inner),
        ExprKind::Aggregate(aggregate) => match aggregate.grouping.without {
            false => aggregate.grouping.labels.iter().cloned().collect(),
            true => {
                let mut labels = below(&aggregate.expr);
                labels.retain(|label| !aggregate.grouping.labels.contains(label));
                labels
            }
        },
        ExprKind::Call(call) => {
            let mut labels: BTreeSet<String> = call.args.iter().flat_map(below).collect();
            if let (
                "label_replace" | "label_join",
                Some(Expr {
                    kind: ExprKind::String(label),
                    ..
                }),
            ) = (call.function.name, call.args.get(1))
            {
                labels.insert(label.clone());
            }
            if call.function.name == "histogram_quantile" {
                labels.remove("le");
            }
            labels
        }
        ExprKind::Chain(_) => match sides(expr) {
            None => BTreeSet::new(),
            Some((left, link)) => of_operator(left, link, background, depth),
        },
    }
}

fn of_selector(expr: &Expr, background: &Background<'_>, depth: usize) -> BTreeSet<String> {
    let selector = match &expr.kind {
        ExprKind::Vector(selector) => selector,
        ExprKind::Matrix(matrix) => &matrix.selector,
        _ => return BTreeSet::new(),
    };
    let asked = selector.matchers.iter();
    let asked = asked.filter(|it| it.name != METRIC_NAME && !it.matches_value(""));
    let mut labels: BTreeSet<String> = asked.map(|it| it.name.clone()).collect();
    if let Some(rule) = background.rules_of(&selector.matchers).first()
        && depth < 10
    {
        labels.extend(carried(&paired(&rule.expr.expr), background, depth + 1));
        if let RuleKind::Recording { labels: own } = &rule.kind {
            labels.extend(own.iter().map(|(label, _)| label.clone()));
        }
    }
    labels
}

fn of_operator(
    left: &Expr,
    link: &Link,
    background: &Background<'_>,
    depth: usize,
) -> BTreeSet<String> {
    let of_left = carried(left, background, depth);
    let of_right = carried(&link.rhs, background, depth);
    let matching = link.matching();
    match &matching.group {
        Some(group) => {
            let many = match group.side {
                Side::Left => of_left,
                Side::Right => of_right,
            };
            many.into_iter()
                .chain(group.include.iter().cloned())
                .collect()
        }
        None if link.op.is_set() && link.op != crate::promql::ast::BinaryOp::Or => of_left,
        None if matching.on => matching.labels.iter().cloned().collect(),
        None => {
            let all = of_left.into_iter().chain(of_right);
            all.filter(|label| !matching.labels.contains(label))
                .collect()
        }
    }
}
