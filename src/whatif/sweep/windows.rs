//! The limits at which an alert has waited long enough, and at which it keeps firing: of every tick at once.

use super::ranks::Rank;

/// For each tick, the first limit that lets the last ticks through: a window that slides over each instance's.
pub(super) struct Windows<R> {
    /// How many ticks each instance has.
    count: usize,
    /// How many ticks the window holds.
    width: usize,
    last: Vec<R>,
    spare: Vec<R>,
}

impl<R: Rank> Windows<R> {
    /// One tick wide, over the ranks of the ticks of instances that have so many of them.
    pub fn new(ranks: &[R], count: usize) -> Windows<R> {
        Windows {
            count: count.max(1),
            width: 1,
            last: ranks.to_vec(),
            spare: vec![R::NEVER; ranks.len()],
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
                outside.fill(R::NEVER);
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
    pub fn instances(&self) -> impl Iterator<Item = &[R]> {
        self.last.chunks_exact(self.count)
    }
}

/// For each tick of an instance, the first limit that lets it through or one of so many before it.
pub(super) fn lately<R: Rank>(ranks: &[R], before: usize) -> Vec<R> {
    let mut best = ranks.to_vec();
    let mut spare = ranks.to_vec();
    let mut reach = 0;
    let before = before.min(ranks.len());
    while reach < before {
        let shift = (before - reach).min(reach + 1);
        let later = best.get(shift..).unwrap_or_default();
        let (_, inside) = spare.split_at_mut(shift.min(best.len()));
        for ((wide, &one), &other) in inside.iter_mut().zip(later).zip(&best) {
            *wide = one.min(other);
        }
        std::mem::swap(&mut best, &mut spare);
        // Where there are not so many ticks before one, the window is whole already.
        let (whole, _) = spare.split_at(shift.min(best.len()));
        best.iter_mut()
            .zip(whole)
            .for_each(|(best, whole)| *best = *whole);
        reach += shift;
    }
    best
}

/// For each tick the first limit at which an alert fires that keeps firing for some ticks: it was let through [`lately`], and
/// has waited long enough or fires already. It comes back before it would have stopped: `for` is not asked again.
pub(super) fn kept<R: Rank>(lately: &[R], waited: &[R], fires: &mut Vec<R>) {
    fires.clear();
    let mut before = R::NEVER;
    fires.extend(lately.iter().zip(waited).map(|(&lately, &waited)| {
        before = lately.max(waited.min(before));
        before
    }));
}

/// Notes what another instance fires from on.
pub(super) fn unite<R: Rank>(any: &mut [R], fires: &[R]) {
    for (any, &fires) in any.iter_mut().zip(fires) {
        *any = (*any).min(fires);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ticks() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(
            prop_oneof![4 => 0u8..6, 1 => Just(u8::NEVER), 1 => Just(2)],
            0..40,
        )
    }

    /// What a limit lets fire, tick by tick.
    fn fires(ranks: &[u8], limit: u8, hold: usize, keep: usize) -> Vec<bool> {
        let (mut active, mut firing, mut passed) = (0, false, 0);
        let tick = |(tick, rank): (usize, &u8)| {
            if *rank <= limit {
                active += 1;
                firing |= active > hold;
                passed = tick;
            } else {
                active = 0;
                firing &= tick - passed <= keep;
            }
            firing
        };
        ranks.iter().enumerate().map(tick).collect()
    }

    proptest! {
        #[test]
        fn windows_hold_the_worst_of_their_ticks(first in ticks(), widths in prop::collection::vec(1usize..50, 1..4)) {
            let count = first.len().max(1);
            let mut windows = Windows::new(&[first.clone(), first.clone()].concat(), count);
            let mut widths = widths;
            widths.sort_unstable();
            for width in widths {
                windows.widen(width);
                let worst = |tick: usize| match tick + 1 >= width {
                    true => first[tick + 1 - width..=tick].iter().copied().max().unwrap_or(u8::NEVER),
                    false => u8::NEVER,
                };
                let expected: Vec<u8> = (0..first.len()).map(worst).collect();
                for found in windows.instances() {
                    prop_assert_eq!(found, &expected);
                }
            }
        }

        #[test]
        fn kept_is_the_first_limit_at_which_it_fires(ranks in ticks(), hold in 0usize..9, keep in 0usize..50) {
            let mut windows = Windows::new(&ranks, ranks.len());
            windows.widen(hold + 1);
            let mut found = Vec::new();
            let none: &[u8] = &[];
            let waited = windows.instances().next().unwrap_or(none);
            kept(&lately(&ranks, keep), waited, &mut found);
            for limit in 0..7 {
                let found: Vec<bool> = found.iter().map(|first| *first <= limit).collect();
                prop_assert_eq!(found, fires(&ranks, limit, hold, keep), "limit {}", limit);
            }
        }
    }
}
