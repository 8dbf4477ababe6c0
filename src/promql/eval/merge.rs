//! Series that turn out to have the same labels.

use hashbrown::HashMap;

use super::frame::Frame;
use crate::model::Labels;
use crate::promql::column::ColumnSeries;

/// What Prometheus says of two samples with the same labels at one moment.
const SAME_LABELS: &str = "vector cannot contain metrics with the same labelset";

/// Joins series with the same labels into one; ticks at which both have a sample fail.
///
/// With delayed name removal the metric name still tells series apart that lose it later.
pub(super) fn distinct(series: Vec<ColumnSeries>, frame: &Frame) -> Vec<ColumnSeries> {
    let mut places: HashMap<(Labels, bool), usize> = HashMap::with_capacity(series.len());
    let mut out: Vec<ColumnSeries> = Vec::with_capacity(series.len());
    for series in series {
        match places.get(&(series.labels.clone(), series.drop_name)) {
            Some(&place) => join(&mut out[place], &series, frame),
            None => {
                places.insert((series.labels.clone(), series.drop_name), out.len());
                out.push(series);
            }
        }
    }
    out
}

fn join(into: &mut ColumnSeries, from: &ColumnSeries, frame: &Frame) {
    for tick in from.column.present_ticks() {
        if into.column.is_present(tick) {
            frame.fail(tick, || SAME_LABELS.to_owned());
        } else if let Some(sample) = from.column.get(tick) {
            into.column.put(tick, sample);
        }
    }
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
    distinct(series, frame)
}
