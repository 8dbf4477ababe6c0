//! `rate`, `increase` and `delta` over `anchored` and `smoothed` windows, which are not extrapolated: an anchored window
//! begins with the newest sample before it, a smoothed one begins and ends between two samples.

use std::ops::Range;
use std::sync::Arc;

use super::rates::{Kind, whole_seconds};
use crate::model::{CounterResetHint, Histogram, Timestamp};
use crate::promql::annotation::{Note, Remarks};
use crate::promql::ast::Extension;
use crate::promql::column::Column;
use crate::promql::histograms;
use crate::promql::window::{Contents, Window, Windows};
use crate::store::Points;

/// Fills the column of one series.
pub(super) fn fill(windows: &Windows<'_>, out: &mut Column, kind: Kind) {
    let mut remarks = Remarks::default();
    for window in windows.iter() {
        let contents = window.contents();
        if contents == Contents::Mixed {
            remarks.add(Note::MixedSamples);
            continue;
        }
        let Some(stretch) = Stretch::new(windows, &window, kind) else {
            continue;
        };
        if stretch.is_smoothed && window.points.time(stretch.first) > stretch.end {
            continue;
        }
        if contents == Contents::Floats {
            out.set(window.tick, stretch.of_floats(&window));
        } else if let Some(result) = stretch.of_histograms(&window, &mut remarks) {
            out.set_histogram(window.tick, Arc::new(result));
        }
    }
    windows.notes.add_all(&remarks);
}

/// The floats of an extended window by itself: one at its start, those within, one at its end. `None` where all samples
/// lie before it.
pub(crate) fn widened(windows: &Windows<'_>, window: &Window<'_>) -> Option<Points> {
    let stretch = Stretch::new(windows, window, Kind::Delta)?;
    let (left, right) = stretch.ends_of_floats(window);
    let mut out = Points::default();
    out.push(stretch.start, left);
    for index in stretch.inner(window) {
        out.push(window.points.time(index), window.points.values()[index]);
    }
    out.push(stretch.end, right);
    Some(out)
}

/// Which samples of a window count, and where it begins and ends.
struct Stretch {
    kind: Kind,
    is_smoothed: bool,
    /// Where the window begins.
    start: Timestamp,
    /// Where it ends.
    end: Timestamp,
    /// Divides the result: the seconds of the window, or 1.
    divisor: f64,
    /// Index of the first sample that counts.
    first: usize,
    /// Index of the last.
    last: usize,
}

/// Between two samples, by time.
fn interpolate(
    before: (Timestamp, f64),
    after: (Timestamp, f64),
    at: Timestamp,
    is_counter: bool,
) -> f64 {
    let is_reset = is_counter && after.1 < before.1;
    let from = if is_reset { 0.0 } else { before.1 };
    from + (after.1 - from) * (at - before.0) as f64 / (after.0 - before.0) as f64
}

/// Between two histograms, by time; `None` where their buckets do not fit together.
pub(crate) fn interpolate_histograms(
    before: (Timestamp, &Histogram),
    after: (Timestamp, &Histogram),
    at: Timestamp,
    is_counter: bool,
    remarks: &mut Remarks,
) -> Option<Histogram> {
    if at == before.0 {
        return Some(before.1.clone());
    }
    let mut result = after.1.clone();
    if at == after.0 {
        return Some(result);
    }
    let fraction = (at - before.0) as f64 / (after.0 - before.0) as f64;
    if is_counter && after.1.detect_reset(before.1) {
        result.mul(fraction);
        return Some(result);
    }
    histograms::subtract(&mut result, before.1, remarks)?;
    result.mul(fraction);
    histograms::add(&mut result, before.1, remarks)?;
    Some(result)
}

/// Between two floats that are no counter.
pub(crate) fn interpolate_gauge(
    before: (Timestamp, f64),
    after: (Timestamp, f64),
    at: Timestamp,
) -> f64 {
    interpolate(before, after, at, false)
}

impl Stretch {
    /// `None` where all samples lie before the window.
    fn new(windows: &Windows<'_>, window: &Window<'_>, kind: Kind) -> Option<Stretch> {
        let points = window.points;
        let is_smoothed = windows.extension == Some(Extension::Smoothed);
        let end = windows.end(window.tick);
        let start = end.saturating_sub(windows.range);
        let mut last = window.past - 1;
        let find = |from: usize, to: usize, passes: &dyn Fn(Timestamp) -> bool| {
            (from..to)
                .find(|&index| passes(points.time(index)))
                .unwrap_or(to)
        };
        let after_start = find(window.first, last, &|time| time > start);
        let first = after_start.saturating_sub(1).max(window.first);
        if is_smoothed {
            last = find(window.first, last, &|time| time >= end);
        }
        (points.time(last) > start).then_some(Stretch {
            kind,
            is_smoothed,
            start,
            end,
            divisor: match kind {
                Kind::Rate => whole_seconds(windows.range),
                Kind::Increase | Kind::Delta => 1.0,
            },
            first,
            last,
        })
    }

    fn is_counter(&self) -> bool {
        self.kind != Kind::Delta
    }

    /// Whether the window begins between its first two samples.
    fn begins_between(&self, window: &Window<'_>) -> bool {
        self.is_smoothed && window.points.time(self.first) < self.start
    }

