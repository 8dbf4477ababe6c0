//! Folds: the running values of a group, a tick each.

use std::sync::Arc;

use crate::model::{Histogram, Labels};
use crate::promql::aggregations::Fold;
use crate::promql::annotation::{Note, Remarks};
use crate::promql::column::{Column, Sample};
use crate::promql::histograms::{self, Seen};
use crate::promql::numeric::{KahanSum, Mean};

/// The state of a fold over the floats of a group, and the histograms beside them.
pub(super) struct Folded {
    fold: Fold,
    /// Ticks with a sample that counts.
    present: Vec<u64>,
    state: State,
    /// The series that hold histograms, for the folds that take them.
    members: Vec<Member>,
    /// Whether a histogram was left out.
    has_ignored: bool,
}

/// A series of a group that holds histograms.
struct Member {
    labels: Labels,
    column: Column,
    /// Ticks at which a series before it has a float.
    after_float: Vec<u64>,
}

/// The running values of a fold, one a tick.
enum State {
    /// Sums, and what rounding lost of each.
    Sums(Vec<f64>, Vec<f64>),
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
            Fold::Sum => State::Sums(vec![0.0; count], vec![0.0; count]),
            Fold::Avg => State::Means(vec![Mean::default(); count]),
            Fold::Stddev | Fold::Stdvar => State::Spreads(vec![Welford::default(); count]),
            Fold::Min | Fold::Max => State::Values(vec![f64::NAN; count]),
            Fold::Count | Fold::Group | Fold::Quantile => State::Values(vec![0.0; count]),
        };
        Folded {
            fold,
            present: vec![0; count.div_ceil(64)],
            state,
            members: Vec::new(),
            has_ignored: false,
        }
    }

    /// Adds a series.
    pub fn fold(&mut self, labels: &Labels, column: &mut Column) {
        let counts_any = matches!(self.fold, Fold::Count | Fold::Group);
        if column.has_histograms() && !counts_any {
            match self.fold {
                Fold::Sum | Fold::Avg => self.members.push(Member {
                    labels: labels.clone(),
                    column: column.clone(),
                    after_float: self.present.clone(),
                }),
                _ => self.has_ignored |= column.histogram_ticks().next().is_some(),
            }
            column.drop_histograms();
        }
        for (word, present) in self.present.iter_mut().zip(column.presence()) {
            *word |= present;
        }
        let values = column.values();
        match (&mut self.state, self.fold) {
            (State::Sums(sums, lost), _) => add_all(sums, lost, column),
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

    /// Whether a histogram was left out.
    pub fn has_ignored(&self) -> bool {
        self.has_ignored
    }

    /// What comes of the group. `note` is told of what there is to say of its histograms, and of which metric.
    pub fn into_column(self, note: &dyn Fn(Note<'_>, &str)) -> Column {
        let values: Vec<f64> = match (self.state, self.fold) {
            (State::Sums(mut sums, lost), _) => {
                for (sum, lost) in sums.iter_mut().zip(lost) {
                    *sum += lost;
                }
                sums
            }
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
        if !self.members.is_empty() {
            let mut remarks = Remarks::default();
            for tick in 0..out.len() {
                if let Some(folded) = fold_histograms(self.fold, &self.members, tick, &mut out) {
                    folded.remark(&mut remarks, note);
                }
            }
            remarks.iter().for_each(|remark| note(remark, ""));
        }
        out
    }
}

/// Adds a column to sums, with what rounding loses of each. Where samples are present side by side the loop has no
/// branch, so that several are added at once.
fn add_all(sums: &mut [f64], lost: &mut [f64], column: &Column) {
    let values = column.values().chunks(64);
    let words = column.presence().iter().zip(values);
    let states = sums.chunks_mut(64).zip(lost.chunks_mut(64));
    for ((&word, values), (sums, lost)) in words.zip(states) {
        let all = u64::MAX >> (64 - values.len());
        let add = |((sum, lost), value): ((&mut f64, &mut f64), &f64)| {
            let mut total = KahanSum {
                sum: *sum,
                lost: *lost,
            };
            total.add(*value);
            (*sum, *lost) = (total.sum, total.lost);
        };
        let each = sums.iter_mut().zip(lost).zip(values);
        if word == all {
            each.for_each(add);
        } else if word != 0 {
            let present = each.enumerate().filter(|(tick, _)| word >> tick & 1 == 1);
            present.map(|(_, all)| all).for_each(add);
        }
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

/// What came of the histograms of a group at a tick.
struct FoldedHistograms<'m> {
    /// The first whose buckets do not fit those before it, and whether a float came before it.
    misfit: Option<&'m Member>,
    is_mixed: bool,
    seen: Seen,
}

impl FoldedHistograms<'_> {
    fn remark(&self, remarks: &mut Remarks, note: &dyn Fn(Note<'_>, &str)) {
        self.seen.remark_bounds(remarks);
        if let Some(misfit) = self.misfit {
            note(Note::MixedBuckets, misfit.labels.metric());
        }
        remarks.add_if(self.is_mixed, Note::MixedSamplesInAggregation);
        if self.misfit.is_none() && !self.is_mixed {
            self.seen.remark_resets(remarks);
        }
    }
}

/// Puts the sum or mean of histograms where a group has histograms only; a mix with floats has no result. `None` where
/// there is no histogram.
fn fold_histograms<'m>(
    fold: Fold,
    members: &'m [Member],
    tick: usize,
    out: &mut Column,
) -> Option<FoldedHistograms<'m>> {
    let of_member = |member: &'m Member| match member.column.get(tick) {
        Some(Sample::Histogram(histogram)) => Some((member, histogram)),
        _ => None,
    };
    let found: Vec<(&Member, &Arc<Histogram>)> = members.iter().filter_map(of_member).collect();
    let (first, _) = found.first()?;
    let has_floats = out.is_present(tick);
    out.clear(tick);
    let mut folded = FoldedHistograms {
        misfit: None,
        is_mixed: has_floats,
        seen: Seen::default(),
    };
    // Histograms behind a float are not even looked at.
    if first.is_after_float(tick) {
        return Some(folded);
    }
    let histograms = found.iter().map(|(_, histogram)| *histogram);
    let result = match fold {
        Fold::Avg => histograms::mean(histograms, &mut folded.seen),
        _ => histograms::sum(histograms, &mut folded.seen),
    };
    match result {
        Ok(mut result) if !has_floats => {
            result.compact(0);
            out.set_histogram(tick, Arc::new(result));
        }
        Ok(_) => {}
        Err(index) => {
            // Nothing behind a misfit is looked at.
            folded.misfit = found.get(index).map(|(member, _)| *member);
            folded.is_mixed = folded
                .misfit
                .is_some_and(|misfit| misfit.is_after_float(tick));
        }
    }
    Some(folded)
}

impl Member {
    fn is_after_float(&self, tick: usize) -> bool {
        let word = self.after_float.get(tick / 64);
        word.is_some_and(|word| word >> (tick % 64) & 1 == 1)
    }
}
