//! Looks at every node of a query by itself.

use std::cell::Cell;
use std::sync::Arc;

use super::pin::pinned;
use super::{Explainer, Held, MAX_SHORT, Mark, Node, Point, Reading, Selects, Value};
use crate::model::{Millis, Timestamp};
use crate::promql::ast::{
    At, Chain, Expr, ExprKind, Link, Shift, Subquery, UnaryOp, ValueType, VectorSelector,
};
use crate::promql::column::{Columns, Sample, Ticks};
use crate::promql::eval::{Evaluated, Reader, View, evaluate, evaluate_windows};
use crate::promql::functions::Body;
use crate::promql::letters::one_line;
use crate::promql::query::Query;
use crate::text::Span;

/// So many nodes are looked at; nobody reads more.
const MAX_NODES: usize = 200;

/// Chains of more operators are looked at as one node.
const MAX_LINKS: usize = 40;

/// A node that was looked at.
pub(super) struct Seen<'q> {
    /// What it is.
    pub shape: Shape<'q>,
    /// Where it stands in the query's text.
    pub span: Span,
    /// When and by whom it was evaluated.
    pub moment: Moment,
    /// What it yields.
    pub value: Value,
    /// What Prometheus says beside the result.
    pub notes: Vec<String>,
    /// Every operand or argument.
    pub children: Vec<Seen<'q>>,
    /// Whether something went here.
    pub mark: Cell<Mark>,
    is_cut: bool,
}

/// What a node is.
#[derive(Clone, Copy)]
pub(super) enum Shape<'q> {
    /// What the tree calls a node.
    Expr(&'q Expr),
    /// One operator of a chain: the left operand is what stands before it.
    Link(&'q Link),
}

/// When a node is evaluated, and what is visible then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// When.
    pub time: Timestamp,
    /// When the whole query is.
    pub query: Timestamp,
    /// Who asks.
    pub reader: Reader,
}

impl Moment {
    /// Where the samples end that a selector asks for; `None` where its offset can't be told.
    pub fn end(&self, shift: &Shift) -> Option<Timestamp> {
        let offset = match &shift.offset {
            Some(offset) => offset.resolve(0, 0, true).ok()?,
            None => 0,
        };
        let from = match shift.at {
            Some(At::Time(time)) => time,
            Some(At::Start | At::End) => self.query,
            None => self.time,
        };
        Some(from.saturating_sub(offset))
    }
}

/// The steps of a subquery at a moment.
pub(super) struct Steps {
    pub range: Millis,
    pub step: Millis,
    /// The last; `None` where the window holds none.
    pub last: Option<Timestamp>,
}

impl<'q> Seen<'q> {
    /// Whether it yields no series where it could.
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// Whether it failed.
    pub fn is_failed(&self) -> bool {
        matches!(self.value, Value::Failed(_))
    }

    /// Its series.
    pub fn points(&self) -> &[Point] {
        self.value.points()
    }

    /// Both sides of an operator.
    pub fn sides(&self) -> Option<(&Seen<'q>, &Seen<'q>)> {
        match (&self.shape, self.children.as_slice()) {
            (Shape::Link(_), [left, right]) => Some((left, right)),
            _ => None,
        }
    }

    /// The selector that it is, and the range of one with a range.
    pub fn selector(&self) -> Option<(&'q VectorSelector, Option<Millis>)> {
        match self.shape {
            Shape::Expr(Expr {
                kind: ExprKind::Vector(selector),
                ..
            }) => Some((selector, None)),
            Shape::Expr(Expr {
                kind: ExprKind::Matrix(matrix),
                ..
            }) => Some((&matrix.selector, matrix.range.resolve(0, 0, false).ok())),
            _ => None,
        }
    }
}

