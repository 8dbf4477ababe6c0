//! `metric smoothed`: between two samples, by time.

use std::sync::Arc;

use crate::model::{CounterResetHint, Histogram, Timestamp};
use crate::promql::annotation::{Note, Remarks};
use crate::promql::column::{Column, Ticks};
use crate::promql::functions::{interpolate_gauge, interpolate_histograms};
use crate::promql::histograms::is_gauge;
use crate::promql::window::{Contents, Ends, Window};
use crate::store::Points;

/// Fills the column of one series, whose windows reach as far back as ahead, and says what there is to say of it.
pub(super) fn smoothed(
    points: &Points,
    bounds: &[(u32, u32)],
    ticks: Ticks,
    ends: Ends,
    column: &mut Column,
) -> Remarks {
    let mut remarks = Remarks::default();
    for (tick, &(first, past)) in bounds
        .iter()
        .enumerate()
        .filter(|(_, bounds)| bounds.0 < bounds.1)
    {
        let window = Window {
            points,
            first: first as usize,
            past: past as usize,
            tick,
        };
        let at = ends.of(ticks.time(tick));
        let next = (window.first..window.past).find(|&index| points.time(index) >= at);
        match (window.contents(), next) {
            (Contents::Floats, next) => {
                if let Some(value) = float(&window, next, at) {
                    column.set(tick, value);
                }
            }
            (Contents::Histograms, next) => {
                if let Some(histogram) = histogram(&window, next, at, &mut remarks) {
                    column.set_histogram(tick, histogram);
                }
            }
            (Contents::Mixed, _) => remarks.add(Note::MixedSamples),
        }
    }
    remarks
}

/// `next` is the first sample at or after the moment; before the first of all there is nothing.
fn float(window: &Window<'_>, next: Option<usize>, at: Timestamp) -> Option<f64> {
    let sample = |index: usize| (window.points.time(index), window.points.values()[index]);
    match next {
        None => Some(sample(window.past - 1).1),
        Some(next) if window.points.time(next) == at => Some(sample(next).1),
        Some(next) if next == window.first => None,
        Some(next) => Some(interpolate_gauge(sample(next - 1), sample(next), at)),
    }
}

fn histogram(
    window: &Window<'_>,
    next: Option<usize>,
    at: Timestamp,
    remarks: &mut Remarks,
) -> Option<Arc<Histogram>> {
    let points = window.points;
    let Some(next) = next else {
        let mut last = Histogram::clone(points.histogram(window.past - 1)?);
        last.counter_reset_hint = CounterResetHint::Unknown;
        return Some(Arc::new(last));
    };
    let after = points.histogram(next)?;
    if points.time(next) == at {
        return Some(Arc::clone(after));
    }
    if next == window.first {
        return None;
    }
    let before = points.histogram(next - 1)?;
    if before.uses_custom_buckets() != after.uses_custom_buckets() {
        remarks.add(Note::MixedBuckets);
        return None;
    }
    let is_counter = !(is_gauge(before) && is_gauge(after));
    let (before, after) = (
        (points.time(next - 1), before.as_ref()),
        (points.time(next), after.as_ref()),
    );
    interpolate_histograms(before, after, at, is_counter, remarks).map(Arc::new)
}
