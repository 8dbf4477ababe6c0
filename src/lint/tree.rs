//! Ways through the tree of a query that several lints take.

use std::collections::HashSet;

use crate::model::metric_of;
use crate::promql::ast::{BinaryOp, Call, Chain, Expr, ExprKind, Link, ValueType, VectorSelector};
use crate::text::Span;

/// Every node, a node before those below it.
pub(super) fn nodes(expr: &Expr) -> Vec<&Expr> {
    let (mut found, mut left) = (Vec::new(), vec![expr]);
    while let Some(expr) = left.pop() {
        found.push(expr);
        left.extend(expr.children().into_iter().rev());
    }
    found
}

/// The number that an expression of numbers is.
pub(super) fn number(expr: &Expr) -> Option<f64> {
    match &expr.unwrap_parens().kind {
        ExprKind::Number(number) => Some(number.value),
        ExprKind::Unary(op, inner) => {
            let value = number(inner)?;
            Some(match op {
                crate::promql::ast::UnaryOp::Minus => -value,
                crate::promql::ast::UnaryOp::Plus => value,
            })
        }
        ExprKind::Chain(chain) => {
            let mut value = number(&chain.first)?;
            for link in &chain.links {
                let right = number(&link.rhs)?;
                value = match link.op {
                    BinaryOp::Add => value + right,
                    BinaryOp::Sub => value - right,
                    BinaryOp::Mul => value * right,
                    BinaryOp::Div => value / right,
                    BinaryOp::Pow => value.powf(right),
                    _ => return None,
                };
            }
            Some(value)
        }
        _ => None,
    }
}

/// The parts of an expression whose values its result has: what stands on the left of comparisons and of `and`, all sides of
/// `or`.
pub(super) fn values(expr: &Expr) -> Vec<&Expr> {
    let expr = expr.unwrap_parens();
    let ExprKind::Chain(chain) = &expr.kind else {
        return vec![expr];
    };
    let Some(link) = chain.links.first() else {
        return vec![expr];
    };
    if link.op.is_set() {
        let sides = chain.links.iter().filter(|link| link.op == BinaryOp::Or);
        let sides = sides.map(|link| &link.rhs);
        return std::iter::once(&*chain.first)
            .chain(sides)
            .flat_map(values)
            .collect();
    }
    if link.op.is_comparison() && !link.return_bool {
        return match number(&chain.first) {
            Some(_) => values(&link.rhs),
            None => values(&chain.first),
        };
    }
    vec![expr]
}

/// A comparison that filters, with what stands on its left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison<'e> {
    /// What is compared; the vector, where the other side is a number.
    pub value: &'e Expr,
    /// The comparison as if that stood on the left.
    pub op: BinaryOp,
    /// The other side.
    pub bound: &'e Expr,
    /// Both sides.
    pub span: Span,
}

/// The comparisons anywhere in an expression that filter.
pub(super) fn comparisons(expr: &Expr) -> Vec<Comparison<'_>> {
    let mut found = Vec::new();
    for node in nodes(expr) {
        let Some((chain, link)) = chain(node).and_then(|it| Some((it, it.links.first()?))) else {
            continue;
        };
        if !link.op.is_comparison() || link.return_bool {
            continue;
        }
        let (value, op, bound) = match number(&chain.first).is_some() {
            true => (&link.rhs, link.op.mirrored(), &*chain.first),
            false => (&*chain.first, link.op, &link.rhs),
        };
        let span = chain.span_to(link);
        found.push(Comparison {
            value,
            op,
            bound,
            span,
        });
    }
    found
}

/// The comparisons that decide over the values which an expression yields, not those of a side that is only asked for.
pub(super) fn deciding(expr: &Expr) -> Vec<Comparison<'_>> {
    let shown: HashSet<*const Expr> = values(expr).into_iter().map(std::ptr::from_ref).collect();
    let is_shown = |value: &Expr| shown.contains(&std::ptr::from_ref(value));
    let mut found = comparisons(expr);
    found.retain(|it| values(it.value).into_iter().any(is_shown));
    found
}

/// The chain that an expression is.
pub(super) fn chain(expr: &Expr) -> Option<&Chain> {
    match &expr.kind {
        ExprKind::Chain(chain) => Some(chain),
        _ => None,
    }
}

/// The operators between two vectors, each with its number in its chain.
pub(super) fn joins(expr: &Expr) -> Vec<(&Chain, usize, &Link)> {
    let mut found = Vec::new();
    for chain in nodes(expr).into_iter().filter_map(chain) {
        let mut is_scalar = chain.first.value_type() == ValueType::Scalar;
        for (index, link) in chain.links.iter().enumerate() {
            let right_is_scalar = link.rhs.value_type() == ValueType::Scalar;
            if !is_scalar && !right_is_scalar {
                found.push((chain, index, link));
            }
            is_scalar &= right_is_scalar;
        }
    }
    found
}

/// The argument of a call that holds series.
pub(super) fn series_argument(call: &Call) -> Option<&Expr> {
    let takes_series =
        |arg: &&Expr| matches!(arg.value_type(), ValueType::Vector | ValueType::Matrix);
    call.args.iter().find(takes_series)
}

/// The selector that an expression is, of an instant or of a range.
pub(super) fn selector(expr: &Expr) -> Option<&VectorSelector> {
    match &expr.unwrap_parens().kind {
        ExprKind::Vector(selector) => Some(selector),
        ExprKind::Matrix(matrix) => Some(&matrix.selector),
        _ => None,
    }
}

/// The metric that a selector names.
pub(super) fn metric(selector: &VectorSelector) -> Option<&str> {
    metric_of(&selector.matchers)
}

/// Functions that yield the values of their argument, or values like them.
const ALIKE: [&str; 22] = [
    "abs",
    "avg_over_time",
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "first_over_time",
    "floor",
    "label_join",
    "label_replace",
    "last_over_time",
    "mad_over_time",
    "max_over_time",
    "min_over_time",
    "quantile_over_time",
    "round",
    "sort",
    "sort_by_label",
    "sort_by_label_desc",
    "sort_desc",
    "stddev_over_time",
    "sum_over_time",
];

/// Aggregations that yield values of the kind they take.
const ALIKE_AGGREGATIONS: [&str; 8] = [
    "sum", "avg", "min", "max", "topk", "bottomk", "quantile", "limitk",
];

/// What an expression takes its kind of values from: below brackets, aggregations and functions that change nothing of it.
pub(super) fn core(expr: &Expr) -> &Expr {
    let mut expr = expr;
    loop {
        let below = match &expr.kind {
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => Some(&**inner),
            ExprKind::Aggregate(aggregate) => ALIKE_AGGREGATIONS
                .contains(&aggregate.op.name)
                .then_some(&aggregate.expr),
            ExprKind::Call(call) => match ALIKE.contains(&call.function.name) {
                true => series_argument(call),
                false => None,
            },
            ExprKind::Subquery(subquery) => Some(&subquery.expr),
            _ => None,
        };
        match below {
            Some(below) => expr = below,
            None => return expr,
        }
    }
}

/// Whether a call is one of these functions.
pub(super) fn call<'e>(expr: &'e Expr, names: &[&str]) -> Option<&'e Call> {
    match &expr.kind {
        ExprKind::Call(call) if names.contains(&call.function.name) => Some(call),
        _ => None,
    }
}
