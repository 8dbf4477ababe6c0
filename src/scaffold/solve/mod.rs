//! Plans series with which an expression yields a value, or nothing: from the outermost operator down to selectors.
//!
//! What is planned is a guess that is looked at after every step, since earlier steps may have said already what a later
//! one yields. Whether an alert does fire is for a replay to say.

mod aggregate;
mod arithmetic;
mod calls;
mod compare;
mod join;
mod label_functions;
mod quantile;
mod selector;
mod silence;

use std::collections::{BTreeMap, BTreeSet};

use super::rules::Background;
use super::timing::Timing;
use super::trial::Trial;
use super::world::{Seen, Track, World};
use crate::model::number;
use crate::promql::ast::{BinaryOp, Expr, ExprKind, UnaryOp};

/// Why there is no plan, for a person.
pub(super) type Reason = String;

/// What an expression is to yield.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Want {
    /// What its value does; any will do if nothing is said.
    pub track: Option<Track>,
    /// The threshold that the value is compared with, where it is known.
    pub bound: Option<f64>,
}

/// What the labels of what an expression yields are to be.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Labels with their values; an empty one is no label.
    pub fixed: BTreeMap<String, String>,
    /// Labels that there are to be.
    pub needs: BTreeSet<String>,
    /// It must be series of their own beside those that there are.
    pub fresh: bool,
    /// How many recording rules have been gone through.
    pub depth: usize,
}

/// A plan in the making.
pub(super) struct Solver<'b, 'r> {
    pub background: &'b Background<'r>,
    pub timing: Timing,
    pub trial: Trial,
    pub world: World,
    /// How often expressions may still be looked at.
    pub looks: usize,
}

impl Want {
    /// Any value.
    pub const ANY: Want = Want {
        track: None,
        bound: None,
    };

    /// This value.
    pub fn value(value: f64) -> Want {
        Want {
            track: Some(Track::Value(super::numbers::rounded(value, 12))),
            bound: None,
        }
    }

    /// This change.
    fn track(track: Track) -> Want {
        Want {
            track: Some(track),
            bound: None,
        }
    }

    /// The value, if one is asked for.
    fn number(&self) -> Option<f64> {
        match self.track {
            Some(Track::Value(value)) => Some(value),
            _ => None,
        }
    }

    /// The same for something of which this is made; `None` where that is no number.
    fn mapped(self, map: impl Fn(f64) -> f64) -> Result<Want, Reason> {
        let value = match self.track {
            None => return Ok(Want::ANY),
            Some(Track::Value(value)) => map(value),
            Some(_) => return Err("it asks for the growth of a calculated value".to_owned()),
        };
        match value.is_finite() {
            true => Ok(Want {
                bound: self.bound.map(map).filter(|it| it.is_finite()),
                ..Want::value(value)
            }),
            false => Err("a calculation in it can't yield the value that is needed".to_owned()),
        }
    }
}

impl Scope {
    /// With labels at most.
    fn only(&self, labels: &BTreeSet<String>) -> Scope {
        let mut scope = self.clone();
        scope.fixed.retain(|label, _| labels.contains(label));
        scope.needs.retain(|label| labels.contains(label));
        scope
    }

    /// Without labels.
    fn without<'l>(&self, labels: impl IntoIterator<Item = &'l String>) -> Scope {
        let mut scope = self.clone();
        for label in labels {
            scope.fixed.remove(label);
            scope.needs.remove(label);
        }
        scope
    }
}

