//! Aggregations: groups of series, folded series by series into one column a group.

use hashbrown::HashMap;

use super::choose::{Share, sort_as_seen};
use super::fold::Folded;
use super::frame::{Frame, QueryTime};
use super::{Evaluator, Row, Sink, emit};
use crate::model::bytes::is_utf8;
use crate::model::number::{format_value, quote};
use crate::model::{Labels, METRIC_NAME, is_metadata};
use crate::promql::aggregations::{AggregationKind, Fold, Selection};
use crate::promql::annotation::{Note, Site};
use crate::promql::ast::{Aggregate, Expr, ExprKind, Grouping, ValueType};
use crate::promql::column::{Column, ColumnSeries, Sample};
use crate::promql::functions::Body;
use crate::promql::numeric::quantile;
use crate::text::Span;

impl Evaluator<'_> {
    /// Streams the groups of an aggregation, in the order in which series name them.
    /// `node` is where the aggregation stands.
    pub(super) fn aggregate(
        &self,
        aggregate: &Aggregate,
        node: Span,
        frame: &Frame,
        sink: &mut Sink<'_>,
    ) {
        match aggregate.op.kind {
            AggregationKind::Fold(Fold::Quantile) => self.quantiles(aggregate, node, frame, sink),
            AggregationKind::Fold(fold) => self.fold(aggregate, fold, node, frame, sink),
            AggregationKind::Select(selection) => {
                self.choose(aggregate, selection, node, frame, sink)
            }
            AggregationKind::CountValues => self.count_values(aggregate, frame, sink),
        }
    }

    fn fold(
        &self,
        aggregate: &Aggregate,
        fold: Fold,
        node: Span,
        frame: &Frame,
        sink: &mut Sink<'_>,
    ) {
        let mut groups = Groups::new(&aggregate.grouping);
        self.stream_in_order(aggregate, node, frame, &mut |row: Row<'_>| {
            groups
                .entry(&row, || Folded::new(fold, frame.count()))
                .fold(&row.labels, row.column);
        });
        let argument = aggregate.expr.unwrap_parens().span;
        if groups.states().any(Folded::has_ignored) {
            note_ignored(aggregate, node, argument, frame);
        }
        let note = |note: Note<'_>, metric: &str| {
            frame.note(&Site::new(node, argument, metric), note);
        };
        emit(
            groups.into_series(|folded, _| folded.into_column(&note)),
            sink,
        );
    }

    /// Streams a vector in an order that is the same at every tick. Series of selectors, and of functions of them, come in
    /// the order in which they were stored; of other vectors the order may depend on which series there are at a tick,
    /// and so would the last bit of a sum: they are put in the order of labels.
    fn stream_in_order(
        &self,
        aggregate: &Aggregate,
        node: Span,
        frame: &Frame,
        sink: &mut Sink<'_>,
    ) {
        let expr = &aggregate.expr;
        match is_in_order(expr) || (self.is_one_moment(node, frame) && has_order(expr, false)) {
            true => self.stream(expr, frame, sink),
            false => emit(in_order_of_labels(self.vector(expr, frame)), sink),
        }
    }

    fn quantiles(&self, aggregate: &Aggregate, node: Span, frame: &Frame, sink: &mut Sink<'_>) {
        let q = self.parameter(aggregate, node, frame);
        self.note_quantiles(aggregate, node, &q, frame);
        let mut groups = Groups::new(&aggregate.grouping);
        let mut has_ignored = false;
        self.stream(&aggregate.expr, frame, &mut |row: Row<'_>| {
            has_ignored |= row.column.histogram_ticks().next().is_some();
            groups
                .entry(&row, Vec::new)
                .push(std::mem::take(row.column));
        });
        if has_ignored {
            let argument = aggregate.expr.unwrap_parens().span;
            note_ignored(aggregate, node, argument, frame);
        }
        let columns = groups.into_series(|members: Vec<Column>, _| {
            let mut out = Column::absent(frame.count());
            let mut values = Vec::new();
            for tick in 0..frame.count() {
                values.clear();
                values.extend(members.iter().filter_map(|member| float(member, tick)));
                if !values.is_empty() {
                    out.set(tick, quantile(q.values()[tick], &mut values));
                }
            }
            out
        });
        emit(columns, sink);
    }

    fn count_values(&self, aggregate: &Aggregate, frame: &Frame, sink: &mut Sink<'_>) {
        let name = match aggregate
            .param
            .as_ref()
            .map(|param| &param.unwrap_parens().kind)
        {
            Some(ExprKind::String(name)) if !name.is_empty() && is_utf8(name) => name.clone(),
            Some(ExprKind::String(name)) => {
                return frame.fail_all(&format!("invalid label name {}", quote(name)));
            }
            _ => return frame.fail_all("invalid label name \"\""),
        };
        let mut grouping = aggregate.grouping.clone();
        if !grouping.without {
            grouping.labels.push(name.clone());
        }
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut out: Vec<ColumnSeries> = Vec::new();
        self.stream(&aggregate.expr, frame, &mut |row: Row<'_>| {
            let mut builder = row.labels.to_builder();
            for tick in row.column.present_ticks() {
                let text = match row.column.get(tick) {
                    Some(Sample::Float(value)) => format_value(value),
                    Some(Sample::Histogram(histogram)) => histogram.to_string(),
                    None => continue,
                };
                builder.set(&name, &text);
                let labels = grouping.group_of(&builder.clone().build());
                let place = *places.entry(labels.clone()).or_insert_with(|| {
                    out.push(ColumnSeries {
                        labels,
                        drop_name: false,
                        column: Column::absent(frame.count()),
                    });
                    out.len() - 1
                });
                let column = &mut out[place].column;
                let count = float(column, tick).unwrap_or(0.0);
                column.set(tick, count + 1.0);
            }
        });
        out.sort_by(|a, b| a.labels.cmp(&b.labels));
        emit(out, sink);
    }

    /// `topk` and its like: the series themselves, at the ticks at which they are among the chosen.
    fn choose(
        &self,
        aggregate: &Aggregate,
        selection: Selection,
        node: Span,
        frame: &Frame,
        sink: &mut Sink<'_>,
    ) {
        let parameter = self.parameter(aggregate, node, frame);
        if selection == Selection::LimitRatio {
            self.note_ratios(aggregate, node, &parameter, frame);
        }
        let is_one = self.is_one_moment(node, frame);
        let mut series = self.vector(&aggregate.expr, frame);
        // What chooses by order, `limitk` above all, sees that in which other choices left their series.
        let is_ordered =
            is_in_order(&aggregate.expr) || (is_one && has_order(&aggregate.expr, true));
        if !is_ordered {
            series = in_order_of_labels(series);
        }
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut places: HashMap<Labels, usize> = HashMap::new();
        for (index, series) in series.iter().enumerate() {
            let place = *places
                .entry(aggregate.grouping.group_of(&series.labels))
                .or_insert_with(|| {
                    members.push(Vec::new());
                    members.len() - 1
                });
            members[place].push(index);
        }
        let count = series.len();
        let mut chosen = vec![false; count];
        let ignores = matches!(selection, Selection::Topk | Selection::Bottomk)
            && series.iter().any(|series| series.column.has_histograms());
        let mut has_ignored = false;
        let mut order = Vec::new();
        for tick in 0..frame.count() {
            let share = Share::new(selection, parameter.values()[tick], count);
            let share = share.unwrap_or_else(|message| {
                frame.fail(tick, || message);
                None
            });
            let Some(share) = share else {
                series
                    .iter_mut()
                    .for_each(|series| series.column.clear(tick));
                continue;
            };
            chosen.fill(false);
            has_ignored |= ignores && !has_ignored && any_histogram(&series, tick);
            for group in &members {
                let mut best = share.choose(&series, group, tick);
                best.iter().for_each(|&(_, index)| chosen[index] = true);
                if tick == 0 && is_one {
                    sort_as_seen(&mut best, selection);
                    order.extend(best.into_iter().map(|(_, index)| index));
                }
            }
            for (series, chosen) in series.iter_mut().zip(&chosen) {
                if !chosen {
                    series.column.clear(tick);
                }
            }
        }
        if has_ignored {
            note_ignored(aggregate, node, node, frame);
        }
        if is_one {
            let mut taken: Vec<Option<ColumnSeries>> = series.into_iter().map(Some).collect();
            series = order
                .into_iter()
                .filter_map(|index| taken[index].take())
                .collect();
        }
        emit(series, sink);
    }

    /// The parameter at each tick. Where the series aggregated are the same at all steps, Prometheus looks at the first
    /// step only.
    fn parameter(&self, aggregate: &Aggregate, node: Span, frame: &Frame) -> Column {
        let Some(parameter) = &aggregate.param else {
            return Column::constant(frame.count(), f64::NAN);
        };
        let column = self.scalar(parameter, frame);
        match column.values() {
            [first, rest @ ..] if self.is_constant(node, frame) => {
                // The first step of a subquery depends on the tick that asks.
                if frame.query == QueryTime::Shared && rest.iter().any(|value| value != first) {
                    self.must_part_ticks.set(true);
                }
                Column::constant(frame.count(), *first)
            }
            _ => column,
        }
    }
}

