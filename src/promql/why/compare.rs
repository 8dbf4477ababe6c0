//! Comparisons: how far values lie from what they are compared with.

use super::join::partners;
use super::tree::Seen;
use super::{Compared, Explainer, MAX_NAMED, Pair, Point, Value};
use crate::model::Labels;
use crate::promql::ast::{Link, Side};

impl Explainer<'_> {
    /// What a comparison made of its values; `None` where it filters nothing, or compares no numbers.
    pub(super) fn compared(
        &self,
        link: &Link,
        left: &Seen<'_>,
        right: &Seen<'_>,
    ) -> Option<Compared> {
        if !link.op.is_comparison() || link.return_bool {
            return None;
        }
        let pairs = pairs(link, left, right);
        if pairs.is_empty() {
            return None;
        }
        let (mut passed, mut failed): (Vec<Pair>, Vec<Pair>) = pairs
            .into_iter()
            .partition(|pair| link.op.holds(pair.left, pair.right));
        let counts = (passed.len(), failed.len());
        let by_distance = |a: &&Pair, b: &&Pair| a.distance().total_cmp(&b.distance());
        let nearest = failed.iter().min_by(by_distance).cloned();
        for list in [&mut passed, &mut failed] {
            list.sort_by(|a, b| {
                let is_far = |pair: &Pair| !self.meant.concerns(&pair.labels);
                let by_distance = || a.distance().total_cmp(&b.distance());
                is_far(a).cmp(&is_far(b)).then_with(by_distance)
            });
            list.truncate(MAX_NAMED);
        }
        Some(Compared {
            op: link.op,
            threshold: match right.value {
                Value::Scalar(value) => Some(value),
                _ => None,
            },
            passed,
            passed_count: counts.0,
            failed,
            failed_count: counts.1,
            nearest,
        })
    }
}

impl Pair {
    /// How far the values lie apart; NaN, which is greater than all numbers in order, where one is none.
    pub fn distance(&self) -> f64 {
        match self.left == self.right {
            true => 0.0,
            false => (self.left - self.right).abs(),
        }
    }
}

/// The labels of all series of a node.
pub(super) fn labels(seen: &Seen<'_>) -> Vec<Labels> {
    match &seen.value {
        Value::Vector(points) => points.iter().map(|point| point.labels.clone()).collect(),
        Value::Windows(held) => held.iter().map(|held| held.labels.clone()).collect(),
        Value::Scalar(_) | Value::Text(_) | Value::Failed(_) => Vec::new(),
    }
}

/// The numbers that meet.
fn pairs(link: &Link, left: &Seen<'_>, right: &Seen<'_>) -> Vec<Pair> {
    match (&left.value, &right.value) {
        (Value::Vector(points), Value::Scalar(right)) => {
            let floats = points.iter().filter_map(|point| {
                Some(Pair {
                    labels: point.labels.clone(),
                    left: point.reading.float()?,
                    right: *right,
                })
            });
            floats.collect()
        }
        (Value::Scalar(left), Value::Vector(points)) => {
            let floats = points.iter().filter_map(|point| {
                Some(Pair {
                    labels: point.labels.clone(),
                    left: *left,
                    right: point.reading.float()?,
                })
            });
            floats.collect()
        }
        _ => met(link, left.points(), right.points()),
    }
}

/// The numbers of series that meet, and those that meet what fills in for a missing side.
fn met(link: &Link, left: &[Point], right: &[Point]) -> Vec<Pair> {
    let matching = link.matching();
    let is_swapped = matches!(&matching.group, Some(group) if group.side == Side::Right);
    // Each series of the side that may have several meets one.
    let (many, one, fill_one, fill_many) = match is_swapped {
        true => (right, left, matching.fill_left, matching.fill_right),
        false => (left, right, matching.fill_right, matching.fill_left),
    };
    let pair = |labels: &Labels, of_many: Option<f64>, of_one: Option<f64>| {
        let (left, right) = match is_swapped {
            true => (of_one?, of_many?),
            false => (of_many?, of_one?),
        };
        Some(Pair {
            labels: labels.clone(),
            left,
            right,
        })
    };
    let found = partners(matching, many, one).into_iter();
    let of_many = found.filter_map(|(many, one)| {
        let of_one = one.map_or(fill_one, |one| one.reading.float());
        pair(&many.labels, many.reading.float(), of_one)
    });
    let alone = partners(matching, one, many).into_iter();
    let alone = alone.filter(|(_, many)| many.is_none());
    let of_one = alone.filter_map(|(one, _)| pair(&one.labels, fill_many, one.reading.float()));
    of_many.chain(of_one).collect()
}
