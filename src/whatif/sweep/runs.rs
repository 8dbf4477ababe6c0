//! The runs of ticks that one limit lets through, and after which holds an alert fires that keeps firing after them.

use super::clock::Holds;
use super::ranks::Rank;
use super::tally::{Run, Tally};

/// Calls `add` with the first tick and the one past the last of each run of ticks that a limit lets through.
fn runs<R: Rank>(ranks: &[R], limit: R, mut add: impl FnMut(usize, usize)) {
    let mut open = None;
    for (index, chunk) in ranks.chunks(64).enumerate() {
        let bit = |word: u64, (place, &rank): (usize, &R)| word | u64::from(rank <= limit) << place;
        let word = chunk.iter().enumerate().fold(0, bit);
        let mut at = 0;
        while at < 64 {
            let rest = match open {
                Some(_) => !word >> at,
                None => word >> at,
            };
            at += (rest.trailing_zeros() as usize).min(64 - at);
            if at < 64 {
                let tick = index * 64 + at;
                match open.take() {
                    Some(start) => add(start, tick),
                    None => open = Some(tick),
                }
            }
        }
    }
    if let Some(start) = open {
        add(start, ranks.len());
    }
}

/// Adds when an instance fires at one limit, the only one of the tally: after each hold from as many ticks on of the first run
/// that is longer, until no tick has been let through for `keep` ticks. `longest` is raised, at each tick, to one more than
/// the longest hold after which it fires there.
pub(super) fn stretches<R: Rank>(
    ranks: &[R],
    limit: R,
    keep: usize,
    holds: &Holds<'_>,
    tally: &mut Tally<'_>,
    longest: &mut [u32],
) {
    let mut stretch = Stretch::default();
    runs(ranks, limit, |start, end| {
        // It comes back before it would have stopped: holds are not asked again.
        if start > stretch.last.saturating_add(keep) {
            stretch.finish(keep, ranks.len(), holds, tally, longest);
        }
        stretch.add(start, end, longest);
    });
    stretch.finish(keep, ranks.len(), holds, tally, longest);
    tally.next_instance();
}

/// Runs so close to each other that an alert that fires in one goes on to fire in the next.
#[derive(Default)]
struct Stretch {
    /// The runs that are longer than all before them.
    longer: Vec<(usize, usize)>,
    /// The tick past its last run.
    last: usize,
}

impl Stretch {
    fn add(&mut self, start: usize, end: usize, longest: &mut [u32]) {
        let before = self.length();
        raise(longest.get_mut(self.last..start), before);
        let ticks = longest.get_mut(start..end).unwrap_or_default();
        for (length, longest) in (1..).zip(ticks) {
            *longest = (*longest).max(length).max(before as u32);
        }
        if end - start > before {
            self.longer.push((start, end));
        }
        self.last = end;
    }

    /// How long its longest run is.
    fn length(&self) -> usize {
        self.longer.last().map_or(0, |(start, end)| end - start)
    }

    fn finish(
        &mut self,
        keep: usize,
        count: usize,
        holds: &Holds<'_>,
        tally: &mut Tally<'_>,
        longest: &mut [u32],
    ) {
        let past = self.last.saturating_add(keep).min(count);
        let before = self.length();
        raise(longest.get_mut(self.last..past), before);
        let mut shorter = 0;
        for (start, end) in self.longer.drain(..) {
            let longer = holds.shorter(end - start);
            tally.add(&Run {
                start,
                end: past,
                limits: 0..1,
                holds: shorter..longer,
            });
            shorter = longer;
        }
    }
}

/// Notes that an instance fires after holds shorter than so many ticks.
fn raise(longest: Option<&mut [u32]>, length: usize) {
    for longest in longest.into_iter().flatten().take_while(|_| length > 0) {
        *longest = (*longest).max(length as u32);
    }
}
