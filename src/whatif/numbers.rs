//! The numbers of a query, and what each is there for.

use super::KnobKind;
use crate::promql::Query;
use crate::promql::ast::{BinaryOp, Chain, DurationExpr, DurationKind, Expr, ExprKind, Shift};
use crate::text::Span;

/// A number of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub kind: KnobKind,
    /// Where it stands in the query's text.
    pub span: Span,
}

/// The numbers of a query in the order in which they are written. A sign belongs to its number where it touches it.
pub(super) fn numbers(query: &Query) -> Vec<Number> {
    let mut walk = Walk {
        text: &query.text,
        found: Vec::new(),
    };
    walk.expr(&query.expr, KnobKind::Number);
    walk.found.sort_by_key(|number| number.span);
    walk.found
}

struct Walk<'q> {
    text: &'q str,
    found: Vec<Number>,
}

impl Walk<'_> {
    /// `kind` is what plain numbers are.
    fn expr(&mut self, expr: &Expr, kind: KnobKind) {
        match &expr.kind {
            ExprKind::Number(_) => self.number(expr.span, kind),
            ExprKind::String(_) => {}
            ExprKind::Vector(selector) => self.shift(&selector.shift),
            ExprKind::Matrix(matrix) => {
                self.duration(&matrix.range, KnobKind::Window);
                self.shift(&matrix.selector.shift);
            }
            ExprKind::Subquery(subquery) => {
                self.expr(&subquery.expr, kind);
                self.duration(&subquery.range, KnobKind::Window);
                if let Some(step) = &subquery.step {
                    self.duration(step, KnobKind::Step);
                }
                self.shift(&subquery.shift);
            }
            ExprKind::Chain(chain) => self.chain(chain, kind),
            _ => {
                for child in expr.children() {
                    self.expr(child, kind);
                }
            }
        }
    }

    fn chain(&mut self, chain: &Chain, kind: KnobKind) {
        let is_first_bound = chain.links.first().is_some_and(|link| {
            link.op.is_comparison() && bound(&chain.first, &link.rhs) == Some(Bound::Left)
        });
        let of = |is_bound: bool| if is_bound { KnobKind::Threshold } else { kind };
        self.expr(&chain.first, of(is_first_bound));
        for (index, link) in chain.links.iter().enumerate() {
            let is_bound = link.op.is_comparison()
                && match index {
                    0 => bound(&chain.first, &link.rhs) == Some(Bound::Right),
                    _ => !selects(&link.rhs),
                };
            self.expr(&link.rhs, of(is_bound));
        }
    }

    fn shift(&mut self, shift: &Shift) {
        if let Some(offset) = &shift.offset {
            self.duration(offset, KnobKind::Offset);
        }
    }

    fn duration(&mut self, duration: &DurationExpr, kind: KnobKind) {
        match &duration.kind {
            DurationKind::Literal(_) => self.number(duration.span, kind),
            DurationKind::Step | DurationKind::Range => {}
            DurationKind::Unary(_, inner) | DurationKind::Paren(inner) => {
                self.duration(inner, kind);
            }
            DurationKind::Binary(_, left, right)
            | DurationKind::MinOf(left, right)
            | DurationKind::MaxOf(left, right) => {
                self.duration(left, kind);
                self.duration(right, kind);
            }
        }
    }

    /// A sign that stands apart from its number is left where it is.
    fn number(&mut self, span: Span, kind: KnobKind) {
        let text = self.text.get(span.start..span.end).unwrap_or_default();
        let digits = text.rfind(is_apart).map_or(0, |apart| apart + 1);
        let span = Span::new(span.start + digits, span.end);
        if span.start < span.end {
            self.found.push(Number { kind, span });
        }
    }
}

/// What stands between a sign and a number that are apart, at its end.
fn is_apart(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// A comparison of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// It, as if the value stood on its left.
    pub op: BinaryOp,
    /// Where it is written.
    pub op_span: Span,
    /// What is compared.
    pub value: Span,
    /// What it is compared with.
    pub limit: Span,
    /// Whether the limit is made of numbers alone.
    pub is_number: bool,
}

