//! Comparisons: values on the right side of a threshold.

use super::{Reason, Scope, Solver, Want};
use crate::promql::ast::{BinaryOp, Expr, ExprKind, Link, Side};
use crate::scaffold::numbers::{failing, passing};
use crate::scaffold::timing::offset;
use crate::scaffold::world::Track;

/// What the right side of two vectors is, if anything will do.
const USUAL: f64 = 10.0;

impl Solver<'_, '_> {
    /// Has a comparison keep a series, or yield 0 or 1 with `bool`.
    pub(super) fn compare(
        &mut self,
        left: &Expr,
        link: &Link,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        if link.return_bool {
            return match want.number() {
                Some(0.0) => self.fail(left, link, scope),
                Some(1.0) | None => self.pass(left, link, Want::ANY, scope),
                Some(_) => Err("a comparison with bool is 0 or 1".to_owned()),
            };
        }
        self.pass(left, link, want, scope)
    }

    /// Has a comparison hold.
    fn pass(&mut self, left: &Expr, link: &Link, want: Want, scope: &Scope) -> Result<(), Reason> {
        let margin = self.trial.margin;
        if let Some(bound) = self.number(&link.rhs) {
            return self.beyond(left, link.op, bound, want, scope);
        }
        if let Some(bound) = self.number(left) {
            return self.beyond(&link.rhs, link.op.mirrored(), bound, want, scope);
        }
        if let Some(done) = self.grow(left, link, scope) {
            return done;
        }
        let (of_left, of_right) = self.known(left, link, scope);
        let next = |op, value| passing(op, value, margin).ok_or_else(no_value);
        let wants = match (of_left, of_right, want.number()) {
            (_, _, Some(value)) => [
                Want::value(value),
                Want::value(next(link.op.mirrored(), value)?),
            ],
            (_, Some(value), None) => [bounded(next(link.op, value)?, value), Want::ANY],
            (Some(value), None, None) => {
                [Want::ANY, bounded(next(link.op.mirrored(), value)?, value)]
            }
            (None, None, None) => {
                let base = self.base(left, link, scope, USUAL)?;
                [bounded(next(link.op, base)?, base), Want::ANY]
            }
        };
        let is_left_first = wants[1] != Want::ANY && of_right.is_none();
        self.both((left, link), wants, !is_left_first, scope)
    }

    /// Has a value lie beyond a number.
    fn beyond(
        &mut self,
        expr: &Expr,
        op: BinaryOp,
        bound: f64,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        match want.number() {
            Some(value) if op.holds(value, bound) => self.meet(expr, want, scope),
            Some(_) => Err("two of its thresholds contradict each other".to_owned()),
            None => {
                let value = passing(op, bound, self.trial.margin).ok_or_else(no_value)?;
                let first = bounded(value, bound);
                self.attempt(|solver| solver.meet(expr, first, scope))
                    .or_else(|reason| {
                        // Exactly at the threshold where that is enough, or any value that happens to lie beyond.
                        let others = [bound, 0.0, 1.0, 100.0];
                        let mut others = others
                            .into_iter()
                            .filter(|&it| it != value && op.holds(it, bound));
                        let found = others.any(|it| {
                            self.attempt(|solver| solver.meet(expr, bounded(it, bound), scope))
                                .is_ok()
                        });
                        if found {
                            return Ok(());
                        }
                        self.meet(expr, Want::ANY, scope)?;
                        let seen = self.look_within(expr, scope);
                        match seen.is_some_and(|seen| op.holds(seen.value, bound)) {
                            true => Ok(()),
                            false => Err(reason),
                        }
                    })
            }
        }
    }

    /// Has a comparison not hold, but nearly.
    pub(super) fn fail(&mut self, left: &Expr, link: &Link, scope: &Scope) -> Result<(), Reason> {
        let margin = self.trial.margin;
        let next = |op, value| failing(op, value, margin).ok_or_else(no_value);
        if let Some(bound) = self.number(&link.rhs) {
            let value = next(link.op, bound)?;
            return self.meet(left, bounded(value, bound), scope);
        }
        if let Some(bound) = self.number(left) {
            let value = next(link.op.mirrored(), bound)?;
            return self.meet(&link.rhs, bounded(value, bound), scope);
        }
        let (of_left, of_right) = self.known(left, link, scope);
        let wants = match (of_left, of_right) {
            (_, Some(value)) => [bounded(next(link.op, value)?, value), Want::ANY],
            (Some(value), None) => [Want::ANY, bounded(next(link.op.mirrored(), value)?, value)],
            (None, None) => {
                let base = self.base(left, link, scope, USUAL)?;
                [bounded(next(link.op, base)?, base), Want::ANY]
            }
        };
        let is_left_first = wants[1] != Want::ANY && of_right.is_none();
        self.both((left, link), wants, !is_left_first, scope)
    }

    /// What the sides yield already.
    pub(super) fn known(
        &mut self,
        left: &Expr,
        link: &Link,
        scope: &Scope,
    ) -> (Option<f64>, Option<f64>) {
        let of_left = self.first_scope(left, link, Side::Left, scope);
        let of_right = self.first_scope(left, link, Side::Right, scope);
        let left = self.look_within(left, &of_left);
        let right = self.look_within(&link.rhs, &of_right);
        (left.map(|seen| seen.value), right.map(|seen| seen.value))
    }

    /// Gives the right side a value, a certain one if that is possible, and says which it has then.
    pub(super) fn base(
        &mut self,
        left: &Expr,
        link: &Link,
        scope: &Scope,
        value: f64,
    ) -> Result<f64, Reason> {
        let own = self.first_scope(left, link, Side::Right, scope);
        let rhs = &link.rhs;
        self.attempt(|solver| solver.meet(rhs, Want::value(value), &own))
            .or_else(|_| self.attempt(|solver| solver.meet(rhs, Want::ANY, &own)))?;
        let seen = self.look_within(rhs, &own);
        seen.map(|seen| seen.value).ok_or_else(|| {
            "one of its sides yields nothing with the series that should make it".to_owned()
        })
    }

    /// A series compared with itself earlier: it grows or falls.
    fn grow(&mut self, left: &Expr, link: &Link, scope: &Scope) -> Option<Result<(), Reason>> {
        let (ExprKind::Vector(now), ExprKind::Vector(before)) = (&left.kind, &link.rhs.kind) else {
            return None;
        };
        let later = offset(&before.shift) - offset(&now.shift);
        if now.matchers != before.matchers || later == 0 {
            return None;
        }
        let sign = match link.op {
            BinaryOp::Greater | BinaryOp::GreaterEqual | BinaryOp::NotEqual => 1.0,
            BinaryOp::Less | BinaryOp::LessEqual => -1.0,
            _ => 0.0,
        };
        let slope = sign * later.signum() as f64 * 1e3 / self.timing.interval as f64;
        Some(self.select(now, Want::track(Track::Slope(slope)), scope))
    }
}

/// A value, and what it is compared with.
fn bounded(value: f64, bound: f64) -> Want {
    Want {
        bound: Some(bound),
        ..Want::value(value)
    }
}

fn no_value() -> Reason {
    "its threshold is no number that a value can lie beyond".to_owned()
}
