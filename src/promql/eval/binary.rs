//! Operators between numbers, and between a vector and a number.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::frame::Frame;
use super::matching::Presence;
use super::merge::distinct;
use super::{Evaluator, Row, Sink, emit};
use crate::model::{CounterResetHint, Histogram, Trim, power, trigonometry};
use crate::promql::annotation::{Note, Operation, Remarks, Site};
use crate::promql::ast::{BinaryOp, Chain, Expr, Link, ValueType};
use crate::promql::column::{Column, ColumnSeries, Sample};
use crate::text::Span;

/// What stands left of the next operator of a chain.
enum Operand {
    Scalar(Column),
    Vector(Vec<ColumnSeries>),
}

impl Evaluator<'_> {
    /// Streams a chain of operators with a vector among its operands, from the left.
    pub(super) fn chain(&self, chain: &Chain, frame: &Frame, sink: &mut Sink<'_>) {
        if let [link] = chain.links.as_slice() {
            let types = (chain.first.value_type(), link.rhs.value_type());
            match types {
                (ValueType::Vector, ValueType::Scalar) => {
                    return self.with_scalar(chain, link, false, frame, sink);
                }
                (ValueType::Scalar, ValueType::Vector) => {
                    return self.with_scalar(chain, link, true, frame, sink);
                }
                _ => {}
            }
        }
        let before = self.budget.held();
        let mut left = self.operand(&chain.first, frame);
        let mut links = chain.links.as_slice();
        while let Some((link, rest)) = links.split_first() {
            let (alternatives, behind) = links.split_at(alternatives(links));
            (left, links) = match left {
                Operand::Vector(left) if !alternatives.is_empty() => {
                    let found = self.first_found(left, alternatives, frame);
                    (Operand::Vector(found), behind)
                }
                left => (self.apply(left, link, chain.span_to(link), frame), rest),
            };
            let samples = match &left {
                Operand::Scalar(_) => frame.share,
                Operand::Vector(series) => frame.samples_of_all(series),
            };
            self.budget.release_to(before + samples);
        }
        if let Operand::Vector(series) = left {
            emit(series, sink);
        }
    }

    /// `left or a or b …`, without looking through all that was found for each of them.
    fn first_found(
        &self,
        left: Vec<ColumnSeries>,
        links: &[Link],
        frame: &Frame,
    ) -> Vec<ColumnSeries> {
        let mut found = left;
        let Some(matching) = links.first().map(Link::matching) else {
            return found;
        };
        let mut seen = Presence::default();
        seen.add(&found, matching);
        for link in links {
            let held = self.budget.held();
            let mut right = self.vector(&link.rhs, frame);
            seen.retain(&mut right, matching, |seen| !seen);
            right.retain(|series| series.column.has_any());
            self.budget.release_to(held + frame.samples_of_all(&right));
            seen.add(&right, matching);
            found.append(&mut right);
        }
        distinct(found, frame)
    }

    /// Evaluates a chain of numbers.
    pub(super) fn scalar_chain(&self, chain: &Chain, frame: &Frame) -> Column {
        let before = self.budget.held();
        let mut left = self.scalar(&chain.first, frame);
        for link in &chain.links {
            let right = self.scalar(&link.rhs, frame);
            left = of_scalars(link.op, &left, &right);
            self.budget.release_to(before + frame.share);
        }
        left
    }

    fn operand(&self, expr: &Expr, frame: &Frame) -> Operand {
        match expr.value_type() {
            ValueType::Scalar => Operand::Scalar(self.scalar(expr, frame)),
            _ => Operand::Vector(self.vector(expr, frame)),
        }
    }

    /// `node` is where both operands stand.
    fn apply(&self, left: Operand, link: &Link, node: Span, frame: &Frame) -> Operand {
        match (left, self.operand(&link.rhs, frame)) {
            (Operand::Scalar(left), Operand::Scalar(right)) => {
                Operand::Scalar(of_scalars(link.op, &left, &right))
            }
            (Operand::Vector(left), Operand::Scalar(right)) => {
                Operand::Vector(self.all_with_scalar(left, &right, link, node, false, frame))
            }
            (Operand::Scalar(left), Operand::Vector(right)) => {
                Operand::Vector(self.all_with_scalar(right, &left, link, node, true, frame))
            }
            (Operand::Vector(left), Operand::Vector(right)) => {
                Operand::Vector(self.match_vectors(left, right, link, node, frame))
            }
        }
    }

    /// Streams a vector through an operator with a number on its other side.
    fn with_scalar(
        &self,
        chain: &Chain,
        link: &Link,
        swapped: bool,
        frame: &Frame,
        sink: &mut Sink<'_>,
    ) {
        let (vector, scalar) = match swapped {
            true => (&link.rhs, &*chain.first),
            false => (&*chain.first, &link.rhs),
        };
        let number = self.scalar(scalar, frame);
        let elementwise = Elementwise::new(link);
        let notes = RefCell::new(TickNotes::default());
        let change = |column: &mut Column| {
            elementwise.with_scalar(column, &number, swapped, &mut notes.borrow_mut());
            column.has_any()
        };
        match elementwise.drops_name() {
            true => self.without_names(vector, frame, sink, &change),
            false => self.stream(vector, frame, &mut |row: Row<'_>| {
                if change(row.column) {
                    sink(row);
                }
            }),
        }
        notes.into_inner().note(chain.span_to(link), frame);
    }

    fn all_with_scalar(
        &self,
        series: Vec<ColumnSeries>,
        number: &Column,
        link: &Link,
        node: Span,
        swapped: bool,
        frame: &Frame,
    ) -> Vec<ColumnSeries> {
        let elementwise = Elementwise::new(link);
        let mut notes = TickNotes::default();
        let delayed = self.view.features.delayed_name_removal;
        let mut out = Vec::with_capacity(series.len());
        for mut series in series {
            elementwise.with_scalar(&mut series.column, number, swapped, &mut notes);
            if elementwise.drops_name() {
                series.drop_name = delayed;
                if !delayed {
                    series.labels = series.labels.without_metadata();
                }
            }
            out.push(series);
        }
        notes.note(node, frame);
        super::merge::distinct(out, frame)
    }
}

