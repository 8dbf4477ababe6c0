//! The runs of ticks that a limit lets through, and when an alert fires that waits over them.

use super::cells::{Cells, Clock};
use crate::whatif::Outcome;
use crate::whatif::paging::{Paging, Watch, Window};

/// Ticks in a row that are let through, instance by instance: the first, and the one past the last.
pub(super) struct Runs {
    of_instances: Vec<Vec<(usize, usize)>>,
}

impl Runs {
    /// What a limit lets through.
    pub fn of(cells: &Cells, limit: u32) -> Runs {
        let of_instances = cells.first.chunks_exact(cells.time.count().max(1));
        let of_instance = |first: &[u32]| {
            let mut runs = Vec::new();
            let mut open = None;
            for (index, chunk) in first.chunks(64).enumerate() {
                let bit = |word: u64, (place, &first): (usize, &u32)| {
                    word | u64::from(first <= limit) << place
                };
                let word = chunk.iter().enumerate().fold(0, bit);
                add_word(word, index * 64, &mut open, &mut runs);
            }
            runs.extend(open.map(|start| (start, first.len())));
            runs
        };
        Runs {
            of_instances: of_instances.map(of_instance).collect(),
        }
    }
}

/// Takes 64 ticks of which `at` is the first.
fn add_word(word: u64, at: usize, open: &mut Option<usize>, runs: &mut Vec<(usize, usize)>) {
    let mut bit = 0;
    while bit < 64 {
        let rest = match open {
            Some(_) => !word >> bit,
            None => word >> bit,
        };
        let next = rest.trailing_zeros() as usize;
        if next >= 64 - bit {
            return;
        }
        bit += next;
        *open = match *open {
            Some(start) => {
                runs.push((start, at + bit));
                None
            }
            None => Some(at + bit),
        };
    }
}

/// What an alert does that waits some ticks before it fires and before it stops.
pub(super) fn fired(
    runs: &Runs,
    time: &Clock,
    waits: (usize, usize),
    coverage: &mut Coverage,
    watch: &Watch,
) -> Paging {
    let mut outcome = Outcome::default();
    coverage.clear();
    for of_instance in &runs.of_instances {
        let before = outcome.firings;
        firings(of_instance, waits, time.count(), |from, to| {
            let (start, end) = time.window(from, to);
            outcome.add(start, end, time.end);
            coverage.add(from, to);
        });
        outcome.instances += usize::from(outcome.firings > before);
    }
    let pages: Vec<Window> = coverage
        .pages()
        .map(|(from, to)| time.window(from, to))
        .collect();
    Paging::judged(outcome, &pages, watch)
}

/// When an instance fires, in ticks.
fn firings(
    runs: &[(usize, usize)],
    (hold, keep): (usize, usize),
    count: usize,
    mut add: impl FnMut(usize, usize),
) {
    let mut firing: Option<(usize, usize)> = None;
    for &(start, end) in runs {
        match &mut firing {
            // It comes back before it would have stopped: `for` is not asked again.
            Some((_, last)) if start <= last.saturating_add(keep) => *last = end,
            _ => {
                if let Some((from, last)) = firing.take() {
                    add(from, last.saturating_add(keep));
                }
                firing = (end - start > hold).then_some((start.saturating_add(hold), end));
            }
        }
    }
    if let Some((from, last)) = firing {
        add(from, last.saturating_add(keep).min(count));
    }
}

/// The ticks at which any instance fires.
pub(super) struct Coverage {
    words: Vec<u64>,
    count: usize,
}

impl Coverage {
    pub fn new(count: usize) -> Coverage {
        Coverage {
            words: vec![0; count.div_ceil(64)],
            count,
        }
    }

    fn clear(&mut self) {
        self.words.fill(0);
    }

    fn add(&mut self, from: usize, to: usize) {
        let (first, last) = (from / 64, to.div_ceil(64));
        let words = self.words.get_mut(first..last).unwrap_or_default();
        for (index, word) in words.iter_mut().enumerate() {
            let at = (first + index) * 64;
            let low = from.saturating_sub(at);
            let past = (to - at).min(64);
            *word |= (u64::MAX << low) & (u64::MAX >> (64 - past));
        }
    }

    /// Ticks in a row.
    fn pages(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut pages = Vec::new();
        let mut open = None;
        for (index, &word) in self.words.iter().enumerate() {
            add_word(word, index * 64, &mut open, &mut pages);
        }
        pages.extend(open.map(|start| (start, self.count)));
        pages
            .into_iter()
            .map(|(from, to)| (from, to.min(self.count)))
    }
}