    /// Whether the window ends between its last two samples.
    fn ends_between(&self, window: &Window<'_>) -> bool {
        self.is_smoothed && self.last > window.first && window.points.time(self.last) > self.end
    }

    fn of_floats(&self, window: &Window<'_>) -> f64 {
        let (left, right) = self.ends_of_floats(window);
        let mut result = right - left;
        if self.is_counter() {
            let inner = window.points.values().get(self.inner(window));
            result += lost_in_resets(left, right, inner.unwrap_or_default());
        }
        match self.kind {
            Kind::Rate => result / self.divisor,
            Kind::Increase | Kind::Delta => result,
        }
    }

    /// The values at both ends of the window.
    fn ends_of_floats(&self, window: &Window<'_>) -> (f64, f64) {
        let points = window.points;
        let sample = |index: usize| (points.time(index), points.values()[index]);
        let between = |before: usize, at| {
            interpolate(sample(before), sample(before + 1), at, self.is_counter())
        };
        let left = match self.begins_between(window) {
            true => between(self.first, self.start),
            false => sample(self.first).1,
        };
        let right = match self.ends_between(window) {
            true => between(self.last - 1, self.end),
            false => sample(self.last).1,
        };
        (left, right)
    }

    /// The samples that lie between both ends.
    fn inner(&self, window: &Window<'_>) -> Range<usize> {
        let time = |index: usize| window.points.time(index);
        let first = self.first + usize::from(time(self.first) <= self.start);
        let past = self.last + usize::from(time(self.last) < self.end);
        first..past.max(first)
    }

    fn of_histograms(&self, window: &Window<'_>, remarks: &mut Remarks) -> Option<Histogram> {
        let points = window.points;
        let histogram = |index: usize| points.histogram(index).map(|found| found.as_ref());
        let is_custom = histogram(self.first)?.uses_custom_buckets();
        for index in self.first..=self.last {
            let found = histogram(index)?;
            if found.uses_custom_buckets() != is_custom {
                remarks.add(Note::MixedBuckets);
                return None;
            }
            let is_gauge = histograms::is_gauge(found);
            remarks.add_if(self.is_counter() && is_gauge, Note::NotCounter);
        }
        let (left, right) = self.ends_of_histograms(window, remarks)?;
        if !self.is_counter() {
            histograms::remark_kind(&left, &right, false, remarks);
        }
        let mut result = right.clone();
        histograms::subtract(&mut result, &left, remarks)?;
        if self.is_counter()
            && let Some(lost) = self.histograms_lost(window, &left, &right, remarks)?
        {
            histograms::add(&mut result, &lost, remarks)?;
        }
        if self.kind == Kind::Rate {
            result.div(self.divisor);
        }
        result.counter_reset_hint = CounterResetHint::Gauge;
        result.compact(0);
        Some(result)
    }

    /// The histograms at both ends of the window, `None` where their buckets do not fit together.
    fn ends_of_histograms(
        &self,
        window: &Window<'_>,
        remarks: &mut Remarks,
    ) -> Option<(Histogram, Histogram)> {
        let points = window.points;
        let histogram = |index: usize| points.histogram(index).map(|found| found.as_ref());
        let mut between = |before: usize, at| {
            let first = (points.time(before), histogram(before)?);
            let second = (points.time(before + 1), histogram(before + 1)?);
            interpolate_histograms(first, second, at, self.is_counter(), remarks)
        };
        let left = match self.begins_between(window) {
            true => between(self.first, self.start)?,
            false => histogram(self.first)?.clone(),
        };
        let right = match self.ends_between(window) {
            true => between(self.last - 1, self.end)?,
            false => histogram(self.last)?.clone(),
        };
        Some((left, right))
    }

    /// What a counter lost in resets within the window, `None` where its buckets do not fit together.
    fn histograms_lost(
        &self,
        window: &Window<'_>,
        left: &Histogram,
        right: &Histogram,
        remarks: &mut Remarks,
    ) -> Option<Option<Histogram>> {
        let histogram = |index: usize| window.points.histogram(index).map(|found| found.as_ref());
        let mut before = left;
        let mut next = self.first + 1;
        if self.begins_between(window) {
            let second = histogram(self.first + 1)?;
            // A reset between the first two is part of what lies left.
            if second.detect_reset(histogram(self.first)?) {
                before = second;
                next += 1;
            }
        }
        if next > self.last {
            return Some(None);
        }
        let mut lost: Option<Histogram> = None;
        let inner = (next..self.last).map(histogram);
        for current in inner.chain([Some(right)]) {
            let current = current?;
            if current.detect_reset(before) {
                match &mut lost {
                    Some(lost) => histograms::add(lost, before, remarks)?,
                    None => lost = Some(before.clone()),
                }
            }
            before = current;
        }
        Some(lost)
    }
}

/// What a counter lost in resets between two values and those between them.
fn lost_in_resets(left: f64, right: f64, inner: &[f64]) -> f64 {
    let mut lost = 0.0;
    let mut before = left;
    for &value in inner.iter().chain([&right]) {
        if value < before {
            lost += before;
        }
        before = value;
    }
    lost
}
