//! Builds durations and expressions of durations.

use pest::iterators::{Pair, Pairs};
use pest::pratt_parser::{Assoc, ConstPrattParser, Op, pratt_precedence};

use crate::promql::ast::{BinaryOp, DurationExpr, DurationKind, NumberLiteral, UnaryOp};
use crate::text::Span;

use super::builder::{Builder, binary_op, unary_op};
use super::{MAX_DEPTH, Rule, literal, span_of};

/// Operators from loose to tight.
static OPERATORS: ConstPrattParser<Rule, 4> = ConstPrattParser::new_const(pratt_precedence![
    Op::infix(Rule::duration_additive, Assoc::Left),
    Op::infix(Rule::duration_multiplicative, Assoc::Left),
    Op::prefix(Rule::sign),
    Op::infix(Rule::duration_power, Assoc::Right),
]);

/// Seconds beyond which nanoseconds do not fit 64 bits.
const LIMIT: f64 = 9_223_372_036.854_775;

impl<'i> Builder<'i> {
    /// A duration inside square brackets.
    pub(super) fn window_duration(&self, pair: Pair<'i, Rule>) -> DurationExpr {
        if pair.as_str().contains(|c: char| c.is_ascii_digit()) {
            self.number_in_window.set(true);
        }
        self.duration(pair)
    }

    /// The duration behind `offset`.
    pub(super) fn offset_duration(&self, pair: Pair<'i, Rule>) -> DurationExpr {
        let mut inner = pair.into_inner();
        let first = inner.next().expect("grammar: an offset has a duration");
        match first.as_rule() {
            Rule::duration => protected(self.duration(first)),
            Rule::sign => {
                let operand = inner.next().expect("grammar: a sign has an operand");
                self.signed_duration(&first, self.duration_operand(operand))
            }
            _ => self.duration_operand(first),
        }
    }

    fn duration(&self, pair: Pair<'i, Rule>) -> DurationExpr {
        let span = span_of(&pair);
        let inner = pair.into_inner();
        // Operators nest to the left, so each may be a level. Brackets were counted before.
        let levels = operators(inner.clone());
        self.nested(levels, span, || {
            OPERATORS
                .map_primary(|pair| self.duration_operand(pair))
                .map_prefix(|sign, operand| self.signed_duration(&sign, operand))
                .map_infix(|left, op, right| self.binary_duration(left, &op, right))
                .parse(inner)
        })
        .unwrap_or_else(|| number(0.0, span))
    }

    fn duration_operand(&self, pair: Pair<'i, Rule>) -> DurationExpr {
        let span = span_of(&pair);
        let kind = match pair.as_rule() {
            Rule::duration_call => self.duration_call(pair),
            Rule::duration_paren => {
                let inner = pair.into_inner().next();
                let inner = self.duration(inner.expect("grammar: brackets hold a duration"));
                match inner.kind {
                    // Brackets in brackets are one pair, as in Prometheus.
                    DurationKind::Paren(_) => inner.kind,
                    _ => DurationKind::Paren(Box::new(inner)),
                }
            }
            _ => DurationKind::Literal(self.in_range(self.number(&pair), span)),
        };
        DurationExpr { kind, span }
    }

    /// `step()`, `range()`, `min_of(a, b)`, `max_of(a, b)`.
    fn duration_call(&self, pair: Pair<'i, Rule>) -> DurationKind {
        let mut inner = pair.into_inner();
        let name = inner.next().expect("grammar: a call has a name");
        let args: Vec<_> = inner.map(|arg| Box::new(self.duration(arg))).collect();
        let is = |expected: &str| name.as_str().eq_ignore_ascii_case(expected);
        match <[_; 2]>::try_from(args) {
            Ok([a, b]) if is("min_of") => DurationKind::MinOf(a, b),
            Ok([a, b]) => DurationKind::MaxOf(a, b),
            Err(_) if is("step") => DurationKind::Step,
            Err(_) => DurationKind::Range,
        }
    }

