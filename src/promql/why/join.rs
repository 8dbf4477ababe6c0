//! Operators between two vectors: which series have no partner, and in what they differ from the nearest.

use std::collections::{BTreeMap, BTreeSet};

use super::blame::input;
use super::compare::labels;
use super::tree::{Seen, Shape};
use super::{
    Cause, Differs, Dropped, Explainer, Finding, MAX_NAMED, NoPartner, Point, Removed, Twins, Value,
};
use crate::model::{Labels, METRIC_NAME};
use crate::promql::ast::{Aggregate, Expr, ExprKind, Link, Matching, Side};
use crate::promql::eval::signature;
use crate::promql::print::AggregateHead;

/// Of so many series on either side the nearest pair is looked for.
const MAX_COMPARED: usize = 200;

/// Each left series with the first right one that it finds.
pub(super) fn partners<'p>(
    matching: &Matching,
    left: &'p [Point],
    right: &'p [Point],
) -> Vec<(&'p Point, Option<&'p Point>)> {
    let mut places: BTreeMap<Labels, &Point> = BTreeMap::new();
    for point in right {
        places
            .entry(signature(&point.labels, matching))
            .or_insert(point);
    }
    let found = left.iter().map(|point| {
        let partner = places.get(&signature(&point.labels, matching));
        (point, partner.copied())
    });
    found.collect()
}

impl Explainer<'_> {
    /// The sides of an operator between two vectors, of which some of the left find none; `None` where one side is no
    /// vector, or something fills in.
    pub(super) fn no_partner(
        &self,
        link: &Link,
        left: &Seen<'_>,
        right: &Seen<'_>,
    ) -> Option<NoPartner> {
        let matching = link.matching();
        let (Value::Vector(of_left), Value::Vector(of_right)) = (&left.value, &right.value) else {
            return None;
        };
        if matching.fill_left.is_some() || matching.fill_right.is_some() {
            return None;
        }
        let met = partners(matching, of_left, of_right);
        let alone = met.iter().filter(|(_, partner)| partner.is_none());
        let mut alone: Vec<&Labels> = alone.map(|(point, _)| &point.labels).collect();
        let count = alone.len();
        // Those that are meant are looked at alone, if there is one.
        if alone.iter().any(|labels| self.meant.concerns(labels)) {
            alone.retain(|labels| self.meant.concerns(labels));
        }
        let (nearest_left, nearest_right) = nearest(matching, &alone, of_right)?;
        let differs = differences(matching, nearest_left, nearest_right);
        let differs = differs.into_iter().map(|label| {
            let value = |labels: &Labels| labels.get(&label).map(str::to_owned);
            let (on_left, on_right) = (value(nearest_left), value(nearest_right));
            let dropped = match (&on_left, &on_right) {
                (None, _) => self.dropped(left, &label),
                (_, None) => self.dropped(right, &label),
                _ => None,
            };
            Differs {
                label,
                left: on_left,
                right: on_right,
                dropped,
            }
        });
        Some(NoPartner {
            op: link.op,
            on: matching.on,
            labels: matching.labels.clone(),
            left_count: of_left.len(),
            right_count: of_right.len(),
            alone: count,
            left: nearest_left.clone(),
            right: nearest_right.clone(),
            differs: differs.collect(),
            suggestion: suggestion(link, nearest_left, nearest_right, of_left, of_right),
        })
    }

    /// What `unless` removed, with what by.
    pub(super) fn removed(&self, link: &Link, left: &Seen<'_>, right: &Seen<'_>) -> Removed {
        let met = partners(link.matching(), left.points(), right.points());
        let pairs = met.iter().filter_map(|(point, partner)| {
            Some((point.labels.clone(), partner.as_ref()?.labels.clone()))
        });
        Removed {
            count: met.len(),
            pairs: pairs.take(MAX_NAMED).collect(),
            on: link.matching().on,
            labels: link.matching().labels.clone(),
        }
    }

    /// Two series of one side that an operator can't tell apart, where only one may be.
    pub(super) fn twins(&self, link: &Link, left: &Seen<'_>, right: &Seen<'_>) -> Option<Twins> {
        if link.op.is_set() {
            return None;
        }
        let sides = match &link.matching().group {
            Some(group) if group.side == Side::Right => [("left", left), ("right", right)],
            _ => [("right", right), ("left", left)],
        };
        sides.into_iter().find_map(|(side, seen)| {
            let mut places: BTreeMap<Labels, &Labels> = BTreeMap::new();
            seen.points().iter().find_map(|point| {
                let key = signature(&point.labels, link.matching());
                let first = *places.entry(key).or_insert(&point.labels);
                (first != &point.labels).then(|| Twins {
                    side,
                    pair: (first.clone(), point.labels.clone()),
                    differs: unequal(first, &point.labels),
                })
            })
        })
    }

    /// Labels that no series of the result has and that were taken from them.
    pub(super) fn lost_labels(&self, root: &Seen<'_>) -> Vec<Finding> {
        let all = labels(root);
        let about = self.meant.about.iter();
        let wanted: BTreeSet<&str> = about
            .flat_map(|it| it.iter().map(|(name, _)| name))
            .collect();
        let is_lost =
            |label: &&str| !all.is_empty() && all.iter().all(|it| it.get(label).is_none());
        let lost = wanted.into_iter().filter(is_lost);
        let found = lost.filter_map(|label| {
            let dropped = self.dropped(root, label)?;
            Some(Finding {
                span: dropped.span,
                cause: Cause::LostLabel {
                    label: label.to_owned(),
                    dropped,
                },
            })
        });
        found.collect()
    }

    /// What took a label away that series had further down.
    pub(super) fn dropped(&self, seen: &Seen<'_>, label: &str) -> Option<Dropped> {
        let here = match seen.shape {
            Shape::Expr(Expr {
                kind: ExprKind::Aggregate(aggregate),
                span,
            }) if removes(aggregate, label) => {
                let input = input(aggregate, seen)?;
                let had = labels(input)
                    .iter()
                    .any(|labels| labels.get(label).is_some());
                had.then(|| Dropped {
                    by: AggregateHead(aggregate).to_string().trim_end().to_owned(),
                    span: *span,
                })
            }
            _ => None,
        };
        here.or_else(|| {
            let mut children = seen.children.iter();
            children.find_map(|child| self.dropped(child, label))
        })
    }
}

