//! Evaluation over columns of ticks.
//!
//! A replay asks for all its ticks at once and gets a [`Columns`]: labels once a series, and a column with a
//! sample or nothing for every tick. The meaning stays that of one instant query a tick: `@ start()` and
//! `@ end()` are the tick, and nothing that is not visible at a tick's moment is seen (see [`View`]).
//!
//! Series are streamed: a node hands its series one by one to a `Sink`, in one reused column, so that a
//! `sum(rate(…))` over ten thousand series holds one column and the sums.

mod aggregate;
mod binary;
mod bounds;
mod budget;
mod call;
mod choose;
mod dataless;
mod fold;
mod frame;
mod info;
mod matching;
mod merge;
mod nameless;
mod notes;
mod ranges;
mod select;
mod smooth;
mod subquery;
mod totals;
mod view;
mod windows;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

pub use budget::{TOO_MANY as TOO_MANY_SAMPLES, TOO_MANY_STEPS};
pub use dataless::annotations_without_data;
pub use matching::signature;
pub use view::{Horizon, Reader, View};
pub use windows::{Windowed, evaluate_windows};

use self::bounds::BoundsCache;
use self::budget::Budget;
use self::frame::{Frame, QueryTime};
use self::select::{Selection, Take};
use super::annotation::{Annotations, Note, Operation};
use super::ast::{Expr, ExprKind, UnaryOp, ValueType, VectorSelector};
use super::column::{Column, ColumnSeries, Columns, Ticks};
use super::functions::{Body, QuerySpan};
use super::query::Query;
use crate::model::{Labels, Millis, Timestamp};
use crate::text::Span;

/// What a query evaluated to at every tick.
#[derive(Debug, Clone)]
pub enum Evaluated {
    /// A vector: series with columns, in the order in which Prometheus finds them.
    Vector(Columns),
    /// A scalar: one series without labels that is present everywhere but at ticks with errors.
    Scalar(Columns),
    /// A text.
    String(String),
}

impl Evaluated {
    /// The series of a vector or a scalar; `None` for a text.
    pub fn into_columns(self) -> Option<Columns> {
        match self {
            Evaluated::Vector(columns) | Evaluated::Scalar(columns) => Some(columns),
            Evaluated::String(_) => None,
        }
    }
}

/// Evaluates a query at every tick, as an instant query each.
///
/// `ticks` are evaluation times: moments less the group's `query_offset`, which `view` knows.
pub fn evaluate(query: &Query, view: &View<'_>, ticks: Ticks) -> Evaluated {
    Repeated::new(query).evaluate(view, ticks)
}

/// A query that is evaluated again and again while its store gets more series and samples: it remembers what its
/// selectors found, and looks only at what was added since.
#[derive(Debug)]
pub struct Repeated<'q> {
    query: &'q Query,
    selections: Selections,
}

impl<'q> Repeated<'q> {
    /// A query that was not evaluated yet.
    pub fn new(query: &'q Query) -> Repeated<'q> {
        Repeated {
            query,
            selections: Selections::default(),
        }
    }

    /// Evaluates as [`evaluate`] does. `view` must show the same store every time, from which no series may have gone.
    pub fn evaluate(&mut self, view: &View<'_>, ticks: Ticks) -> Evaluated {
        let expr = self.query.expr.unwrap_parens();
        if let ExprKind::String(text) = &expr.kind {
            return Evaluated::String(text.clone());
        }
        let mut evaluator = Evaluator::new(view, expr);
        evaluator.selections = RefCell::new(std::mem::take(&mut self.selections));
        let columns = evaluator.every_tick(expr, ticks);
        self.selections = evaluator.selections.into_inner();
        match expr.value_type() == ValueType::Scalar {
            true => Evaluated::Scalar(columns),
            false => Evaluated::Vector(columns),
        }
    }
}

/// Evaluates a range query: its steps from `start` to `end` belong to one query, so that `@ start()`, `step()` and
/// their like mean the same at every step. Series come in the order of their labels.
///
/// `step` must be above 0 and `end` not before `start`. An error at any step is an error of the query.
pub fn evaluate_range(
    query: &Query,
    view: &View<'_>,
    start: Timestamp,
    end: Timestamp,
    step: Millis,
) -> Evaluated {
    let ticks = Ticks {
        start,
        step: step.max(1),
        count: (end.saturating_sub(start).max(0) / step.max(1)) as usize + 1,
    };
    let expr = query.expr.unwrap_parens();
    if let ExprKind::String(text) = &expr.kind {
        return Evaluated::String(text.clone());
    }
    let evaluator = Evaluator::new(view, expr);
    let span = QuerySpan { start, end, step };
    let frame = Frame::new(ticks, QueryTime::Range(span), start != end);
    let mut columns = evaluator.all_at_once(expr, frame);
    columns.series.sort_by(|a, b| a.labels.cmp(&b.labels));
    if !columns.errors.is_empty() {
        columns.annotations = Annotations::default();
    }
    match expr.value_type() == ValueType::Scalar {
        true => Evaluated::Scalar(columns),
        false => Evaluated::Vector(columns),
    }
}

/// One evaluation of one query.
struct Evaluator<'a> {
    view: &'a View<'a>,
    /// The outermost expression: what comes from there is seen by whoever asked.
    root: &'a Expr,
    /// How many samples are held, and may be.
    budget: Budget,
    /// Whether something went wrong of which only a tick alone can tell what exactly: a step failed that the subqueries
    /// of several ticks share, or a message depends on the order of series, which depends on the tick.
    must_part_ticks: Cell<bool>,
    /// Calls and aggregations that are the same at all steps of a query, by where they stand. Found when they are asked for.
    constants: OnceCell<HashSet<Span>>,
    /// Whether several ticks saw the same histograms without buckets.
    shares_totals: Cell<bool>,
    /// Selectors of whose histograms only counts and sums are read. Found when they are asked for.
    totals: OnceCell<HashSet<*const VectorSelector>>,
    /// The series of each selector, by its place in the tree.
    selections: RefCell<Selections>,
    /// The windows of the range selector before.
    bounds: Cell<BoundsCache>,
}

