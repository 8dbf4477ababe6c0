//! Slices of time in place of events.

use super::counts::{Counts, Grid};
use crate::model::Millis;
use crate::slo::objective::{EmptySlice, Method};

/// What an objective counts: events as they are, or slices of time, of which each is one.
pub(super) fn counted(counts: Counts, method: Method) -> Counts {
    match method {
        Method::Occurrences => counts,
        Method::TimeSlices {
            slice,
            target,
            empty,
        } => {
            let target = target.fraction();
            sliced(&counts, slice, empty, |bad, total| {
                f64::from(1.0 - bad / total < target)
            })
        }
        Method::RatioTimeSlices { slice, empty } => {
            sliced(&counts, slice, empty, |bad, total| bad / total)
        }
    }
}

/// Whole slices of time that lie in the history, if only in part at its beginning; the last one counts when it is over.
fn sliced(
    counts: &Counts,
    slice: Millis,
    empty: EmptySlice,
    badness: impl Fn(f64, f64) -> f64,
) -> Counts {
    let slice = slice.max(1);
    let start = counts.from.div_euclid(slice) * slice;
    let count = counts.to.saturating_sub(start).div_euclid(slice);
    let grid = Grid {
        start,
        step: slice,
        count: usize::try_from(count).unwrap_or(0),
    };
    let (mut bad, mut total) = (vec![0.0], vec![0.0]);
    bad.reserve(grid.count);
    total.reserve(grid.count);
    for number in 0..grid.count {
        let (some, all) = counts.between(grid.time(number), grid.time(number + 1));
        let (badness, weight) = match (all > 0.0, empty) {
            (true, _) => (badness(some, all).clamp(0.0, 1.0), 1.0),
            (false, EmptySlice::Good) => (0.0, 1.0),
            (false, EmptySlice::Bad) => (1.0, 1.0),
            (false, EmptySlice::Skipped) => (0.0, 0.0),
        };
        bad.push(badness);
        total.push(weight);
    }
    Counts::of_events(grid, (start, grid.time(grid.count)), bad, total)
}
