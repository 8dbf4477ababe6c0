//! Functions that aggregate the samples of a window.

use super::sliding::{self, Sum};
use super::{Body, Function, Samples};
use crate::model::Histogram;
use crate::promql::annotation::{Note, Remarks};
use crate::promql::ast::ValueType::{Matrix, Scalar};
use crate::promql::column::{Column, Sample};
use crate::promql::histograms::{self, Seen};
use crate::promql::numeric::{KahanSum, Mean, quantile};
use crate::promql::window::{Window, Windows};

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    Function::of_windows(
        "sum_over_time",
        Samples::Any,
        |windows, out| {
            if !windows.points.has_histograms() {
                return sliding::fill::<Sum>(windows, out);
            }
            windows.fill_by_contents(
                out,
                |window| Some(sliding::of::<Sum>(window.values())),
                |window, remarks| {
                    let mut seen = Seen::default();
                    let sum = histograms::sum(window.histograms(), &mut seen);
                    remarked(sum, &seen, remarks)
                },
            );
        },
        "Sum of the samples.",
    ),
    Function::of_windows(
        "avg_over_time",
        Samples::Any,
        |windows, out| {
            if !windows.points.has_histograms() {
                return sliding::fill::<Mean>(windows, out);
            }
            windows.fill_by_contents(
                out,
                |window| Some(sliding::of::<Mean>(window.values())),
                |window, remarks| {
                    let mut seen = Seen::default();
                    let mean = histograms::mean(window.histograms(), &mut seen);
                    remarked(mean, &seen, remarks)
                },
            );
        },
        "Mean of the samples.",
    ),
    Function::of_windows(
        "min_over_time",
        Samples::Floats,
        |windows, out| extreme(windows, out, less),
        "The least sample.",
    ),
    Function::of_windows(
        "max_over_time",
        Samples::Floats,
        |windows, out| extreme(windows, out, greater),
        "The greatest sample.",
    ),
    of_floats(
        "stddev_over_time",
        |window| variance(window).sqrt(),
        "Population standard deviation of the samples.",
    ),
    of_floats(
        "stdvar_over_time",
        variance,
        "Population variance of the samples.",
    ),
    of_floats(
        "mad_over_time",
        median_deviation,
        "Median absolute deviation of the samples.",
    )
    .experimental(),
    Function::new(
        "quantile_over_time",
        Body::Window {
            params: &[Scalar, Matrix],
            samples: Samples::Floats,
            kernel: quantiles,
            validate: None,
        },
        "The quantile φ of the samples, interpolated.",
    )
    .of_quantiles(0..1),
    Function::of_windows(
        "count_over_time",
        Samples::Any,
        |windows, out| windows.fill(out, |window| Some(window.count() as f64)),
        "How many samples there are.",
    ),
    Function::of_windows(
        "present_over_time",
        Samples::Any,
        |windows, out| windows.fill(out, |_| Some(1.0)),
        "1 where there is a sample.",
    ),
    Function::of_windows(
        "last_over_time",
        Samples::Any,
        |windows, out| pick(windows, out, |window| window.past - 1),
        "The last sample.",
    )
    .keeping_name(),
    Function::of_windows(
        "first_over_time",
        Samples::Any,
        |windows, out| pick(windows, out, |window| window.first),
        "The first sample.",
    )
    .keeping_name(),
    Function::of_windows(
        "ts_of_first_over_time",
        Samples::Any,
        |windows, out| windows.fill(out, |window| Some(window.first_time() as f64 / 1000.0)),
        "Time of the first sample in seconds.",
    )
    .experimental(),
    Function::of_windows(
        "ts_of_last_over_time",
        Samples::Any,
        |windows, out| windows.fill(out, |window| Some(window.last_time() as f64 / 1000.0)),
        "Time of the last sample in seconds.",
    )
    .experimental(),
    of_floats(
        "ts_of_min_over_time",
        |window| time_of(window, |value, best| value <= best),
        "Time of the least sample in seconds, the last of equals.",
    )
    .experimental(),
    of_floats(
        "ts_of_max_over_time",
        |window| time_of(window, |value, best| value >= best),
        "Time of the greatest sample in seconds, the last of equals.",
    )
    .experimental(),
];