/// An operator sample by sample.
#[derive(Clone, Copy)]
pub(super) struct Elementwise {
    op: BinaryOp,
    return_bool: bool,
}

impl Elementwise {
    pub fn new(link: &Link) -> Elementwise {
        Elementwise {
            op: link.op,
            return_bool: link.return_bool,
        }
    }

    /// Whether results are new values rather than the left samples, and so lose their name.
    pub fn drops_name(self) -> bool {
        self.changes_value() || self.return_bool
    }

    /// Whether it trims histograms, which says nothing to floats.
    pub fn is_trim(self) -> bool {
        self.op.is_trim()
    }

    /// Arithmetic, as opposed to a comparison.
    pub fn changes_value(self) -> bool {
        !self.op.is_comparison() && !self.op.is_trim()
    }

    /// Replaces a column by the operator's results with a number; `swapped` where the number stands left. A
    /// comparison that filters keeps the vector's sample on whichever side it is.
    pub fn with_scalar(
        self,
        column: &mut Column,
        number: &Column,
        swapped: bool,
        notes: &mut TickNotes,
    ) {
        if column.has_histograms() || self.op.is_trim() {
            return self.samples_with_scalar(column, number, swapped, notes);
        }
        let numbers = number.values();
        if !self.op.is_comparison() {
            let (values, _) = column.parts_mut();
            match swapped {
                true => self.run(values, numbers, true),
                false => self.run(values, numbers, false),
            }
            return;
        }
        let (values, present) = column.parts_mut();
        for (index, word) in present.iter_mut().enumerate() {
            let first = index * 64;
            let past = values.len().min(first + 64);
            let mut kept = 0u64;
            for tick in first..past {
                let (a, b) = if swapped {
                    (numbers[tick], values[tick])
                } else {
                    (values[tick], numbers[tick])
                };
                let keep = self.op.holds(a, b);
                kept |= u64::from(keep) << (tick - first);
                if self.return_bool {
                    values[tick] = f64::from(u8::from(keep));
                }
            }
            if !self.return_bool {
                *word &= kept;
            }
        }
    }

