//! The runs of ticks that one limit lets through, and after which holds an alert fires that keeps firing after them.

use super::clock::Holds;
use super::ranks::Rank;
use super::tally::{Run, Tally};

/// Calls `add` with the first tick and the one past the last of each run of ticks that a limit lets through.
fn runs<R: Rank>(ranks: &[R], limit: R, mut add: impl FnMut(usize, usize)) {
    let mut open = None;
    for (index, chunk) in ranks.chunks(64).enumerate() {
        let word = word(chunk, limit);
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

/// One bit for each of up to 64 ticks that a limit lets through.
fn word<R: Rank>(ranks: &[R], limit: R) -> u64 {
    let mut passes = [0; 64];
    for (passes, rank) in passes.iter_mut().zip(ranks) {
        *passes = u8::from(*rank <= limit);
    }
    let (eights, _) = passes.as_chunks::<8>();
    // The product has the lowest bits of all eight bytes in its highest byte.
    let bits =
        |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights
        .iter()
        .rev()
        .fold(0, |word, eight| word << 8 | bits(eight))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_are_ticks_in_a_row(ranks in prop::collection::vec(0u16..4, 0..200), limit in 0u16..4) {
            let mut found = vec![false; ranks.len()];
            let mut past = None;
            runs(&ranks, limit, |start, end| {
                assert!(past.is_none_or(|past| start > past) && start < end, "{start} {end}");
                found[start..end].fill(true);
                past = Some(end);
            });
            let expected: Vec<bool> = ranks.iter().map(|rank| *rank <= limit).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
