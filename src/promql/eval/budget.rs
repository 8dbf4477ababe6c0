//! How many samples a query holds at once, and its end where they are too many.
//!
//! Counted as Prometheus does: the samples of what has been evaluated and is still needed, the window that a range
//! function looks at, a native histogram for as many as fit its size. Not sample by sample, though, but series by series,
//! and where ticks that are queries of their own are evaluated together, by no less than any of them holds.

use std::cell::Cell;

use super::Evaluator;
use super::frame::{Frame, QueryTime};
use crate::model::Histogram;
use crate::promql::column::{Column, ColumnSeries, Sample, Ticks};
use crate::store::Points;

/// What Prometheus says of a query that holds more samples than it may.
pub const TOO_MANY: &str =
    "query processing would load too many samples into memory in query execution";

/// More steps than this are not evaluated at once, whatever there is at them: each takes some bytes.
const MAX_STEPS: usize = 8_000_000;

/// What is said of a subquery of more steps than that: 92 days at one a second. Prometheus has no such limit.
pub const TOO_MANY_STEPS: &str = "the subquery takes more than 8000000 steps";

/// What a native histogram takes at most, but for very few. Only near the limit it matters.
const HISTOGRAM: usize = 512;

/// The samples of a query.
pub(super) struct Budget {
    limit: usize,
    held: Cell<usize>,
    is_spent: Cell<bool>,
    /// Whether several queries, one a tick, are evaluated together.
    is_shared: Cell<bool>,
}

impl Budget {
    pub fn new(limit: usize) -> Budget {
        Budget {
            limit,
            held: Cell::new(0),
            is_spent: Cell::new(false),
            is_shared: Cell::new(false),
        }
    }

    /// Begins with the queries of some ticks.
    pub fn begin(&self, ticks: Ticks, query: QueryTime) {
        self.held.set(0);
        self.is_spent.set(false);
        self.is_shared
            .set(query == QueryTime::Same && ticks.count > 1);
    }

    /// How many samples are held.
    pub fn held(&self) -> usize {
        self.held.get()
    }

    /// Lets go of all but so many.
    pub fn release_to(&self, held: usize) {
        self.held.set(held);
    }
}

impl Evaluator<'_> {
    /// Whether the query has ended, for too many samples or since somebody stopped it: what else it yields means nothing.
    pub(super) fn is_over(&self) -> bool {
        self.budget.is_spent.get() || self.view.is_stopped()
    }

    /// Whether an expression may be evaluated at the times of a frame at all; it belongs to a query at the times of
    /// `outer`.
    pub(super) fn may_begin(&self, frame: &Frame, outer: &Frame) -> bool {
        let held = self.budget.held.get().saturating_add(frame.share);
        let may_be_long = frame.query == QueryTime::Same || frame.count() <= MAX_STEPS;
        match held <= self.budget.limit {
            false => self.overdrawn(outer),
            true => may_be_long || self.ended(outer, TOO_MANY_STEPS),
        }
    }

    /// Holds some more samples, if there is room for them.
    pub(super) fn hold(&self, samples: usize, frame: &Frame) -> bool {
        let held = self.budget.held.get().saturating_add(samples);
        self.budget.held.set(held);
        held <= self.budget.limit || self.overdrawn(frame)
    }

    /// Whether there is room for the largest window of a series.
    pub(super) fn has_room_for(
        &self,
        points: &Points,
        bounds: &[(u32, u32)],
        frame: &Frame,
    ) -> bool {
        let room = self.budget.limit.saturating_sub(self.budget.held.get());
        let most = match points.has_histograms() {
            true => HISTOGRAM,
            false => 1,
        };
        points.len().saturating_mul(most) <= room
            || largest_window(points, bounds) <= room
            || self.overdrawn(frame)
    }

    /// Ends the query; always false. Of several queries each is evaluated anew by itself: what all of them hold together
    /// says nothing of one.
    fn overdrawn(&self, frame: &Frame) -> bool {
        self.ended(frame, TOO_MANY)
    }

    /// Ends the query with a reason; always false.
    fn ended(&self, frame: &Frame, reason: &str) -> bool {
        self.budget.is_spent.set(true);
        if self.budget.is_shared.get() {
            self.must_part_ticks.set(true);
        }
        frame.fail_all(reason);
        false
    }
}

impl Frame {
    /// How many samples of a column one query holds at most.
    pub(super) fn samples_of(&self, column: &Column) -> usize {
        if !column.has_histograms() {
            return match self.share {
                1 => 1,
                share => column.count_present().min(share),
            };
        }
        let sizes = column
            .present_ticks()
            .filter_map(|tick| Some(size(column.get(tick)?)));
        let (sum, largest) = sizes.fold((0, 0), |(sum, largest): (usize, usize), size| {
            (sum + size, largest.max(size))
        });
        sum.min(largest.saturating_mul(self.share))
    }

    /// The same for all columns of a vector.
    pub(super) fn samples_of_all(&self, series: &[ColumnSeries]) -> usize {
        series
            .iter()
            .map(|series| self.samples_of(&series.column))
            .sum()
    }
}

/// For how many samples a sample counts.
fn size(sample: Sample<'_>) -> usize {
    match sample {
        Sample::Float(_) => 1,
        Sample::Histogram(histogram) => size_of_histogram(histogram),
    }
}

/// A histogram and its stamp, by 16 bytes.
fn size_of_histogram(histogram: &Histogram) -> usize {
    (histogram.size() + 8) / 16
}

/// The samples of the largest of some windows.
fn largest_window(points: &Points, bounds: &[(u32, u32)]) -> usize {
    // The samples before each index.
    let mut before = Vec::new();
    if points.has_histograms() {
        before.push(0);
        for index in 0..points.len() {
            let size = points
                .histogram(index)
                .map_or(1, |histogram| size_of_histogram(histogram));
            before.push(before[index] + size);
        }
    }
    let count = |index: u32| {
        before
            .get(index as usize)
            .copied()
            .unwrap_or(index as usize)
    };
    bounds
        .iter()
        .map(|&(first, past)| count(past).saturating_sub(count(first)))
        .max()
        .unwrap_or(0)
}
