//! What is not as expected.

use super::amend::Amendment;
use super::picture::Picture;
use super::windows::Seen;
use super::{AmountTest, EdgeFault, Got, StateName, Text, ValueTest, Wanted, Window};
use crate::model::{Labels, Millis};
use crate::replay::AlertState;

/// How an expectation is not met.
#[derive(Debug, Clone)]
pub struct Unmet {
    /// What the item is about.
    pub subject: Subject,
    /// Everything that is not as expected; at least one.
    pub problems: Vec<Problem>,
    /// What the alert did, where windows differ.
    pub picture: Option<Picture>,
    /// What would make it be met.
    pub amendment: Amendment,
}

/// What an item of `expect` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// One alert.
    Alert,
    /// All alerts, or all others.
    Alerts,
    /// An expression.
    Expr,
    /// An objective.
    Slo,
}

/// One thing that is not as expected. Labels are `None` where instances are taken together.
#[derive(Debug, Clone)]
pub enum Problem {
    /// No instance that is selected was ever pending or firing.
    NoInstance {
        /// The instances that there were.
        others: Vec<Labels>,
    },
    /// Windows differ.
    Windows {
        /// The instance.
        labels: Option<Labels>,
        /// Of firing or of being pending.
        state: AlertState,
        /// Those expected; none for `never`.
        expected: Vec<Window>,
        /// Those seen.
        seen: Vec<Seen>,
        /// Where they differ.
        faults: Vec<EdgeFault>,
    },
    /// There are more or fewer than expected.
    Amount {
        /// Of what.
        what: Counted,
        /// The instance.
        labels: Option<Labels>,
        /// How many there should be.
        wanted: AmountTest,
        /// How many there are.
        got: u64,
        /// The instances that were counted.
        counted: Vec<Labels>,
    },
    /// It still fires, fires again, or never fired.
    Unresolved {
        /// The instance.
        labels: Option<Labels>,
        /// From when on it must not fire.
        by: Millis,
        /// When it fires.
        seen: Vec<Seen>,
    },
    /// It is in another state.
    State {
        /// The instance.
        labels: Labels,
        /// When, after the start of the test.
        at: Millis,
        /// The state it should be in.
        wanted: StateName,
        /// The state it is in.
        got: StateName,
    },
    /// A label or annotation of an alert that fires is another.
    Text {
        /// The alert.
        alert: String,
        /// The instance.
        labels: Labels,
        /// `label` or `annotation`.
        what: &'static str,
        /// The name of the label or annotation.
        name: String,
        /// What it should be.
        wanted: Text,
        /// What it is, if it is there.
        got: Option<String>,
        /// The first evaluation at which that is so.
        at: Millis,
        /// At how many evaluations it is so, and how many there were.
        times: (usize, usize),
    },
    /// An instance fires that no item selects.
    Unselected {
        /// The instance.
        labels: Labels,
        /// When it fires.
        seen: Vec<Seen>,
    },
    /// An alert fires, or is pending, that never should.
    Never {
        /// The alert.
        alert: String,
        /// The instance.
        labels: Labels,
        /// Firing or pending.
        state: AlertState,
        /// When.
        seen: Vec<Seen>,
    },
    /// A value is another.
    Value {
        /// The series.
        labels: Labels,
        /// `value`, `always`, `min` or `max`.
        test: &'static str,
        /// What it should be.
        wanted: ValueTest,
        /// What it is: a number, or a histogram in promtool's notation.
        got: String,
        /// The first time at which that is so.
        at: Millis,
        /// At how many moments it is so, and how many there were.
        times: (usize, usize),
    },
    /// There is no sample where one is expected.
    NoSample {
        /// The first moment without any.
        at: Millis,
        /// The series that there were at that moment, and are not selected.
        others: Vec<Labels>,
        /// At how many moments there is none, and how many there were.
        times: (usize, usize),
    },
    /// There is a sample where none is expected.
    Sample {
        /// The series.
        labels: Labels,
        /// Its value.
        got: String,
        /// The first moment.
        at: Millis,
    },
    /// The expression can't be evaluated.
    Error {
        /// The first moment at which it can't.
        at: Millis,
        /// Why, in Prometheus's words.
        message: String,
    },
    /// Nothing fired, so nothing was asked.
    NothingAsked {
        /// The one moment that was asked for, if it was one.
        at: Option<Millis>,
    },
    /// An error budget is another, or tells of nothing.
    Budget {
        /// The group of the objective, if it has several.
        labels: Option<Labels>,
        /// The key that asks: `budget_left`, or `slo` for the objective itself.
        test: &'static str,
        /// What should be.
        wanted: Option<Wanted>,
        /// What is.
        got: Got,
        /// When.
        at: Option<Millis>,
    },
    /// No evaluation lies in the span.
    EmptySpan,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Instances that ever fire.
    Instances,
    /// Windows in which it fires.
    Firings,
    /// How often it fires again.
    Flaps,
    /// Samples.
    Samples,
}

