//! Ticks in a row that a limit lets through, at all limits at once.
//!
//! Limits let more and more through, so that runs of ticks only grow and join. A run stands unchanged from the limit that
//! makes it whole to the one that lets a tick beside it through: over all limits there are at most as many runs as ticks.

use std::ops::Range;

use super::ranks::Rank;
use super::tally::Run;

/// A run of ticks, and the limits at which it is just this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The first tick.
    pub start: usize,
    /// The one past the last.
    pub end: usize,
    /// The first limit.
    pub limit: usize,
    /// The one past the last.
    pub until: usize,
}

impl Span {
    /// It as one that fires after some holds, by their places.
    pub fn after(&self, holds: Range<usize>) -> Run {
        Run {
            start: self.start,
            end: self.end,
            limits: self.limit..self.until,
            holds,
        }
    }
}

/// Every run at any of some limits. `ranks` has, for each tick, the first limit that lets it through.
pub(super) fn spans<R: Rank>(ranks: &[R], limits: usize, mut add: impl FnMut(Span)) {
    let none = R::of(limits);
    // Runs that have not ended, each within the one before it, which needs a later limit.
    let mut open: Vec<(R, usize)> = Vec::new();
    let ticks = ranks.iter().map(|rank| (*rank).min(none));
    for (tick, next) in ticks.chain([none]).enumerate() {
        let mut start = tick;
        while let Some(&(limit, from)) = open.last().filter(|(limit, _)| *limit < next) {
            open.pop();
            start = from;
            let outer = open.last().map_or(none, |(outer, _)| *outer);
            add(Span {
                start,
                end: tick,
                limit: limit.place(),
                until: outer.min(next).place(),
            });
        }
        if next < none && open.last().is_none_or(|(limit, _)| *limit > next) {
            open.push((next, start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The runs of one limit.
    fn runs(ranks: &[u16], limit: usize) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (tick, _) in ranks
            .iter()
            .enumerate()
            .filter(|(_, it)| it.place() <= limit)
        {
            match runs.last_mut().filter(|run| run.1 == tick) {
                Some(run) => run.1 += 1,
                None => runs.push((tick, tick + 1)),
            }
        }
        runs
    }

    fn ticks() -> impl Strategy<Value = Vec<u16>> {
        prop::collection::vec(
            prop_oneof![4 => 0u16..6, 1 => Just(u16::NEVER), 1 => Just(2)],
            0..40,
        )
    }

    proptest! {
        #[test]
        fn spans_are_the_runs_of_every_limit(ranks in ticks(), limits in 0usize..8) {
            let mut all = Vec::new();
            spans(&ranks, limits, |span| all.push(span));
            prop_assert!(all.len() <= ranks.len());
            for limit in 0..limits {
                let alive = all.iter().filter(|it| (it.limit..it.until).contains(&limit));
                let mut found: Vec<_> = alive.map(|it| (it.start, it.end)).collect();
                found.sort_unstable();
                prop_assert_eq!(found, runs(&ranks, limit));
            }
        }
    }
}