impl Explainer<'_> {
    /// Looks at a query.
    pub(super) fn look<'q>(&self, expr: &'q Expr, time: Timestamp) -> Seen<'q> {
        let moment = Moment {
            time,
            query: time,
            reader: self.view.reader,
        };
        self.see(expr, moment, &Cell::new(MAX_NODES))
    }

    /// The view of a moment.
    pub(super) fn view_at(&self, moment: Moment) -> View<'_> {
        View {
            reader: moment.reader,
            ..self.view.clone()
        }
    }

    /// The steps of a subquery.
    pub(super) fn steps(&self, subquery: &Subquery, moment: Moment) -> Option<Steps> {
        let range = subquery.range.resolve(0, 0, false).ok()?;
        let step = match &subquery.step {
            Some(step) => step.resolve(0, 0, false).ok()?,
            None => self.view.default_step,
        };
        let step = step.max(1);
        let end = moment.end(&subquery.shift)?;
        let last = end.div_euclid(step).saturating_mul(step);
        Some(Steps {
            range,
            step,
            last: (last > end.saturating_sub(range)).then_some(last),
        })
    }

    fn see<'q>(&self, expr: &'q Expr, moment: Moment, left: &Cell<usize>) -> Seen<'q> {
        let mut expr = expr.unwrap_parens();
        while let ExprKind::Unary(UnaryOp::Plus, inner) = &expr.kind {
            expr = inner.unwrap_parens();
        }
        if let ExprKind::Chain(chain) = &expr.kind
            && chain.links.len() <= MAX_LINKS
            && left.get() > chain.links.len()
        {
            return self.chain(chain, moment, left);
        }
        left.set(left.get().saturating_sub(1));
        let (value, notes) = self.value(expr, moment);
        let below = self.below(expr, moment);
        let is_cut = !below.is_empty() && left.get() == 0;
        let children = match is_cut || matches!(expr.kind, ExprKind::Chain(_)) {
            true => Vec::new(),
            false => below
                .into_iter()
                .map(|(child, moment)| self.see(child, moment, left))
                .collect(),
        };
        Seen {
            shape: Shape::Expr(expr),
            span: expr.span,
            moment,
            value,
            notes,
            is_cut: is_cut || matches!(expr.kind, ExprKind::Chain(_)),
            children,
            mark: Cell::default(),
        }
    }

    /// One node for each operator of a chain.
    fn chain<'q>(&self, chain: &'q Chain, moment: Moment, left: &Cell<usize>) -> Seen<'q> {
        let mut seen = self.see(&chain.first, moment, left);
        for (index, link) in chain.links.iter().enumerate() {
            left.set(left.get().saturating_sub(1));
            let right = self.see(&link.rhs, moment, left);
            let span = chain.span_to(link);
            let part = Expr {
                kind: ExprKind::Chain(Chain {
                    first: chain.first.clone(),
                    links: chain.links.iter().take(index + 1).cloned().collect(),
                }),
                span,
            };
            let (value, notes) = self.value(&part, moment);
            seen = Seen {
                shape: Shape::Link(link),
                span,
                moment,
                value,
                notes,
                children: vec![seen, right],
                mark: Cell::default(),
                is_cut: false,
            };
        }
        seen
    }

    /// The nodes below one, each with its moment.
    fn below<'q>(&self, expr: &'q Expr, moment: Moment) -> Vec<(&'q Expr, Moment)> {
        match &expr.kind {
            ExprKind::Subquery(subquery) => {
                let last = self.steps(subquery, moment).and_then(|steps| steps.last);
                let inner = last.map(|step| (&subquery.expr, moment.at_step(step)));
                inner.into_iter().collect()
            }
            // The second argument of `info` is no expression of its own.
            ExprKind::Call(call) if matches!(call.function.body, Body::Info) => call
                .args
                .first()
                .map(|arg| (arg, moment))
                .into_iter()
                .collect(),
            _ => expr
                .children()
                .into_iter()
                .map(|child| (child, moment))
                .collect(),
        }
    }

    /// What a part of the query yields by itself.
    fn value(&self, expr: &Expr, moment: Moment) -> (Value, Vec<String>) {
        let query = Query {
            text: String::new(),
            expr: match moment.time == moment.query {
                true => expr.clone(),
                false => pinned(expr, moment.query),
            },
        };
        let view = self.view_at(moment);
        if query.value_type() == ValueType::Matrix {
            return match evaluate_windows(&query, &view, moment.time) {
                Err(error) => (Value::Failed(error.message), Vec::new()),
                Ok(windowed) => {
                    let words = windowed.annotations.iter().map(|note| note.words());
                    let held = windowed.series.into_iter().filter_map(|(labels, points)| {
                        let last = points.len().checked_sub(1)?;
                        Some(Held {
                            labels,
                            count: points.len(),
                            first: points.time(0),
                            last: points.time(last),
                        })
                    });
                    let mut held: Vec<Held> = held.collect();
                    held.sort_by_key(|held| !self.meant.concerns(&held.labels));
                    (Value::Windows(held), words.collect())
                }
            };
        }
        match evaluate(&query, &view, Ticks::instant(moment.time)) {
            Evaluated::String(text) => (Value::Text(text), Vec::new()),
            Evaluated::Scalar(columns) => {
                let first = points(&columns).into_iter().next();
                let number = first.and_then(|point| point.reading.float());
                of_columns(columns, Value::Scalar(number.unwrap_or(f64::NAN)))
            }
            Evaluated::Vector(columns) => {
                let mut points = points(&columns);
                points.sort_by_key(|point| !self.meant.concerns(&point.labels));
                of_columns(columns, Value::Vector(points))
            }
        }
    }

    /// What the caller gets to see.
    pub(super) fn node(&self, seen: &Seen<'_>) -> Node {
        let selects = seen.selector().and_then(|(selector, _)| {
            Some(Selects {
                matchers: selector.matchers.clone(),
                end: seen.moment.end(&selector.shift)?,
            })
        });
        let children = seen.children.iter().filter(is_shown);
        Node {
            text: self.written(seen),
            short: self.short(seen),
            span: seen.span,
            time: seen.moment.time,
            value: seen.value.clone(),
            mark: seen.mark.get(),
            selects,
            children: children.map(|child| self.node(child)).collect(),
            is_cut: seen.is_cut,
        }
    }

    /// A node as written, on one line.
    fn written(&self, seen: &Seen<'_>) -> String {
        one_line(self.text.get(seen.span.start..seen.span.end).unwrap_or(""))
    }

    /// The same, with `…` for the longest of the nodes below until it is short.
    fn short(&self, seen: &Seen<'_>) -> String {
        let mut spans: Vec<Span> = seen
            .children
            .iter()
            .filter(is_shown)
            .map(|it| it.span)
            .collect();
        spans.sort_by_key(|span| std::cmp::Reverse(span.end - span.start));
        let mut left_out: Vec<Span> = Vec::new();
        let mut short = self.written(seen);
        for span in spans {
            if short.chars().count() <= MAX_SHORT {
                break;
            }
            left_out.push(span);
            left_out.sort_unstable();
            short = self.without(seen.span, &left_out);
        }
        short
    }

    /// A part of the query with `…` for parts of it, which come in order.
    fn without(&self, whole: Span, parts: &[Span]) -> String {
        let mut out = String::new();
        let mut at = whole.start;
        for part in parts {
            out.push_str(self.text.get(at..part.start).unwrap_or(""));
            out.push('…');
            at = part.end;
        }
        out.push_str(self.text.get(at..whole.end).unwrap_or(""));
        one_line(&out)
    }
}