impl Unmet {
    /// The first moment at which something is not as expected; `None` where that is the whole test.
    pub fn moment(&self) -> Option<Millis> {
        self.problems.iter().filter_map(Problem::moment).min()
    }

    /// `None` where there is no problem.
    pub(super) fn new(subject: Subject, problems: Vec<Problem>) -> Option<Unmet> {
        (!problems.is_empty()).then_some(Unmet {
            subject,
            problems,
            picture: None,
            amendment: Amendment::default(),
        })
    }
}

impl Problem {
    /// What kind of problem it is, for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Problem::NoInstance { .. } => "no_instance",
            Problem::Windows { .. } => "windows",
            Problem::Amount { what, .. } => match what {
                Counted::Instances => "instances",
                Counted::Firings => "count",
                Counted::Flaps => "flaps",
                Counted::Samples => "samples",
            },
            Problem::Unresolved { .. } => "unresolved",
            Problem::State { .. } => "state",
            Problem::Text { what, .. } => what,
            Problem::Unselected { .. } => "unselected",
            Problem::Never { .. } => "never",
            Problem::Value { .. } => "value",
            Problem::NoSample { .. } => "no_sample",
            Problem::Sample { .. } => "sample",
            Problem::Error { .. } => "error",
            Problem::NothingAsked { .. } => "nothing_asked",
            Problem::Budget { test, .. } => test,
            Problem::EmptySpan => "empty_span",
        }
    }

    /// The instance or series that it is about.
    pub fn labels(&self) -> Option<&Labels> {
        match self {
            Problem::Windows { labels, .. }
            | Problem::Amount { labels, .. }
            | Problem::Unresolved { labels, .. }
            | Problem::Budget { labels, .. } => labels.as_ref(),
            Problem::State { labels, .. }
            | Problem::Text { labels, .. }
            | Problem::Unselected { labels, .. }
            | Problem::Never { labels, .. }
            | Problem::Value { labels, .. }
            | Problem::Sample { labels, .. } => Some(labels),
            Problem::NoInstance { .. }
            | Problem::NoSample { .. }
            | Problem::Error { .. }
            | Problem::NothingAsked { .. }
            | Problem::EmptySpan => None,
        }
    }

    /// The first moment, after the start of the test, at which something is not as expected; `None` where that is the
    /// whole test.
    pub fn moment(&self) -> Option<Millis> {
        match self {
            Problem::Windows {
                expected,
                seen,
                faults,
                ..
            } => {
                let first = faults
                    .iter()
                    .filter_map(|fault| fault.moment(expected, seen));
                first.min()
            }
            Problem::Unresolved { by, .. } => Some(*by),
            Problem::State { at, .. }
            | Problem::Text { at, .. }
            | Problem::Value { at, .. }
            | Problem::NoSample { at, .. }
            | Problem::Sample { at, .. }
            | Problem::Error { at, .. } => Some(*at),
            Problem::Unselected { seen, .. } | Problem::Never { seen, .. } => {
                seen.first().map(|window| window.0)
            }
            Problem::NothingAsked { at } | Problem::Budget { at, .. } => *at,
            Problem::NoInstance { .. } | Problem::Amount { .. } | Problem::EmptySpan => None,
        }
    }
}

impl EdgeFault {
    /// Where it shows.
    fn moment(&self, expected: &[Window], seen: &[Seen]) -> Option<Millis> {
        match *self {
            EdgeFault::Moved { window, side, by } => {
                let expected = expected.get(window)?;
                let edge = match side {
                    super::Side::From => expected.from,
                    super::Side::To => expected.to?,
                };
                Some(edge.saturating_add(by.min(0)))
            }
            EdgeFault::Lasts { window } => expected.get(window)?.to,
            EdgeFault::Ends { at, .. } => Some(at),
            EdgeFault::Missing { window } => Some(expected.get(window)?.from),
            EdgeFault::Extra { window } => Some(seen.get(window)?.0),
        }
    }
}
