//! Which labels the sides of an operator must have to find each other; `and` and `unless`.

use std::collections::BTreeSet;

use super::{Reason, Scope, Solver, Want};
use crate::model::{Labels, is_metadata};
use crate::promql::ast::{BinaryOp, Expr, Link, Side};
use crate::promql::selectors::{Reach, selectors};
use crate::scaffold::tree::carried;

impl Solver<'_, '_> {
    /// What to ask of one side before anything is known of the other.
    pub(super) fn first_scope(&self, left: &Expr, link: &Link, side: Side, scope: &Scope) -> Scope {
        let matching = link.matching();
        let other = match side {
            Side::Left => &link.rhs,
            Side::Right => left,
        };
        if super::is_constant(other)
            || super::is_constant(if side == Side::Left { left } else { &link.rhs })
        {
            return scope.clone();
        }
        let mut own = scope.clone();
        let is_one = matching
            .group
            .as_ref()
            .is_some_and(|group| group.side != side);
        if let Some(group) = &matching.group {
            match is_one {
                // Labels that come from this side; the others are those of the many.
                true => {
                    let mut kept: BTreeSet<String> = group.include.iter().cloned().collect();
                    kept.extend(self.matched(left, link, scope));
                    own = own.only(&kept);
                    own.needs.extend(group.include.iter().cloned());
                }
                false => own = own.without(&group.include),
            }
        } else if link.op.is_set() && side == Side::Right && link.op != BinaryOp::Or {
            own = own.only(&self.matched(left, link, scope));
        }
        own.needs.extend(match matching.on {
            true => matching.labels.iter().cloned().collect(),
            false => {
                let mut labels = carried(other, self.background, 0);
                labels.retain(|label| !matching.labels.contains(label));
                labels
            }
        });
        own
    }

    /// What to ask of the other side once one yields a series.
    pub(super) fn second_scope(
        &self,
        left: &Expr,
        link: &Link,
        side: Side,
        first: Option<&Labels>,
        scope: &Scope,
    ) -> Scope {
        let mut own = self.first_scope(left, link, side, scope);
        let Some(first) = first else {
            return own;
        };
        let matching = link.matching();
        for (label, value) in first.iter().filter(|(label, _)| !is_metadata(label)) {
            if matching.labels.iter().any(|it| it == label) == matching.on {
                own.fixed.insert(label.to_owned(), value.to_owned());
            }
        }
        if matching.on {
            for label in &matching.labels {
                let value = first.value(label).to_owned();
                own.fixed.insert(label.clone(), value);
            }
        }
        own
    }

    /// The labels by which the sides find each other, as far as they are known.
    fn matched(&self, left: &Expr, link: &Link, scope: &Scope) -> BTreeSet<String> {
        let matching = link.matching();
        if matching.on {
            return matching.labels.iter().cloned().collect();
        }
        let mut all = carried(left, self.background, 0);
        all.extend(carried(&link.rhs, self.background, 0));
        all.extend(scope.needs.iter().cloned());
        all.extend(scope.fixed.keys().cloned());
        all.retain(|label| !matching.labels.contains(label));
        all
    }

    /// Meets both sides: the one at once, the other so that it finds the one.
    pub(super) fn both(
        &mut self,
        (left, link): (&Expr, &Link),
        wants: [Want; 2],
        is_right_first: bool,
        scope: &Scope,
    ) -> Result<(), Reason> {
        let order = match is_right_first {
            false => [
                (left, wants[0], Side::Left),
                (&link.rhs, wants[1], Side::Right),
            ],
            true => [
                (&link.rhs, wants[1], Side::Right),
                (left, wants[0], Side::Left),
            ],
        };
        let [
            (first, first_want, first_side),
            (second, second_want, second_side),
        ] = order;
        let of_first = self.first_scope(left, link, first_side, scope);
        self.meet(first, first_want, &of_first)?;
        let seen = self.look_within(first, &of_first);
        let labels = seen.map(|seen| seen.labels);
        let of_second = self.second_scope(left, link, second_side, labels.as_ref(), scope);
        self.meet(second, second_want, &of_second)
    }

    /// `and`, `unless`.
    pub(super) fn set(
        &mut self,
        expr: &Expr,
        left: &Expr,
        link: &Link,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        if link.op == BinaryOp::And {
            let is_right_first = self.trial.right_first;
            return self.both((left, link), [want, Want::ANY], is_right_first, scope);
        }
        let of_left = self.first_scope(left, link, Side::Left, scope);
        self.meet(left, want, &of_left)?;
        if self.look_within(expr, scope).is_some() {
            return Ok(());
        }
        let seen = self.look_within(left, &of_left);
        let labels = seen.map(|seen| seen.labels);
        let own = self.second_scope(left, link, Side::Right, labels.as_ref(), scope);
        self.attempt(|solver| solver.hush(&link.rhs, &own))
            .or_else(|reason| self.vanish(left, &link.rhs).map_err(|()| reason))
    }

    /// Has series end so that one side still sees them, further back, and the other no longer.
    fn vanish(&mut self, left: &Expr, right: &Expr) -> Result<(), ()> {
        let reach = |expr: &Expr| {
            let used = selectors(expr, Reach::LOOKBACK);
            let oldest = used.iter().map(|used| match used.reach {
                Reach::Around { oldest, .. } => oldest,
                Reach::Fixed => 0,
            });
            oldest.max().unwrap_or(0)
        };
        let (far, near) = (reach(left), reach(right));
        let gone = near + self.timing.hold + 3 * self.timing.interval;
        let until = self.timing.length - gone;
        if gone >= far || until < 0 {
            return Err(());
        }
        let used = selectors(right, Reach::LOOKBACK);
        for planned in &mut self.world.series {
            let mut matching = used.iter().map(|used| &used.selector.matchers);
            if matching.any(|matchers| matchers.iter().all(|it| it.matches(&planned.labels))) {
                planned.until = Some(until);
            }
        }
        Ok(())
    }
}