/// Numbers and texts say what they are where they stand.
fn is_shown(seen: &&Seen<'_>) -> bool {
    !matches!(
        seen.shape,
        Shape::Expr(Expr {
            kind: ExprKind::Number(_) | ExprKind::String(_),
            ..
        })
    )
}

impl Moment {
    /// That of a step of a subquery. What is visible is what the whole query sees.
    fn at_step(self, step: Timestamp) -> Moment {
        let reader = match self.reader {
            // Before the query's own time it sees what is there at all.
            Reader::Rule { offset, .. } if step < self.query => {
                Reader::After(self.query.saturating_add(offset).saturating_sub(1))
            }
            reader => reader,
        };
        Moment {
            time: step,
            reader,
            ..self
        }
    }
}

fn of_columns(columns: Columns, value: Value) -> (Value, Vec<String>) {
    match columns.errors.into_values().next() {
        Some(error) => (Value::Failed(error.message), Vec::new()),
        None => {
            let words = columns.annotations.iter().map(|note| note.words());
            (value, words.collect())
        }
    }
}

/// The samples of the only tick.
fn points(columns: &Columns) -> Vec<Point> {
    let points = columns.series.iter().filter_map(|series| {
        let reading = match series.column.get(0)? {
            Sample::Float(value) => Reading::Float(value),
            Sample::Histogram(histogram) => Reading::Histogram(Arc::clone(histogram)),
        };
        Some(Point {
            labels: series.labels.clone(),
            reading,
        })
    });
    points.collect()
}
