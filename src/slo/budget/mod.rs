//! How much of an error budget is spent, and how fast, at any moment of a recording or a replay.
//!
//! [`gather`] counts events once; after that every question is a subtraction of two sums.

mod counts;
mod gather;
mod slices;
mod unmatched;

pub use counts::{Counts, Grid};
pub use gather::{Gathered, counts_samples, gather};
pub use unmatched::{Unmatched, unmatched};

use super::objective::{EmptySlice, Method, Slo};
use super::window::Window;
use crate::model::{Labels, Millis, Timestamp};
use crate::promql::View;
use crate::text::Diagnostic;

/// What counts as all events of a window of which only a part is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// The rest of the window goes on at the mean rate, without errors.
    Full,
    /// Only what is known.
    Observed,
}

/// An error budget over time.
#[derive(Debug, Clone)]
pub struct Budget {
    /// The labels of its group; none for one over all.
    pub labels: Labels,
    /// Whether its events are raw increases of counters, or samples, rather than estimates of some query.
    pub is_exact: bool,
    /// Whether its bad events are of no series at all: perhaps there were none, perhaps a name is wrong.
    pub bad_is_unmatched: bool,
    /// Its selectors that match no series.
    pub unmatched: Vec<Unmatched>,
    /// Bad and all events, or slices of time.
    counts: Counts,
    /// Where slices of time are counted, the events in them.
    events: Counts,
    /// Whether slices of time are counted.
    is_sliced: bool,
    window: Window,
    /// The share that may be bad.
    allowed: f64,
    history: History,
}

/// A budget at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The moment.
    pub at: Timestamp,
    /// The objective's window around it: when it began, and when it ends.
    pub window: (Timestamp, Timestamp),
    /// How much of the window up to now is known.
    pub known: Millis,
    /// Bad events, or slices of time, that are known.
    pub bad: f64,
    /// All that are known.
    pub total: f64,
    /// All that the whole window is taken to hold.
    pub expected: f64,
    /// The share of good ones; `None` without any.
    pub indicator: Option<f64>,
    /// The part of the budget that is spent, above 1 where it is overdrawn.
    pub spent: Result<f64, Unknown>,
}

impl Standing {
    /// The part of the budget that is left, below 0 where it is overdrawn.
    ///
    /// # Errors
    /// Why there is none.
    pub fn left(&self) -> Result<f64, Unknown> {
        self.spent.map(|spent| 1.0 - spent)
    }

    /// Whether all of the window up to now is known.
    pub fn is_whole(&self) -> bool {
        self.known >= self.at.saturating_sub(self.window.0)
    }
}

/// Why there is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Nothing happened, so nothing is good or bad.
    #[error("no traffic")]
    NoTraffic,
    /// The window reaches back before the first sample.
    #[error("too little history")]
    TooLittleHistory,
    /// The moment lies after the last sample.
    #[error("the samples end before")]
    SamplesEnd,
    /// All must be good: a target of 100 %.
    #[error("no budget at a target of 100%")]
    NoBudget,
}

/// When a budget is spent if errors go on as they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhaustion {
    /// It is spent already.
    Already,
    /// After so long.
    In(Millis),
    /// Not as long as it goes on like this, or not before the window ends.
    Never,
}

impl Budget {
    /// The budgets of an objective over what a view shows up to a moment: one, or one for each of its groups.
    ///
    /// # Errors
    /// Those of [`gather`].
    pub fn of(
        slo: &Slo,
        view: &View<'_>,
        until: Timestamp,
        history: History,
    ) -> Result<Vec<Budget>, Vec<Diagnostic>> {
        let gathered = gather(slo, view, until)?;
        let (unmatched, _) = unmatched(slo, view);
        let budget = |(labels, counts)| Budget {
            bad_is_unmatched: gathered.bad_is_unmatched,
            unmatched: unmatched.clone(),
            ..Budget::new(slo, labels, counts, gathered.is_exact, history)
        };
        Ok(gathered.groups.into_iter().map(budget).collect())
    }

    /// The budget of an objective over events that were counted.
    pub fn new(
        slo: &Slo,
        labels: Labels,
        events: Counts,
        is_exact: bool,
        history: History,
    ) -> Budget {
        Budget {
            labels,
            is_exact,
            bad_is_unmatched: false,
            unmatched: Vec::new(),
            counts: slices::counted(events.clone(), slo.method),
            events,
            is_sliced: slo.method != Method::Occurrences,
            window: slo.window,
            allowed: slo.target.budget(),
            history,
        }
    }

    /// When the history begins, and its last moment.
    pub fn extent(&self) -> (Timestamp, Timestamp) {
        (self.events.from, self.events.to)
    }

    /// Between two moments at which it may change.
    pub fn step(&self) -> Millis {
        self.counts.grid.step
    }

