//! The times of one evaluation, what went wrong at them, and what there is to say of them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::model::{Millis, Timestamp};
use crate::promql::annotation::{Annotations, Note, Site};
use crate::promql::ast::DurationExpr;
use crate::promql::column::{EvalError, Ticks};
use crate::promql::functions::QuerySpan;

/// The times at which an expression is evaluated: the ticks of the query, or the steps of a subquery.
#[derive(Debug)]
pub(super) struct Frame {
    /// The times.
    pub ticks: Ticks,
    /// Which query the times belong to.
    pub query: QueryTime,
    /// How many of the times belong to one query at most.
    pub share: usize,
    /// Whether a query or subquery to which times belong begins and ends at different moments.
    pub lasts: bool,
    errors: RefCell<BTreeMap<usize, EvalError>>,
    annotations: RefCell<Annotations>,
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
    /// One range query, whose steps the times are, or steps of a subquery of it.
    Range(QuerySpan),
}

impl QueryTime {
    /// Start, end and step of the query as `start()` and its like see them; `None` where each time is a query of
    /// its own.
    pub fn span(self) -> Option<QuerySpan> {
        match self {
            QueryTime::Same | QueryTime::Shared => None,
            QueryTime::Fixed(moment) => Some(QuerySpan::instant(moment)),
            QueryTime::Range(span) => Some(span),
        }
    }

    /// The step and the length of the query, which are 0 for an instant query: what `step()` and `range()` in a
    /// duration mean.
    fn step_and_range(self) -> (Millis, Millis) {
        self.span().map_or((0, 0), |span| {
            (span.step, span.end.saturating_sub(span.start))
        })
    }
}

impl Frame {
    pub fn new(ticks: Ticks, query: QueryTime, lasts: bool) -> Frame {
        Frame {
            ticks,
            query,
            share: match query {
                QueryTime::Same | QueryTime::Shared => 1,
                QueryTime::Fixed(_) | QueryTime::Range(_) => ticks.count,
            },
            lasts,
            errors: RefCell::default(),
            annotations: RefCell::default(),
        }
    }

    /// The same frame, of whose times so many belong to one query at most.
    pub fn with_share(self, share: usize) -> Frame {
        Frame {
            share: share.min(self.ticks.count),
            ..self
        }
    }

    /// How many times there are.
    pub fn count(&self) -> usize {
        self.ticks.count
    }

    /// The milliseconds of an offset.
    pub fn offset(&self, duration: &DurationExpr) -> Result<Millis, String> {
        self.resolve(duration, true)
    }

    /// The milliseconds of a window or a step, above zero.
    pub fn length(&self, duration: &DurationExpr) -> Result<Millis, String> {
        self.resolve(duration, false)
    }

    fn resolve(&self, duration: &DurationExpr, allow_negative: bool) -> Result<Millis, String> {
        let (step, range) = self.query.step_and_range();
        duration
            .resolve(step, range, allow_negative)
            .map_err(|error| error.message)
    }

    /// Records that the evaluation fails at a tick; the first error stays. Of a query with many times only the error of
    /// the earliest matters.
    pub fn fail(&self, tick: usize, message: impl FnOnce() -> String) {
        let mut errors = self.errors.borrow_mut();
        if self.query != QueryTime::Same {
            match errors.first_key_value() {
                Some((&first, _)) if first <= tick => return,
                Some(_) => errors.clear(),
                None => {}
            }
        }
        errors
            .entry(tick)
            .or_insert_with(|| EvalError::new(message()));
    }

    /// Records an error of every tick.
    pub fn fail_all(&self, message: &str) {
        let ticks = match self.query {
            QueryTime::Same => self.count(),
            _ => 1,
        };
        for tick in 0..ticks {
            self.fail(tick, || message.to_owned());
        }
    }

    /// Notes something of the query.
    pub fn note(&self, site: &Site<'_>, note: Note<'_>) {
        self.annotations.borrow_mut().add(site, note);
    }

    /// The annotations so far, to add to.
    pub fn annotations(&self) -> &RefCell<Annotations> {
        &self.annotations
    }

    /// The errors and annotations so far.
    pub fn into_parts(self) -> (BTreeMap<usize, EvalError>, Annotations) {
        (self.errors.into_inner(), self.annotations.into_inner())
    }

    /// Takes over errors found elsewhere.
    pub fn absorb(&self, errors: BTreeMap<usize, EvalError>) {
        for (tick, error) in errors {
            self.fail(tick, || error.message);
        }
    }

    /// Takes over annotations noted elsewhere.
    pub fn absorb_annotations(&self, annotations: Annotations) {
        self.annotations.borrow_mut().merge(annotations);
    }
}
