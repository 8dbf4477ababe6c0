//! Functions of how samples change over a window.

use std::sync::Arc;

use super::starts::{Overlaps, is_reset_by_start, start_within};
use super::{Body, Function, Samples, extended, steady, uneven};
use crate::model::{Histogram, Millis, Timestamp, number};
use crate::promql::annotation::{Note, Remarks};
use crate::promql::ast::Extension;
use crate::promql::ast::ValueType::{Matrix, Scalar};
use crate::promql::column::Column;
use crate::promql::histograms;
use crate::promql::numeric::KahanSum;
use crate::promql::window::{Contents, Window, Windows};

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    Function::of_windows(
        "rate",
        Samples::Any,
        |windows, out| extrapolate(windows, out, Kind::Rate),
        "Per-second increase of a counter, extrapolated to the window.",
    )
    .of_counters()
    .taking(&BOTH),
    Function::of_windows(
        "increase",
        Samples::Any,
        |windows, out| extrapolate(windows, out, Kind::Increase),
        "Increase of a counter, extrapolated to the window.",
    )
    .of_counters()
    .taking(&BOTH),
    Function::of_windows(
        "delta",
        Samples::Any,
        |windows, out| extrapolate(windows, out, Kind::Delta),
        "Difference between the ends of the window, extrapolated to it.",
    )
    .taking(&BOTH),
    Function::of_windows(
        "irate",
        Samples::Any,
        |windows, out| instant(windows, out, true),
        "Per-second increase between the last two samples of a counter.",
    ),
    Function::of_windows(
        "idelta",
        Samples::Any,
        |windows, out| instant(windows, out, false),
        "Difference between the last two samples.",
    ),
    Function::of_windows(
        "deriv",
        Samples::Floats,
        |windows, out| {
            windows.fill(out, |window| {
                regression(window, window.first_time()).map(|line| line.slope)
            })
        },
        "Per-second slope of a line through the samples, by least squares.",
    ),
    Function::new(
        "predict_linear",
        Body::Window {
            params: &[Matrix, Scalar],
            samples: Samples::Floats,
            kernel: predict_linear,
            validate: None,
        },
        "Value so many seconds from now, by a line through the samples.",
    )
    .of_its_time(),
    Function::new(
        "double_exponential_smoothing",
        Body::Window {
            params: &[Matrix, Scalar, Scalar],
            samples: Samples::Floats,
            kernel: |windows, out| {
                windows.fill(out, |window| {
                    smoothed(
                        window,
                        windows.param(0, window.tick),
                        windows.param(1, window.tick),
                    )
                });
            },
            validate: Some(valid_factors),
        },
        "Smoothed value by a smoothing factor and a trend factor, both between 0 and 1.",
    )
    .experimental(),
    Function::new(
        "changes",
        Body::Window {
            params: &[Matrix],
            samples: Samples::Any,
            kernel: |windows, out| count_steps(windows, out, changed),
            validate: None,
        },
        "How often the value changed.",
    )
    .taking(&[Extension::Anchored]),
    Function::new(
        "resets",
        Body::Window {
            params: &[Matrix],
            samples: Samples::Any,
            kernel: |windows, out| count_steps(windows, out, was_reset),
            validate: None,
        },
        "How often a counter was reset.",
    )
    .taking(&[Extension::Anchored]),
];

/// Every extension of a window.
const BOTH: [Extension; 2] = [Extension::Anchored, Extension::Smoothed];

/// What [`extrapolate`] computes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rate,
    Increase,
    Delta,
}

