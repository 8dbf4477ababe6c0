//! What is known of when counters started.

use super::rates::Kind;
use crate::model::Timestamp;
use crate::promql::window::{Window, Windows};

/// Whether the start of a sample tells that its counter was reset since the sample before. A start of 0 is none.
pub(crate) fn is_start_reset(
    before: (Timestamp, Timestamp),
    current: (Timestamp, Timestamp),
) -> bool {
    let ((before_start, before), (start, time)) = (before, current);
    if start == 0 || start >= time || start < before {
        return false;
    }
    // A start at the sample before is that of a delta, or of a counter whose start is not known.
    start > before || (before_start <= before && before_start != 0 && before_start != before)
}

/// Whether the starts of two neighbours tell of a reset.
pub(super) fn is_reset_by_start(windows: &Windows<'_>, index: usize) -> bool {
    let points = windows.points;
    let at = |index: usize| Some((windows.starts.get(index).copied()?, points.time(index)));
    match (at(index - 1), at(index)) {
        (Some(before), Some(current)) => is_start_reset(before, current),
        _ => false,
    }
}

/// When the counter of a window's first sample started, where that is within the window.
pub(super) fn start_within(windows: &Windows<'_>, window: &Window<'_>) -> Option<Timestamp> {
    let start = windows.starts.get(window.first).copied()?;
    let window_start = windows.end(window.tick).saturating_sub(windows.range);
    (start != 0 && start > window_start && start < window.first_time()).then_some(start)
}

/// The samples of a series whose counters started before the sample before them was taken, and not with it.
pub(super) struct Overlaps(Vec<usize>);

impl Overlaps {
    /// None where no counter is looked at.
    pub fn of(windows: &Windows<'_>, kind: Kind) -> Overlaps {
        let overlaps = |index: &usize| {
            let (before, start) = (windows.starts[index - 1], windows.starts[*index]);
            start != 0 && start < windows.points.time(index - 1) && start != before
        };
        match kind {
            Kind::Delta => Overlaps(Vec::new()),
            Kind::Rate | Kind::Increase => {
                Overlaps((1..windows.starts.len()).filter(overlaps).collect())
            }
        }
    }

    /// Whether a window holds one together with the sample before it.
    pub fn any_in(&self, window: &Window<'_>) -> bool {
        let next = self.0.partition_point(|&index| index <= window.first);
        self.0.get(next).is_some_and(|&index| index < window.past)
    }
}
