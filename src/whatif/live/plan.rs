//! What of an alert's expression a page works out, and what it is given: comparisons with numbers that can move, as far as
//! these stand outermost or are joined by `and`, `or` and `unless`; all below them is evaluated once.

use super::super::Knob;
use super::super::knob::Slot;
use super::super::numbers::is_number;
use super::condition::Step;
use crate::promql::Query;
use crate::promql::ast::{BinaryOp, Chain, Expr, ExprKind, Link, Matching, UnaryOp};
use crate::text::Span;

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Plan {
    /// A query of its own.
    Query(String),
    /// Those samples of a part for which a comparison holds.
    Compare {
        of: Box<Plan>,
        /// What is compared, on one line.
        value: String,
        /// The comparison, the value on its left.
        op: BinaryOp,
        bound: Vec<Step>,
    },
    /// Two parts joined by `and`, `or` or `unless`.
    Set {
        op: BinaryOp,
        matching: Matching,
        left: Box<Plan>,
        right: Box<Plan>,
    },
}

impl Plan {
    /// The plan of a query, in which some knobs can move.
    pub fn of(query: &Query, knobs: &[(usize, &Knob)]) -> Plan {
        Planner { query, knobs }.part(&query.expr)
    }

    /// Whether a knob moves anything in it.
    pub fn moves(&self) -> bool {
        match self {
            Plan::Query(_) => false,
            Plan::Compare { of, bound, .. } => {
                of.moves() || bound.iter().any(|step| matches!(step, Step::Knob(_)))
            }
            Plan::Set { left, right, .. } => left.moves() || right.moves(),
        }
    }
}

struct Planner<'p> {
    query: &'p Query,
    knobs: &'p [(usize, &'p Knob)],
}

impl Planner<'_> {
    fn part(&self, expr: &Expr) -> Plan {
        let expr = expr.unwrap_parens();
        let ExprKind::Chain(chain) = &expr.kind else {
            return self.whole(expr.span);
        };
        let start = chain.first.span.start;
        let mut plan = self.part(&chain.first);
        for (place, link) in chain.links.iter().enumerate() {
            let joined = match () {
                () if link.op.is_set() => self.join(plan, link),
                () if link.op.is_comparison() => self.compare(plan, place, chain, link),
                () => None,
            };
            let moving = joined.filter(Plan::moves);
            plan = moving.unwrap_or_else(|| self.whole(Span::new(start, link.rhs.span.end)));
        }
        plan
    }

    fn whole(&self, span: Span) -> Plan {
        Plan::Query(self.text(span).to_owned())
    }

    fn text(&self, span: Span) -> &str {
        let text = self.query.text.get(span.start..span.end);
        text.unwrap_or_default()
    }

    fn join(&self, left: Plan, link: &Link) -> Option<Plan> {
        Some(Plan::Set {
            op: link.op,
            matching: link.matching().clone(),
            left: Box::new(left),
            right: Box::new(self.part(&link.rhs)),
        })
    }

    /// The comparison of a chain at a place; `None` for one that the page can't work out.
    fn compare(&self, left: Plan, place: usize, chain: &Chain, link: &Link) -> Option<Plan> {
        let first = chain.first.as_ref();
        if link.return_bool {
            return None;
        }
        if is_number(&link.rhs) {
            let last = match place.checked_sub(1).and_then(|it| chain.links.get(it)) {
                Some(before) => before.rhs.span.end,
                None => first.span.end,
            };
            let value = Span::new(first.span.start, last);
            return self.compared(left, value, link.op, &link.rhs);
        }
        let is_mirrored = place == 0 && is_number(first);
        is_mirrored
            .then(|| {
                let value = self.part(&link.rhs);
                self.compared(value, link.rhs.span, link.op.mirrored(), first)
            })
            .flatten()
    }

    fn compared(&self, of: Plan, value: Span, op: BinaryOp, bound: &Expr) -> Option<Plan> {
        let mut steps = Vec::new();
        compile(bound, &self.query.text, self.knobs, &mut steps)?;
        Some(Plan::Compare {
            of: Box::new(of),
            value: self.query.written(value),
            op,
            bound: steps,
        })
    }
}

/// Adds the steps that work out an expression of numbers; `None` for one that a page can't work out to the last bit.
pub(super) fn compile(
    expr: &Expr,
    text: &str,
    knobs: &[(usize, &Knob)],
    steps: &mut Vec<Step>,
) -> Option<()> {
    let expr = expr.unwrap_parens();
    match &expr.kind {
        ExprKind::Number(number) => {
            number_steps(number.value, expr.span, text, knobs, steps);
            Some(())
        }
        ExprKind::Unary(op, inner) => {
            compile(inner, text, knobs, steps)?;
            if *op == UnaryOp::Minus {
                steps.push(Step::Negate);
            }
            Some(())
        }
        ExprKind::Chain(chain) => {
            compile(&chain.first, text, knobs, steps)?;
            for link in &chain.links {
                // These give the same bits wherever they are worked out; powers do not.
                let is_exact = matches!(
                    link.op,
                    BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod
                );
                if !is_exact {
                    return None;
                }
                compile(&link.rhs, text, knobs, steps)?;
                steps.push(Step::Binary(link.op));
            }
            Some(())
        }
        _ => None,
    }
}

/// A number, or the knob that it is; of one whose sign stands apart the knob is what follows the sign.
fn number_steps(
    value: f64,
    span: Span,
    text: &str,
    knobs: &[(usize, &Knob)],
    steps: &mut Vec<Step>,
) {
    let within = |knob: &Knob| match knob.slot {
        Slot::Query(own) => own.start >= span.start && own.end == span.end,
        Slot::Key | Slot::Missing => false,
    };
    let Some((place, knob)) = knobs.iter().find(|(_, knob)| within(knob)) else {
        return steps.push(Step::Number(value));
    };
    steps.push(Step::Knob(*place));
    let is_signed = matches!(knob.slot, Slot::Query(own) if own.start > span.start);
    let is_minus = text.get(span.start..).is_some_and(|it| it.starts_with('-'));
    if is_signed && is_minus {
        steps.push(Step::Negate);
    }
}
