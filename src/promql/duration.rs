//! What a duration expression comes to.

use super::ast::{BinaryOp, DurationExpr, DurationKind, UnaryOp};
use super::query::QueryError;
use crate::model::Millis;

impl DurationExpr {
    /// The length in milliseconds, given the `step()` and `range()` of the query (both 0 for an instant).
    ///
    /// Computed in float seconds and cut to whole milliseconds, as Prometheus does. An error where the result is
    /// no number, out of range, or not above 0 where that is asked for.
    pub fn resolve(
        &self,
        step: Millis,
        range: Millis,
        allow_negative: bool,
    ) -> Result<Millis, QueryError> {
        let seconds = self.seconds(step as f64 / 1000.0, range as f64 / 1000.0)?;
        if !seconds.is_finite() {
            return Err(self.error("duration is NaN or infinite"));
        }
        if seconds <= 0.0 && !allow_negative {
            return Err(self.error("duration must be greater than 0"));
        }
        // Prometheus keeps durations as an i64 of nanoseconds.
        if seconds.abs() > 9_223_372_036.0 {
            return Err(self.error("duration is out of range"));
        }
        Ok((seconds * 1000.0) as Millis)
    }

    fn seconds(&self, step: f64, range: f64) -> Result<f64, QueryError> {
        let of = |inner: &DurationExpr| inner.seconds(step, range);
        Ok(match &self.kind {
            DurationKind::Literal(number) => number.value,
            DurationKind::Step => step,
            DurationKind::Range => range,
            DurationKind::Unary(UnaryOp::Plus, inner) | DurationKind::Paren(inner) => of(inner)?,
            DurationKind::Unary(UnaryOp::Minus, inner) => -of(inner)?,
            DurationKind::MinOf(a, b) => of(a)?.min(of(b)?),
            DurationKind::MaxOf(a, b) => of(a)?.max(of(b)?),
            DurationKind::Binary(op, a, b) => self.binary(*op, of(a)?, of(b)?)?,
        })
    }

    fn binary(&self, op: BinaryOp, a: f64, b: f64) -> Result<f64, QueryError> {
        match op {
            BinaryOp::Add => Ok(a + b),
            BinaryOp::Sub => Ok(a - b),
            BinaryOp::Mul => Ok(a * b),
            BinaryOp::Div if b == 0.0 => Err(self.error("division by zero")),
            BinaryOp::Div => Ok(a / b),
            BinaryOp::Mod if b == 0.0 => Err(self.error("modulo by zero")),
            BinaryOp::Mod => Ok(a % b),
            BinaryOp::Pow => Ok(libm::pow(a, b)),
            _ => Err(self.error("unexpected duration expression operator")),
        }
    }

    fn error(&self, message: &str) -> QueryError {
        QueryError {
            message: message.to_owned(),
            span: self.span,
            help: None,
        }
    }
}
