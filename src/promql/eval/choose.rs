//! `topk` and its like: which series of a group are chosen at a tick.

use std::cmp::Ordering;

use super::aggregate::float;
use crate::model::Labels;
use crate::model::number::format_general;
use crate::promql::aggregations::Selection;
use crate::promql::column::ColumnSeries;

/// How many, or which part, of a group's series are chosen.
pub(super) enum Share {
    Count(Selection, usize),
    Ratio(f64),
}

impl Share {
    /// `None` where nothing is chosen, whatever there is.
    pub fn new(
        selection: Selection,
        parameter: f64,
        series: usize,
    ) -> Result<Option<Share>, String> {
        if selection == Selection::LimitRatio {
            return match parameter {
                0.0 => Ok(None),
                ratio if ratio.is_nan() => Err("Ratio value is NaN".to_owned()),
                ratio => Ok(Some(Share::Ratio(ratio.clamp(-1.0, 1.0)))),
            };
        }
        if parameter < 1.0 {
            return Ok(None);
        }
        if parameter.is_nan() {
            return Err("Parameter value is NaN".to_owned());
        }
        if parameter >= i64::MAX as f64 {
            let value = format_general(parameter);
            return Err(format!("Scalar value {value} overflows int64"));
        }
        let count = (parameter as usize).min(series);
        Ok(Some(Share::Count(selection, count)))
    }

    /// Marks the chosen series of a group at a tick.
    pub fn choose(
        &self,
        series: &[ColumnSeries],
        group: &[usize],
        tick: usize,
        chosen: &mut [bool],
    ) {
        let present = group
            .iter()
            .copied()
            .filter(|&index| series[index].column.is_present(tick));
        let values = || {
            let floats = group
                .iter()
                .filter_map(|&index| Some((float(&series[index].column, tick)?, index)));
            floats.collect::<Vec<_>>()
        };
        match *self {
            Share::Count(_, 0) => {}
            Share::Count(Selection::Topk, count) => {
                mark_best(&values(), count, |a, b| a < b, chosen)
            }
            Share::Count(Selection::Bottomk, count) => {
                mark_best(&values(), count, |a, b| a > b, chosen)
            }
            Share::Count(_, count) => present.take(count).for_each(|index| chosen[index] = true),
            Share::Ratio(ratio) => {
                let limit = |index: &usize| in_ratio(ratio, sample_offset(&series[*index].labels));
                present.filter(limit).for_each(|index| chosen[index] = true);
            }
        }
    }
}

/// Marks the `count` best of some values. Ties fall as in Prometheus: a heap with the worst on top, which only
/// something strictly better replaces; NaN is the worst of all.
fn mark_best(
    values: &[(f64, usize)],
    count: usize,
    worse: fn(f64, f64) -> bool,
    chosen: &mut [bool],
) {
    let above = |a: f64, b: f64| a.is_nan() || worse(a, b);
    let mut heap: Vec<(f64, usize)> = Vec::with_capacity(count.min(values.len()));
    for &(value, index) in values {
        if heap.len() < count {
            heap.push((value, index));
            let mut child = heap.len() - 1;
            while child > 0 {
                let parent = (child - 1) / 2;
                if !above(heap[child].0, heap[parent].0) {
                    break;
                }
                heap.swap(child, parent);
                child = parent;
            }
        } else if worse(heap[0].0, value) || (heap[0].0.is_nan() && !value.is_nan()) {
            heap[0] = (value, index);
            sift_down(&mut heap, above);
        }
    }
    for (_, index) in heap {
        chosen[index] = true;
    }
}

fn sift_down(heap: &mut [(f64, usize)], above: impl Fn(f64, f64) -> bool) {
    let mut parent = 0;
    loop {
        let mut child = 2 * parent + 1;
        if child >= heap.len() {
            return;
        }
        if child + 1 < heap.len() && above(heap[child + 1].0, heap[child].0) {
            child += 1;
        }
        if !above(heap[child].0, heap[parent].0) {
            return;
        }
        heap.swap(parent, child);
        parent = child;
    }
}

/// The place of a series in `[0, 1]` by the hash of its labels.
fn sample_offset(labels: &Labels) -> f64 {
    labels.hash64() as f64 / u64::MAX as f64
}

/// Whether a series belongs to a ratio: the low part of the offsets, or for a negative ratio the rest.
fn in_ratio(ratio: f64, offset: f64) -> bool {
    match ratio >= 0.0 {
        true => offset < ratio,
        false => offset >= 1.0 + ratio,
    }
}

/// Puts the series of each group in the order of their values, best first, as an instant `topk` shows them.
pub(super) fn sort_by_value(
    series: &mut Vec<ColumnSeries>,
    members: &[Vec<usize>],
    selection: Selection,
) {
    let mut order: Vec<usize> = Vec::with_capacity(series.len());
    for group in members {
        let mut group: Vec<(usize, f64)> = group
            .iter()
            .filter_map(|&index| Some((index, float(&series[index].column, 0)?)))
            .collect();
        group.sort_by(|a, b| {
            let order = a.1.partial_cmp(&b.1).unwrap_or(Ordering::Equal);
            let order = if selection == Selection::Topk {
                order.reverse()
            } else {
                order
            };
            a.1.is_nan().cmp(&b.1.is_nan()).then(order)
        });
        order.extend(group.into_iter().map(|(index, _)| index));
    }
    let mut taken: Vec<Option<ColumnSeries>> =
        std::mem::take(series).into_iter().map(Some).collect();
    series.extend(order.into_iter().filter_map(|index| taken[index].take()));
}