/// Whether the series of an aggregation lack a label.
fn removes(aggregate: &Aggregate, label: &str) -> bool {
    let is_named = aggregate.grouping.labels.iter().any(|named| named == label);
    is_named == aggregate.grouping.without
}

/// The pair that differs in the fewest labels.
fn nearest<'l>(
    matching: &Matching,
    left: &[&'l Labels],
    right: &'l [Point],
) -> Option<(&'l Labels, &'l Labels)> {
    let pairs = left.iter().take(MAX_COMPARED).flat_map(|left| {
        let right = right.iter().take(MAX_COMPARED);
        right.map(move |right| (*left, &right.labels))
    });
    pairs.min_by_key(|(left, right)| differences(matching, left, right).len())
}

/// The labels by which two series fail to match.
fn differences(matching: &Matching, left: &Labels, right: &Labels) -> Vec<String> {
    unequal(&signature(left, matching), &signature(right, matching))
}

/// The labels, but for the name, whose values differ.
fn unequal(left: &Labels, right: &Labels) -> Vec<String> {
    let names: BTreeSet<&str> = left
        .iter()
        .chain(right.iter())
        .map(|(name, _)| name)
        .collect();
    let differing = names
        .into_iter()
        .filter(|name| *name != METRIC_NAME && left.get(name) != right.get(name));
    differing.map(str::to_owned).collect()
}

/// What behind the operator would let the pair meet, if no side then has several where it must have one.
fn suggestion(
    link: &Link,
    left: &Labels,
    right: &Labels,
    all_left: &[Point],
    all_right: &[Point],
) -> Option<String> {
    let common = left
        .iter()
        .filter(|(name, value)| *name != METRIC_NAME && right.get(name) == Some(value));
    let common: Vec<String> = common.map(|(name, _)| name.to_owned()).collect();
    // Without a label in common only one number for all is meant to meet everything.
    let is_bare = |labels: &Labels| labels.without_metric().is_empty();
    if common.is_empty() && !is_bare(left) && !is_bare(right) {
        return None;
    }
    let matching = Matching {
        on: true,
        labels: common,
        ..Matching::default()
    };
    let is_unique = |points: &[Point]| {
        let keys: BTreeSet<Labels> = points
            .iter()
            .map(|point| signature(&point.labels, &matching))
            .collect();
        keys.len() == points.len()
    };
    let on = format!("on ({})", matching.labels.join(", "));
    match (link.op.is_set(), is_unique(all_left), is_unique(all_right)) {
        (true, ..) | (false, true, true) => Some(on),
        (false, false, true) => Some(format!("{on} group_left ()")),
        (false, true, false) => Some(format!("{on} group_right ()")),
        (false, false, false) => None,
    }
}