    /// How it stands at a moment.
    pub fn at(&self, at: Timestamp) -> Standing {
        let window = match self.window.around(at) {
            // Without history there is nothing to say of a window that the data ends with.
            window if window.0 < window.1 => window,
            (from, _) => (from, from.saturating_add(1)),
        };
        let begin = window.0.max(self.counts.from);
        let now = at.min(self.counts.to);
        let (bad, total) = self.counts.between(begin, now);
        let known = now.saturating_sub(begin).max(0);
        // Slices that are not over do not count yet, nor does their time.
        let whole = self.counted_until(now).saturating_sub(begin).max(0);
        let expected = match (self.history, whole) {
            (History::Observed, _) | (_, 0) => total,
            (History::Full, whole) => total * ((window.1 - window.0) as f64 / whole as f64),
        };
        let spent = match () {
            () if total <= 0.0 => Err(Unknown::NoTraffic),
            () if self.allowed <= 0.0 && bad > 0.0 => Err(Unknown::NoBudget),
            () if self.allowed <= 0.0 => Ok(0.0),
            () => Ok(bad / (self.allowed * expected)),
        };
        Standing {
            at,
            window,
            known,
            bad,
            total,
            expected,
            indicator: (total > 0.0).then(|| 1.0 - bad / total),
            spent,
        }
    }

    /// The last moment up to which everything is counted.
    fn counted_until(&self, now: Timestamp) -> Timestamp {
        match self.counts.grid.time(self.counts.grid.at(now)) {
            // Events count when they happen.
            _ if !self.is_sliced => now,
            counted => counted,
        }
    }

    /// How fast the budget is spent over the last stretch of some length: 1 spends it in just the objective's window.
    ///
    /// # Errors
    /// Nothing happened, the stretch begins before the history, or there is no budget.
    pub fn burn_rate(&self, over: Millis, at: Timestamp) -> Result<f64, Unknown> {
        let from = at.saturating_sub(over);
        if from < self.counts.from {
            return Err(Unknown::TooLittleHistory);
        }
        if at > self.events.to.saturating_add(self.step()) {
            return Err(Unknown::SamplesEnd);
        }
        let (bad, total) = self.counts.between(from, at);
        match () {
            () if total <= 0.0 => Err(Unknown::NoTraffic),
            () if self.allowed <= 0.0 => Err(Unknown::NoBudget),
            () => Ok(bad / total / self.allowed),
        }
    }

    /// The first moment at which this part of the budget is spent.
    pub fn spent_at(&self, part: f64) -> Option<Timestamp> {
        let mut moments = self.moments();
        moments.find(|&at| self.at(at).spent.is_ok_and(|spent| spent >= part))
    }

    /// The moments of its history at which it may change.
    pub fn moments(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let (grid, from) = (self.counts.grid, self.counts.from);
        let moments = (0..=grid.count).map(move |tick| grid.time(tick));
        moments.filter(move |&at| at > from)
    }

    /// When it is spent if bad and good events go on as over the last stretch of some length.
    ///
    /// # Errors
    /// Nothing happened, the stretch begins before the history, or there is no budget.
    pub fn exhaustion(&self, over: Millis, at: Timestamp) -> Result<Exhaustion, Unknown> {
        let burn = self.burn_rate(over, at)?;
        let now = self.at(at);
        let spent = now.spent?;
        if spent >= 1.0 {
            return Ok(Exhaustion::Already);
        }
        if burn <= 0.0 {
            return Ok(Exhaustion::Never);
        }
        let (bad, _) = self.counts.between(at.saturating_sub(over), at);
        let rate = bad / over.max(1) as f64;
        let allowed = self.allowed * now.expected;
        match self.window {
            Window::Calendar(_) => {
                let lasts = (allowed - now.bad) / rate;
                let left = (now.window.1 - at) as f64;
                Ok(match lasts <= left {
                    true => Exhaustion::In(lasts.ceil() as Millis),
                    false => Exhaustion::Never,
                })
            }
            Window::Rolling(length) => Ok(self.rolling(at, length, rate, allowed)),
        }
    }

    /// The first moment at which new errors outweigh the old ones that leave a rolling window.
    fn rolling(&self, at: Timestamp, length: Millis, rate: f64, allowed: f64) -> Exhaustion {
        let step = self.step();
        // As long as the window begins before the history, nothing leaves it.
        let (old, _) = self.counts.between(self.counts.from, at);
        let begins = self.counts.from.saturating_add(length).saturating_sub(at);
        let begins = begins.clamp(0, length);
        let lasts = ((allowed - old) / rate / step as f64).ceil().max(1.0) * step as f64;
        if lasts <= begins as f64 {
            return Exhaustion::In(lasts as Millis);
        }
        let first = begins.div_euclid(step).max(1);
        let count = length.div_euclid(step).saturating_add(1);
        for number in first..=count {
            let later = number.saturating_mul(step).min(length);
            let from = at.saturating_add(later).saturating_sub(length);
            let (old, _) = self.counts.between(from.max(self.counts.from), at);
            if old + rate * later as f64 >= allowed {
                return Exhaustion::In(later);
            }
        }
        Exhaustion::Never
    }
}

impl Method {
    /// What it does, in words.
    pub fn words(&self) -> String {
        let empty = |empty: EmptySlice| match empty {
            EmptySlice::Good => "empty ones are good",
            EmptySlice::Bad => "empty ones are bad",
            EmptySlice::Skipped => "empty ones do not count",
        };
        let length = |slice: Millis| crate::model::Duration(slice);
        match self {
            Method::Occurrences => "events".to_owned(),
            Method::TimeSlices {
                slice,
                target,
                empty: it,
            } => format!(
                "slices of {} that are {target} good; {}",
                length(*slice),
                empty(*it)
            ),
            Method::RatioTimeSlices { slice, empty: it } => {
                format!("shares of slices of {}; {}", length(*slice), empty(*it))
            }
        }
    }
}
