//! Series that turn out to have the same labels.

use hashbrown::HashMap;

use super::frame::{Frame, QueryTime};
use crate::model::{Labels, Timestamp};
use crate::promql::column::{Column, ColumnSeries, Sample};
use crate::store::Points;

/// What Prometheus says of two samples with the same labels at one moment.
pub(super) const SAME_LABELS: &str = "vector cannot contain metrics with the same labelset";

/// Joins series with the same labels into one; ticks at which both have a sample fail.
///
/// With delayed name removal the metric name still tells series apart that lose it later.
pub(super) fn distinct(series: Vec<ColumnSeries>, frame: &Frame) -> Vec<ColumnSeries> {
    let key = |series: &ColumnSeries| (series.labels.clone(), series.drop_name);
    join_by(series, key, &|into, from, tick| {
        if into.is_present(tick) {
            frame.fail(tick, || SAME_LABELS.to_owned());
        } else if let Some(sample) = from.get(tick) {
            into.put(tick, sample);
        }
    })
}

/// The same for the results of range functions, which Prometheus compares as a whole: in a range query and below a
/// subquery they must not have the same labels even where they never coexist.
pub(super) fn distinct_ranges(series: Vec<ColumnSeries>, frame: &Frame) -> Vec<ColumnSeries> {
    let count = series.len();
    let out = distinct(series, frame);
    if out.len() < count && frame.query != QueryTime::Same {
        frame.fail_all(SAME_LABELS);
    }
    out
}

/// Joins series with the same labels into one, whether their name is to go or not; ticks at which both have a float, or
/// both a histogram, fail. Beside a float it is the histogram that stays.
pub(super) fn joined(series: Vec<ColumnSeries>, frame: &Frame) -> Vec<ColumnSeries> {
    let key = |series: &ColumnSeries| (series.labels.clone(), false);
    join_by(series, key, &|into, from, tick| {
        let fails = match (into.get(tick), from.get(tick)) {
            (Some(Sample::Float(_)), Some(Sample::Float(_)))
            | (Some(Sample::Histogram(_)), Some(Sample::Histogram(_))) => true,
            (Some(Sample::Histogram(_)), _) | (_, None) => false,
            (_, Some(sample)) => {
                into.put(tick, sample);
                false
            }
        };
        if fails {
            frame.fail(tick, || SAME_LABELS.to_owned());
        }
    })
}

/// The samples of two series with the same labels; `None` where they coexist.
pub(super) fn joined_points(a: &Points, b: &Points) -> Option<Points> {
    let mut order: Vec<(Timestamp, &Points, usize)> = Vec::with_capacity(a.len() + b.len());
    for points in [a, b] {
        order.extend((0..points.len()).map(|index| (points.time(index), points, index)));
    }
    order.sort_by_key(|entry| entry.0);
    if order.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return None;
    }
    let mut out = Points::default();
    for (time, points, index) in order {
        match points.histogram(index) {
            Some(histogram) => out.push_histogram(time, histogram.clone()),
            None => out.push(time, points.values()[index]),
        }
    }
    Some(out)
}

/// Removes the names that were to go when the query is done.
pub(super) fn remove_names(mut series: Vec<ColumnSeries>, frame: &Frame) -> Vec<ColumnSeries> {
    if !series.iter().any(|series| series.drop_name) {
        return series;
    }
    for series in series.iter_mut().filter(|series| series.drop_name) {
        series.labels = series.labels.without_metric();
        series.drop_name = false;
    }
    joined(series, frame)
}

/// Moves what the second column has at a tick into the first.
type Join<'j> = dyn Fn(&mut Column, &Column, usize) + 'j;

fn join_by(
    series: Vec<ColumnSeries>,
    key: impl Fn(&ColumnSeries) -> (Labels, bool),
    join: &Join<'_>,
) -> Vec<ColumnSeries> {
    let mut places: HashMap<(Labels, bool), usize> = HashMap::with_capacity(series.len());
    let mut out: Vec<ColumnSeries> = Vec::with_capacity(series.len());
    for series in series {
        let key = key(&series);
        match places.get(&key) {
            Some(&place) => {
                for tick in series.column.present_ticks() {
                    join(&mut out[place].column, &series.column, tick);
                }
            }
            None => {
                places.insert(key, out.len());
                out.push(series);
            }
        }
    }
    out
}
