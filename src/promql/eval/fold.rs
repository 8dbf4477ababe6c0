//! Folds: the running values of a group, a tick each.

use std::sync::Arc;

use crate::model::Histogram;
use crate::promql::aggregations::Fold;
use crate::promql::column::{Column, Sample};
use crate::promql::histograms;
use crate::promql::numeric::{KahanSum, Mean};

/// The state of a fold over the floats of a group, and the histograms beside them.
pub(super) struct Folded {
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
    pub fn new(fold: Fold, count: usize) -> Folded {
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
    pub fn fold(&mut self, column: &mut Column) {
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

    pub fn into_column(self) -> Column {
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
