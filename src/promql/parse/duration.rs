//! Builds durations and expressions of durations.

use crate::promql::ast::{BinaryOp, DurationExpr, DurationKind, NumberLiteral, UnaryOp};
use crate::text::Span;

use super::builder::{Builder, SIGN, binary_op, next_operator, unary_op};
use super::pairs::{Pair, Pairs};
use super::{MAX_DEPTH, Rule, literal};

/// Seconds beyond which nanoseconds do not fit 64 bits.
const LIMIT: f64 = 9_223_372_036.854_775;

impl<'i> Builder<'i> {
    /// A duration inside square brackets.
    pub(super) fn window_duration(&self, pair: Pair<'i>) -> DurationExpr {
        if pair.as_str().contains(|c: char| c.is_ascii_digit()) {
            self.number_in_window.set(true);
        }
        self.duration(pair)
    }

    /// The duration behind `offset`.
    pub(super) fn offset_duration(&self, pair: Pair<'i>) -> DurationExpr {
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

    fn duration(&self, pair: Pair<'i>) -> DurationExpr {
        let span = pair.span();
        let mut inner = pair.into_inner();
        // Operators nest to the left, so each may be a level. Brackets were counted before.
        let levels = operators(inner.clone());
        self.nested(levels, span, || self.duration_row(&mut inner, 0))
            .unwrap_or_else(|| number(0.0, span))
    }

    /// Durations with the operators between them that bind tighter than `floor`.
    fn duration_row(&self, pairs: &mut Pairs<'i>, floor: u8) -> DurationExpr {
        let first = pairs.next().expect("grammar: an operator has operands");
        let mut left = match first.as_rule() {
            Rule::sign => {
                let operand = self.duration_row(pairs, SIGN);
                self.signed_duration(&first, operand)
            }
            _ => self.duration_operand(first),
        };
        while let Some((operator, floor)) = next_operator(pairs, floor) {
            let right = self.duration_row(pairs, floor);
            left = self.binary_duration(left, &operator, right);
        }
        left
    }

    fn duration_operand(&self, pair: Pair<'i>) -> DurationExpr {
        let span = pair.span();
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
    fn duration_call(&self, pair: Pair<'i>) -> DurationKind {
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

    fn signed_duration(&self, sign: &Pair<'i>, operand: DurationExpr) -> DurationExpr {
        let span = sign.span().to(operand.span);
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
        op: &Pair<'i>,
        right: DurationExpr,
    ) -> DurationExpr {
        let span = left.span.to(right.span);
        let op_span = op.span();
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

fn operators(pairs: Pairs<'_>) -> usize {
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
