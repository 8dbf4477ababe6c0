//! Subqueries: an expression evaluated at steps, as samples for windows.

use super::frame::{Frame, QueryTime};
use super::{Evaluator, Row};
use crate::model::{Labels, Millis, Timestamp};
use crate::promql::ast::{At, Call, DurationExpr, Expr, ExprKind, Extension, Subquery, ValueType};
use crate::promql::column::{Sample, Ticks};
use crate::promql::functions::Body;
use crate::promql::window::Ends;
use crate::store::Points;

/// A series of a subquery, as if it had been stored.
pub(super) struct Stepped {
    pub labels: Labels,
    pub drop_name: bool,
    pub points: Points,
}

/// Where the steps of a subquery are, less the tick.
#[derive(Clone, Copy)]
struct Shape {
    ends: Ends,
    range: Millis,
    step: Millis,
}

/// Takes a series, where its windows end and how long they are.
type Each<'e> = dyn FnMut(&Stepped, Ends, Millis) + 'e;

impl Evaluator<'_> {
    /// Hands over every series of a subquery, windows to be taken at the frame's ticks.
    ///
    /// The steps of all ticks are evaluated together; a query in which what a step sees depends on the tick that asks
    /// is evaluated tick by tick (see [`Evaluator::is_shareable`]).
    pub(super) fn subquery(&self, subquery: &Subquery, frame: &Frame, each: &mut Each<'_>) {
        let shape = match self.shape(subquery, frame) {
            Ok(shape) => shape,
            Err(message) => return frame.fail_all(&message),
        };
        let query = match frame.query {
            QueryTime::Same if frame.count() == 1 => QueryTime::Fixed(frame.ticks.start),
            QueryTime::Same => QueryTime::Shared,
            outer => outer,
        };
        let steps = shape.steps(frame.ticks);
        let inner = Frame::new(steps, query, shape.lasts(frame.ticks))
            .with_share(shape.steps_of_one(frame));
        if !self.may_begin(&inner, frame) {
            return;
        }
        // Kept without the steps at which there is nothing: those may be most.
        let before = self.budget.held();
        let mut series = Vec::new();
        self.stream(&subquery.expr, &inner, &mut |row: Row<'_>| {
            series.push(stepped(row, steps))
        });
        self.hand_up(inner, shape, frame);
        for series in &series {
            if self.is_over() {
                return;
            }
            each(series, shape.ends, shape.range);
        }
        self.budget.release_to(before);
    }

    /// An error at a step fails the query, even where no window holds the step. Where several ticks share the steps,
    /// they are to be evaluated one by one; also where something is said of steps of which some are in no window.
    fn hand_up(&self, inner: Frame, shape: Shape, frame: &Frame) {
        let is_shared = inner.query == QueryTime::Shared;
        let (errors, annotations) = inner.into_parts();
        if is_shared && !annotations.is_empty() && shape.leaves_gaps(frame.ticks) {
            self.must_part_ticks.set(true);
        }
        frame.absorb_annotations(annotations);
        if let Some(error) = errors.into_values().next() {
            self.must_part_ticks
                .set(self.must_part_ticks.get() | is_shared);
            frame.fail_all(&error.message);
        }
    }

    /// Whether a step sees the same, whichever tick asks: nothing asks for the query's time, and everything
    /// that a step can reach is visible from the earliest tick on that has the step in its window.
    pub(super) fn is_shareable(&self, subquery: &Subquery) -> bool {
        let offset = subquery.shift.offset.as_deref().map_or(Ok(0), millis);
        match (subquery.shift.at, offset) {
            (None, Ok(offset)) => self.is_shareable_at(&subquery.expr, offset),
            _ => false,
        }
    }

    fn shape(&self, subquery: &Subquery, frame: &Frame) -> Result<Shape, String> {
        let step = match &subquery.step {
            Some(step) => frame.length(step)?,
            None => self.view.default_step,
        };
        Ok(Shape {
            ends: self.ends(&subquery.shift, frame)?,
            range: frame.length(&subquery.range)?,
            step: step.max(1),
        })
    }

    /// Range functions compare the labels of their results over a whole subquery where names go at once.
    fn is_shareable_call(&self, call: &Call) -> bool {
        let takes_range = |arg: &Expr| arg.value_type() == ValueType::Matrix;
        let keeps_apart = self.view.features.delayed_name_removal
            || call.function.keeps_name
            || !call
                .args
                .iter()
                .any(|arg| takes_range(arg) && !self.is_unique_without_name(arg));
        keeps_apart && !call.function.depends_on_query && !matches!(call.function.body, Body::Info)
    }

    /// `shift` is how far before its tick a step lies at least.
    fn is_shareable_at(&self, expr: &Expr, shift: Millis) -> bool {
        let selector = match &expr.kind {
            ExprKind::Vector(selector) => Some(&**selector),
            ExprKind::Matrix(matrix) => Some(&matrix.selector),
            ExprKind::Subquery(inner) => {
                let offset = inner.shift.offset.as_deref().map_or(Ok(0), millis);
                return match (inner.shift.at, offset) {
                    (None, Ok(offset)) => {
                        self.is_shareable_at(&inner.expr, shift.saturating_add(offset))
                    }
                    _ => false,
                };
            }
            ExprKind::Call(call) if !self.is_shareable_call(call) => return false,
            _ => None,
        };
        if let Some(selector) = selector {
            if selector.extension == Some(Extension::Smoothed) {
                return false;
            }
            let offset = selector.shift.offset.as_deref().map_or(Ok(0), millis);
            let (Ok(offset), Some(horizon)) = (offset, self.least_horizon(selector)) else {
                return !matches!(selector.shift.at, Some(At::Start | At::End));
            };
            return selector.shift.at.is_none() && shift.saturating_add(offset) >= -horizon;
        }
        expr.children()
            .into_iter()
            .all(|child| self.is_shareable_at(child, shift))
    }
}

