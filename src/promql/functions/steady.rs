//! `rate` and its like where windows slide in step with the samples: what depends on times alone is the same for all of
//! them, and what is left is arithmetic on two slices of values.

use super::rates::{Kind, whole_seconds};
use crate::promql::column::Column;
use crate::promql::window::{Steady, Windows};

/// Ticks that are looked at together.
const CHUNK: usize = 64;

/// What the windows of a run of ticks have in common.
struct Common {
    kind: Kind,
    /// From the first sample to the last, in seconds.
    sampled: f64,
    /// From the start of the window, as far as it counts, to the first sample.
    to_start: f64,
    /// From the last sample to the end of the window, as far as it counts.
    to_end: f64,
    /// Seconds of the window.
    range: f64,
}

/// Fills the ticks of a run. The values must not fall in it, nor may it be known when they started.
pub(super) fn fill(windows: &Windows<'_>, run: &Steady, kind: Kind, out: &mut Column) {
    let common = Common::of(windows, run, kind);
    let values = windows.points.values();
    let ticks = run.ticks.len();
    let firsts = values.get(run.first..).unwrap_or_default();
    let lasts = values.get(run.first + run.count - 1..).unwrap_or_default();
    let (out, present) = out.parts_mut();
    let out = out.get_mut(run.ticks.clone()).unwrap_or_default();
    match run.stride {
        1 => {
            let chunks = firsts.chunks(CHUNK).zip(lasts.chunks(CHUNK));
            for (out, (firsts, lasts)) in out.chunks_mut(CHUNK).zip(chunks) {
                common.fill(firsts, lasts, out);
            }
        }
        stride => {
            let (mut some_firsts, mut some_lasts) = ([0.0; CHUNK], [0.0; CHUNK]);
            for (index, out) in out.chunks_mut(CHUNK).enumerate() {
                let from = index * CHUNK * stride;
                let gather = |values: &[f64], into: &mut [f64; CHUNK]| {
                    let values = values.get(from..).unwrap_or_default();
                    for (into, value) in into.iter_mut().zip(values.iter().step_by(stride)) {
                        *into = *value;
                    }
                };
                gather(firsts, &mut some_firsts);
                gather(lasts, &mut some_lasts);
                common.fill(&some_firsts, &some_lasts, out);
            }
        }
    }
    let (from, past) = (run.ticks.start, run.ticks.start + ticks);
    for tick in from..past {
        present[tick / 64] |= 1 << (tick % 64);
    }
}

impl Common {
    fn of(windows: &Windows<'_>, run: &Steady, kind: Kind) -> Common {
        let seconds = |millis: i64| millis as f64 / 1000.0;
        let points = windows.points;
        let end = windows.end(run.ticks.start);
        let (first, last) = (
            points.time(run.first),
            points.time(run.first + run.count - 1),
        );
        let sampled = seconds(last - first);
        let distance = sampled / (run.count - 1) as f64;
        let near = |gap: f64| {
            if gap >= distance * 1.1 {
                distance / 2.0
            } else {
                gap
            }
        };
        Common {
            kind,
            sampled,
            to_start: near(seconds(first - (end - windows.range))),
            to_end: near(seconds(end - last)),
            range: whole_seconds(windows.range),
        }
    }

    /// By how much a difference is stretched whose first sample is so far from the start.
    fn factor(&self, to_start: f64) -> f64 {
        let factor = (self.sampled + to_start + self.to_end) / self.sampled;
        match self.kind {
            Kind::Rate => factor / self.range,
            Kind::Increase | Kind::Delta => factor,
        }
    }

    /// Computes some ticks as if no counter began near its window, and those again where one may have.
    fn fill(&self, firsts: &[f64], lasts: &[f64], out: &mut [f64]) {
        let factor = self.factor(self.to_start);
        let mut is_far = true;
        for ((out, first), last) in out.iter_mut().zip(firsts).zip(lasts) {
            let increase = last - first;
            *out = increase * factor;
            is_far &= self.is_far_from_zero(*first, increase);
        }
        if is_far || self.kind == Kind::Delta {
            return;
        }
        for ((out, first), last) in out.iter_mut().zip(firsts).zip(lasts) {
            let increase = last - first;
            if increase > 0.0 && *first >= 0.0 {
                let to_zero = self.sampled * (first / increase);
                if to_zero < self.to_start {
                    *out = increase * self.factor(to_zero);
                }
            }
        }
    }

    /// Whether a counter was zero so long before its first sample that no rounding matters: then nothing needs to be
    /// divided to know that it was not within the window.
    #[inline(always)]
    fn is_far_from_zero(&self, first: f64, increase: f64) -> bool {
        let (reached, needed) = (first * self.sampled, increase * self.to_start);
        (reached > needed * 1.000_001) & (reached > 1e-200)
    }
}
