//! Whom an alert calls at every one of some settings, of which each lets it fire wherever those before do.
//!
//! A page begins at a tick that fires where the one before does not: at the settings between the first at which this one fires
//! and the first at which that one does. It is justified where it fires at a tick of an incident: of several incidents, a page
//! is counted once for each, and once less for each two between which it does not end.

use std::ops::Range;

use super::clock::Clock;
use super::ranks::Rank;
use crate::model::Timestamp;
use crate::whatif::paging::{Paging, Watch};

/// The ticks of incidents.
pub(super) struct Incidents<'w> {
    time: Clock,
    watch: &'w Watch,
    /// The ticks at which a page is justified, in order, apart from each other.
    justify: Vec<Range<usize>>,
}

impl<'w> Incidents<'w> {
    pub fn new(time: Clock, watch: &'w Watch) -> Incidents<'w> {
        let mut incidents = Incidents {
            time,
            watch,
            justify: Vec::new(),
        };
        for span in &watch.spans {
            let first = incidents.first(span.start);
            let past = incidents.past(span.end);
            match incidents.justify.last_mut().filter(|it| first <= it.end) {
                Some(last) => last.end = last.end.max(past),
                None if first < past => incidents.justify.push(first..past),
                None => {}
            }
        }
        incidents
    }

    /// Pages and incidents at each setting, with no outcome. `fires` is the first setting at which each tick fires.
    pub fn calls<R: Rank>(&self, fires: &[R], settings: usize) -> Vec<Paging> {
        let mut pages = Changes::new(settings);
        pages.begin(fires, 0..fires.len());
        let mut justified = Changes::new(settings);
        for (place, ticks) in self.justify.iter().enumerate() {
            justified.add(fires.get(ticks.start).copied().unwrap_or(R::NEVER), 1);
            justified.begin(fires, ticks.start + 1..ticks.end);
            let next = self.justify.get(place + 1);
            let between = next.and_then(|next| fires.get(ticks.end - 1..=next.start));
            if let Some(last) = between.and_then(|between| between.iter().max()) {
                justified.add(*last, -1);
            }
        }
        let calls = pages.sums().zip(justified.sums());
        let calls = calls.map(|(pages, justified)| Paging {
            pages,
            justified,
            detected: Vec::with_capacity(self.watch.spans.len()),
            ..Paging::default()
        });
        let mut calls: Vec<Paging> = calls.collect();
        self.detect(fires, &mut calls);
        calls
    }

    fn detect<R: Rank>(&self, fires: &[R], calls: &mut [Paging]) {
        for span in &self.watch.spans {
            let first = self.first(span.start);
            let mut left = calls.iter_mut().rev();
            let ticks = fires.iter().enumerate().take(self.past(span.reach));
            for (tick, fires) in ticks.skip(first) {
                let delay = (self.time.moments.time(tick) - span.start).max(0);
                while left.len() > fires.place() {
                    let found = left.next();
                    found
                        .into_iter()
                        .for_each(|it| it.detected.push(Some(delay)));
                }
                if left.len() == 0 {
                    break;
                }
            }
            left.for_each(|it| it.detected.push(None));
        }
    }

    /// The first tick at which something lasts until after a moment: from a tick to the next, and from the last one on.
    fn first(&self, moment: Timestamp) -> usize {
        let is_over = |tick: usize| self.time.past(tick + 1).is_some_and(|to| to <= moment);
        partition(self.time.count(), is_over)
    }

    /// The first tick after a moment.
    fn past(&self, moment: Timestamp) -> usize {
        partition(self.time.count(), |tick| {
            self.time.moments.time(tick) <= moment
        })
    }
}

/// What each setting changes against the one before; one more than there are.
struct Changes {
    counts: Vec<isize>,
}

/// So many ticks are compared at once with those before them, which often are the same.
const BLOCK: usize = 32;

impl Changes {
    fn new(settings: usize) -> Changes {
        Changes {
            counts: vec![0; settings + 1],
        }
    }

    fn add<R: Rank>(&mut self, from: R, count: isize) {
        let past = self.counts.len().saturating_sub(1);
        if let Some(sum) = self.counts.get_mut(from.place().min(past)) {
            *sum += count;
        }
    }

    /// Counts what begins at some ticks.
    fn begin<R: Rank>(&mut self, fires: &[R], ticks: Range<usize>) {
        let mut at = ticks.start;
        if at == 0 && !ticks.is_empty() {
            self.add(fires.first().copied().unwrap_or(R::NEVER), 1);
            at = 1;
        }
        while at < ticks.end {
            let end = (at + BLOCK).min(ticks.end);
            let here = fires.get(at..end).unwrap_or_default();
            let before = fires.get(at - 1..end - 1).unwrap_or_default();
            at = end;
            if here == before {
                continue;
            }
            // Nothing where it is no better than before: one more and one less of the same is faster than to ask.
            for (&here, &before) in here.iter().zip(before) {
                self.add(here, 1);
                self.add(here.max(before), -1);
            }
        }
    }

    /// How many there are at each setting.
    fn sums(&self) -> impl Iterator<Item = usize> {
        let past = self.counts.len().saturating_sub(1);
        let counts = self.counts.iter().take(past);
        counts.scan(0, |sum: &mut isize, count| {
            *sum += count;
            Some(usize::try_from(*sum).unwrap_or(0))
        })
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
