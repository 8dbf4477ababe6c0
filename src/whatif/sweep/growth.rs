//! What an alert does at one limit after the other, each of which lets more through than the one before: runs of ticks only
//! grow and join, and so do its firings.
//!
//! Of a run only its two ends are known, each by the other; a tick that is added joins what is left and right of it. A run of
//! `n` ticks fires from its `hold`-th on, so that every tick comes to fire once at most: the whole costs as many steps as
//! there are ticks, whatever the number of limits.

use super::cells::{Cells, Clock, Order};
use crate::model::{Millis, Timestamp};
use crate::whatif::paging::{Paging, Watch};
use crate::whatif::{FLAP, Outcome};

/// What has been let through so far.
pub(super) struct Growth<'g> {
    time: Clock,
    hold: usize,
    /// The ends of each instance's runs, instance after instance.
    runs: Ends,
    /// The ends of pages.
    pages: Ends,
    outcome: Outcome,
    /// Which instances fired.
    fired: Vec<bool>,
    page_count: usize,
    justified: usize,
    /// The first tick that finds each incident.
    found: Vec<Option<usize>>,
    sight: &'g Sight<'g>,
}

/// The incidents as ticks see them.
struct Sight<'w> {
    watch: &'w Watch,
    /// The first incident that is not over at each tick.
    next: Vec<u32>,
    /// The ticks at which each is found: the first, and the one past the last.
    reach: Vec<(usize, usize)>,
    /// Whether a tick finds any.
    finds: Vec<bool>,
}

/// Runs of places by their ends: the first place of a run holds the last, and the last the first. Others hold anything, but
/// [`OUT`] where there is no run.
struct Ends(Vec<u32>);

const OUT: u32 = u32::MAX;

impl Ends {
    fn new(count: usize) -> Ends {
        Ends(vec![OUT; count])
    }

    fn get(&self, place: usize) -> u32 {
        self.0.get(place).copied().unwrap_or(OUT)
    }

    fn set(&mut self, place: usize, other: usize) {
        if let Some(end) = self.0.get_mut(place) {
            *end = other as u32;
        }
    }

    /// Adds a place within `from..to`: the beginning of the run that it makes and the end, one past the last.
    fn add(&mut self, place: usize, from: usize, to: usize) -> (usize, usize) {
        let (mut start, mut end) = (place, place + 1);
        if place > from && self.get(place - 1) != OUT {
            start = self.get(place - 1) as usize;
        }
        if place + 1 < to && self.get(place + 1) != OUT {
            end = self.get(place + 1) as usize + 1;
        }
        self.set(place, place);
        self.set(start, end - 1);
        self.set(end - 1, start);
        (start, end)
    }
}

impl<'g> Growth<'g> {
    /// What an alert that waits so long does at each limit.
    pub fn run(cells: &Cells, order: &Order, hold: Millis, watch: &Watch) -> Vec<Paging> {
        let time = cells.time;
        let sight = Sight::new(watch, &time);
        let mut growth = Growth {
            time,
            hold: time.ticks(hold),
            runs: Ends::new(cells.first.len()),
            pages: Ends::new(time.count()),
            outcome: Outcome::default(),
            fired: vec![false; cells.instances],
            page_count: 0,
            justified: 0,
            found: vec![None; watch.spans.len()],
            sight: &sight,
        };
        let limits = order.starts.windows(2).map(|of_limit| {
            let range = match of_limit {
                &[from, to] => from..to,
                _ => 0..0,
            };
            for &cell in order.cells.get(range).unwrap_or_default() {
                growth.add(cell as usize);
            }
            growth.paging()
        });
        limits.collect()
    }

