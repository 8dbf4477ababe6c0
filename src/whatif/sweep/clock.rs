//! When ticks are, and how many of them an alert waits.

use crate::model::{Millis, Timestamp};
use crate::promql::Ticks;
use crate::whatif::paging::Window;

/// When ticks are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub moments: Ticks,
    /// The end of the data, which what still fires lasts to.
    pub end: Timestamp,
}

impl Clock {
    /// How many ticks there are.
    pub fn count(&self) -> usize {
        self.moments.count
    }

    /// The time of a tick that ends something; `None` for the one past the last.
    pub fn past(&self, tick: usize) -> Option<Timestamp> {
        (tick < self.count()).then(|| self.moments.time(tick))
    }

    /// How many ticks a wait takes, rounded up; all that take longer than there are ticks are alike.
    pub fn ticks(&self, wait: Millis) -> usize {
        let step = self.moments.step.max(1);
        let whole = wait.max(0) / step + i64::from(wait.max(0) % step > 0);
        usize::try_from(whole).map_or(self.count(), |ticks| ticks.min(self.count()))
    }

    /// A firing between two ticks.
    pub fn window(&self, from: usize, to: usize) -> Window {
        (self.moments.time(from), self.past(to))
    }
}

/// How many ticks an alert waits before it fires: all that are looked at, in ascending order.
pub(super) struct Holds<'h> {
    ticks: &'h [usize],
    /// For each number of ticks up to one more than the longest, how many holds are shorter.
    shorter: Vec<usize>,
}

impl<'h> Holds<'h> {
    pub fn new(ticks: &'h [usize]) -> Holds<'h> {
        let longest = ticks.last().map_or(0, |longest| longest + 1);
        let mut shorter = Vec::with_capacity(longest + 1);
        for (place, hold) in ticks.iter().enumerate() {
            shorter.resize(hold + 1, place);
        }
        shorter.push(ticks.len());
        Holds { ticks, shorter }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ticks.len()
    }

    /// They in their order.
    pub fn ticks(&self) -> &'h [usize] {
        self.ticks
    }

    /// How many of them are shorter than so many ticks.
    pub fn shorter(&self, ticks: usize) -> usize {
        self.shorter.get(ticks).copied().unwrap_or(self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shorter_holds_are_counted() {
        for ticks in [&[][..], &[0], &[3], &[0, 1, 2], &[1, 4, 5, 9]] {
            let holds = Holds::new(ticks);
            for length in 0..12 {
                let shorter = ticks.iter().filter(|hold| **hold < length).count();
                assert_eq!(holds.shorter(length), shorter, "{ticks:?} {length}");
            }
        }
    }
}