const fn of_floats(
    name: &'static str,
    body: fn(&Window<'_>) -> f64,
    doc: &'static str,
) -> Function {
    Function::new(name, Body::EachWindow(body), doc)
}

/// A sum or mean of histograms, with what there is to say of it. Where kinds of buckets mix nothing else is.
fn remarked(
    result: Result<Histogram, usize>,
    seen: &Seen,
    remarks: &mut Remarks,
) -> Option<Histogram> {
    match result {
        Ok(histogram) => {
            seen.remark_bounds(remarks);
            seen.remark_resets(remarks);
            Some(histogram)
        }
        Err(_) => {
            remarks.add(Note::MixedBuckets);
            None
        }
    }
}

fn quantiles(windows: &Windows<'_>, out: &mut Column) {
    let mut noted = None;
    for window in windows.iter() {
        let q = windows.param(0, window.tick);
        if !(0.0..=1.0).contains(&q) && noted.replace(q.to_bits()) != Some(q.to_bits()) {
            windows.notes.add(Note::InvalidQuantile(q));
        }
        out.set(window.tick, quantile(q, &mut window.values().to_vec()));
    }
}

/// Whether a value replaces the least so far.
fn less(value: f64, best: f64) -> bool {
    value < best || best.is_nan()
}

/// Whether a value replaces the greatest so far.
fn greater(value: f64, best: f64) -> bool {
    value > best || best.is_nan()
}

/// The least or greatest of each window, in constant time a sample: a queue of the candidates, each
/// better than all behind it.
fn extreme(windows: &Windows<'_>, out: &mut Column, better: fn(f64, f64) -> bool) {
    let values = windows.points.values();
    let mut queue: std::collections::VecDeque<usize> = std::collections::VecDeque::new();
    let (mut from, mut next) = (0, 0);
    for window in windows.iter() {
        if window.first < from || window.past < next {
            queue.clear();
            next = window.first;
        }
        from = window.first;
        next = next.max(window.first);
        while next < window.past {
            let value = values[next];
            // An equal earlier value stays: the first of equals decides between 0 and -0.
            while queue
                .back()
                .is_some_and(|&last| better(value, values[last]))
            {
                queue.pop_back();
            }
            if queue.is_empty() || !value.is_nan() {
                queue.push_back(next);
            }
            next += 1;
        }
        while queue.front().is_some_and(|&index| index < window.first) {
            queue.pop_front();
        }
        // Where nothing is left, all are NaN, and the last of them stands.
        let best = queue.front().map_or(window.past - 1, |&index| index);
        let best = values[best];
        out.set(window.tick, best);
    }
}

/// Welford's population variance with compensated sums.
fn variance(window: &Window<'_>) -> f64 {
    let (mut average, mut squares) = (KahanSum::default(), KahanSum::default());
    let mut count = 0.0;
    for &value in window.values() {
        count += 1.0;
        let delta = value - (average.sum + average.lost);
        average.add(delta / count);
        squares.add(delta * (value - (average.sum + average.lost)));
    }
    (squares.sum + squares.lost) / count
}

fn median_deviation(window: &Window<'_>) -> f64 {
    let mut values = window.values().to_vec();
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let median = quantile(0.5, &mut values);
    for value in &mut values {
        *value = (*value - median).abs();
    }
    quantile(0.5, &mut values)
}

fn pick(windows: &Windows<'_>, out: &mut Column, index: fn(&Window<'_>) -> usize) {
    for window in windows.iter() {
        let index = index(&window);
        match windows.points.histogram(index) {
            Some(histogram) => out.put(window.tick, Sample::Histogram(histogram)),
            None => out.set(window.tick, windows.points.values()[index]),
        }
    }
}

fn time_of(window: &Window<'_>, better: fn(f64, f64) -> bool) -> f64 {
    let (mut best, mut time) = (window.values()[0], window.first_time());
    for (stamp, value) in window.samples() {
        if better(value, best) || best.is_nan() {
            (best, time) = (value, stamp);
        }
    }
    time as f64 / 1000.0
}
