//! Aggregations: groups of series, folded series by series into one column a group.

use std::cmp::Ordering;
use std::sync::Arc;

use hashbrown::HashMap;

use super::frame::Frame;
use super::{Evaluator, Row, Sink, emit};
use crate::model::number::{format_general, format_value};
use crate::model::{Histogram, Labels, METRIC_NAME, is_metadata};
use crate::promql::aggregations::{AggregationKind, Fold, Selection};
use crate::promql::ast::{Aggregate, Expr, ExprKind, Grouping, ValueType};
use crate::promql::column::{Column, ColumnSeries, Sample};
use crate::promql::functions::Body;
use crate::promql::histograms;
use crate::promql::numeric::{KahanSum, Mean, quantile};

impl Evaluator<'_> {
    /// Streams the groups of an aggregation, in the order in which series name them.
    pub(super) fn aggregate(&self, aggregate: &Aggregate, frame: &Frame, sink: &mut Sink<'_>) {
        match aggregate.op.kind {
            AggregationKind::Fold(Fold::Quantile) => self.quantiles(aggregate, frame, sink),
            AggregationKind::Fold(fold) => self.fold(aggregate, fold, frame, sink),
            AggregationKind::Select(selection) => self.choose(aggregate, selection, frame, sink),
            AggregationKind::CountValues => self.count_values(aggregate, frame, sink),
        }
    }

    fn fold(&self, aggregate: &Aggregate, fold: Fold, frame: &Frame, sink: &mut Sink<'_>) {
        let mut groups = Groups::new(&aggregate.grouping);
        self.stream_in_order(&aggregate.expr, frame, &mut |row: Row<'_>| {
            groups
                .entry(&row, || Folded::new(fold, frame.count()))
                .fold(row.column);
        });
        emit(groups.into_series(|folded, _| folded.into_column()), sink);
    }

    /// Streams a vector in an order that is the same at every tick. Series of selectors, and of functions of them, come in
    /// the order in which they were stored; of other vectors the order may depend on which series there are at a tick,
    /// and so would the last bit of a sum: they are put in the order of labels.
    fn stream_in_order(&self, expr: &Expr, frame: &Frame, sink: &mut Sink<'_>) {
        if is_in_order(expr) {
            return self.stream(expr, frame, sink);
        }
        emit(self.vector_in_order(expr, frame), sink);
    }

    /// Evaluates a vector into series in the order of labels.
    fn vector_in_order(&self, expr: &Expr, frame: &Frame) -> Vec<ColumnSeries> {
        let mut series = self.vector(expr, frame);
        if !is_in_order(expr) {
            series.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        series
    }

    fn quantiles(&self, aggregate: &Aggregate, frame: &Frame, sink: &mut Sink<'_>) {
        let q = self.parameter(aggregate, frame);
        let mut groups = Groups::new(&aggregate.grouping);
        self.stream(&aggregate.expr, frame, &mut |row: Row<'_>| {
            groups
                .entry(&row, Vec::new)
                .push(std::mem::take(row.column));
        });
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
            Some(ExprKind::String(name)) if !name.is_empty() => name.clone(),
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
        frame: &Frame,
        sink: &mut Sink<'_>,
    ) {
        let parameter = self.parameter(aggregate, frame);
        let mut series = self.vector_in_order(&aggregate.expr, frame);
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
        for tick in 0..frame.count() {
            chosen.fill(false);
            match Share::new(selection, parameter.values()[tick], count) {
                Err(message) => frame.fail(tick, || message),
                Ok(None) => {}
                Ok(Some(share)) => {
                    for group in &members {
                        share.choose(&series, group, tick, &mut chosen);
                    }
                }
            }
            for (series, chosen) in series.iter_mut().zip(&chosen) {
                if !chosen {
                    series.column.clear(tick);
                }
            }
        }
        let is_root = matches!(&self.root.kind, ExprKind::Aggregate(root) if std::ptr::eq(&**root, aggregate));
        if is_root
            && frame.count() == 1
            && matches!(selection, Selection::Topk | Selection::Bottomk)
        {
            sort_by_value(&mut series, &members, selection);
        }
        emit(series, sink);
    }

    fn parameter(&self, aggregate: &Aggregate, frame: &Frame) -> Column {
        match &aggregate.param {
            Some(param) => self.scalar(param, frame),
            None => Column::constant(frame.count(), f64::NAN),
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

/// The float of a column at a tick.
fn float(column: &Column, tick: usize) -> Option<f64> {
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

/// The state of a fold over the floats of a group, and the histograms beside them.
struct Folded {
    fold: Fold,
    /// Ticks with a sample that counts.
    present: Vec<u64>,
    state: State,
    /// The columns that hold histograms, for the folds that take them.
    histograms: Vec<Column>,
}

/// The running values of a fold, one a tick.
enum State {
    Sums(Vec<KahanSum>),
    Means(Vec<Mean>),
    Values(Vec<f64>),
    Spreads(Vec<Welford>),
}

/// Welford's running variance without compensation, as Prometheus's aggregation has it.
#[derive(Clone, Copy, Default)]
struct Welford {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Folded {
    fn new(fold: Fold, count: usize) -> Folded {
        let state = match fold {
            Fold::Sum => State::Sums(vec![KahanSum::default(); count]),
            Fold::Avg => State::Means(vec![Mean::default(); count]),
            Fold::Stddev | Fold::Stdvar => State::Spreads(vec![Welford::default(); count]),
            Fold::Min | Fold::Max => State::Values(vec![f64::NAN; count]),
            Fold::Count | Fold::Group | Fold::Quantile => State::Values(vec![0.0; count]),
        };
        Folded {
            fold,
            present: vec![0; count.div_ceil(64)],
            state,
            histograms: Vec::new(),
        }
    }

    /// Adds a series.
    fn fold(&mut self, column: &mut Column) {
        let counts_any = matches!(self.fold, Fold::Count | Fold::Group);
        if column.has_histograms() && !counts_any {
            if matches!(self.fold, Fold::Sum | Fold::Avg) {
                self.histograms.push(column.clone());
            }
            column.drop_histograms();
        }
        for (word, present) in self.present.iter_mut().zip(column.presence()) {
            *word |= present;
        }
        let values = column.values();
        match (&mut self.state, self.fold) {
            (State::Sums(sums), _) => each_present(column, |tick| sums[tick].add(values[tick])),
            (State::Means(means), _) => each_present(column, |tick| means[tick].add(values[tick])),
            (State::Spreads(spreads), _) => {
                each_present(column, |tick| spreads[tick].add(values[tick]))
            }
            (State::Values(least), Fold::Min) => each_present(column, |tick| {
                if least[tick] > values[tick] || least[tick].is_nan() {
                    least[tick] = values[tick];
                }
            }),
            (State::Values(greatest), Fold::Max) => each_present(column, |tick| {
                if greatest[tick] < values[tick] || greatest[tick].is_nan() {
                    greatest[tick] = values[tick];
                }
            }),
            (State::Values(counts), _) => each_present(column, |tick| counts[tick] += 1.0),
        }
    }

    fn into_column(self) -> Column {
        let values: Vec<f64> = match (self.state, self.fold) {
            (State::Sums(sums), _) => sums.iter().map(|sum| sum.sum + sum.lost).collect(),
            (State::Means(means), _) => means.iter().map(Mean::result).collect(),
            (State::Spreads(spreads), Fold::Stddev) => spreads
                .iter()
                .map(|spread| spread.variance().sqrt())
                .collect(),
            (State::Spreads(spreads), _) => spreads.iter().map(Welford::variance).collect(),
            (State::Values(values), Fold::Group) => vec![1.0; values.len()],
            (State::Values(values), _) => values,
        };
        let mut out = Column::from_parts(values, self.present);
        if !self.histograms.is_empty() {
            fold_histograms(self.fold, &self.histograms, &mut out);
        }
        out
    }
}

/// Runs over the ticks with a sample; whole words of 64 without asking bit by bit.
#[inline(always)]
fn each_present(column: &Column, mut body: impl FnMut(usize)) {
    for (index, &word) in column.presence().iter().enumerate() {
        let first = index * 64;
        if word == u64::MAX {
            for tick in first..first + 64 {
                body(tick);
            }
        } else {
            let mut rest = word;
            while rest != 0 {
                body(first + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }
}

impl Welford {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.mean = value;
            self.squares = if value.is_finite() { 0.0 } else { f64::NAN };
            return;
        }
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn variance(&self) -> f64 {
        self.squares / self.count
    }
}

/// Puts the sum or mean of histograms where a group has histograms only; a mix with floats has no result.
fn fold_histograms(fold: Fold, members: &[Column], out: &mut Column) {
    for tick in 0..out.len() {
        let found: Vec<&Arc<Histogram>> = members
            .iter()
            .filter_map(|member| match member.get(tick) {
                Some(Sample::Histogram(histogram)) => Some(histogram),
                _ => None,
            })
            .collect();
        if found.is_empty() {
            continue;
        }
        let mixed = out.is_present(tick);
        out.clear(tick);
        if !mixed && let Some(result) = combine(fold, &found) {
            out.set_histogram(tick, Arc::new(result));
        }
    }
}

/// The sum or mean of histograms; `None` where their buckets do not fit together.
fn combine(fold: Fold, found: &[&Arc<Histogram>]) -> Option<Histogram> {
    let found = found.iter().copied();
    let mut result = match fold {
        Fold::Avg => histograms::mean(found)?,
        _ => histograms::sum(found)?,
    };
    result.compact(0);
    Some(result)
}

/// How many, or which part, of a group's series are chosen.
enum Share {
    Count(Selection, usize),
    Ratio(f64),
}

impl Share {
    /// `None` where nothing is chosen, whatever there is.
    fn new(selection: Selection, parameter: f64, series: usize) -> Result<Option<Share>, String> {
        if selection == Selection::LimitRatio {
            return match parameter {
                0.0 => Ok(None),
                ratio if ratio.is_nan() => Err("Ratio value is NaN".to_owned()),
                ratio => Ok(Some(Share::Ratio(ratio.clamp(-1.0, 1.0)))),
            };
        }
        if parameter < 1.0 {
            return Ok(None);
        }
        if parameter.is_nan() {
            return Err("Parameter value is NaN".to_owned());
        }
        if parameter >= i64::MAX as f64 {
            let value = format_general(parameter);
            return Err(format!("Scalar value {value} overflows int64"));
        }
        let count = (parameter as usize).min(series);
        Ok(Some(Share::Count(selection, count)))
    }

    /// Marks the chosen series of a group at a tick.
    fn choose(&self, series: &[ColumnSeries], group: &[usize], tick: usize, chosen: &mut [bool]) {
        let present = group
            .iter()
            .copied()
            .filter(|&index| series[index].column.is_present(tick));
        let values = || {
            let floats = group
                .iter()
                .filter_map(|&index| Some((float(&series[index].column, tick)?, index)));
            floats.collect::<Vec<_>>()
        };
        match *self {
            Share::Count(_, 0) => {}
            Share::Count(Selection::Topk, count) => {
                mark_best(&values(), count, |a, b| a < b, chosen)
            }
            Share::Count(Selection::Bottomk, count) => {
                mark_best(&values(), count, |a, b| a > b, chosen)
            }
            Share::Count(_, count) => present.take(count).for_each(|index| chosen[index] = true),
            Share::Ratio(ratio) => {
                let limit = |index: &usize| in_ratio(ratio, sample_offset(&series[*index].labels));
                present.filter(limit).for_each(|index| chosen[index] = true);
            }
        }
    }
}

/// Marks the `count` best of some values. Ties fall as in Prometheus: a heap with the worst on top, which only
/// something strictly better replaces; NaN is the worst of all.
fn mark_best(
    values: &[(f64, usize)],
    count: usize,
    worse: fn(f64, f64) -> bool,
    chosen: &mut [bool],
) {
    let above = |a: f64, b: f64| a.is_nan() || worse(a, b);
    let mut heap: Vec<(f64, usize)> = Vec::with_capacity(count.min(values.len()));
    for &(value, index) in values {
        if heap.len() < count {
            heap.push((value, index));
            let mut child = heap.len() - 1;
            while child > 0 {
                let parent = (child - 1) / 2;
                if !above(heap[child].0, heap[parent].0) {
                    break;
                }
                heap.swap(child, parent);
                child = parent;
            }
        } else if worse(heap[0].0, value) || (heap[0].0.is_nan() && !value.is_nan()) {
            heap[0] = (value, index);
            sift_down(&mut heap, above);
        }
    }
    for (_, index) in heap {
        chosen[index] = true;
    }
}

fn sift_down(heap: &mut [(f64, usize)], above: impl Fn(f64, f64) -> bool) {
    let mut parent = 0;
    loop {
        let mut child = 2 * parent + 1;
        if child >= heap.len() {
            return;
        }
        if child + 1 < heap.len() && above(heap[child + 1].0, heap[child].0) {
            child += 1;
        }
        if !above(heap[child].0, heap[parent].0) {
            return;
        }
        heap.swap(parent, child);
        parent = child;
    }
}

/// The place of a series in `[0, 1]` by the hash of its labels.
fn sample_offset(labels: &Labels) -> f64 {
    labels.hash64() as f64 / u64::MAX as f64
}

/// Whether a series belongs to a ratio: the low part of the offsets, or for a negative ratio the rest.
fn in_ratio(ratio: f64, offset: f64) -> bool {
    match ratio >= 0.0 {
        true => offset < ratio,
        false => offset >= 1.0 + ratio,
    }
}

/// Puts the series of each group in the order of their values, best first, as an instant `topk` shows them.
fn sort_by_value(series: &mut Vec<ColumnSeries>, members: &[Vec<usize>], selection: Selection) {
    let mut order: Vec<usize> = Vec::with_capacity(series.len());
    for group in members {
        let mut group: Vec<(usize, f64)> = group
            .iter()
            .filter_map(|&index| Some((index, float(&series[index].column, 0)?)))
            .collect();
        group.sort_by(|a, b| {
            let order = a.1.partial_cmp(&b.1).unwrap_or(Ordering::Equal);
            let order = if selection == Selection::Topk {
                order.reverse()
            } else {
                order
            };
            a.1.is_nan().cmp(&b.1.is_nan()).then(order)
        });
        order.extend(group.into_iter().map(|(index, _)| index));
    }
    let mut taken: Vec<Option<ColumnSeries>> =
        std::mem::take(series).into_iter().map(Some).collect();
    series.extend(order.into_iter().filter_map(|index| taken[index].take()));
}