/// `rate`, `increase` and `delta`: the difference between the ends of each window, resets added for
/// counters, stretched to the window's bounds as Prometheus's `extrapolatedRate` does.
///
/// Constant time a window but for the resets in it, which are added in order to keep the last bit.
fn extrapolate(windows: &Windows<'_>, out: &mut Column, kind: Kind) {
    if windows.extension.is_some() {
        return extended::fill(windows, out, kind);
    }
    let values = windows.points.values();
    let resets = match kind {
        Kind::Delta => Vec::new(),
        Kind::Rate | Kind::Increase => reset_indices(windows),
    };
    if windows.starts.is_empty() && !windows.points.has_histograms() {
        let run = windows
            .steady
            .filter(|run| resets.is_empty() && run.stride > 0);
        if let Some(run) = run {
            steady::fill(windows, run, kind, out);
        }
        let done = run.map_or(0..0, |run| run.ticks.clone());
        return uneven::fill(windows, &resets, done, kind, out);
    }
    let overlaps = Overlaps::of(windows, kind);
    let mut overlapping = 0;
    let (mut low, mut high) = (0, 0);
    for window in windows.of_floats() {
        overlapping += u64::from(overlaps.any_in(&window));
        let Some(origin) = Origin::of(windows, &window, kind) else {
            continue;
        };
        let (first, last) = (values[window.first], values[window.past - 1]);
        let mut increase = last - first;
        low = advance(&resets, low, window.first + 1);
        high = advance(&resets, high.max(low), window.past);
        for &index in &resets[low..high] {
            increase += values[index - 1];
        }
        if let Origin::Known(_) = origin {
            increase += first;
        }
        let to_zero = (increase > 0.0 && first >= 0.0).then(|| first / increase);
        let factor = stretch(windows, &window, kind, origin, to_zero);
        out.set(window.tick, increase * factor);
    }
    windows.notes.add_overlaps(overlapping);
    if windows.points.has_histograms() {
        extrapolate_histograms(windows, out, kind);
    }
}

/// What histograms of a series rise, and what there is to say of them.
struct HistogramRates<'w> {
    windows: &'w Windows<'w>,
    kind: Kind,
    overlaps: Overlaps,
    /// How many windows hold a start that overlaps.
    overlapping: u64,
    remarks: Remarks,
}

fn extrapolate_histograms(windows: &Windows<'_>, out: &mut Column, kind: Kind) {
    let mut rates = HistogramRates {
        windows,
        kind,
        overlaps: Overlaps::of(windows, kind),
        overlapping: 0,
        remarks: Remarks::default(),
    };
    for window in windows.iter() {
        match window.contents() {
            Contents::Floats => {}
            Contents::Mixed => rates.remarks.add(Note::MixedSamples),
            Contents::Histograms => {
                if let Some(increase) = rates.of(&window) {
                    out.set_histogram(window.tick, Arc::new(increase));
                }
            }
        }
    }
    windows.notes.add_all(&rates.remarks);
    windows.notes.add_overlaps(rates.overlapping);
}

impl HistogramRates<'_> {
    fn of(&mut self, window: &Window<'_>) -> Option<Histogram> {
        let origin = Origin::of(self.windows, window, self.kind)?;
        let histograms: Vec<&Arc<Histogram>> = window.histograms().collect();
        let first = histograms.first()?;
        let mut increase = match histograms.len() {
            1 => Histogram::clone(first),
            _ => {
                let mut increase = self.increase(window, &histograms)?;
                if let Origin::Known(_) = origin {
                    histograms::add(&mut increase, first, &mut self.remarks)?;
                }
                increase
            }
        };
        let to_zero =
            (increase.count > 0.0 && first.count >= 0.0).then(|| first.count / increase.count);
        increase.mul(stretch(self.windows, window, self.kind, origin, to_zero));
        Some(increase)
    }

    fn increase(
        &mut self,
        window: &Window<'_>,
        histograms: &[&Arc<Histogram>],
    ) -> Option<Histogram> {
        let is_reset = |index: usize| is_reset_by_start(self.windows, window.first + index);
        let is_counter = self.kind != Kind::Delta;
        let increase = histograms::increase(histograms, is_counter, is_reset, &mut self.remarks)?;
        self.overlapping += u64::from(self.overlaps.any_in(window));
        Some(increase)
    }
}

/// Where the counter of a window began.
#[derive(Clone, Copy)]
enum Origin {
    /// At zero, at a moment within the window.
    Known(Timestamp),
    /// Nobody knows.
    Unknown,
}

impl Origin {
    /// `None` where there are too few samples to say anything.
    fn of(windows: &Windows<'_>, window: &Window<'_>, kind: Kind) -> Option<Origin> {
        let known = match kind {
            Kind::Delta => None,
            Kind::Rate | Kind::Increase => start_within(windows, window),
        };
        match known {
            Some(start) => Some(Origin::Known(start)),
            None => (window.count() > 1).then_some(Origin::Unknown),
        }
    }
}