/// A series on its way from one node to the next.
struct Row<'c> {
    labels: Labels,
    /// Whether the metric name goes when the query is done (delayed name removal).
    drop_name: bool,
    /// Its samples; whoever takes the column out leaves an empty one to be refilled.
    column: &'c mut Column,
}

/// The series of each selector, by its place in the tree.
type Selections = HashMap<*const VectorSelector, Selection>;

/// Takes the series of a node one by one.
type Sink<'s> = dyn FnMut(Row<'_>) + 's;

impl<'a> Evaluator<'a> {
    fn new(view: &'a View<'a>, root: &'a Expr) -> Evaluator<'a> {
        Evaluator {
            view,
            root,
            budget: Budget::new(view.max_samples),
            must_part_ticks: Cell::new(false),
            constants: OnceCell::new(),
            shares_totals: Cell::new(false),
            totals: OnceCell::new(),
            selections: RefCell::default(),
            bounds: Cell::default(),
        }
    }

    /// Whether it can't be said which of the annotations are those of ticks that did not fail, and what histograms that
    /// ticks share know of resets.
    fn is_unclear(&self, columns: &Columns) -> bool {
        let collides = |operation| {
            columns
                .annotations
                .mentions(Note::ResetCollision(operation))
        };
        let operations = [
            Operation::Addition,
            Operation::Subtraction,
            Operation::Aggregation,
        ];
        !columns.annotations.is_empty()
            && (!columns.errors.is_empty()
                || (self.shares_totals.get() && operations.into_iter().any(collides)))
    }

    /// Evaluates as an instant query a tick.
    fn every_tick(&self, expr: &Expr, ticks: Ticks) -> Columns {
        if ticks.count > 1 && self.any_needs_single_ticks(expr, ticks.step) {
            return self.one_by_one(expr, ticks);
        }
        let columns = self.all_at_once(expr, Frame::new(ticks, QueryTime::Same, false));
        match self.must_part_ticks.get() || self.is_unclear(&columns) {
            true => self.one_by_one(expr, ticks),
            false => columns,
        }
    }

    fn all_at_once(&self, expr: &Expr, frame: Frame) -> Columns {
        self.budget.begin(frame.ticks, frame.query);
        let series = match expr.value_type() {
            _ if !self.may_begin(&frame, &frame) => Vec::new(),
            ValueType::Scalar => vec![ColumnSeries {
                labels: Labels::empty(),
                drop_name: false,
                column: self.scalar(expr, &frame),
            }],
            _ => merge::remove_names(self.vector(expr, &frame), &frame),
        };
        let ticks = frame.ticks;
        let (errors, annotations) = frame.into_parts();
        Columns {
            ticks,
            series,
            errors,
            annotations,
        }
    }

    /// Evaluates every tick by itself and stitches the samples together.
    fn one_by_one(&self, expr: &Expr, ticks: Ticks) -> Columns {
        let mut places: BTreeMap<Labels, Column> = BTreeMap::new();
        let mut out = Columns::new(ticks);
        for tick in 0..ticks.count {
            if self.view.is_stopped() {
                break;
            }
            let tick_alone = Ticks::instant(ticks.time(tick));
            let frame = Frame::new(tick_alone, QueryTime::Same, false);
            let single = self.all_at_once(expr, frame);
            for series in single.series {
                let Some(sample) = series.column.get(0) else {
                    continue;
                };
                let column = places
                    .entry(series.labels)
                    .or_insert_with(|| Column::absent(ticks.count));
                column.put(tick, sample);
            }
            match single.errors.into_values().next() {
                Some(error) => out.fail(tick, error.message),
                None => out.annotations.merge(single.annotations),
            }
        }
        out.series = places
            .into_iter()
            .map(|(labels, column)| ColumnSeries {
                labels,
                drop_name: false,
                column,
            })
            .collect();
        out
    }

    /// `stride` is the distance of ticks; 0 within a subquery, whose steps are as they are.
    fn any_needs_single_ticks(&self, expr: &Expr, stride: Millis) -> bool {
        let here = match &expr.kind {
            ExprKind::Vector(selector) => self.needs_single_ticks(selector),
            ExprKind::Matrix(matrix) => self.needs_single_ticks(&matrix.selector),
            ExprKind::Subquery(subquery) => {
                !self.is_shareable(subquery) || subquery::is_sparse(subquery, stride)
            }
            ExprKind::Call(call) => matches!(call.function.body, Body::Info),
            ExprKind::Aggregate(aggregate) => aggregate::sees_order(aggregate),
            _ => false,
        };
        let stride = match &expr.kind {
            ExprKind::Subquery(_) => 0,
            _ => stride,
        };
        here || expr
            .children()
            .into_iter()
            .any(|child| self.any_needs_single_ticks(child, stride))
    }

    /// Evaluates a vector into series that are kept.
    fn vector(&self, expr: &Expr, frame: &Frame) -> Vec<ColumnSeries> {
        let mut series = Vec::new();
        self.stream(expr, frame, &mut |row: Row<'_>| {
            series.push(ColumnSeries {
                labels: row.labels,
                drop_name: row.drop_name,
                column: std::mem::take(row.column),
            });
        });
        series
    }

