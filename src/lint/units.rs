//! What numbers mean, as far as names and arithmetic tell.

use super::rules::Rules;
use super::tree::{chain, core, metric, number, selector, values};
use crate::promql::ast::{BinaryOp, Expr};
use crate::text::Span;

/// How many recorded series lie one upon the other at most.
const MAX_DEPTH: usize = 8;

/// The part by which the value of an expression is in per cent: a factor of 100, a difference from 100, or a metric whose name
/// says so.
pub(super) fn percent(expr: &Expr, rules: &Rules<'_>) -> Option<Span> {
    values(expr)
        .into_iter()
        .find_map(|value| of(value, rules, 0))
}

fn of(expr: &Expr, rules: &Rules<'_>, depth: usize) -> Option<Span> {
    let expr = core(expr);
    if let Some(name) = selector(expr).and_then(metric) {
        let says_so = ["percent", "percentage", "pct"]
            .iter()
            .any(|word| name.split(['_', ':']).any(|part| part == *word));
        if says_so && !name.contains(':') {
            return Some(expr.span);
        }
        let recorded = rules.recording(name);
        let is_percent = |rule: &&crate::rules::Rule| {
            let values = values(&rule.expr.expr);
            values
                .into_iter()
                .any(|it| of(it, rules, depth + 1).is_some())
        };
        let is = !recorded.is_empty() && depth < MAX_DEPTH && recorded.iter().all(is_percent);
        return is.then_some(expr.span);
    }
    let chain = chain(expr)?;
    let link = chain.links.first()?;
    let is_hundred = |expr: &Expr| number(expr) == Some(100.0);
    match link.op {
        BinaryOp::Mul | BinaryOp::Div => {
            let by = |op: BinaryOp, value: f64| {
                let mut links = chain.links.iter();
                links.any(|link| link.op == op && number(&link.rhs) == Some(value))
            };
            let times = is_hundred(&chain.first) && link.op == BinaryOp::Mul;
            if times || by(BinaryOp::Mul, 100.0) || by(BinaryOp::Div, 0.01) {
                return Some(expr.span);
            }
            None
        }
        BinaryOp::Sub if is_hundred(&chain.first) => Some(expr.span),
        BinaryOp::Add | BinaryOp::Sub => {
            let rest = chain.links.iter().map(|link| &link.rhs);
            let mut all = std::iter::once(&*chain.first).chain(rest);
            all.find_map(|side| of(side, rules, depth))
        }
        _ => None,
    }
}