/// The indices of samples before which the counter was reset.
fn reset_indices(windows: &Windows<'_>) -> Vec<usize> {
    let values = windows.points.values();
    let pairs = values.windows(2).enumerate();
    let is_lower = pairs.map(|(index, pair)| (index + 1, pair[1] < pair[0]));
    match windows.starts.is_empty() {
        true if !windows.points.falls() => Vec::new(),
        true => is_lower
            .filter(|(_, lower)| *lower)
            .map(|(index, _)| index)
            .collect(),
        false => is_lower
            .filter(|(index, lower)| *lower || is_reset_by_start(windows, *index))
            .map(|(index, _)| index)
            .collect(),
    }
}

/// The first place at or after `from` whose entry is at least `bound`. Windows move forward (but for `@`), so
/// this is mostly no step at all; it starts over where they moved back.
pub(super) fn advance(sorted: &[usize], from: usize, bound: usize) -> usize {
    let mut place = match from.checked_sub(1) {
        Some(before) if sorted[before] >= bound => 0,
        _ => from,
    };
    while sorted.get(place).is_some_and(|&entry| entry < bound) {
        place += 1;
    }
    place
}

/// By how much the difference between the first and the last sample is stretched to cover the window: up to
/// its bounds where a sample is near them (1.1 average distances), by half a distance where not, and for
/// counters never below zero, which lies `to_zero` sampled intervals before the first sample unless the origin is known.
/// For `rate` a second.
fn stretch(
    windows: &Windows<'_>,
    window: &Window<'_>,
    kind: Kind,
    origin: Origin,
    to_zero: Option<f64>,
) -> f64 {
    let end = windows.end(window.tick);
    let seconds = |millis: i64| millis as f64 / 1000.0;
    let mut to_start = seconds(window.first_time() - (end - windows.range));
    let mut to_end = seconds(end - window.last_time());
    let mut sampled = seconds(window.last_time() - window.first_time());
    let distance = match window.count() {
        1 => 0.0,
        count => sampled / (count - 1) as f64,
    };
    let near = distance * 1.1;
    if let Origin::Known(start) = origin {
        to_start = 0.0;
        sampled = seconds(window.last_time() - start);
    } else {
        if to_start >= near {
            to_start = distance / 2.0;
        }
        if let Some(to_zero) = to_zero.filter(|_| kind != Kind::Delta) {
            let to_zero = sampled * to_zero;
            if to_zero < to_start {
                to_start = to_zero;
            }
        }
    }
    if to_end >= near {
        to_end = distance / 2.0;
    }
    let factor = match sampled == 0.0 {
        true => 1.0,
        false => (sampled + to_start + to_end) / sampled,
    };
    match kind {
        Kind::Rate => factor / whole_seconds(windows.range),
        Kind::Increase | Kind::Delta => factor,
    }
}

/// Go's `Duration.Seconds`, which adds the fraction to the whole.
pub(super) fn whole_seconds(length: Millis) -> f64 {
    (length / 1000) as f64 + ((length % 1000) * 1_000_000) as f64 / 1e9
}

/// `irate` and `idelta`.
fn instant(windows: &Windows<'_>, out: &mut Column, is_rate: bool) {
    let points = windows.points;
    let mut remarks = Remarks::default();
    for window in windows.iter().filter(|window| window.count() > 1) {
        let (last, before) = (window.past - 1, window.past - 2);
        let seconds = (points.time(last) - points.time(before)) as f64 / 1000.0;
        let by_start = is_reset_by_start(windows, last);
        match (points.histogram(before), points.histogram(last)) {
            (None, None) => {
                let (before, last) = (points.values()[before], points.values()[last]);
                let is_reset = is_rate && (last < before || by_start);
                let difference = if is_reset { last } else { last - before };
                let value = if is_rate {
                    difference / seconds
                } else {
                    difference
                };
                out.set(window.tick, value);
            }
            (Some(before), Some(last)) => {
                let difference = histograms::step(before, last, is_rate, by_start, &mut remarks);
                if let Some(mut difference) = difference {
                    if is_rate {
                        difference.div(seconds);
                    }
                    out.set_histogram(window.tick, Arc::new(difference));
                }
            }
            _ => remarks.add(Note::MixedSamples),
        }
    }
    windows.notes.add_all(&remarks);
}

/// A line through samples.
struct Line {
    slope: f64,
    intercept: f64,
}

