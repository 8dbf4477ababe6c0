//! Aggregations: one series is enough, unless series are counted.

use std::collections::BTreeSet;

use super::{Reason, Scope, Solver, Want};
use crate::model::is_metadata;
use crate::promql::aggregations::{AggregationKind, Fold};
use crate::promql::ast::{Aggregate, Expr};
use crate::scaffold::labels::{default, numbered};
use crate::scaffold::tree::carried;

/// So many series are counted at most.
const MAX_COUNT: f64 = 200.0;

impl Solver<'_, '_> {
    pub(super) fn aggregate(
        &mut self,
        expr: &Expr,
        aggregate: &Aggregate,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        let inner = inner_scope(aggregate, scope);
        let body = &aggregate.expr;
        let fold = match aggregate.op.kind {
            // They hand series on as they are.
            AggregationKind::Select(_) => return self.meet(body, want, scope),
            AggregationKind::CountValues => return self.meet(body, Want::ANY, &inner),
            AggregationKind::Fold(fold) => fold,
        };
        if fold == Fold::Group {
            return self.meet(body, Want::ANY, &inner);
        }
        let Some(value) = want.number() else {
            return match fold {
                Fold::Count => self.meet(body, Want::ANY, &inner),
                _ => self.meet(body, want, &inner),
            };
        };
        let seen = match scope.fresh {
            // Beside those that there are, whatever they come to.
            true => None,
            false => self.look_within(expr, &inner.only(&group(aggregate, &inner))),
        };
        let mut beside = inner.clone();
        if let Some(seen) = &seen {
            beside.fresh = true;
            for (label, value) in seen.labels.iter().filter(|(label, _)| !is_metadata(label)) {
                beside.fixed.insert(label.to_owned(), value.to_owned());
            }
        }
        let before = seen.map(|seen| seen.value);
        match (fold, before) {
            (Fold::Count, before) => {
                self.count(aggregate, value - before.unwrap_or(0.0), &inner, &beside)
            }
            (Fold::Sum, Some(before)) if value > before => {
                let rest = Want::value(value - before);
                self.attempt(|solver| solver.meet(body, rest, &beside))
                    .or_else(|_| self.several(aggregate, value - before, &beside))
            }
            (Fold::Max, Some(before)) if value > before => self.meet(body, want, &beside),
            (Fold::Min, Some(before)) if value < before => self.meet(body, want, &beside),
            (Fold::Avg, Some(before)) => {
                let other = Want::value(2.0 * value - before);
                self.meet(body, other, &beside)
            }
            (Fold::Sum, None) => self
                .attempt(|solver| solver.meet(body, want, &inner))
                .or_else(|reason| self.several(aggregate, value, &beside).map_err(|_| reason)),
            (Fold::Stddev | Fold::Stdvar, _) => {
                Err(format!("{} is not planned for", aggregate.op.name))
            }
            _ => self.meet(body, want, &inner),
        }
    }

    /// A sum of ones.
    fn several(&mut self, aggregate: &Aggregate, value: f64, scope: &Scope) -> Result<(), Reason> {
        let count = value.round();
        if value != count || count < 1.0 {
            return Err("a sum in it can't have the value that is needed".to_owned());
        }
        self.copies(aggregate, count, Want::value(1.0), scope)
    }

    /// So many more series.
    fn count(
        &mut self,
        aggregate: &Aggregate,
        more: f64,
        inner: &Scope,
        beside: &Scope,
    ) -> Result<(), Reason> {
        let count = more.ceil();
        if count < 1.0 {
            return Err(
                "a count in it can't be as small as it must be: without series there is none"
                    .to_owned(),
            );
        }
        if count == 1.0 {
            let scope = if beside.fresh { beside } else { inner };
            return self.meet(&aggregate.expr, Want::ANY, scope);
        }
        self.copies(aggregate, count, Want::ANY, beside)
    }

    fn copies(
        &mut self,
        aggregate: &Aggregate,
        count: f64,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        if count > MAX_COUNT {
            return Err(format!("it takes {count} series"));
        }
        let mut reason = "it counts series that differ in no label".to_owned();
        for label in self.differing(aggregate) {
            let done = self.attempt(|solver| {
                let first = match solver.background.usual(&label) {
                    Some(usual) => usual.to_owned(),
                    None => default(&label),
                };
                let mut made = 0.0;
                let mut number = 1;
                while made < count && number < 2 * MAX_COUNT as usize {
                    let value = match number {
                        1 => first.clone(),
                        number => numbered(&first, number),
                    };
                    number += 1;
                    let mut own = scope.clone();
                    own.fresh = false;
                    own.fixed.insert(label.clone(), value);
                    let is_there =
                        scope.fresh && solver.look_within(&aggregate.expr, &own).is_some();
                    if !is_there {
                        own.fresh = scope.fresh;
                        solver.meet(&aggregate.expr, want, &own)?;
                        made += 1.0;
                    }
                }
                Ok(())
            });
            match done {
                Ok(()) => return Ok(()),
                Err(why) => reason = why,
            }
        }
        Err(reason)
    }

    /// Labels in which series of one group may differ, the likeliest first.
    fn differing(&self, aggregate: &Aggregate) -> Vec<String> {
        let grouping = &aggregate.grouping;
        let mut labels: Vec<String> = match grouping.without {
            true => grouping.labels.clone(),
            false => {
                let carried = carried(&aggregate.expr, self.background, 0);
                let outer = carried
                    .into_iter()
                    .filter(|it| !grouping.labels.contains(it));
                outer.collect()
            }
        };
        // What is asked for by name can hardly differ.
        labels.sort_by_key(|label| self.background.usual(label).is_some());
        for usual in ["instance", "pod"] {
            let is_new = !labels.iter().any(|it| it == usual)
                && !grouping.labels.iter().any(|it| it == usual);
            if is_new && !grouping.without {
                let place = labels
                    .iter()
                    .position(|it| self.background.usual(it).is_some());
                labels.insert(place.unwrap_or(labels.len()), usual.to_owned());
            }
        }
        labels
    }
}

/// What is asked of the series that are aggregated.
fn inner_scope(aggregate: &Aggregate, scope: &Scope) -> Scope {
    let grouping = &aggregate.grouping;
    match grouping.without {
        true => scope.without(&grouping.labels),
        false => {
            let labels: BTreeSet<String> = grouping.labels.iter().cloned().collect();
            let mut inner = scope.only(&labels);
            inner.needs.extend(labels);
            inner
        }
    }
}

/// The labels that a group has.
fn group(aggregate: &Aggregate, inner: &Scope) -> BTreeSet<String> {
    match aggregate.grouping.without {
        true => inner.fixed.keys().cloned().collect(),
        false => aggregate.grouping.labels.iter().cloned().collect(),
    }
}
