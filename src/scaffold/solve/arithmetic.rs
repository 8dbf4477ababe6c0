//! Calculations, solved for one of their sides.

use super::{Reason, Scope, Solver, Want};
use crate::promql::ast::{BinaryOp, Expr, ExprKind, Link, Side, VectorSelector};
use crate::scaffold::rules::metric;
use crate::scaffold::timing::offset;
use crate::scaffold::world::Track;

/// What something is divided by, if anything will do: shares are percent then.
const WHOLE: f64 = 100.0;

/// The same where series are counted.
const COUNTED: f64 = 10.0;

/// What is taken away, if anything will do.
const PART: f64 = 10.0;

impl Solver<'_, '_> {
    /// Has a calculation yield a value.
    pub(super) fn arithmetic(
        &mut self,
        left: &Expr,
        link: &Link,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        let op = link.op;
        if let Some(number) = self.number(&link.rhs) {
            let want = scaled(want, op, number)
                .map_or_else(|| want.mapped(|value| left_of(op, value, number)), Ok)?;
            return self.meet(left, want, scope);
        }
        if let Some(number) = self.number(left) {
            let want = want.mapped(|value| right_of(op, value, number))?;
            return self.meet(&link.rhs, want, scope);
        }
        let value = match want.track {
            Some(Track::Value(value)) => value,
            None => {
                return self.both((left, link), [Want::ANY; 2], self.trial.right_first, scope);
            }
            // What one side does, the other standing still.
            Some(track) => {
                let still = match op {
                    BinaryOp::Mul | BinaryOp::Div => Want::value(1.0),
                    _ => Want::value(0.0),
                };
                return self.both((left, link), [Want::track(track), still], false, scope);
            }
        };
        if let Some(done) = self.against_itself(left, link, value, scope) {
            return done;
        }
        let (of_left, of_right) = self.known(left, link, scope);
        if let Some(right) = of_right {
            let wanted = Want {
                bound: want.bound.map(|bound| left_of(op, bound, right)),
                ..finite(left_of(op, value, right))?
            };
            let done =
                self.attempt(|solver| solver.both((left, link), [wanted, Want::ANY], true, scope));
            if done.is_ok() || of_left.is_none() {
                return done;
            }
        }
        if let Some(left_value) = of_left {
            let wanted = finite(right_of(op, value, left_value))?;
            return self.both((left, link), [Want::ANY, wanted], false, scope);
        }
        let base = match op {
            BinaryOp::Div if counts(&link.rhs) => COUNTED,
            BinaryOp::Div => WHOLE,
            BinaryOp::Sub if value < 0.0 => PART - value.floor(),
            BinaryOp::Sub => PART,
            BinaryOp::Add if is_boolean(&link.rhs) && value >= 1.0 => 1.0,
            BinaryOp::Add => 0.0,
            _ => 1.0,
        };
        // The part before the whole, so that the rest can be what is left.
        if is_part_of(left, &link.rhs) && matches!(op, BinaryOp::Div | BinaryOp::Sub) {
            let wants = [finite(left_of(op, value, base))?, Want::value(base)];
            let done = self.attempt(|solver| solver.both((left, link), wants, false, scope));
            if done.is_ok() {
                return done;
            }
        }
        if is_part_of(&link.rhs, left) && matches!(op, BinaryOp::Sub) {
            let wants = [Want::value(WHOLE), finite(WHOLE - value)?];
            let done = self.attempt(|solver| solver.both((left, link), wants, true, scope));
            if done.is_ok() {
                return done;
            }
        }
        let right = self.base(left, link, scope, base)?;
        let wanted = Want {
            bound: want.bound.map(|bound| left_of(op, bound, right)),
            ..finite(left_of(op, value, right))?
        };
        self.both((left, link), [wanted, Want::ANY], true, scope)
    }

    /// A series less itself earlier, which is its growth.
    fn against_itself(
        &mut self,
        left: &Expr,
        link: &Link,
        value: f64,
        scope: &Scope,
    ) -> Option<Result<(), Reason>> {
        let (now, before) = (alone(left)?, alone(&link.rhs)?);
        let earlier = offset(&before.shift) - offset(&now.shift);
        if now.matchers != before.matchers || earlier == 0 || link.op != BinaryOp::Sub {
            return None;
        }
        let slope = value * 1e3 / earlier as f64;
        let own = self.first_scope(left, link, Side::Left, scope);
        Some(self.meet(left, Want::track(Track::Slope(slope)), &own))
    }
}

/// The only selector of an expression that hands its value on.
fn alone(expr: &Expr) -> Option<&VectorSelector> {
    match &expr.kind {
        ExprKind::Vector(selector) => Some(selector),
        ExprKind::Aggregate(aggregate) => alone(&aggregate.expr),
        _ => None,
    }
}

/// A growth asked of a value that is scaled.
fn scaled(want: Want, op: BinaryOp, number: f64) -> Option<Want> {
    let track = match (want.track?, op) {
        (Track::Value(_), _) => return None,
        (Track::Slope(slope), BinaryOp::Mul) => Track::Slope(slope / number),
        (Track::Slope(slope), BinaryOp::Div) => Track::Slope(slope * number),
        (track, _) => track,
    };
    Some(Want::track(track))
}

/// The left side with which an operator yields a value.
fn left_of(op: BinaryOp, value: f64, right: f64) -> f64 {
    match op {
        BinaryOp::Add => value - right,
        BinaryOp::Sub => value + right,
        BinaryOp::Mul => value / right,
        BinaryOp::Div => value * right,
        BinaryOp::Mod => value,
        BinaryOp::Pow => value.powf(1.0 / right),
        _ => f64::NAN,
    }
}

/// The right side with which an operator yields a value.
fn right_of(op: BinaryOp, value: f64, left: f64) -> f64 {
    match op {
        BinaryOp::Add => value - left,
        BinaryOp::Sub => left - value,
        BinaryOp::Mul => value / left,
        BinaryOp::Div => left / value,
        BinaryOp::Pow => value.ln() / left.ln(),
        _ => f64::NAN,
    }
}

fn finite(value: f64) -> Result<Want, Reason> {
    match value.is_finite() {
        true => Ok(Want::value(value)),
        false => Err("a calculation in it can't yield the value that is needed".to_owned()),
    }
}

/// Whether the number of series is what counts.
fn counts(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Aggregate(aggregate) => aggregate.op.name == "count" || counts(&aggregate.expr),
        _ => false,
    }
}

fn is_boolean(expr: &Expr) -> bool {
    matches!(super::super::tree::sides(expr), Some((_, link)) if link.return_bool)
}

/// Whether one expression reads only metrics that the other reads too.
fn is_part_of(part: &Expr, whole: &Expr) -> bool {
    let (part, whole) = (metrics(part), metrics(whole));
    !part.is_empty() && part.iter().all(|metric| whole.contains(metric))
}

fn metrics(expr: &Expr) -> Vec<Option<&str>> {
    let used = crate::promql::selectors::selectors(expr, 0);
    used.iter()
        .map(|used| metric(&used.selector.matchers))
        .collect()
}
