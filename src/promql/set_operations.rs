//! The set operators of a query with the sides that they join.

use super::ast::{BinaryOp, Expr, ExprKind};
use crate::text::Span;

/// One `and`, `or` or `unless`. Places are those in the query's text; the text at [`left`](SetOperation::left) and at
/// [`whole`](SetOperation::whole) is a query of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetOperation {
    /// Which.
    pub op: BinaryOp,
    /// Where the operator stands, with what it matches on.
    pub place: Span,
    /// Its left side: all that stands before it in a chain.
    pub left: Span,
    /// Both sides with the operator.
    pub whole: Span,
}

/// The set operators of an expression, in the order in which they are written.
pub fn set_operations(expr: &Expr) -> Vec<SetOperation> {
    let mut found = Vec::new();
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        if let ExprKind::Chain(chain) = &expr.kind {
            let mut left = chain.first.span;
            for link in &chain.links {
                let whole = chain.span_to(link);
                if link.op.is_set() {
                    found.push(SetOperation {
                        op: link.op,
                        place: link.op_span,
                        left,
                        whole,
                    });
                }
                left = whole;
            }
        }
        open.extend(expr.children());
    }
    found.sort_by_key(|operation| operation.place);
    found
}

#[cfg(test)]
mod tests {
    use super::super::{Features, Query};
    use super::set_operations;

    #[test]
    fn each_operator_has_its_sides() {
        let text = "sum(a or (b)) > 1 and on() c unless d{x=\"and\"}";
        let query = Query::parse(text, &Features::default()).expect("a query");
        let part = |span: crate::text::Span| &text[span.start..span.end];
        let found = set_operations(&query.expr);
        let found: Vec<_> = found
            .iter()
            .map(|it| (part(it.place), part(it.left), part(it.whole)))
            .collect();
        assert_eq!(
            found,
            [
                ("or", "a", "a or (b)"),
                (
                    "and on()",
                    "sum(a or (b)) > 1",
                    "sum(a or (b)) > 1 and on() c"
                ),
                ("unless", "sum(a or (b)) > 1 and on() c", text),
            ]
        );
    }
}
