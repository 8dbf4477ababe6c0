//! Comparisons: how far values lie from what they are compared with.

use super::join::partners;
use super::tree::Seen;
use super::{Compared, Explainer, MAX_NAMED, Pair, Value};
use crate::model::Labels;
use crate::promql::ast::{BinaryOp, Link};

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
        let (mut passed, mut failed): (Vec<Pair>, Vec<Pair>) =
            pairs.into_iter().partition(|pair| holds(link.op, pair));
        let counts = (passed.len(), failed.len());
        for list in [&mut passed, &mut failed] {
            list.sort_by(|a, b| a.distance().total_cmp(&b.distance()));
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

fn holds(op: BinaryOp, pair: &Pair) -> bool {
    let Pair { left, right, .. } = pair;
    match op {
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        BinaryOp::Less => left < right,
        BinaryOp::LessEqual => left <= right,
        BinaryOp::Greater => left > right,
        _ => left >= right,
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
        _ => {
            let met = partners(&link.matching, left.points(), right.points());
            let floats = met.into_iter().filter_map(|(left, right)| {
                Some(Pair {
                    labels: left.labels.clone(),
                    left: left.reading.float()?,
                    right: right?.reading.float()?,
                })
            });
            floats.collect()
        }
    }
}