impl Solver<'_, '_> {
    /// Has an expression yield a series as wanted.
    ///
    /// # Errors
    /// Why that is not known how to do.
    pub fn meet(&mut self, expr: &Expr, want: Want, scope: &Scope) -> Result<(), Reason> {
        if !scope.fresh && self.is_met(expr, want, scope) {
            return Ok(());
        }
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::String(_) => self.constant(expr, want),
            ExprKind::Vector(selector) => self.select(selector, want, scope),
            ExprKind::Matrix(matrix) => self.select(&matrix.selector, want, scope),
            ExprKind::Subquery(subquery) => self.meet(&subquery.expr, want, scope),
            ExprKind::Unary(UnaryOp::Plus, inner) | ExprKind::Paren(inner) => {
                self.meet(inner, want, scope)
            }
            ExprKind::Unary(UnaryOp::Minus, inner) => {
                self.meet(inner, want.mapped(|value| -value)?, scope)
            }
            ExprKind::Call(call) => self.call(expr, call, want, scope),
            ExprKind::Aggregate(aggregate) => self.aggregate(expr, aggregate, want, scope),
            ExprKind::Chain(_) => match super::tree::sides(expr) {
                None => Err("an operator without sides".to_owned()),
                Some((left, link)) if link.op == BinaryOp::Or => {
                    self.either(left, link, want, scope)
                }
                Some((left, link)) if link.op.is_set() => self.set(expr, left, link, want, scope),
                Some((left, link)) if link.op.is_comparison() => {
                    self.compare(left, link, want, scope)
                }
                Some((left, link)) => self.arithmetic(left, link, want, scope),
            },
        }
    }

    fn constant(&mut self, expr: &Expr, want: Want) -> Result<(), Reason> {
        let is = self.look(expr).first().map(|seen| seen.value);
        match (want.number(), is) {
            (None, _) => Ok(()),
            (Some(wanted), Some(is)) if number::almost_equal(wanted, is, 1e-9) => Ok(()),
            _ => Err("a part of it is the same whatever happens".to_owned()),
        }
    }

    /// What an expression yields with what is planned so far.
    pub fn look(&mut self, expr: &Expr) -> Vec<Seen> {
        if self.looks == 0 || (self.world.series.is_empty() && !is_constant(expr)) {
            return Vec::new();
        }
        self.looks -= 1;
        self.world.look(expr, self.background, &self.timing)
    }

    /// The first series of an expression whose labels are as they should be.
    fn look_within(&mut self, expr: &Expr, scope: &Scope) -> Option<Seen> {
        let suits = |seen: &Seen| {
            let mut fixed = scope.fixed.iter();
            fixed.all(|(label, value)| seen.labels.value(label) == value)
        };
        self.look(expr).into_iter().find(suits)
    }

    fn is_met(&mut self, expr: &Expr, want: Want, scope: &Scope) -> bool {
        match want.track {
            None => self.look_within(expr, scope).is_some(),
            Some(Track::Value(value)) => {
                let seen = self.look_within(expr, scope);
                seen.is_some_and(|seen| number::almost_equal(seen.value, value, 1e-6))
            }
            Some(_) => false,
        }
    }

    /// The number that an expression without series is.
    fn number(&mut self, expr: &Expr) -> Option<f64> {
        match is_constant(expr) {
            true => self.look(expr).first().map(|seen| seen.value),
            false => None,
        }
    }

    /// Tries something; what it planned is forgotten where it fails.
    pub fn attempt(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let before = self.world.clone();
        let done = act(self);
        if done.is_err() {
            self.world = before;
        }
        done
    }

    fn either(
        &mut self,
        left: &Expr,
        link: &crate::promql::ast::Link,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        let (first, second) = match self.trial.second_branch {
            false => (left, &link.rhs),
            true => (&link.rhs, left),
        };
        self.attempt(|solver| solver.meet(first, want, scope))
            .or_else(|reason| {
                self.attempt(|solver| solver.meet(second, want, scope))
                    .map_err(|_| reason)
            })
    }
}

/// Whether no series says what an expression is.
pub(super) fn is_constant(expr: &Expr) -> bool {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        if matches!(expr.kind, ExprKind::Vector(_) | ExprKind::Matrix(_)) {
            return false;
        }
        open.extend(expr.children());
    }
    true
}