/// The comparisons of a query, the outer before those within them.
pub fn comparisons(query: &Query) -> Vec<Comparison> {
    let mut found = Vec::new();
    add_comparisons(&query.expr, &mut found);
    found
}

fn add_comparisons(expr: &Expr, found: &mut Vec<Comparison>) {
    if let ExprKind::Chain(chain) = &expr.kind {
        let mut left = chain.first.span;
        for (index, link) in chain.links.iter().enumerate() {
            let right = link.rhs.span;
            if link.op.is_comparison() {
                let is_left = index == 0 && bound(&chain.first, &link.rhs) == Some(Bound::Left);
                let (value, limit, of_limit, op) = match is_left {
                    true => (right, left, &*chain.first, link.op.mirrored()),
                    false => (left, right, &link.rhs, link.op),
                };
                found.push(Comparison {
                    op,
                    op_span: link.op_span,
                    value,
                    limit,
                    is_number: is_number(of_limit),
                });
            }
            left = left.to(right);
        }
    }
    for child in expr.children() {
        add_comparisons(child, found);
    }
}

/// The side of a comparison that is the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Left,
    Right,
}

/// Which side selects no series; of two such sides, the one that is made of numbers alone, or the right one.
fn bound(left: &Expr, right: &Expr) -> Option<Bound> {
    match (selects(left), selects(right)) {
        (true, true) => None,
        (true, false) => Some(Bound::Right),
        (false, true) => Some(Bound::Left),
        (false, false) if is_number(left) && !is_number(right) => Some(Bound::Left),
        (false, false) => Some(Bound::Right),
    }
}

/// Whether an expression selects series.
fn selects(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Vector(_) | ExprKind::Matrix(_) => true,
        _ => expr.children().into_iter().any(selects),
    }
}

/// Whether an expression is made of numbers alone.
pub(super) fn is_number(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number(_) => true,
        ExprKind::Unary(..) | ExprKind::Paren(_) | ExprKind::Chain(_) => {
            expr.children().into_iter().all(is_number)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::Features;

    /// Each number with the first letter of its kind: `t5 n0.95 w5m`.
    fn found(text: &str) -> String {
        let query = Query::parse(text, &Features::ALL).expect("a query");
        let shown = numbers(&query).into_iter().map(|number| {
            let kind = &number.kind.name()[..1];
            format!("{kind}{}", &text[number.span.start..number.span.end])
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_number_is_found_in_its_role() {
        for (text, expected) in [
            ("a > 5", "t5"),
            ("5 < a", "t5"),
            ("a * 100 > 14.4 * 0.001", "n100 t14.4 t0.001"),
            ("a > b * 2", "n2"),
            (
                "a > 1 and b < 0x1F unless c == -7.5e-3",
                "t1 t0x1F t-7.5e-3",
            ),
            ("a - 5 > - 3", "n5 t3"),
            ("a > -(2 ^ 3)", "t2 t3"),
            ("histogram_quantile(0.99, rate(a[5m])) > 2", "n0.99 w5m t2"),
            ("quantile(0.5, a) > bool 1", "n0.5 t1"),
            ("topk(3, a offset 1h)", "n3 o1h"),
            ("a offset -5m > 1", "o-5m t1"),
            ("max_over_time((a > 1)[1h:30s]) > 2", "t1 w1h s30s t2"),
            ("rate(a[5m + 1m]) > 0", "w5m w1m t0"),
            ("rate(a[max_of(step(), 2m)])", "w2m"),
            ("time() - a > 3600", "t3600"),
            ("time() - a > 1h30m", "t1h30m"),
            ("hour() > 9", "t9"),
            ("9 < hour()", "t9"),
            ("vector(1) > 2", "n1 t2"),
            ("a > vector(2)", "t2"),
            ("a > scalar(b) * 3", "n3"),
            ("a > 5 < 10", "t5 t10"),
            ("1 < bool 2", "n1 t2"),
            ("label_replace(a, \"x\", \"$1\", \"y\", \"(.*)\")", ""),
            ("a @ 100 > +1", "t+1"),
            ("a > Inf or b > NaN", "tInf tNaN"),
            ("a > -\n  # 8\n  5", "t5"),
            ("5", "n5"),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
