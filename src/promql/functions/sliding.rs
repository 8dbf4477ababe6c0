//! Sums of windows that slide in step with the samples. Each is added up from its own first sample on, as Prometheus does:
//! what is taken out of a running sum leaves another last bit. But some windows are added up beside each other, so that
//! none waits for the addition before.

use std::ops::Range;

use crate::promql::column::Column;
use crate::promql::numeric::KahanSum;
use crate::promql::window::Windows;

/// So many windows are added up beside each other.
const LANES: usize = 8;

/// Fills the ticks of the steady run, where there is one, and says which these are. `result` makes a value of a sum and a count,
/// `alone` of the values of a window where the sum is no finite number.
pub(super) fn fill(
    windows: &Windows<'_>,
    out: &mut Column,
    result: impl Fn(KahanSum, f64) -> f64,
    alone: impl Fn(&[f64]) -> f64,
) -> Range<usize> {
    let run = windows.steady.filter(|_| !windows.points.has_histograms());
    let Some(run) = run else {
        return 0..0;
    };
    let values = windows.points.values();
    let window = |index: usize| {
        let first = run.first + index * run.stride;
        values.get(first..first + run.count).unwrap_or_default()
    };
    for from in (0..run.ticks.len()).step_by(LANES) {
        if windows.should_stop(run.count) {
            break;
        }
        let lanes = LANES.min(run.ticks.len() - from);
        let sums = match lanes == LANES {
            true => side_by_side(values, run.first + from * run.stride, run.stride, run.count),
            false => [KahanSum::default(); LANES],
        };
        for (lane, &sum) in sums.iter().enumerate().take(lanes) {
            let value = match lanes == LANES && sum.sum.is_finite() {
                true => result(sum, run.count as f64),
                false => alone(window(from + lane)),
            };
            out.set(run.ticks.start + from + lane, value);
        }
    }
    run.ticks.clone()
}

/// The sums of windows of which each begins `stride` samples after the one before; they mean nothing where they are not
/// finite.
fn side_by_side(values: &[f64], first: usize, stride: usize, count: usize) -> [KahanSum; LANES] {
    let (mut sums, mut lost) = ([0.0; LANES], [0.0; LANES]);
    if stride == 1 {
        let values = values.get(first..first + count + LANES - 1);
        for values in values.unwrap_or_default().windows(LANES) {
            let mut next = [0.0; LANES];
            next.copy_from_slice(values);
            add(&mut sums, &mut lost, &next);
        }
    } else {
        let starts = std::array::from_fn(|lane| values.get(first + lane * stride..));
        let windows: [&[f64]; LANES] = starts.map(Option::unwrap_or_default);
        for index in 0..count {
            let next = windows.map(|window| window.get(index).copied().unwrap_or_default());
            add(&mut sums, &mut lost, &next);
        }
    }
    std::array::from_fn(|lane| KahanSum {
        sum: sums[lane],
        lost: lost[lane],
    })
}

/// [`KahanSum::add`] to each sum, as long as it does not overflow.
#[inline(always)]
fn add(sums: &mut [f64; LANES], lost: &mut [f64; LANES], values: &[f64; LANES]) {
    for lane in 0..LANES {
        let (sum, value) = (sums[lane], values[lane]);
        let total = sum + value;
        let is_larger = sum.abs() >= value.abs();
        let larger = if is_larger { sum } else { value };
        let smaller = if is_larger { value } else { sum };
        lost[lane] += (larger - total) + smaller;
        sums[lane] = total;
    }
}
