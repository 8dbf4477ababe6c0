//! Ticks in a row that a limit lets through, at all limits at once.
//!
//! Limits let more and more through, so that runs of ticks only grow and join. A run stands unchanged from the limit that
//! makes it whole to the one that lets a tick beside it through: over all limits there are at most as many runs as ticks.

/// The limit of a tick that none lets through.
pub(super) const NEVER: u32 = u32::MAX;

/// A run of ticks, and the limits at which it is just this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The first tick.
    pub start: u32,
    /// The one past the last.
    pub end: u32,
    /// The first limit.
    pub limit: u32,
    /// The one past the last.
    pub until: u32,
}

impl Span {
    /// How many ticks it has.
    pub fn ticks(&self) -> usize {
        (self.end - self.start) as usize
    }
}

/// Every run at any of some limits. `first` is, for each tick, the first limit that lets it through.
pub(super) fn spans(first: &[u32], limits: u32, mut add: impl FnMut(Span)) {
    // Runs that have not ended, each within the one before it, which needs a later limit.
    let mut open: Vec<(u32, u32)> = Vec::new();
    let ticks = first.iter().map(|&limit| limit.min(limits));
    for (next, tick) in ticks.chain([limits]).zip(0..) {
        let mut start = tick;
        while let Some(&(limit, from)) = open.last().filter(|(limit, _)| *limit < next) {
            open.pop();
            start = from;
            let outer = open.last().map_or(limits, |(outer, _)| *outer);
            add(Span {
                start,
                end: tick,
                limit,
                until: outer.min(next),
            });
        }
        if next < limits && open.last().is_none_or(|(limit, _)| *limit > next) {
            open.push((next, start));
        }
    }
}

/// For each tick, the first limit that lets the last ticks through: a window that slides over each instance's.
pub(super) struct Windows {
    /// How many ticks each instance has.
    count: usize,
    /// How many ticks the window holds.
    width: usize,
    last: Vec<u32>,
    spare: Vec<u32>,
}

impl Windows {
    /// One tick wide.
    pub fn new(first: &[u32], count: usize) -> Windows {
        Windows {
            count: count.max(1),
            width: 1,
            last: first.to_vec(),
            spare: vec![NEVER; first.len()],
        }
    }

    /// Makes the window wider.
    pub fn widen(&mut self, width: usize) {
        let width = width.min(self.count + 1);
        while self.width < width {
            // Two windows that overlap or touch make one.
            let shift = (width - self.width).min(self.width);
            let narrow = self.last.chunks_exact(self.count);
            for (narrow, wide) in narrow.zip(self.spare.chunks_exact_mut(self.count)) {
                let (outside, inside) = wide.split_at_mut(shift.min(narrow.len()));
                outside.fill(NEVER);
                let later = narrow.get(shift..).unwrap_or_default();
                for ((wide, &one), &other) in inside.iter_mut().zip(later).zip(narrow) {
                    *wide = one.max(other);
                }
            }
            std::mem::swap(&mut self.last, &mut self.spare);
            self.width += shift;
        }
    }

    /// The window's limits at each tick, instance by instance.
    pub fn instances(&self) -> impl Iterator<Item = &[u32]> {
        self.last.chunks_exact(self.count)
    }
}

/// For each tick the first limit at which an alert fires that keeps firing for some ticks. `first` lets ticks through; `waited`
/// is when it has waited long enough.
pub(super) fn kept(first: &[u32], waited: &[u32], keep: usize, fires: &mut Vec<u32>) {
    // Ticks let through while it fires, each better than those after it are not: the last ones that can still keep it firing.
    let mut best: std::collections::VecDeque<(usize, u32)> = std::collections::VecDeque::new();
    fires.clear();
    for (tick, (&first, &waited)) in first.iter().zip(waited).enumerate() {
        let is_over = |at: usize, reach: usize| tick - at > reach;
        while best
            .front()
            .is_some_and(|(at, _)| is_over(*at, keep.saturating_add(1)))
        {
            best.pop_front();
        }
        // It comes back before it would have stopped: `for` is not asked again.
        let back = best.front().map_or(NEVER, |(_, limit)| *limit);
        let here = first.max(waited.min(back));
        while best.back().is_some_and(|(_, limit)| *limit >= here) {
            best.pop_back();
        }
        best.push_back((tick, here));
        let mut lasting = best.iter().skip_while(|(at, _)| is_over(*at, keep));
        fires.push(lasting.next().map_or(NEVER, |(_, limit)| *limit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The runs of one limit.
    fn runs(first: &[u32], limit: u32) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for (tick, _) in (0..).zip(first).filter(|(_, first)| **first <= limit) {
            match runs.last_mut().filter(|run| run.1 == tick) {
                Some(run) => run.1 += 1,
                None => runs.push((tick, tick + 1)),
            }
        }
        runs
    }

    fn ticks() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec(
            prop_oneof![4 => 0u32..6, 1 => Just(NEVER), 1 => Just(2)],
            0..40,
        )
    }

    proptest! {
        #[test]
        fn spans_are_the_runs_of_every_limit(first in ticks(), limits in 0u32..8) {
            let mut all = Vec::new();
            spans(&first, limits, |span| all.push(span));
            prop_assert!(all.len() <= first.len());
            for limit in 0..limits {
                let alive = all.iter().filter(|it| (it.limit..it.until).contains(&limit));
                let mut found: Vec<_> = alive.map(|it| (it.start, it.end)).collect();
                found.sort_unstable();
                prop_assert_eq!(found, runs(&first, limit));
            }
        }

        #[test]
        fn windows_hold_the_worst_of_their_ticks(first in ticks(), widths in prop::collection::vec(1usize..50, 1..4)) {
            let count = first.len().max(1);
            let mut windows = Windows::new(&[first.clone(), first.clone()].concat(), count);
            let mut widths = widths;
            widths.sort_unstable();
            for width in widths {
                windows.widen(width);
                let worst = |tick: usize| match tick + 1 >= width {
                    true => first[tick + 1 - width..=tick].iter().copied().max().unwrap_or(NEVER),
                    false => NEVER,
                };
                let expected: Vec<u32> = (0..first.len()).map(worst).collect();
                for found in windows.instances() {
                    prop_assert_eq!(found, &expected);
                }
            }
        }
    }
}