    fn signed_duration(&self, sign: &Pair<'i, Rule>, operand: DurationExpr) -> DurationExpr {
        let span = span_of(sign).to(operand.span);
        let kind = match (unary_op(sign), operand.kind) {
            (UnaryOp::Plus, kind) => kind,
            (UnaryOp::Minus, DurationKind::Literal(literal)) => {
                DurationKind::Literal(NumberLiteral {
                    value: -literal.value,
                    ..literal
                })
            }
            (UnaryOp::Minus, kind) => {
                let span = operand.span;
                DurationKind::Unary(UnaryOp::Minus, Box::new(DurationExpr { kind, span }))
            }
        };
        DurationExpr { kind, span }
    }

    fn binary_duration(
        &self,
        left: DurationExpr,
        op: &Pair<'i, Rule>,
        right: DurationExpr,
    ) -> DurationExpr {
        let span = left.span.to(right.span);
        let op_span = span_of(op);
        let (op, _) = binary_op(op.as_str());
        let is_zero = matches!(&right.kind, DurationKind::Literal(literal) if literal.value == 0.0);
        match op {
            BinaryOp::Div if is_zero => self.fail(
                op_span,
                "division by zero",
                "divide by a number other than 0",
            ),
            BinaryOp::Mod if is_zero => {
                self.fail(op_span, "modulo by zero", "divide by a number other than 0")
            }
            _ => {}
        }
        DurationExpr {
            kind: DurationKind::Binary(op, Box::new(left), Box::new(right)),
            span,
        }
    }

    fn in_range(&self, literal: NumberLiteral, span: Span) -> NumberLiteral {
        if literal.value.is_nan() || literal.value.abs() > LIMIT {
            let help = "a duration is at most 292 years";
            self.fail(span, "duration out of range", help);
        }
        literal
    }
}

/// A literal length as it is used: whole milliseconds, and printed as a duration. Below a millisecond it
/// stays as it is.
pub(super) fn whole_millis(duration: DurationExpr) -> DurationExpr {
    let DurationKind::Literal(literal) = &duration.kind else {
        return duration;
    };
    let nanos = (literal.value * 1e9).round() as i64;
    match nanos / 1_000_000 {
        0 => duration,
        millis => DurationExpr {
            kind: DurationKind::Literal(NumberLiteral {
                value: literal::seconds(millis),
                is_duration: true,
            }),
            span: duration.span,
        },
    }
}

/// Puts a duration behind `offset` in brackets where it would not print as it was understood: operators
/// belong to the duration only behind a bracket or two signs.
fn protected(duration: DurationExpr) -> DurationExpr {
    let has_operators = match &duration.kind {
        DurationKind::Binary(..) => true,
        DurationKind::Unary(_, inner) => matches!(inner.kind, DurationKind::Binary(..)),
        _ => false,
    };
    if !has_operators || opens_itself(&duration) {
        return duration;
    }
    let span = duration.span;
    DurationExpr {
        kind: DurationKind::Paren(Box::new(duration)),
        span,
    }
}

/// Whether a duration prints with a bracket or two signs in front.
fn opens_itself(duration: &DurationExpr) -> bool {
    let mut first = duration;
    loop {
        match &first.kind {
            DurationKind::Binary(_, left, _) => first = left,
            DurationKind::Paren(_) => return true,
            DurationKind::Unary(_, inner) => return prints_sign(inner),
            _ => return false,
        }
    }
}

fn prints_sign(duration: &DurationExpr) -> bool {
    let mut first = duration;
    loop {
        match &first.kind {
            DurationKind::Binary(_, left, _) => first = left,
            DurationKind::Unary(..) => return true,
            DurationKind::Literal(literal) => return literal.value.is_sign_negative(),
            _ => return false,
        }
    }
}

fn operators(pairs: Pairs<'_, Rule>) -> usize {
    let operators = pairs.filter(|pair| {
        matches!(
            pair.as_rule(),
            Rule::sign
                | Rule::duration_additive
                | Rule::duration_multiplicative
                | Rule::duration_power
        )
    });
    operators.count().min(4 * MAX_DEPTH)
}

fn number(value: f64, span: Span) -> DurationExpr {
    DurationExpr {
        kind: DurationKind::Literal(NumberLiteral {
            value,
            is_duration: false,
        }),
        span,
    }
}
