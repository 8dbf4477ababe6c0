//! Sums of windows. Each is added up from its own first sample on, as Prometheus does: what is taken out of a running sum leaves
//! another last bit. But a window that only grows goes on where the one before it ended, and of windows that slide in step
//! with the samples some are added up beside each other, so that none waits for the addition before.

use std::ops::Range;

use crate::promql::column::Column;
use crate::promql::numeric::{KahanSum, Mean};
use crate::promql::window::Windows;

/// So many windows are added up beside each other.
const LANES: usize = 8;

/// What is made of numbers one after the other.
pub(super) trait Running: Default {
    /// Takes one more.
    fn add(&mut self, value: f64);

    /// What is made of those so far.
    fn result(&self) -> f64;

    /// What is made of so many whose sum is a finite number.
    fn of_sum(sum: KahanSum, count: f64) -> f64;
}

/// A sum.
#[derive(Default)]
pub(super) struct Sum(KahanSum);

impl Running for Sum {
    fn add(&mut self, value: f64) {
        self.0.add(value);
    }

    fn result(&self) -> f64 {
        match self.0.sum.is_infinite() {
            true => self.0.sum,
            false => self.0.sum + self.0.lost,
        }
    }

    fn of_sum(sum: KahanSum, _: f64) -> f64 {
        sum.sum + sum.lost
    }
}

impl Running for Mean {
    fn add(&mut self, value: f64) {
        Mean::add(self, value);
    }

    fn result(&self) -> f64 {
        Mean::result(self)
    }

    fn of_sum(sum: KahanSum, count: f64) -> f64 {
        sum.sum / count + sum.lost / count
    }
}

/// What is made of some numbers.
pub(super) fn of<R: Running>(values: &[f64]) -> f64 {
    let mut running = R::default();
    values.iter().for_each(|&value| running.add(value));
    running.result()
}

/// Fills all windows of a series of floats.
pub(super) fn fill<R: Running>(windows: &Windows<'_>, out: &mut Column) {
    let values = windows.points.values();
    let steady = fill_steady::<R>(windows, out);
    let mut running = R::default();
    let mut before = (0, 0);
    for tick in (0..steady.start).chain(steady.end..windows.bounds.len()) {
        let (first, past) = windows.bounds[tick];
        if first == past {
            continue;
        }
        let from = match first == before.0 && past >= before.1 {
            true => before.1,
            false => {
                running = R::default();
                first
            }
        };
        let more = values.get(from as usize..past as usize);
        let more = more.unwrap_or_default();
        if windows.should_stop(more.len()) {
            return;
        }
        more.iter().for_each(|&value| running.add(value));
        before = (first, past);
        out.set(tick, running.result());
    }
}

/// Fills the ticks of the steady run, where there is one, and says which these are.
fn fill_steady<R: Running>(windows: &Windows<'_>, out: &mut Column) -> Range<usize> {
    let Some(run) = windows.steady else {
        return 0..0;
    };
    let values = windows.points.values();
    let window = |index: usize| {
        let first = run.first + index * run.stride;
        values.get(first..first + run.count).unwrap_or_default()
    };
    let out = out.floats_mut(run.ticks.clone());
    for (part, out) in out.chunks_mut(LANES).enumerate() {
        if windows.should_stop(run.count) {
            break;
        }
        let from = part * LANES;
        let lanes = out.len();
        let sums = match lanes == LANES {
            true => side_by_side(values, run.first + from * run.stride, run.stride, run.count),
            false => [KahanSum::default(); LANES],
        };
        for (lane, (out, &sum)) in out.iter_mut().zip(&sums).enumerate() {
            *out = match lanes == LANES && sum.sum.is_finite() && sum.lost.is_finite() {
                true => R::of_sum(sum, run.count as f64),
                false => of::<R>(window(from + lane)),
            };
        }
    }
    run.ticks.clone()
}

/// The sums of windows of which each begins `stride` samples after the one before; they mean nothing where they, or what they
/// lost, are not finite.
fn side_by_side(values: &[f64], first: usize, stride: usize, count: usize) -> [KahanSum; LANES] {
    let (mut sums, mut lost) = ([0.0; LANES], [0.0; LANES]);
    if stride == 1 {
        let values = values.get(first..first + count + LANES - 1);
        let nexts = values.unwrap_or_default().windows(LANES);
        for next in nexts.filter_map(<[f64]>::first_chunk) {
            add(&mut sums, &mut lost, next);
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

/// [`KahanSum::add`] to each sum, as long as nothing overflows: what rounding loses is a number, and Knuth's `TwoSum` finds the
/// same one without asking which of the two is larger.
#[inline(always)]
fn add(sums: &mut [f64; LANES], lost: &mut [f64; LANES], values: &[f64; LANES]) {
    for lane in 0..LANES {
        let (sum, value) = (sums[lane], values[lane]);
        let total = sum + value;
        let added = total - sum;
        lost[lane] += (sum - (total - added)) + (value - added);
        sums[lane] = total;
    }
}