impl Shape {
    /// The steps of all windows of some ticks: multiples of the step in `(end - range, end]`.
    fn steps(self, ticks: Ticks) -> Ticks {
        let first_end = self.ends.of(ticks.start);
        let last_end = self.ends.of(ticks.time(ticks.count.saturating_sub(1)));
        let before = first_end.saturating_sub(self.range).div_euclid(self.step);
        let start = (before + 1).saturating_mul(self.step);
        let last = last_end.div_euclid(self.step).saturating_mul(self.step);
        let count = if last < start || ticks.count == 0 {
            0
        } else {
            (last - start) / self.step + 1
        };
        Ticks {
            start,
            step: self.step,
            count: count as usize,
        }
    }
}

impl Shape {
    /// How many steps the windows of one query have at most, of whose times are the frame's share.
    fn steps_of_one(self, frame: &Frame) -> usize {
        let times = frame.share.saturating_sub(1) as Millis;
        let length = match self.ends {
            Ends::Before(_) => times.saturating_mul(frame.ticks.step),
            Ends::At(_) => 0,
        };
        (length.saturating_add(self.range) / self.step).saturating_add(1) as usize
    }

    /// Whether at any tick the steps begin before the windows end, be it that there is a single step, as Prometheus sees
    /// it: the end need not be a step.
    fn lasts(self, ticks: Ticks) -> bool {
        let lasts = |time: Timestamp| {
            let steps = self.steps(Ticks::instant(time));
            steps.count > 0 && steps.start != self.ends.of(time)
        };
        // The first of the steps lies before the end if a window is longer than a step.
        self.range > self.step || ticks.iter().any(lasts)
    }

    /// Whether some steps between the first and the last are in no window.
    fn leaves_gaps(self, ticks: Ticks) -> bool {
        matches!(self.ends, Ends::Before(_)) && ticks.count > 1 && ticks.step > self.range
    }
}

/// Whether windows are so far from each other that most steps between the first and the last are in none, and are better
/// not evaluated.
pub(super) fn is_sparse(subquery: &Subquery, stride: Millis) -> bool {
    let range = subquery.range.resolve(0, 0, false);
    subquery.shift.at.is_none() && range.is_ok_and(|range| stride / SPARSE > range)
}

/// How many windows must fit between the ends of two, so that looking for the series anew at every tick costs less than
/// what is saved.
const SPARSE: Millis = 16;

/// The milliseconds of an offset in an instant query.
fn millis(offset: &DurationExpr) -> Result<Millis, String> {
    offset.resolve(0, 0, true).map_err(|error| error.message)
}

/// The samples of a column at its steps.
fn stepped(row: Row<'_>, steps: Ticks) -> Stepped {
    let column = row.column;
    let present = column.present_ticks().count();
    let points = match present == steps.count && !column.has_histograms() {
        true => {
            let values = std::mem::take(column).into_values();
            Points::regular(steps.start, steps.step, values)
        }
        false => {
            let mut points = Points::default();
            for step in column.present_ticks() {
                match column.get(step) {
                    Some(Sample::Histogram(histogram)) => {
                        points.push_histogram(steps.time(step), histogram.clone())
                    }
                    _ => points.push(steps.time(step), column.values()[step]),
                }
            }
            points
        }
    };
    Stepped {
        labels: row.labels,
        drop_name: row.drop_name,
        points,
    }
}
