//! Expressions that can't yield anything for want of series.

use crate::promql::ast::{BinaryOp, Call, Expr, ExprKind, ValueType, VectorSelector};
use crate::text::Span;

/// A selector for want of whose series an expression is empty, with its place in the query's text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Culprit<'e> {
    pub selector: &'e VectorSelector,
    pub span: Span,
}

/// Functions that yield something for nothing.
const CREATIVE: [&str; 4] = ["absent", "absent_over_time", "scalar", "vector"];

/// The selectors for want of whose series an expression yields nothing, whatever the values of other series are; `None`
/// where it may yield something.
pub(super) fn starved<'e>(
    expr: &'e Expr,
    is_missing: &dyn Fn(&VectorSelector) -> bool,
) -> Option<Vec<Culprit<'e>>> {
    let selected = |selector: &'e VectorSelector| {
        let span = expr.span;
        is_missing(selector).then(|| vec![Culprit { selector, span }])
    };
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => None,
        ExprKind::Vector(selector) => selected(selector),
        ExprKind::Matrix(matrix) => selected(&matrix.selector),
        ExprKind::Subquery(subquery) => starved(&subquery.expr, is_missing),
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => starved(inner, is_missing),
        ExprKind::Aggregate(aggregate) => starved(&aggregate.expr, is_missing),
        ExprKind::Call(call) => starved(series_of(call)?, is_missing),
        ExprKind::Chain(chain) => {
            let mut left = starved(&chain.first, is_missing);
            for link in &chain.links {
                let right = starved(&link.rhs, is_missing);
                let fills = [link.matching().fill_left, link.matching().fill_right];
                left = match link.op {
                    BinaryOp::Unless => left,
                    BinaryOp::Or => left.zip(right).map(|(mut left, right)| {
                        left.extend(right);
                        left
                    }),
                    _ if fills.iter().any(Option::is_some) => None,
                    _ => left.or(right),
                };
            }
            left
        }
    }
}

/// The argument without which a function yields nothing.
fn series_of(call: &Call) -> Option<&Expr> {
    if CREATIVE.contains(&call.function.name) {
        return None;
    }
    let is_series = |arg: &&Expr| matches!(arg.value_type(), ValueType::Vector | ValueType::Matrix);
    call.args.iter().find(is_series)
}

#[cfg(test)]
mod tests {
    use super::starved;
    use crate::promql::{Features, Query};

    /// The selectors of metrics called `no…` for want of which a query is empty.
    fn culprits(text: &str) -> Option<Vec<&str>> {
        let query = Query::parse(text, &Features::ALL).expect("a query");
        let missing = |selector: &super::VectorSelector| {
            let metric = selector.metric();
            metric.is_some_and(|metric| metric.starts_with("no"))
        };
        let found = starved(&query.expr, &missing)?;
        let texts = found.iter().map(|it| &text[it.span.start..it.span.end]);
        Some(texts.collect())
    }

    #[test]
    fn what_may_yield_something_is_not_starved() {
        for text in [
            "a > 1",
            "a unless no_b",
            "a or no_b",
            "absent(no_a)",
            "absent_over_time(no_a[5m]) > 0",
            "vector(1)",
            "vector(scalar(no_a)) > 1",
            "a + on() fill(0) no_b",
            "hour() > 5 and a",
        ] {
            assert_eq!(culprits(text), None, "{text}");
        }
    }

    #[test]
    fn what_reads_nothing_is_starved() {
        for (text, expected) in [
            ("no_a > 1", &["no_a"][..]),
            ("sum by (job) (rate(no_a[5m])) / sum(b)", &["no_a[5m]"]),
            ("b / sum(no_a)", &["no_a"]),
            ("b and on() (no_a > 1)", &["no_a"]),
            ("no_a unless b", &["no_a"]),
            ("no_a or sum(no_b)", &["no_a", "no_b"]),
            ("histogram_quantile(0.9, no_a)", &["no_a"]),
            ("max_over_time((no_a > 1)[1h:]) == bool 1", &["no_a"]),
            ("hour(no_a) > 5", &["no_a"]),
        ] {
            assert_eq!(culprits(text).as_deref(), Some(expected), "{text}");
        }
    }
}