/// The least-squares line through at least two samples; the intercept is its value at `origin`.
fn regression(window: &Window<'_>, origin: i64) -> Option<Line> {
    if window.count() < 2 {
        return None;
    }
    let initial = window.values()[0];
    if window.values().iter().all(|&value| value == initial) {
        let line = |slope, intercept| Some(Line { slope, intercept });
        return if initial.is_infinite() {
            line(f64::NAN, f64::NAN)
        } else {
            line(0.0, initial)
        };
    }
    let [mut sum_x, mut sum_y, mut sum_xy, mut sum_xx] = [KahanSum::default(); 4];
    for (time, value) in window.samples() {
        let x = (time - origin) as f64 / 1e3;
        sum_x.add(x);
        sum_y.add(value);
        sum_xy.add(x * value);
        sum_xx.add(x * x);
    }
    let count = window.count() as f64;
    let [sum_x, sum_y, sum_xy, sum_xx] =
        [sum_x, sum_y, sum_xy, sum_xx].map(|sum| sum.sum + sum.lost);
    let covariance = sum_xy - sum_x * sum_y / count;
    let variance = sum_xx - sum_x * sum_x / count;
    let slope = covariance / variance;
    Some(Line {
        slope,
        intercept: sum_y / count - slope * sum_x / count,
    })
}

fn predict_linear(windows: &Windows<'_>, out: &mut Column) {
    windows.fill(out, |window| {
        let line = regression(window, windows.ticks.time(window.tick))?;
        Some(line.slope * windows.param(0, window.tick) + line.intercept)
    });
}

/// Holt's linear method, as Prometheus's `funcDoubleExponentialSmoothing`.
fn smoothed(window: &Window<'_>, smoothing: f64, trend_factor: f64) -> Option<f64> {
    let [first, second, ..] = window.values() else {
        return None;
    };
    let (mut before, mut level, mut trend) = (0.0, *first, second - first);
    for (index, value) in window.values().iter().enumerate().skip(1) {
        let scaled = smoothing * value;
        if index > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let carried = (1.0 - smoothing) * (level + trend);
        (before, level) = (level, scaled + carried);
    }
    Some(level)
}

fn valid_factors(scalars: &[f64]) -> Result<(), String> {
    for (factor, name, short) in [(scalars[0], "smoothing", "sf"), (scalars[1], "trend", "tf")] {
        if factor <= 0.0 || factor >= 1.0 {
            return Err(format!(
                "invalid {name} factor. Expected: 0 < {short} < 1, got: {}",
                fixed(factor)
            ));
        }
    }
    Ok(())
}

/// Go's `%f`.
fn fixed(value: f64) -> String {
    match number::non_finite(value) {
        Some(text) => text.to_owned(),
        None => format!("{value:.6}"),
    }
}

/// Counts the pairs of neighbours in each window that pass, from a running count over the series.
fn count_steps(windows: &Windows<'_>, out: &mut Column, passes: fn(&Windows<'_>, usize) -> bool) {
    let mut running = Vec::with_capacity(windows.points.len());
    let mut count = 0u32;
    for index in 0..windows.points.len() {
        count += u32::from(index > 0 && passes(windows, index));
        running.push(count);
    }
    windows.fill(out, |window| {
        let first = match windows.extension {
            Some(_) => anchor(windows, window)?,
            None => window.first,
        };
        Some(f64::from(running[window.past - 1] - running[first]))
    });
}

/// The newest sample at or before the start of an anchored window, if there is one; `None` where none lies within it.
fn anchor(windows: &Windows<'_>, window: &Window<'_>) -> Option<usize> {
    let start = windows.end(window.tick).saturating_sub(windows.range);
    let within = (window.first..window.past).find(|&index| windows.points.time(index) > start)?;
    Some(within.saturating_sub(1).max(window.first))
}

/// Whether the sample at `index` differs from the one before.
fn changed(windows: &Windows<'_>, index: usize) -> bool {
    let points = windows.points;
    match (points.histogram(index - 1), points.histogram(index)) {
        (None, None) => {
            let (before, value) = (points.values()[index - 1], points.values()[index]);
            value != before && !(value.is_nan() && before.is_nan())
        }
        (Some(before), Some(histogram)) => !histogram.equals(before),
        _ => true,
    }
}

/// Whether a counter was reset before the sample at `index`.
fn was_reset(windows: &Windows<'_>, index: usize) -> bool {
    let points = windows.points;
    match (points.histogram(index - 1), points.histogram(index)) {
        (None, None) => {
            points.values()[index] < points.values()[index - 1] || is_reset_by_start(windows, index)
        }
        (Some(before), Some(histogram)) => {
            is_reset_by_start(windows, index) || histogram.detect_reset(before)
        }
        _ => true,
    }
}