impl Grouping {
    /// The labels of the group that a series belongs to.
    pub(super) fn group_of(&self, labels: &Labels) -> Labels {
        let named = |name: &str| self.labels.iter().any(|label| label == name);
        match self.without {
            true => labels.filtered(|name| name != METRIC_NAME && !named(name)),
            false if self.labels.is_empty() => Labels::empty(),
            false => labels.filtered(named),
        }
    }
}

fn in_order_of_labels(mut series: Vec<ColumnSeries>) -> Vec<ColumnSeries> {
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    series
}

/// Whether an aggregation takes its series in an order that the query asked for, and so sees another at each tick.
pub(super) fn sees_order(aggregate: &Aggregate) -> bool {
    let chooses = matches!(aggregate.op.kind, AggregationKind::Select(_));
    has_order(&aggregate.expr, chooses)
}

/// Whether a vector is sorted on its way, or, `with_choices`, chosen from by `topk` and its like.
fn has_order(expr: &Expr, with_choices: bool) -> bool {
    let here = match &expr.kind {
        ExprKind::Call(call) => call.function.sorts,
        ExprKind::Aggregate(aggregate) => {
            with_choices && matches!(aggregate.op.kind, AggregationKind::Select(_))
        }
        _ => false,
    };
    here || expr
        .children()
        .into_iter()
        .any(|child| has_order(child, with_choices))
}

