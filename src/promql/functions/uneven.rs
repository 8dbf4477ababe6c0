//! `rate` and its like of floats whose windows hold now these, now those samples: what each window begins and ends with is
//! gathered first, and the arithmetic done for many windows together, in loops that need no jump.

use std::ops::Range;

use super::rates::{Kind, advance, whole_seconds};
use crate::model::Timestamp;
use crate::promql::column::Column;
use crate::promql::window::Windows;

/// Windows that are computed together: enough to keep the arithmetic busy, and few, as a chunk that is not full costs as
/// much as one that is.
const CHUNK: usize = 16;

/// What is known of some windows, one each place.
struct Chunk {
    /// How many there are so far.
    count: usize,
    ticks: [usize; CHUNK],
    /// The first sample.
    first: [f64; CHUNK],
    /// From the first sample to the last, resets added.
    increase: [f64; CHUNK],
    /// Milliseconds from the start of the window to the first sample.
    to_start: [f64; CHUNK],
    /// Milliseconds from the last sample to the end of the window.
    to_end: [f64; CHUNK],
    /// Milliseconds from the first sample to the last.
    sampled: [f64; CHUNK],
    /// Samples behind the first.
    steps: [f64; CHUNK],
}

/// Fills all ticks but some. The samples must be floats whose counters began nobody knows when, `resets` the places of those
/// before which the counter was reset.
pub(super) fn fill(
    windows: &Windows<'_>,
    resets: &[usize],
    but: Range<usize>,
    kind: Kind,
    out: &mut Column,
) {
    match windows.points.grid() {
        Some((start, step)) => {
            let time = |index: usize| start + index as i64 * step;
            fill_at(windows, time, resets, but, kind, out);
        }
        None => {
            let times = windows.points.listed_times();
            fill_at(windows, |index: usize| times[index], resets, but, kind, out);
        }
    }
}

fn fill_at(
    windows: &Windows<'_>,
    time: impl Fn(usize) -> Timestamp,
    resets: &[usize],
    but: Range<usize>,
    kind: Kind,
    out: &mut Column,
) {
    let values = windows.points.values();
    let mut chunk = Chunk {
        count: 0,
        ticks: [0; CHUNK],
        first: [0.0; CHUNK],
        increase: [0.0; CHUNK],
        to_start: [0.0; CHUNK],
        to_end: [0.0; CHUNK],
        sampled: [0.0; CHUNK],
        steps: [1.0; CHUNK],
    };
    let (mut low, mut high) = (0, 0);
    for tick in (0..but.start).chain(but.end..windows.bounds.len()) {
        let (first, past) = windows.bounds[tick];
        let (first, past) = (first as usize, past as usize);
        if past < first + 2 {
            continue;
        }
        let mut increase = values[past - 1] - values[first];
        if !resets.is_empty() {
            low = advance(resets, low, first + 1);
            high = advance(resets, high.max(low), past);
            for &index in &resets[low..high] {
                increase += values[index - 1];
            }
        }
        let end = windows.end(tick);
        let (first_time, last_time) = (time(first), time(past - 1));
        let place = chunk.count;
        chunk.ticks[place] = tick;
        chunk.first[place] = values[first];
        chunk.increase[place] = increase;
        chunk.to_start[place] = (first_time - (end - windows.range)) as f64;
        chunk.to_end[place] = (end - last_time) as f64;
        chunk.sampled[place] = (last_time - first_time) as f64;
        chunk.steps[place] = (past - first - 1) as f64;
        chunk.count += 1;
        if chunk.count == CHUNK {
            chunk.write(kind, windows, out);
        }
    }
    chunk.write(kind, windows, out);
}

impl Chunk {
    /// Computes what there is, and is empty again.
    fn write(&mut self, kind: Kind, windows: &Windows<'_>, out: &mut Column) {
        let stretched = match kind {
            Kind::Delta => self.stretched::<false>(),
            Kind::Rate | Kind::Increase => self.stretched::<true>(),
        };
        let per = match kind {
            Kind::Rate => whole_seconds(windows.range),
            Kind::Increase | Kind::Delta => 1.0,
        };
        let written = self.ticks.iter().zip(&self.increase).zip(&stretched);
        for ((&tick, increase), stretch) in written.take(self.count) {
            out.set(tick, increase * (stretch / per));
        }
        self.count = 0;
    }

    /// By how much each increase is stretched, as `stretch` says of one window.
    fn stretched<const COUNTER: bool>(&self) -> [f64; CHUNK] {
        let mut out = [0.0; CHUNK];
        for (place, out) in out.iter_mut().enumerate() {
            let (first, increase) = (self.first[place], self.increase[place]);
            let sampled = self.sampled[place] / 1000.0;
            let distance = sampled / self.steps[place];
            let near = distance * 1.1;
            let half = distance / 2.0;
            let to_start = self.to_start[place] / 1000.0;
            let to_start = if to_start >= near { half } else { to_start };
            let to_start = if COUNTER {
                let to_zero = sampled * (first / increase);
                let begins = (increase > 0.0) & (first >= 0.0) & (to_zero < to_start);
                if begins { to_zero } else { to_start }
            } else {
                to_start
            };
            let to_end = self.to_end[place] / 1000.0;
            let to_end = if to_end >= near { half } else { to_end };
            *out = (sampled + to_start + to_end) / sampled;
        }
        out
    }
}