    /// Arithmetic with the operator chosen outside the loop.
    fn run(self, values: &mut [f64], numbers: &[f64], swapped: bool) {
        macro_rules! each {
            ($body:expr) => {{
                let body = $body;
                if swapped {
                    for (value, &number) in values.iter_mut().zip(numbers) {
                        *value = body(number, *value);
                    }
                } else {
                    for (value, &number) in values.iter_mut().zip(numbers) {
                        *value = body(*value, number);
                    }
                }
            }};
        }
        match self.op {
            BinaryOp::Add => each!(|a: f64, b: f64| a + b),
            BinaryOp::Sub => each!(|a: f64, b: f64| a - b),
            BinaryOp::Mul => each!(|a: f64, b: f64| a * b),
            BinaryOp::Div => each!(|a: f64, b: f64| a / b),
            op => {
                if let Some(body) = arithmetic(op) {
                    each!(body);
                }
            }
        }
    }

    fn samples_with_scalar(
        self,
        column: &mut Column,
        number: &Column,
        swapped: bool,
        notes: &mut TickNotes,
    ) {
        for tick in 0..column.len() {
            let number = Sample::Float(number.values()[tick]);
            let Some(sample) = column.get(tick) else {
                continue;
            };
            let (left, right) = if swapped {
                (number, sample)
            } else {
                (sample, number)
            };
            let result = match self.of_samples(left, right) {
                Ok(applied) => applied.outcome,
                Err(note) => {
                    notes.put(tick, note);
                    None
                }
            };
            // A filter keeps the vector's side, and only a float can pass one beside a number.
            let kept = match (sample, result) {
                (Sample::Float(value), Some(_)) if self.op.is_comparison() && !self.return_bool => {
                    Some(Outcome::Float(value))
                }
                (_, result) => result,
            };
            match kept {
                Some(Outcome::Float(value)) => column.set(tick, value),
                Some(Outcome::Histogram(histogram)) => column.set_histogram(tick, histogram),
                None => column.clear(tick),
            }
        }
    }

    /// The result for two samples.
    ///
    /// # Errors
    ///
    /// What there is to say where the operator is not defined for such samples: there is no result, and nothing was matched.
    pub fn of_samples(self, left: Sample<'_>, right: Sample<'_>) -> Result<Applied, Note<'static>> {
        let outcome = match (left, right) {
            (Sample::Float(a), Sample::Float(b)) if self.op.is_comparison() => {
                let keep = self.op.holds(a, b);
                return Ok(self.judged(keep, || Outcome::Float(a)));
            }
            (Sample::Float(a), Sample::Float(b)) => {
                arithmetic(self.op).map(|body| Outcome::Float(body(a, b)))
            }
            (Sample::Histogram(a), Sample::Histogram(b)) => return self.of_histograms(a, b),
            (Sample::Histogram(histogram), Sample::Float(number)) => {
                scaled(histogram, self.op, number)
            }
            (Sample::Float(number), Sample::Histogram(histogram)) => match self.op {
                BinaryOp::Mul => scaled(histogram, BinaryOp::Mul, number),
                _ => None,
            },
        };
        match outcome {
            Some(outcome) => Ok(Applied::new(Some(outcome))),
            None => Err(self.incompatible(left, right)),
        }
    }

    fn incompatible(self, left: Sample<'_>, right: Sample<'_>) -> Note<'static> {
        let kind = |sample| match sample {
            Sample::Float(_) => "float",
            Sample::Histogram(_) => "histogram",
        };
        Note::IncompatibleTypes(self.op, kind(left), kind(right))
    }

    /// What a comparison yields: the sample or nothing, or with `bool` 1 or 0.
    fn judged(self, keep: bool, sample: impl FnOnce() -> Outcome) -> Applied {
        Applied::new(match self.return_bool {
            true => Some(Outcome::Float(f64::from(u8::from(keep)))),
            false => keep.then(sample),
        })
    }

    fn of_histograms(
        self,
        a: &Arc<Histogram>,
        b: &Arc<Histogram>,
    ) -> Result<Applied, Note<'static>> {
        let (mut result, combined, operation) = match self.op {
            BinaryOp::Add => {
                let mut sum = Histogram::clone(a);
                let combined = sum.add(b);
                (sum, combined, Operation::Addition)
            }
            BinaryOp::Sub => {
                let mut difference = Histogram::clone(a);
                let combined = difference.sub(b);
                difference.counter_reset_hint = CounterResetHint::Gauge;
                (difference, combined, Operation::Subtraction)
            }
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let keep = a.equals(b) == (self.op == BinaryOp::Equal);
                return Ok(self.judged(keep, || Outcome::Histogram(Arc::clone(a))));
            }
            _ => return Err(self.incompatible(Sample::Histogram(a), Sample::Histogram(b))),
        };
        let combined = combined.map_err(|_| Note::MixedBucketsInOperator(self.op))?;
        // Prometheus warns of a collision of resets, and drops the result with that.
        if combined.counter_reset_collision {
            return Err(Note::ResetCollision(operation));
        }
        result.compact(0);
        Ok(Applied {
            outcome: Some(Outcome::Histogram(Arc::new(result))),
            note: combined
                .bounds_reconciled
                .then_some(Note::ReconciledBounds(operation)),
        })
    }
}

