//! Which counters a query adds up, so that their raw increases can be counted instead of estimates of them.

use crate::model::Matcher;
use crate::promql::ast::{BinaryOp, Expr, ExprKind, Grouping, Shift, VectorSelector};

/// Counters of which a query is the sum.
#[derive(Debug, Clone, Copy)]
pub struct Counters<'q> {
    /// Which ones.
    pub matchers: &'q [Matcher],
    /// Whether they are taken away rather than added.
    pub negative: bool,
    /// Whether their increase over a window is asked for, by `rate` or `increase`.
    pub is_over_window: bool,
}

/// The counters that a query adds up, whether over a window (`rate`, `increase`) or not: selectors, sums of them over any
/// labels, `+` and `-` of these, and `… or vector(0)`. `None` for any other query.
pub fn counters(expr: &Expr) -> Option<Vec<Counters<'_>>> {
    let mut found = Vec::new();
    collect(expr, false, &mut found)?;
    (!found.is_empty()).then_some(found)
}

fn collect<'q>(expr: &'q Expr, negative: bool, found: &mut Vec<Counters<'q>>) -> Option<()> {
    match &expr.unwrap_parens().kind {
        ExprKind::Vector(selector) => found.push(Counters {
            matchers: plain(selector)?,
            negative,
            is_over_window: false,
        }),
        ExprKind::Call(call) if matches!(call.function.name, "rate" | "increase") => {
            match &call.args.first()?.unwrap_parens().kind {
                ExprKind::Matrix(matrix) => found.push(Counters {
                    matchers: plain(&matrix.selector)?,
                    negative,
                    is_over_window: true,
                }),
                _ => return None,
            }
        }
        ExprKind::Aggregate(sum) if sum.op.name == "sum" => collect(&sum.expr, negative, found)?,
        ExprKind::Chain(chain) => {
            collect(&chain.first, negative, found)?;
            for link in &chain.links {
                match link.op {
                    // One side alone has no sum in PromQL: only what has no labels is sure to meet.
                    BinaryOp::Add | BinaryOp::Sub
                        if link.matching.is_none()
                            && is_single(&chain.first)
                            && is_single(&link.rhs) =>
                    {
                        collect(&link.rhs, negative ^ (link.op == BinaryOp::Sub), found)?;
                    }
                    BinaryOp::Or if is_zero(&link.rhs) => {}
                    _ => return None,
                }
            }
        }
        _ => return None,
    }
    Some(())
}

/// Whether a query yields one series without labels, whatever it reads.
fn is_single(expr: &Expr) -> bool {
    match &expr.unwrap_parens().kind {
        ExprKind::Aggregate(sum) => sum.grouping == Grouping::default(),
        ExprKind::Chain(chain) => {
            is_single(&chain.first) && chain.links.iter().all(|it| is_single(&it.rhs))
        }
        _ => is_zero(expr),
    }
}

/// `vector(0)`
fn is_zero(expr: &Expr) -> bool {
    match &expr.unwrap_parens().kind {
        ExprKind::Call(call) if call.function.name == "vector" => {
            let argument = call.args.first().map(|it| &it.unwrap_parens().kind);
            matches!(argument, Some(ExprKind::Number(number)) if number.value == 0.0)
        }
        _ => false,
    }
}

/// A selector that looks at now.
fn plain(selector: &VectorSelector) -> Option<&[Matcher]> {
    let is_plain = selector.shift == Shift::default() && selector.extension.is_none();
    is_plain.then_some(selector.matchers.as_slice())
}

/// The matchers of a query that is nothing but a selector.
pub fn selector(expr: &Expr) -> Option<&[Matcher]> {
    match &expr.unwrap_parens().kind {
        ExprKind::Vector(selector) => plain(selector),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::{Features, Query};

    #[test]
    fn sums_of_counters_are_seen_through() {
        for (text, count) in [
            ("m", 1),
            ("sum(m) by (job)", 1),
            ("sum(rate(m{a=\"b\"}[5m])) or vector(0)", 1),
            ("sum(increase(a[1h])) - (sum(increase(b[1h])) + sum(c))", 3),
            ("a + b", 0),
            ("sum by (x) (a) - sum by (x) (b)", 0),
            ("m offset 5m", 0),
            ("max(m)", 0),
            ("2 * sum(m)", 0),
            ("sum(irate(m[5m]))", 0),
        ] {
            let query = Query::parse(text, &Features::default()).unwrap();
            let found = counters(&query.expr).unwrap_or_default();
            assert_eq!(found.len(), count, "{text}");
        }
    }

    #[test]
    fn what_is_taken_away_twice_is_added() {
        let text = "sum(a) - (sum(b) - sum(c))";
        let query = Query::parse(text, &Features::default()).unwrap();
        let signs: Vec<bool> = counters(&query.expr)
            .unwrap()
            .iter()
            .map(|it| it.negative)
            .collect();
        assert_eq!(signs, [false, true, false]);
    }
}