    /// Lets a tick of an instance through.
    fn add(&mut self, cell: usize) {
        let count = self.time.count();
        let instance = cell / count;
        let base = instance * count;
        let (start, end) = self.runs.add(cell, base, base + count);
        if end - start <= self.hold {
            return;
        }
        let (tick, start, end) = (cell - base, start - base, end - base);
        let (mut from, mut to) = (start + self.hold, end);
        if tick - start > self.hold {
            self.count(start, tick, -1);
            from = tick;
        }
        if end - (tick + 1) > self.hold {
            self.count(tick + 1, end, -1);
            to = tick + 1 + self.hold;
        }
        self.count(start, end, 1);
        if let Some(fired) = self.fired.get_mut(instance) {
            self.outcome.instances += usize::from(!std::mem::replace(fired, true));
        }
        for tick in from..to {
            self.cover(tick);
        }
    }

    /// Counts the firing of a run in, or out again.
    fn count(&mut self, start: usize, end: usize, sign: i64) {
        let (from, to) = self.time.window(start + self.hold, end);
        let length = to.unwrap_or(self.time.end).saturating_sub(from).max(0);
        let is_flap = to.is_some() && length < FLAP;
        let outcome = &mut self.outcome;
        outcome.firing += sign * length;
        match sign > 0 {
            true => {
                outcome.firings += 1;
                outcome.flaps += usize::from(is_flap);
                outcome.longest = outcome.longest.max(length);
                outcome.first = Some(outcome.first.map_or(from, |first| first.min(from)));
            }
            false => {
                outcome.firings -= 1;
                outcome.flaps -= usize::from(is_flap);
            }
        }
    }

    /// Notes that an instance fires at a tick.
    fn cover(&mut self, tick: usize) {
        if self.pages.get(tick) != OUT {
            return;
        }
        let (start, end) = self.pages.add(tick, 0, self.time.count());
        let sight = self.sight;
        let justifies = |start, end| usize::from(sight.justifies(start, end, &self.time));
        if start < tick {
            self.page_count -= 1;
            self.justified -= justifies(start, tick);
        }
        if tick + 1 < end {
            self.page_count -= 1;
            self.justified -= justifies(tick + 1, end);
        }
        self.page_count += 1;
        self.justified += justifies(start, end);
        if sight.finds.get(tick).copied().unwrap_or(false) {
            for (found, &(from, to)) in self.found.iter_mut().zip(&sight.reach) {
                if (from..to).contains(&tick) {
                    *found = Some(found.map_or(tick, |first| first.min(tick)));
                }
            }
        }
    }

    /// What the alert does with what is let through so far.
    fn paging(&self) -> Paging {
        let delay = |(found, start): (&Option<usize>, Timestamp)| {
            let from = self.time.moments.time((*found)?);
            Some((from - start).max(0))
        };
        let starts = self.sight.watch.spans.iter().map(|span| span.start);
        Paging {
            outcome: self.outcome,
            pages: self.page_count,
            justified: self.justified,
            detected: self.found.iter().zip(starts).map(delay).collect(),
        }
    }
}

impl<'w> Sight<'w> {
    fn new(watch: &'w Watch, time: &Clock) -> Sight<'w> {
        let count = if watch.spans.is_empty() {
            0
        } else {
            time.count()
        };
        let next = (0..count).map(|tick| watch.next(time.moments.time(tick)) as u32);
        let mut finds = vec![false; count];
        let reach = watch.spans.iter().map(|span| {
            // It fires from a tick to the next one, and from the last one on.
            let after = |tick: usize| time.past(tick + 1).is_none_or(|to| to > span.start);
            let first = partition(count, |tick| !after(tick));
            let past = partition(count, |tick| time.moments.time(tick) <= span.reach);
            finds.get_mut(first..past).unwrap_or_default().fill(true);
            (first, past)
        });
        let reach = reach.collect();
        Sight {
            watch,
            next: next.collect(),
            reach,
            finds,
        }
    }

    /// Whether a page between two ticks overlaps an incident.
    fn justifies(&self, start: usize, end: usize, time: &Clock) -> bool {
        let next = self
            .next
            .get(start)
            .map_or(usize::MAX, |next| *next as usize);
        let span = self.watch.spans.get(next);
        span.is_some_and(|span| time.past(end).is_none_or(|to| to > span.start))
    }
}

/// How many of the first ticks something holds for.
fn partition(count: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low
}
