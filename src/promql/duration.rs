//! What a duration expression comes to.

use crate::model::{Millis, number, power};

use super::ast::{BinaryOp, DurationExpr, DurationKind, UnaryOp};
use super::query::QueryError;
use crate::text::Span;

/// Seconds beyond which nanoseconds do not fit 64 bits.
const LIMIT: f64 = (1u64 << 63) as f64 / 1e9;

impl DurationExpr {
    /// The length in whole milliseconds, cut towards zero. `step` and `range` are those of the query: 0
    /// for an instant query.
    ///
    /// # Errors
    /// Where it is not a number, not above 0 (unless `allow_negative`), beyond 292 years, or divides by 0.
    pub fn resolve(
        &self,
        step: Millis,
        range: Millis,
        allow_negative: bool,
    ) -> Result<Millis, QueryError> {
        let seconds = self.seconds(step as f64 / 1e3, range as f64 / 1e3)?;
        if !seconds.is_finite() {
            return Err(self.error("duration is NaN or infinite", "check what it divides by"));
        }
        // A length below a millisecond is one of 0 ms; a literal one was accepted when it was parsed.
        if seconds <= 0.0 && !allow_negative {
            let help = "write a length of time above 0";
            return Err(self.error("duration must be greater than 0", help));
        }
        if seconds.abs() > LIMIT {
            return Err(self.error("duration is out of range", "write at most 292 years"));
        }
        match &self.kind {
            // A literal is rounded to nanoseconds first, an expression is not.
            DurationKind::Literal(_) => Ok((seconds * 1e9).round() as i64 / 1_000_000),
            _ => Ok((seconds * 1e3) as Millis),
        }
    }

    fn seconds(&self, step: f64, range: f64) -> Result<f64, QueryError> {
        let value = |expr: &DurationExpr| expr.seconds(step, range);
        Ok(match &self.kind {
            DurationKind::Literal(literal) => literal.value,
            DurationKind::Step => step,
            DurationKind::Range => range,
            DurationKind::Unary(UnaryOp::Minus, inner) => -value(inner)?,
            DurationKind::Unary(UnaryOp::Plus, inner) | DurationKind::Paren(inner) => value(inner)?,
            DurationKind::MinOf(a, b) => number::min(value(a)?, value(b)?),
            DurationKind::MaxOf(a, b) => number::max(value(a)?, value(b)?),
            DurationKind::Binary(op, left, right) => {
                let (left, right) = (value(left)?, value(right)?);
                self.apply(*op, left, right)?
            }
        })
    }

    fn apply(&self, op: BinaryOp, left: f64, right: f64) -> Result<f64, QueryError> {
        let help = "divide by a length that is never 0, such as `max_of(step(), 1s)`";
        match op {
            BinaryOp::Add => Ok(left + right),
            BinaryOp::Sub => Ok(left - right),
            BinaryOp::Mul => Ok(left * right),
            BinaryOp::Div if right == 0.0 => Err(self.error("division by zero", help)),
            BinaryOp::Div => Ok(left / right),
            BinaryOp::Mod if right == 0.0 => Err(self.error("modulo by zero", help)),
            BinaryOp::Mod => Ok(left % right),
            _ => Ok(power::pow(left, right)),
        }
    }

    /// Where it stands as Prometheus sees it: brackets and the names of functions are no part of what they hold.
    fn place(&self) -> Span {
        let joined = |left: &DurationExpr, right: &DurationExpr| {
            Span::new(left.place().start, right.place().end)
        };
        match &self.kind {
            DurationKind::Literal(_) | DurationKind::Step | DurationKind::Range => self.span,
            DurationKind::MinOf(a, b) | DurationKind::MaxOf(a, b) => joined(a, b),
            DurationKind::Binary(_, left, right) => joined(left, right),
            DurationKind::Unary(_, inner) | DurationKind::Paren(inner) => {
                let is_seen = matches!(self.kind, DurationKind::Unary(UnaryOp::Minus, _))
                    || matches!(inner.kind, DurationKind::Literal(_));
                let inner = inner.place();
                match is_seen {
                    true => Span::new(self.span.start, inner.end),
                    false => inner,
                }
            }
        }
    }

    /// An error that begins with its place, in bytes, as Prometheus's do where a duration is found to be wrong only when
    /// it is evaluated.
    fn error(&self, message: &str, help: &str) -> QueryError {
        let place = self.place();
        QueryError {
            message: format!("{}:{}: {message}", place.start, place.end),
            span: self.span,
            help: Some(help.to_owned()),
        }
    }
}
