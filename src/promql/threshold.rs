//! The comparison on which an alert's expression hangs.

use super::ast::{BinaryOp, Expr, ExprKind};

/// What is compared with what.
#[derive(Debug, Clone, Copy)]
pub struct Threshold<'e> {
    /// The side that moves: the vector, or the left one of two.
    pub value: &'e Expr,
    /// The comparison, as if the value stood on its left.
    pub op: BinaryOp,
    /// The other side.
    pub bound: &'e Expr,
}

/// The first comparison that filters the result of an expression: outermost, or that of the first operand of `and`,
/// `or`, `unless`.
pub fn threshold(expr: &Expr) -> Option<Threshold<'_>> {
    let ExprKind::Chain(chain) = &expr.unwrap_parens().kind else {
        return None;
    };
    let (first, link) = (chain.first.as_ref(), chain.links.first()?);
    if link.op.is_set() {
        return threshold(first);
    }
    if !link.op.is_comparison() || link.return_bool || chain.links.len() > 1 {
        return None;
    }
    Some(match is_number(first) && !is_number(&link.rhs) {
        true => Threshold {
            value: &link.rhs,
            op: link.op.mirrored(),
            bound: first,
        },
        false => Threshold {
            value: first,
            op: link.op,
            bound: &link.rhs,
        },
    })
}

/// Whether an expression is made of numbers alone.
fn is_number(expr: &Expr) -> bool {
    match &expr.unwrap_parens().kind {
        ExprKind::Number(_) => true,
        ExprKind::Unary(_, inner) => is_number(inner),
        ExprKind::Chain(chain) => {
            is_number(&chain.first) && chain.links.iter().all(|link| is_number(&link.rhs))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Features, Query};
    use super::threshold;

    fn found(text: &str) -> Option<(String, &'static str, String)> {
        let query = Query::parse(text, &Features::default()).expect("a query");
        let found = threshold(&query.expr)?;
        let part = |expr: &super::Expr| text[expr.span.start..expr.span.end].to_owned();
        Some((part(found.value), found.op.symbol(), part(found.bound)))
    }

    #[test]
    fn the_moving_side_stands_on_the_left() {
        let expected = |value: &str, op, bound: &str| Some((value.into(), op, bound.into()));
        assert_eq!(found("a > 5"), expected("a", ">", "5"));
        assert_eq!(found("5 >= a"), expected("a", "<=", "5"));
        assert_eq!(
            found("(sum(a) / sum(b) > (14.4 * 0.001)) and b > 1"),
            expected("sum(a) / sum(b)", ">", "(14.4 * 0.001)")
        );
        assert_eq!(found("a > b"), expected("a", ">", "b"));
        assert_eq!(found("a > bool 5"), None);
        assert_eq!(found("absent(a)"), None);
    }
}
