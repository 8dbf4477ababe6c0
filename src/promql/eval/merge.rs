//! Series that turn out to have the same labels.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::frame::{Frame, QueryTime};
use crate::model::{Labels, Timestamp};
use crate::promql::column::{Column, ColumnSeries, Sample};
use crate::store::Points;

/// What Prometheus says of two samples with the same labels at one moment.
pub(super) const SAME_LABELS: &str = "vector cannot contain metrics with the same labelset";

/// Joins series with the same labels into one; ticks at which two have a sample fail.
///
/// With delayed name removal the metric name still tells series apart that lose it later.
pub(super) fn distinct(series: Vec<ColumnSeries>, frame: &Frame) -> Vec<ColumnSeries> {
    let key = |series: &ColumnSeries| (series.labels.clone(), series.drop_name);
    join_by(series, key, &|members, tick| {
        let mut found = members.iter().filter_map(|member| member.get(tick));
        let first = found.next();
        if found.next().is_some() {
            frame.fail(tick, || SAME_LABELS.to_owned());
        }
        first
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

/// Joins series with the same labels into one, whether their name is to go or not; ticks at which two have a float, or
/// two a histogram, fail. Of a float and a histogram it is the histogram that is seen in the end.
pub(super) fn joined(series: Vec<ColumnSeries>, frame: &Frame) -> Vec<ColumnSeries> {
    joined_with(series, frame, |float, histogram| histogram.or(float))
}

/// The same within a query, where it is the float that is read on.
pub(super) fn joined_within(series: Vec<ColumnSeries>, frame: &Frame) -> Vec<ColumnSeries> {
    joined_with(series, frame, |float, histogram| float.or(histogram))
}

fn joined_with(
    series: Vec<ColumnSeries>,
    frame: &Frame,
    choose: for<'c> fn(Option<Sample<'c>>, Option<Sample<'c>>) -> Option<Sample<'c>>,
) -> Vec<ColumnSeries> {
    let key = |series: &ColumnSeries| (series.labels.clone(), false);
    join_by(series, key, &|members, tick| {
        let (mut float, mut histogram) = (None, None);
        for sample in members.iter().filter_map(|member| member.get(tick)) {
            let place = match sample {
                Sample::Float(_) => &mut float,
                Sample::Histogram(_) => &mut histogram,
            };
            if place.replace(sample).is_some() {
                frame.fail(tick, || SAME_LABELS.to_owned());
            }
        }
        choose(float, histogram)
    })
}

/// Whether of two series with the same labels one is to lose its name and the other not.
pub(super) fn are_twins_unlike(series: &[ColumnSeries]) -> bool {
    let is_dropped = |series: &&ColumnSeries| series.drop_name;
    let dropped: HashSet<&Labels> = series
        .iter()
        .filter(is_dropped)
        .map(|series| &series.labels)
        .collect();
    let mut kept = series.iter().filter(|series| !series.drop_name);
    !dropped.is_empty() && kept.any(|series| dropped.contains(&series.labels))
}

/// The samples of two series with the same labels; `None` where they have samples of one kind at one time. Of a float and
/// a histogram it is the histogram that stays.
pub(super) fn joined_points(a: &Points, b: &Points) -> Option<Points> {
    let mut order: Vec<(Timestamp, &Points, usize)> = Vec::with_capacity(a.len() + b.len());
    for points in [a, b] {
        order.extend((0..points.len()).map(|index| (points.time(index), points, index)));
    }
    let is_float = |entry: &(Timestamp, &Points, usize)| entry.1.histogram(entry.2).is_none();
    order.sort_by_key(|entry| (entry.0, is_float(entry)));
    let is_twin = |pair: &[(Timestamp, &Points, usize)]| {
        pair[0].0 == pair[1].0 && is_float(&pair[0]) == is_float(&pair[1])
    };
    if order.windows(2).any(is_twin) {
        return None;
    }
    order.dedup_by_key(|entry| entry.0);
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
        series.labels = series.labels.without_metadata();
        series.drop_name = false;
    }
    joined(series, frame)
}

/// The sample of several columns at a tick.
type Join<'j> = dyn for<'c> Fn(&[&'c Column], usize) -> Option<Sample<'c>> + 'j;

fn join_by(
    series: Vec<ColumnSeries>,
    key: impl Fn(&ColumnSeries) -> (Labels, bool),
    join: &Join<'_>,
) -> Vec<ColumnSeries> {
    let mut places: HashMap<(Labels, bool), usize> = HashMap::with_capacity(series.len());
    let mut out: Vec<ColumnSeries> = Vec::with_capacity(series.len());
    let mut twins: BTreeMap<usize, Vec<Column>> = BTreeMap::new();
    for series in series {
        let key = key(&series);
        match places.get(&key) {
            Some(&place) => twins.entry(place).or_default().push(series.column),
            None => {
                places.insert(key, out.len());
                out.push(series);
            }
        }
    }
    for (place, twins) in twins {
        let first = std::mem::take(&mut out[place].column);
        let members: Vec<&Column> = std::iter::once(&first).chain(&twins).collect();
        let mut column = Column::absent(first.len());
        for tick in 0..first.len() {
            if let Some(sample) = join(&members, tick) {
                column.put(tick, sample);
            }
        }
        out[place].column = column;
    }
    out
}