/// Whether a vector comes in the same order, whichever series there are at a tick.
fn is_in_order(expr: &Expr) -> bool {
    match &expr.unwrap_parens().kind {
        ExprKind::Vector(_) | ExprKind::Matrix(_) => true,
        ExprKind::Call(call) => match call.function.body {
            Body::Vector { .. } | Body::Info => false,
            _ => call
                .args
                .iter()
                .filter(|argument| argument.value_type() != ValueType::Scalar)
                .all(is_in_order),
        },
        _ => false,
    }
}

/// Notes that an aggregation takes floats only.
fn note_ignored(aggregate: &Aggregate, node: Span, place: Span, frame: &Frame) {
    let note = Note::HistogramIgnoredInAggregation(aggregate.op.name);
    frame.note(&Site::new(node, place, ""), note);
}

/// Whether any series has a histogram at a tick.
fn any_histogram(series: &[ColumnSeries], tick: usize) -> bool {
    let mut samples = series.iter().map(|series| series.column.get(tick));
    samples.any(|sample| matches!(sample, Some(Sample::Histogram(_))))
}

/// The float of a column at a tick.
pub(super) fn float(column: &Column, tick: usize) -> Option<f64> {
    match column.get(tick) {
        Some(Sample::Float(value)) => Some(value),
        _ => None,
    }
}

/// The groups of an aggregation, found by their labels.
struct Groups<'g, T> {
    grouping: &'g Grouping,
    places: HashMap<Labels, usize>,
    groups: Vec<Group<T>>,
}

/// One group.
struct Group<T> {
    labels: Labels,
    /// The ticks at which a member has a name that is still to go; empty while there is none.
    dropping: Vec<u64>,
    state: T,
}

impl<'g, T> Groups<'g, T> {
    fn new(grouping: &'g Grouping) -> Groups<'g, T> {
        Groups {
            grouping,
            places: HashMap::new(),
            groups: Vec::new(),
        }
    }

    fn entry(&mut self, row: &Row<'_>, new: impl FnOnce() -> T) -> &mut T {
        let labels = self.grouping.group_of(&row.labels);
        let place = match self.places.get(&labels) {
            Some(&place) => place,
            None => {
                self.places.insert(labels.clone(), self.groups.len());
                self.groups.push(Group {
                    labels,
                    dropping: Vec::new(),
                    state: new(),
                });
                self.groups.len() - 1
            }
        };
        let group = &mut self.groups[place];
        if row.drop_name {
            let present = row.column.presence();
            group.dropping.resize(present.len(), 0);
            for (word, present) in group.dropping.iter_mut().zip(present) {
                *word |= present;
            }
        }
        &mut group.state
    }

    fn states(&self) -> impl Iterator<Item = &T> {
        self.groups.iter().map(|group| &group.state)
    }

    /// The series of the groups. One whose name is to go at some of its ticks only is two.
    fn into_series(self, finish: impl Fn(T, &Labels) -> Column) -> Vec<ColumnSeries> {
        let mut out = Vec::with_capacity(self.groups.len());
        for group in self.groups {
            let column = finish(group.state, &group.labels);
            let is_named = group.labels.iter().any(|(name, _)| is_metadata(name));
            if is_named && !group.dropping.is_empty() {
                let mut kept = column.clone();
                kept.retain(|word| !group.dropping[word]);
                out.push(ColumnSeries {
                    labels: group.labels.clone(),
                    drop_name: false,
                    column: kept,
                });
                let mut dropped = column;
                dropped.retain(|word| group.dropping[word]);
                out.push(ColumnSeries {
                    labels: group.labels,
                    drop_name: true,
                    column: dropped,
                });
            } else {
                out.push(ColumnSeries {
                    labels: group.labels,
                    drop_name: false,
                    column,
                });
            }
        }
        out
    }
}