/// What came of an operator for two samples that were matched.
pub(super) struct Applied {
    /// `None` where a comparison filters it out.
    pub outcome: Option<Outcome>,
    /// What there is to say.
    pub note: Option<Note<'static>>,
}

/// What an operator yields.
pub(super) enum Outcome {
    Float(f64),
    Histogram(Arc<Histogram>),
}

impl Applied {
    fn new(outcome: Option<Outcome>) -> Applied {
        Applied {
            outcome,
            note: None,
        }
    }
}

/// What there is to say of an operator at each tick: Prometheus keeps the last only.
#[derive(Default)]
pub(super) struct TickNotes(BTreeMap<usize, Note<'static>>);

impl TickNotes {
    pub fn put(&mut self, tick: usize, note: Note<'static>) {
        self.0.insert(tick, note);
    }

    /// Notes all of it; `node` is where the operator stands with its operands.
    pub fn note(self, node: Span, frame: &Frame) {
        let mut remarks = Remarks::default();
        self.0.into_values().for_each(|note| remarks.add(note));
        let site = Site::new(node, node, "");
        remarks.iter().for_each(|note| frame.note(&site, note));
    }
}

/// A histogram times or by a number, or trimmed at it; `None` for other operators.
fn scaled(histogram: &Arc<Histogram>, op: BinaryOp, number: f64) -> Option<Outcome> {
    let mut result = Histogram::clone(histogram);
    match op {
        BinaryOp::Mul => result.mul(number),
        BinaryOp::Div => result.div(number),
        BinaryOp::TrimUpper => {
            result.trim(number, Trim::Upper);
            return Some(Outcome::Histogram(Arc::new(result)));
        }
        BinaryOp::TrimLower => {
            result.trim(number, Trim::Lower);
            return Some(Outcome::Histogram(Arc::new(result)));
        }
        _ => return None,
    }
    result.compact(0);
    Some(Outcome::Histogram(Arc::new(result)))
}

/// The function of an arithmetic operator.
pub(super) fn arithmetic(op: BinaryOp) -> Option<fn(f64, f64) -> f64> {
    let body: fn(f64, f64) -> f64 = match op {
        BinaryOp::Add => |a, b| a + b,
        BinaryOp::Sub => |a, b| a - b,
        BinaryOp::Mul => |a, b| a * b,
        BinaryOp::Div => |a, b| a / b,
        BinaryOp::Mod => |a, b| a % b,
        BinaryOp::Pow => power::pow,
        BinaryOp::Atan2 => trigonometry::atan2,
        _ => return None,
    };
    Some(body)
}

/// An operator between two numbers; comparisons yield 0 or 1.
fn of_scalars(op: BinaryOp, left: &Column, right: &Column) -> Column {
    let mut out = left.clone();
    Elementwise {
        op,
        return_bool: true,
    }
    .with_scalar(&mut out, right, false, &mut TickNotes::default());
    out
}

/// How many operators a chain begins with that are `or` and match alike.
fn alternatives(links: &[Link]) -> usize {
    let Some(first) = links.first() else {
        return 0;
    };
    let is_alike = |link: &&Link| link.op == BinaryOp::Or && link.matching() == first.matching();
    links.iter().take_while(is_alike).count()
}
