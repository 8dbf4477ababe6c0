//! `topk` and its like: which series of a group are chosen at a tick.

use super::aggregate::float;
use crate::model::Labels;
use crate::model::number::format_general;
use crate::promql::aggregations::Selection;
use crate::promql::column::{ColumnSeries, Sample};
use crate::promql::numeric::sort_as_go;

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

    /// The chosen series of a group at a tick with their values, as they lie in the heap in which Prometheus keeps them.
    pub fn choose(
        &self,
        series: &[ColumnSeries],
        group: &[usize],
        tick: usize,
    ) -> Vec<(f64, usize)> {
        let floats = group
            .iter()
            .filter_map(|&index| Some((float(&series[index].column, tick)?, index)));
        let present = group.iter().filter_map(|&index| {
            Some(match series[index].column.get(tick)? {
                Sample::Float(value) => (value, index),
                Sample::Histogram(_) => (0.0, index),
            })
        });
        match *self {
            Share::Count(_, 0) => Vec::new(),
            Share::Count(Selection::Topk, count) => best(floats, count, |a, b| a < b),
            Share::Count(Selection::Bottomk, count) => best(floats, count, |a, b| a > b),
            Share::Count(_, count) => heap(present.take(count)),
            Share::Ratio(ratio) => heap(
                present.filter(|&(_, index)| in_ratio(ratio, sample_offset(&series[index].labels))),
            ),
        }
    }
}

/// The `count` best of some values. Ties fall as in Prometheus: a heap with the worst on top, which only something
/// strictly better replaces; NaN is the worst of all.
fn best(
    values: impl Iterator<Item = (f64, usize)>,
    count: usize,
    worse: fn(f64, f64) -> bool,
) -> Vec<(f64, usize)> {
    let above = |a: f64, b: f64| a.is_nan() || worse(a, b);
    let mut heap: Vec<(f64, usize)> = Vec::with_capacity(count);
    for (value, index) in values {
        if heap.len() < count {
            push(&mut heap, (value, index), above);
        } else if worse(heap[0].0, value) || (heap[0].0.is_nan() && !value.is_nan()) {
            heap[0] = (value, index);
            sift_down(&mut heap, above);
        }
    }
    heap
}

/// All of some values, the least on top.
fn heap(values: impl Iterator<Item = (f64, usize)>) -> Vec<(f64, usize)> {
    let mut heap = Vec::new();
    values.for_each(|item| push(&mut heap, item, |a, b| a.is_nan() || a < b));
    heap
}

fn push(heap: &mut Vec<(f64, usize)>, item: (f64, usize), above: impl Fn(f64, f64) -> bool) {
    heap.push(item);
    let mut child = heap.len() - 1;
    while child > 0 {
        let parent = (child - 1) / 2;
        if !above(heap[child].0, heap[parent].0) {
            break;
        }
        heap.swap(child, parent);
        child = parent;
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

/// Puts the chosen of a group in the order in which an instant query shows them: those of `topk` and `bottomk` best first,
/// others as they are.
pub(super) fn sort_as_seen(chosen: &mut [(f64, usize)], selection: Selection) {
    match selection {
        Selection::Topk => sort_as_go(chosen, |a, b| b.0.is_nan() || b.0 < a.0),
        Selection::Bottomk => sort_as_go(chosen, |a, b| b.0.is_nan() || b.0 > a.0),
        Selection::Limitk | Selection::LimitRatio => {}
    }
}
