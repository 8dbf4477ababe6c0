//! The times of one evaluation, and what went wrong at them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::model::Timestamp;
use crate::promql::column::{EvalError, Ticks};

/// The times at which an expression is evaluated: the ticks of the query, or the steps of a subquery.
#[derive(Debug)]
pub(super) struct Frame {
    /// The times.
    pub ticks: Ticks,
    /// Which query the times belong to.
    pub query: QueryTime,
    errors: RefCell<BTreeMap<usize, EvalError>>,
}

/// The moment of the instant query that a time of a [`Frame`] belongs to: what `@ start()` means, and
/// which samples are visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueryTime {
    /// The time itself.
    Same,
    /// This moment, for all of them: steps of a subquery of one tick.
    Fixed(Timestamp),
    /// Several: steps that the subqueries of many ticks share. Only for expressions that do not ask
    /// (no `@ start()`) and to which nothing is invisible.
    Shared,
}

impl Frame {
    pub fn new(ticks: Ticks, query: QueryTime) -> Frame {
        Frame {
            ticks,
            query,
            errors: RefCell::default(),
        }
    }

    /// How many times there are.
    pub fn count(&self) -> usize {
        self.ticks.count
    }

    /// Records that the evaluation fails at a tick; the first error stays.
    pub fn fail(&self, tick: usize, message: impl FnOnce() -> String) {
        let mut errors = self.errors.borrow_mut();
        errors
            .entry(tick)
            .or_insert_with(|| EvalError::new(message()));
    }

    /// Records an error of every tick.
    pub fn fail_all(&self, message: &str) {
        for tick in 0..self.count() {
            self.fail(tick, || message.to_owned());
        }
    }

    /// The errors so far.
    pub fn into_errors(self) -> BTreeMap<usize, EvalError> {
        self.errors.into_inner()
    }

    /// Takes over errors found elsewhere.
    pub fn absorb(&self, errors: BTreeMap<usize, EvalError>) {
        for (tick, error) in errors {
            self.fail(tick, || error.message);
        }
    }
}
