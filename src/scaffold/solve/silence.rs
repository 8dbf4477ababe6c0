//! Has expressions yield nothing, by as little as possible.

use super::selector::asking;
use super::{Reason, Scope, Solver, Want, is_constant};
use crate::model::{METRIC_NAME, MatchOp, Matcher};
use crate::promql::ast::{BinaryOp, Expr, ExprKind, Link, Side, VectorSelector};
use crate::scaffold::labels::{accepts, candidates};
use crate::scaffold::tree::{paired, sides};

impl Solver<'_, '_> {
    /// Plans series with which an expression yields none.
    ///
    /// # Errors
    /// Why that is not known how to do.
    pub fn hush(&mut self, expr: &Expr, scope: &Scope) -> Result<(), Reason> {
        self.quieten(expr, scope)?;
        match self.look_within(expr, scope) {
            None => Ok(()),
            Some(_) => Err("series that one part of it needs make another part hold".to_owned()),
        }
    }

    fn quieten(&mut self, expr: &Expr, scope: &Scope) -> Result<(), Reason> {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::String(_) => {
                Err("it yields a number whatever happens".to_owned())
            }
            ExprKind::Vector(selector) => self.miss(selector, scope),
            ExprKind::Matrix(matrix) => self.miss(&matrix.selector, scope),
            ExprKind::Subquery(subquery) => self.hush(&subquery.expr, scope),
            ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => self.hush(inner, scope),
            ExprKind::Aggregate(aggregate) => self.hush(&aggregate.expr, scope),
            ExprKind::Call(call) => match call.args.iter().find(|it| !is_constant(it)) {
                None => Err("it yields a number whatever happens".to_owned()),
                Some(argument) if call.function.name.starts_with("absent") => {
                    self.meet(argument, Want::ANY, scope)
                }
                Some(argument) => self.hush(argument, scope),
            },
            ExprKind::Chain(_) => match sides(expr) {
                None => Err("an operator without sides".to_owned()),
                Some((left, link)) => self.hush_operator(left, link, scope),
            },
        }
    }

    fn hush_operator(&mut self, left: &Expr, link: &Link, scope: &Scope) -> Result<(), Reason> {
        match link.op {
            BinaryOp::Or => {
                self.hush(left, scope)?;
                self.hush(&link.rhs, scope)
            }
            BinaryOp::And => self.one_of(left, link, scope),
            BinaryOp::Unless => {
                let compares = holds_comparison(left) != self.trial.other_silence;
                if compares {
                    return self.hush(left, scope);
                }
                let own = self.first_scope(left, link, Side::Left, scope);
                self.meet(left, Want::ANY, &own)?;
                let seen = self.look_within(left, &own);
                let labels = seen.map(|seen| seen.labels);
                let own = self.second_scope(left, link, Side::Right, labels.as_ref(), scope);
                self.meet(&link.rhs, Want::ANY, &own)
            }
            op if op.is_comparison() && !link.return_bool => self
                .attempt(|solver| solver.fail(left, link, scope))
                .or_else(|reason| {
                    self.attempt(|solver| solver.hush(left, scope))
                        .map_err(|_| reason)
                }),
            _ => {
                let is_left = holds_comparison(left) || !holds_comparison(&link.rhs);
                let is_left = is_left && !is_constant(left);
                match is_left != self.trial.other_silence || is_constant(&link.rhs) {
                    true => self.hush(left, scope),
                    false => self.hush(&link.rhs, scope),
                }
            }
        }
    }

    /// Of two conditions one holds, the other just does not.
    fn one_of(&mut self, left: &Expr, link: &Link, scope: &Scope) -> Result<(), Reason> {
        let left_fails =
            (holds_comparison(left) || !holds_comparison(&link.rhs)) != self.trial.other_silence;
        let (held, failed, side) = match left_fails {
            true => (&link.rhs, left, Side::Left),
            false => (left, &link.rhs, Side::Right),
        };
        let other = match side {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        };
        let first = |solver: &mut Self| {
            let of_held = solver.first_scope(left, link, other, scope);
            solver.meet(held, Want::ANY, &of_held)?;
            let seen = solver.look_within(held, &of_held);
            let labels = seen.map(|seen| seen.labels);
            let of_failed = solver.second_scope(left, link, side, labels.as_ref(), scope);
            solver.hush(failed, &of_failed)
        };
        self.attempt(first).or_else(|_| self.hush(failed, scope))
    }

    /// A series that a selector nearly matches, if there is one, or none.
    fn miss(&mut self, selector: &VectorSelector, scope: &Scope) -> Result<(), Reason> {
        if let Some(rule) = self.background.rules_of(&selector.matchers).first() {
            return self.hush(&paired(&rule.expr.expr), scope);
        }
        let asked = asking(&selector.matchers).filter(|it| !scope.fixed.contains_key(&it.name));
        let Some(asked) = asked.last() else {
            return Ok(());
        };
        let values = candidates(&asked.name, &[]);
        let mut values = values.iter().filter(|value| !value.is_empty());
        let Some(value) = values.find(|value| !accepts(&selector.matchers, &asked.name, value))
        else {
            return Ok(());
        };
        let mut other = selector.clone();
        other
            .matchers
            .retain(|it| it.name != asked.name || it.name == METRIC_NAME);
        let mut scope = scope.clone();
        scope.fixed.insert(asked.name.clone(), value.clone());
        if let Ok(matcher) = Matcher::new(asked.name.clone(), MatchOp::Equal, value.clone()) {
            other.matchers.push(matcher);
        }
        self.select(&other, Want::ANY, &scope)
    }
}

/// Whether a comparison somewhere decides what is left.
fn holds_comparison(expr: &Expr) -> bool {
    let own = sides(expr).is_some_and(|(_, link)| link.op.is_comparison() && !link.return_bool);
    own || expr.children().into_iter().any(holds_comparison)
}