    /// Evaluates a vector and hands its series to `sink`, each with a sample at one tick at least. Its samples are held
    /// from then on.
    fn stream(&self, expr: &Expr, frame: &Frame, sink: &mut Sink<'_>) {
        if self.is_over() {
            return;
        }
        match &expr.kind {
            ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Plus, inner) => {
                return self.stream(inner, frame, sink);
            }
            ExprKind::Unary(UnaryOp::Minus, inner) => return self.negated(inner, frame, sink),
            _ => {}
        }
        let before = self.budget.held();
        let mut yielded = 0;
        self.yielded(expr, frame, &mut |row: Row<'_>| {
            let samples = frame.samples_of(row.column);
            yielded += samples;
            if self.hold(samples, frame) {
                sink(row);
            }
        });
        self.budget.release_to(before + yielded);
    }

    /// Streams what a node yields.
    fn yielded(&self, expr: &Expr, frame: &Frame, sink: &mut Sink<'_>) {
        match &expr.kind {
            ExprKind::Vector(selector) => {
                self.vector_selector(selector, expr.span, frame, Take::Values, sink)
            }
            ExprKind::Call(call) => self.call(call, expr.span, frame, sink),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate, expr.span, frame, sink),
            ExprKind::Chain(chain) => self.chain(chain, frame, sink),
            ExprKind::Paren(_)
            | ExprKind::Unary(..)
            | ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Matrix(_)
            | ExprKind::Subquery(_) => {
                frame.fail_all(&format!(
                    "expected an instant vector, got a {}",
                    expr.value_type().name()
                ));
            }
        }
    }

    /// Evaluates a scalar: a column that is present everywhere, and held from then on.
    fn scalar(&self, expr: &Expr, frame: &Frame) -> Column {
        let before = self.budget.held();
        let column = self.computed(expr, frame);
        self.budget.release_to(before);
        self.hold(frame.share, frame);
        column
    }

    /// The column of a scalar.
    fn computed(&self, expr: &Expr, frame: &Frame) -> Column {
        match &expr.kind {
            ExprKind::Number(number) => Column::constant(frame.count(), number.value),
            ExprKind::Call(call) => self.scalar_call(call, expr.span, frame),
            ExprKind::Chain(chain) => self.scalar_chain(chain, frame),
            ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Plus, inner) => {
                self.computed(inner, frame)
            }
            ExprKind::Unary(UnaryOp::Minus, inner) => {
                let mut column = self.computed(inner, frame);
                column.map_floats(true, |value| -value);
                column
            }
            _ => {
                frame.fail_all(&format!(
                    "expected a scalar, got a {}",
                    expr.value_type().name()
                ));
                Column::constant(frame.count(), f64::NAN)
            }
        }
    }

    /// `-v`.
    fn negated(&self, inner: &Expr, frame: &Frame, sink: &mut Sink<'_>) {
        let negate = |column: &mut Column| {
            column.negate();
            true
        };
        let is_root =
            matches!(&self.root.kind, ExprKind::Unary(_, root) if std::ptr::eq(&**root, inner));
        let join = match is_root {
            true => merge::joined,
            false => merge::joined_within,
        };
        self.without_names_by(inner, frame, sink, &negate, Labels::without_metadata, join);
    }
}

/// Hands kept series on.
fn emit(series: Vec<ColumnSeries>, sink: &mut Sink<'_>) {
    for mut series in series {
        if series.column.has_any() {
            sink(Row {
                labels: series.labels,
                drop_name: series.drop_name,
                column: &mut series.column,
            });
        }
    }
}
