//! What firings add up to at every hold and every limit.
//!
//! A run of ticks fires at all holds that are shorter than it, at the limits at which it is just this run: a rectangle of
//! settings, of which only the corners are noted. Sums over them, from the longest hold to the shortest and from the first
//! limit to the last, are what there is at each setting. What lasts longest and what comes first needs one corner: at a
//! shorter hold and a later limit nothing fires less.

use std::ops::Range;

use super::clock::{Clock, Holds};
use crate::model::Millis;
use crate::whatif::Outcome;
use crate::whatif::outcome::{FLAP, length};
use crate::whatif::paging::Paging;

/// What firings of instances add up to.
pub(super) struct Tally<'h> {
    time: Clock,
    holds: &'h Holds<'h>,
    limits: usize,
    /// What each limit changes at a hold; one more for each hold than there are limits.
    steps: Vec<Step>,
    /// The first limit at which the instance that is looked at fires after each hold.
    fires: Vec<usize>,
}

/// A run of ticks after which an alert fires.
pub(super) struct Run {
    /// Its first tick, from which on it waits.
    pub start: usize,
    /// The tick at which it fires no more.
    pub end: usize,
    /// The limits at which it is this run.
    pub limits: Range<usize>,
    /// The places of the holds after which it fires.
    pub holds: Range<usize>,
}

/// What a limit changes against the one before, and a hold against the next longer one.
#[derive(Debug, Clone, Copy)]
struct Step {
    firings: i64,
    flaps: i64,
    instances: i64,
    /// How long the runs are, with what they wait.
    whole: Millis,
    /// The longest of the runs that begin to be whole here.
    longest: Millis,
    /// The first tick of the first of these.
    first: usize,
}

const NOTHING: Step = Step {
    firings: 0,
    flaps: 0,
    instances: 0,
    whole: 0,
    longest: 0,
    first: usize::MAX,
};

impl<'h> Tally<'h> {
    /// Nothing yet.
    pub fn new(time: Clock, holds: &'h Holds<'h>, limits: usize) -> Tally<'h> {
        Tally {
            time,
            holds,
            limits,
            steps: vec![NOTHING; (limits + 1) * holds.len()],
            fires: vec![limits; holds.len()],
        }
    }

    /// Adds a run of the instance that is looked at.
    pub fn add(&mut self, run: &Run) {
        let Range {
            start: from,
            end: past,
        } = run.holds;
        let (start, end) = self.time.window(run.start, run.end);
        let whole = length(start, end, self.time.end);
        let steady = match end {
            Some(_) => self.steady(whole).clamp(from, past),
            None => past,
        };
        let fires = Step {
            firings: 1,
            whole,
            ..NOTHING
        };
        self.note(past, &run.limits, 1, &fires);
        self.note(from, &run.limits, -1, &fires);
        let flaps = Step {
            flaps: 1,
            ..NOTHING
        };
        if steady < past {
            self.note(past, &run.limits, 1, &flaps);
            self.note(steady, &run.limits, -1, &flaps);
        }
        if let Some(step) = self.step(past, run.limits.start) {
            step.longest = step.longest.max(whole);
            step.first = step.first.min(run.start);
        }
        let fires = past
            .checked_sub(1)
            .and_then(|last| self.fires.get_mut(last));
        if let Some(fires) = fires {
            *fires = (*fires).min(run.limits.start);
        }
    }

    /// Looks at another instance.
    pub fn next_instance(&mut self) {
        let mut later = self.limits;
        for place in (0..self.holds.len()).rev() {
            let fires = self.fires.get_mut(place);
            let first = fires.map_or(later, |it| std::mem::replace(it, self.limits).min(later));
            let instances = Step {
                instances: 1,
                ..NOTHING
            };
            self.note(place + 1, &(first..later), 1, &instances);
            later = first;
        }
    }

    /// Both of two.
    pub fn merged(mut self, other: Tally<'_>) -> Tally<'h> {
        for (step, other) in self.steps.iter_mut().zip(&other.steps) {
            step.add(other, 1);
        }
        self
    }

    /// Tells what that is after each hold, at each limit.
    pub fn outcomes(&self, settings: &mut [Vec<Paging>]) {
        let mut sums = vec![NOTHING; self.limits + 1];
        let rows = self.steps.chunks_exact(self.limits + 1).zip(settings);
        for ((steps, pagings), hold) in rows.zip(self.holds.ticks()).rev() {
            let mut sum = NOTHING;
            let steps = sums.iter_mut().zip(steps);
            for ((of_limit, step), paging) in steps.zip(pagings) {
                of_limit.add(step, 1);
                sum.add(of_limit, 1);
                paging.outcome = self.outcome(&sum, *hold);
            }
        }
    }

    fn outcome(&self, sum: &Step, hold: usize) -> Outcome {
        if sum.firings == 0 {
            return Outcome::default();
        }
        let count = |number: i64| usize::try_from(number).unwrap_or(0);
        let wait = hold as i64 * self.time.moments.step;
        Outcome {
            firings: count(sum.firings),
            firing: sum.whole - sum.firings * wait,
            longest: sum.longest - wait,
            instances: count(sum.instances),
            flaps: count(sum.flaps),
            first: Some(self.time.moments.time(sum.first + hold)),
        }
    }

    /// How many holds leave so much of a run that it is no flap.
    fn steady(&self, whole: Millis) -> usize {
        match usize::try_from(whole.saturating_sub(FLAP)) {
            Ok(rest) => {
                let step = usize::try_from(self.time.moments.step).unwrap_or(1);
                self.holds.shorter(rest / step.max(1) + 1)
            }
            Err(_) => 0,
        }
    }

    /// Notes a step at the last of so many holds, which is there at these limits.
    fn note(&mut self, holds: usize, limits: &Range<usize>, sign: i64, step: &Step) {
        if holds == 0 || limits.is_empty() {
            return;
        }
        for (limit, sign) in [(limits.start, sign), (limits.end, -sign)] {
            if let Some(sum) = self.step(holds, limit) {
                sum.add(step, sign);
            }
        }
    }

    /// What a limit changes at the last of so many holds.
    fn step(&mut self, holds: usize, limit: usize) -> Option<&mut Step> {
        let place = holds.checked_sub(1)? * (self.limits + 1) + limit;
        self.steps.get_mut(place)
    }
}

impl Step {
    fn add(&mut self, other: &Step, sign: i64) {
        self.firings += sign * other.firings;
        self.flaps += sign * other.flaps;
        self.instances += sign * other.instances;
        self.whole += sign * other.whole;
        self.longest = self.longest.max(other.longest);
        self.first = self.first.min(other.first);
    }
}
