//! What firings and pages add up to at every limit.

use super::cells::Clock;
use super::spans::{Span, spans};
use crate::model::{Millis, Timestamp};
use crate::whatif::Outcome;
use crate::whatif::outcome::{is_flap, length};
use crate::whatif::paging::{Paging, Watch};

/// What firings add up to at every limit.
pub(super) struct Tally {
    time: Clock,
    /// What another limit changes; one more than there are limits.
    steps: Vec<Step>,
    /// The first limit at which each instance fires.
    fires: Vec<usize>,
}

/// What a limit changes against the one before.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    firings: isize,
    firing: Millis,
    flaps: isize,
    pages: isize,
    justified: isize,
    /// How many instances fire for the first time.
    instances: usize,
    /// The longest of the firings that begin to be whole here.
    longest: Millis,
    /// The first of these.
    first: Option<Timestamp>,
}

impl Tally {
    /// Nothing yet.
    pub fn new(time: Clock, limits: usize, instances: usize) -> Tally {
        Tally {
            time,
            steps: vec![Step::default(); limits + 1],
            fires: vec![limits; instances],
        }
    }

    /// Adds a run of an instance that fires from its tick number `hold`, counted from 0, on.
    pub fn add(&mut self, instance: usize, span: Span, hold: usize) {
        let (from, to) = self
            .time
            .window(span.start as usize + hold, span.end as usize);
        let length = length(from, to, self.time.end);
        let flap = isize::from(is_flap(to, length));
        if let Some(step) = self.steps.get_mut(span.limit as usize) {
            step.firings += 1;
            step.firing += length;
            step.flaps += flap;
            // Runs only grow: what was longest or first at a limit is within what is so at those after it.
            step.longest = step.longest.max(length);
            step.first = Some(step.first.map_or(from, |first| first.min(from)));
        }
        if let Some(step) = self.steps.get_mut(span.until as usize) {
            step.firings -= 1;
            step.firing -= length;
            step.flaps -= flap;
        }
        if let Some(fires) = self.fires.get_mut(instance) {
            *fires = (*fires).min(span.limit as usize);
        }
    }

    /// What that is for somebody who is paged where, for each tick, any instance fires from a limit on.
    pub fn paging(mut self, any: &[u32], watch: &Watch) -> Vec<Paging> {
        for &limit in &self.fires {
            if let Some(step) = self.steps.get_mut(limit) {
                step.instances += 1;
            }
        }
        let limits = self.steps.len() - 1;
        spans(any, limits as u32, |page| {
            let window = self.time.window(page.start as usize, page.end as usize);
            let justified = isize::from(watch.justifies(&window));
            for (limit, sign) in [(page.limit, 1), (page.until, -1)] {
                if let Some(step) = self.steps.get_mut(limit as usize) {
                    step.pages += sign;
                    step.justified += sign * justified;
                }
            }
        });
        let mut found: Vec<Vec<Option<Millis>>> = vec![Vec::new(); limits];
        for span in &watch.spans {
            // It fires from a tick to the next one, and from the last one on.
            let is_early =
                |tick: usize| self.time.past(tick + 1).is_some_and(|to| to <= span.start);
            let first = partition(any.len(), is_early);
            let past = partition(any.len(), |tick| self.time.moments.time(tick) <= span.reach);
            let mut reached = limits;
            let mut found = found.iter_mut().rev();
            for tick in first..past {
                let limit = any.get(tick).map_or(reached, |limit| *limit as usize);
                let delay = (self.time.moments.time(tick) - span.start).max(0);
                while limit < reached {
                    reached -= 1;
                    found.next().into_iter().for_each(|it| it.push(Some(delay)));
                }
            }
            found.for_each(|it| it.push(None));
        }
        let mut sum = Step::default();
        let steps = self.steps.iter().zip(found);
        let pagings = steps.map(|(step, detected)| {
            sum.add(step);
            let count = |number: isize| usize::try_from(number).unwrap_or(0);
            Paging {
                outcome: Outcome {
                    firings: count(sum.firings),
                    firing: sum.firing,
                    longest: sum.longest,
                    instances: sum.instances,
                    flaps: count(sum.flaps),
                    first: sum.first,
                },
                pages: count(sum.pages),
                justified: count(sum.justified),
                detected,
            }
        });
        pagings.collect()
    }
}

impl Step {
    fn add(&mut self, other: &Step) {
        self.firings += other.firings;
        self.firing += other.firing;
        self.flaps += other.flaps;
        self.pages += other.pages;
        self.justified += other.justified;
        self.instances += other.instances;
        self.longest = self.longest.max(other.longest);
        self.first = self.first.into_iter().chain(other.first).min();
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
